//! Loading, self-checks and clips are stopped from another thread. Needs ONNX Runtime.

#[path = "support/looping.rs"]
mod looping;
#[path = "support/onnx.rs"]
mod onnx;
#[path = "support/with.rs"]
mod with;

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use auricle::{Cancel, Clip, ClipOptions, Error, Model, ModelOptions, Status};
use looping::{MANIFEST, WINDOW, looping, looping_on_constants, nested_functions, slow_to_load};
use with::with;

/// Long enough for what is to be stopped to have begun.
const BEGUN: Duration = Duration::from_millis(300);
/// A kernel of these networks takes far less than this, on a machine that is busy with other things too.
const SOON: Duration = Duration::from_secs(5);

fn load(onnx: &[u8], cancel: Option<&Cancel>) -> Result<Model, Error> {
    let options = with(ModelOptions::default(), |o| o.cancel = cancel.cloned());
    Model::load_memory(onnx, Some(&format!("{MANIFEST} }}")), &options)
}

fn classify(model: &Model, level: f32, cancel: &Cancel) -> Result<[f32; 2], Error> {
    let options = with(ClipOptions::default(), |o| o.cancel = Some(cancel.clone()));
    let mut scores = [0.0; 2];
    let clip = Clip { interleaved: &[level; WINDOW], channels: 1, sample_rate: 16_000 };
    model.classify_with(clip, &options, &mut scores)?;
    Ok(scores)
}

/// Runs `work`, which does not end by itself, and requests `cancel` meanwhile.
fn cancelled<T: Send + std::fmt::Debug>(cancel: &Cancel, work: impl FnOnce() -> Result<T, Error> + Send) {
    cancelled_within(cancel, SOON, work);
}

fn cancelled_within<T: Send + std::fmt::Debug>(
    cancel: &Cancel,
    soon: Duration,
    work: impl FnOnce() -> Result<T, Error> + Send,
) {
    thread::scope(|scope| {
        let running = scope.spawn(|| (work(), Instant::now()));
        thread::sleep(BEGUN);
        assert!(
            !running.is_finished(),
            "it has ended by itself: {:?}",
            running.join().map(|(result, _)| result)
        );
        let requested = Instant::now();
        cancel.request();
        let (result, ended) = running.join().expect("no panic");
        let error = result.expect_err("there is no result");
        assert_eq!(error.status(), Status::Cancelled, "{error}");
        let took = ended.duration_since(requested);
        assert!(took < soon, "{took:?} from the request to the end");
        eprintln!("MEASURED: {took:?} from the request to the end");
    });
}

#[test]
fn a_clip_is_stopped_in_a_network_that_never_ends_and_the_model_goes_on() {
    let (model, cancel) = (load(&looping(3), None).expect("silence takes three trips"), Cancel::new());
    for _ in 0..3 {
        cancelled(&cancel, || classify(&model, 0.5, &cancel));
        assert_eq!(classify(&model, 0.0, &cancel).expect_err("still requested").status(), Status::Cancelled);
        cancel.clear();
        assert_eq!(classify(&model, 0.0, &cancel), Ok([3.25, 3.5]));
    }
}

#[test]
fn loading_a_network_that_never_ends_is_stopped() {
    for file in [looping(i64::MAX / 2), looping_on_constants()] {
        let cancel = Cancel::new();
        cancelled(&cancel, || load(&file, Some(&cancel)));
    }
}

/// ONNX Runtime looks at the switch between the steps of a load, not within one (SECURITY.md says so): a load that is
/// cancelled gives no model, but may end only when the constants are computed.
#[test]
fn a_load_that_is_cancelled_while_onnx_runtime_computes_constants_gives_no_model() {
    load(&slow_to_load(8, 3), None).expect("small matrices take no time");
    let cancel = Cancel::new();
    cancelled_within(&cancel, Duration::from_secs(300), || load(&slow_to_load(512, 200), Some(&cancel)));
}

#[test]
fn a_load_is_stopped_while_onnx_runtime_writes_functions_out() {
    load(&nested_functions(2), None).expect("a few take no time");
    let cancel = Cancel::new();
    cancelled(&cancel, || load(&nested_functions(6), Some(&cancel)));
}

#[test]
fn a_self_check_is_stopped_between_windows_and_within_one() {
    let case = r#"{ "signal": { "kind": "chirp", "from_hz": 0, "to_hz": 0 }, "seconds": 9, "scores": [0, 0],
        "tolerance": 1e6 }"#;
    let manifest = format!(r#"{MANIFEST}, "stream": {{ "hop_seconds": 0.001 }}, "golden": [{case}] }}"#);
    // 8901 windows of ten thousand trips each: minutes.
    let (file, cancel) = (looping(10_000), Cancel::new());
    let options = with(ModelOptions::default(), |o| {
        o.self_check = true;
        o.cancel = Some(cancel.clone());
    });
    cancelled(&cancel, || Model::load_memory(&file, Some(&manifest), &options));
    let model = Model::load_memory(&file, Some(&manifest), &ModelOptions::default()).expect("loads");
    cancel.clear();
    cancelled(&cancel, || model.self_check_until(Some(&cancel)));
}

#[test]
fn nothing_begins_once_it_was_requested() {
    let (model, cancel) = (load(&looping(0), None).expect("loads"), Cancel::new());
    cancel.request();
    let status = |result: Result<(), Error>| result.map_err(|error| error.status());
    assert_eq!(status(load(&looping(i64::MAX / 2), Some(&cancel)).map(drop)), Err(Status::Cancelled));
    assert_eq!(status(classify(&model, 0.5, &cancel).map(drop)), Err(Status::Cancelled));
    // A recording that comes in parts is stopped too.
    let options = with(ClipOptions::default(), |o| o.cancel = Some(cancel.clone()));
    let mut clip = model.clip_stream(16_000, 1, &options).expect("planned");
    clip.push(&[0.5; WINDOW]).expect("there is memory");
    assert_eq!(status(clip.read(&mut [0.0; 2]).map(drop)), Err(Status::Cancelled));
}

#[test]
fn one_switch_stops_everything_that_was_given_it() {
    let (model, cancel) = (load(&looping(0), None).expect("loads"), Cancel::new());
    let ready = Barrier::new(3);
    thread::scope(|scope| {
        let run = || {
            ready.wait();
            classify(&model, 0.5, &cancel).map_err(|error| error.status())
        };
        let threads = [scope.spawn(run), scope.spawn(run)];
        ready.wait();
        thread::sleep(BEGUN);
        cancel.request();
        assert!(threads.into_iter().all(|thread| thread.join().expect("no panic") == Err(Status::Cancelled)));
    });
}

#[test]
fn one_run_is_stopped_and_no_other() {
    let model = load(&looping(0), None).expect("loads");
    let switches = [Cancel::new(), Cancel::new()];
    thread::scope(|scope| {
        let [first, second] = switches.each_ref().map(|cancel| {
            let model = &model;
            scope.spawn(move || classify(model, 0.5, cancel).map_err(|error| error.status()))
        });
        thread::sleep(BEGUN);
        switches[0].request();
        assert_eq!(first.join().expect("no panic"), Err(Status::Cancelled));
        thread::sleep(BEGUN);
        assert!(!second.is_finished(), "the other run goes on");
        assert_eq!(classify(&model, 0.0, &Cancel::new()), Ok([0.25, 0.5]), "and so do later ones");
        switches[1].request();
        assert_eq!(second.join().expect("no panic"), Err(Status::Cancelled));
    });
}
