//! Several outputs, vectors without labels, rows of a window as results of their own, element types.

#[path = "support/heads_network.rs"]
mod heads_network;
#[path = "support/looping.rs"]
mod looping;
#[path = "support/onnx.rs"]
mod onnx;
#[path = "support/random.rs"]
mod random;
#[path = "support/with.rs"]
mod with;

use auricle::manifest::Kind;
use auricle::{Clip, ClipOptions, Error, Model, ModelOptions, Read, Session, SessionOptions, Status, Window};
use heads_network::{F16, F32, F64, I8, I16, ROW, U8, WINDOW, first_two, heads};
use looping::{file, value};
use random::Random;
use with::with;

fn load(network: &[u8], input: &str, outputs: &str, hop: f64) -> Result<Model, Error> {
    let manifest = format!(
        r#"{{ "auricle": 1, "outputs": {outputs}, "stream": {{ "hop_seconds": {hop} }},
             "input": {{ "sample_rate": 8000, "window_seconds": 0.1, "features": {{ "kind": "waveform" }},
                        "layout": ["batch", "sample"]{input} }} }}"#
    );
    Model::load_memory(network, Some(&manifest), &ModelOptions::default())
}

fn model(outputs: &str) -> Model {
    load(&heads(), "", outputs, 0.1).expect(outputs)
}

/// Multiples of 2^-10 up to 1/2.
fn audio(seed: u64, samples: usize) -> Vec<f32> {
    let mut random = Random(seed);
    (0..samples).map(|_| (random.next() % 1025) as f32 / 1024.0 - 0.5).collect()
}

fn clip(samples: &[f32]) -> Clip<'_> {
    Clip { interleaved: samples, channels: 1, sample_rate: 8_000 }
}

fn mean(samples: &[f32]) -> f32 {
    samples.iter().sum::<f32>() / samples.len() as f32
}

fn max(samples: &[f32]) -> f32 {
    samples.iter().copied().fold(f32::MIN, f32::max)
}

fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

fn close(ours: &[f32], expected: &[f32]) {
    assert_eq!(ours.len(), expected.len());
    let apart = ours.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart < 1e-6, "{ours:?} {expected:?}");
}

const TWO_AND_VECTOR: &str = r#"[{ "tensor": "two", "labels": ["mean", "max"], "activation": "sigmoid" },
    { "name": "embedding", "tensor": "vector", "kind": "embedding" }]"#;

#[test]
fn every_output_of_a_result_can_be_had() {
    let (model, audio) = (model(TWO_AND_VECTOR), audio(1, 3 * WINDOW));
    assert_eq!((model.output_count(), model.class_count(), model.labels().len()), (2, 2, 2));
    let (two, vector) = (model.output(0).expect("the first"), model.output(1).expect("the second"));
    assert_eq!((two.name, two.kind, two.size, two.labels.len()), ("two", Kind::Scores, 2, 2));
    assert_eq!(
        (vector.name, vector.kind, vector.size, vector.labels.len()),
        ("embedding", Kind::Embedding, 3, 0)
    );
    assert_eq!((two.hop_seconds, model.output(2)), (None, None));

    let options = with(SessionOptions::new(8_000, 1), |o| {
        o.stream = Some(
            auricle::manifest::Stream::parse(r#"{ "smoothing_seconds": 0.3 }"#, model.manifest())
                .expect("valid"),
        );
    });
    let session = Session::new(&model, &options).expect("a session");
    let (mut scores, mut values) = ([0.0; 2], [0.0; 4]);
    let before = session.output(1, &mut values).expect_err("nothing was read yet");
    assert_eq!(before.status(), Status::InvalidState);
    session.push_f32(&audio).expect("push");
    for (number, window) in audio.chunks(WINDOW).enumerate() {
        assert!(matches!(session.read(&mut scores).expect("read"), Read::Window(_)));
        assert_eq!(session.output(1, &mut values).expect("fits"), 3);
        close(&values[..3], &[window[0], window[WINDOW - 1], mean(window)]);
        assert_eq!(session.output(0, &mut values).expect("fits"), 2);
        assert_eq!(values[..2], scores, "what the read gave, smoothed");
        let plain = [sigmoid(mean(window)), sigmoid(max(window))];
        assert!(number == 0 || (scores[0] - plain[0]).abs() > 1e-4, "{scores:?} {plain:?}");
    }
    let small = session.output(1, &mut values[..2]).expect_err("too small");
    assert_eq!(small.status(), Status::BufferTooSmall);
    assert!(small.message().contains("room for 2; the output has 3"), "{small}");
    let absent = session.output(2, &mut values).expect_err("there are two");
    assert!(absent.message().contains("output is 2; the model has 2"), "{absent}");
    session.reset().expect("reset");
    session.output(0, &mut values).expect_err("forgotten");

    let options = with(ClipOptions::default(), |o| o.output = 1);
    model.classify_with(clip(&audio), &options, &mut values).expect("classifies");
    let at = |place: usize| (0..3).map(|k| audio[k * WINDOW + place]).sum::<f32>() / 3.0;
    close(&values[..3], &[at(0), at(WINDOW - 1), mean(&audio)]);
    let mut stream = model.clip_stream(8_000, 1, &ClipOptions::default()).expect("a clip");
    stream.push(&audio).expect("push");
    stream.read(&mut scores).expect("reads").expect("a window");
    close(&scores, &[sigmoid(mean(&audio[..WINDOW])), sigmoid(max(&audio[..WINDOW]))]);
    stream.output(1, &mut values).expect("fits");
    close(&values[..3], &[audio[0], audio[WINDOW - 1], mean(&audio[..WINDOW])]);
}

#[test]
fn a_model_without_labels_gives_vectors() {
    let model = model(r#"[{ "tensor": "vector", "kind": "embedding" }]"#);
    assert_eq!((model.class_count(), model.labels().len()), (3, 0));
    let (audio, mut values) = (audio(2, WINDOW), [0.0; 3]);
    model.classify(clip(&audio), &mut values).expect("classifies");
    close(&values, &[audio[0], audio[WINDOW - 1], mean(&audio)]);
    let error =
        auricle::manifest::Stream::parse(r#"{ "events": {} }"#, model.manifest()).expect_err("no scores");
    assert!(error.message().contains("for scores, which the first output has none of"), "{error}");
}

#[test]
fn rows_become_one() {
    let audio = audio(3, WINDOW);
    let parts: Vec<[f32; 2]> = audio.chunks(ROW).map(|part| [mean(part), max(part)]).collect();
    let over = |column: usize, fold: fn(&[f32]) -> f32| {
        fold(&parts.iter().map(|row| row[column]).collect::<Vec<_>>())
    };
    let last: fn(&[f32]) -> f32 = |values| values[values.len() - 1];
    for (rows, fold) in [("mean", mean as fn(&[f32]) -> f32), ("max", max), ("last", last)] {
        let model = model(&format!(r#"[{{ "tensor": "frames", "kind": "values", "rows": "{rows}" }}]"#));
        let mut values = [0.0; 2];
        model.classify(clip(&audio), &mut values).expect("classifies");
        close(&values, &[over(0, fold), over(1, fold)]);
    }
    // The activation comes first.
    let model = model(
        r#"[{ "tensor": "frames", "labels": ["a", "b"], "rows": "mean", "activation": "softmax", "temperature": 0.01 }]"#,
    );
    let first = |row: &[f32; 2]| 1.0 / (1.0 + ((row[1] - row[0]) / 0.01).exp());
    let mut scores = [0.0; 2];
    model.classify(clip(&audio), &mut scores).expect("classifies");
    let expected = mean(&parts.iter().map(first).collect::<Vec<_>>());
    close(&scores, &[expected, 1.0 - expected]);
}

/// Rows of 100 samples, of which the outer two of each window are left out; windows are 600 samples apart.
const SERIES: &str = r#"{ "hop_seconds": 0.0125, "trim_start": 1, "trim_end": 1 }"#;

fn series() -> Model {
    let outputs = format!(
        r#"[{{ "tensor": "frames", "kind": "values", "rows": {SERIES} }}, {{ "tensor": "vector", "kind": "embedding" }}]"#
    );
    load(&heads(), "", &outputs, 0.075).expect("loads")
}

type Rows = Vec<(Window, [f32; 2], [f32; 3])>;

fn rows(session: &Session, heard: &mut Rows) -> Read {
    let (mut values, mut vector) = ([0.0; 2], [0.0; 3]);
    loop {
        match session.read(&mut values).expect("read") {
            Read::Window(window) => {
                session.output(1, &mut vector).expect("fits");
                heard.push((with(window, |w| w.inference_nanoseconds = 0), values, vector));
            }
            other => return other,
        }
    }
}

#[test]
fn rows_are_results_of_their_own() {
    let (model, audio) = (series(), audio(4, 5_150));
    assert_eq!(model.output(0).expect("the first").hop_seconds, Some(0.0125));
    let session = Session::new(&model, &SessionOptions::new(8_000, 1)).expect("a session");
    let mut whole = Rows::new();
    session.push_f32(&audio).expect("push");
    session.finish().expect("finish");
    assert_eq!(rows(&session, &mut whole), Read::End);
    // From the second row of the first window on, one row after the other, to the end of the audio.
    assert_eq!(whole.len(), 51);
    for (number, (window, values, vector)) in whole.iter().enumerate() {
        let begin = 100 * (number + 1);
        assert_eq!((window.sequence, window.first_frame as usize), (number as u64, begin));
        assert_eq!(window.end_frame as usize, (begin + ROW).min(audio.len()));
        let mut row = audio[begin..audio.len().min(begin + ROW)].to_vec();
        row.resize(ROW, 0.0);
        close(values, &[mean(&row), max(&row)]);
        assert_eq!(vector[0], audio[number / 6 * 600], "the vector of the row's window");
    }
    let mut random = Random(5);
    for (longest, limit) in [(1, 0), (70, 1), (900, 4)] {
        let options = with(SessionOptions::new(8_000, 1), |o| o.max_windows_per_read = limit);
        let (session, mut heard, mut rest) =
            (Session::new(&model, &options).expect("a session"), Rows::new(), &audio[..]);
        while !rest.is_empty() {
            let (now, later) = rest.split_at((1 + random.next() as usize % longest).min(rest.len()));
            session.push_f32(now).expect("push");
            rest = later;
            match random.next() % 3 {
                0 => drop(rows(&session, &mut heard)),
                1 => drop(session.wait(std::time::Duration::ZERO).expect("wait")),
                _ => {}
            }
        }
        session.finish().expect("finish");
        while rows(&session, &mut heard) != Read::End {}
        assert!(heard == whole, "pieces up to {longest}, limit {limit}");
    }
    let mut expected = [0.0; 2];
    model.classify(clip(&audio), &mut expected).expect("classifies");
    let mean_of = |k: usize| mean(&whole.iter().map(|(_, values, _)| values[k]).collect::<Vec<_>>());
    close(&expected, &[mean_of(0), mean_of(1)]);
    // 90 samples lie in the row that is left out.
    let error = model.classify(clip(&audio[..90]), &mut expected).expect_err("no result");
    assert_eq!(error.status(), Status::ClipTooShort);
}

#[test]
fn rows_of_lost_audio_are_left_out() {
    let (model, audio) = (series(), audio(6, 2_000));
    let session = Session::new(&model, &SessionOptions::new(8_000, 1)).expect("a session");
    session.push_f32(&audio[..1_250]).expect("push");
    session.gap(300).expect("gap");
    session.push_f32(&audio[1_550..]).expect("push");
    session.finish().expect("finish");
    let mut heard = Rows::new();
    assert_eq!(rows(&session, &mut heard), Read::End);
    let begins: Vec<u64> = heard.iter().map(|(window, ..)| window.first_frame / 100).collect();
    assert_eq!(begins, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 18, 19]);
    let touched = |(window, ..): &&(Window, [f32; 2], [f32; 3])| window.health.gap_frames > 0;
    let touched: Vec<_> =
        heard.iter().filter(touched).map(|(w, ..)| (w.first_frame, w.health.gap_frames)).collect();
    assert_eq!(touched, [(1_200, 50), (1_500, 50)]);
}

#[test]
fn tensors_of_any_type() {
    let samples: Vec<f32> = [0.3, -0.7].into_iter().chain([0.0; WINDOW - 2]).collect();
    for (element, dtype, scale, expected) in [
        (F32, "f32", "", [0.3, -0.7]),
        (F64, "f64", "", [0.3, -0.7]),
        // The nearest halves of 11 bits.
        (F16, "f16", "", [0.300_048_83, -0.700_195_3]),
        // Steps of 1/32768, and of 0.01 with 128 for 0; what is beyond is the last step.
        (I16, "i16", r#", "scale": 3.0517578125e-5"#, [9_830.0 / 32_768.0, -22_938.0 / 32_768.0]),
        (U8, "u8", r#", "scale": 0.01, "zero_point": 128"#, [0.3, -0.7]),
        (U8, "u8", r#", "scale": 0.004, "zero_point": 128"#, [0.3, -128.0 * 0.004]),
        (I8, "i8", r#", "scale": 0.25, "zero_point": -3"#, [0.25, -0.75]),
    ] {
        let members = format!(r#", "dtype": "{dtype}"{scale}"#);
        let outputs = format!(r#"[{{ "kind": "values"{members} }}]"#);
        let model = load(&first_two(element), &members, &outputs, 0.1).expect(dtype);
        let mut values = [0.0; 2];
        model.classify(clip(&samples), &mut values).expect("classifies");
        assert!(values.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-7), "{dtype}: {values:?}");
    }
}

#[test]
fn what_does_not_fit_is_told_with_both_sides() {
    let refused = |outputs: &str| load(&heads(), "", outputs, 0.1).expect_err(outputs).message().to_owned();
    for (outputs, expected) in [
        (
            r#"[{ "tensor": "two", "labels": ["a", "b", "c"] }]"#,
            "outputs[0].labels: 3 labels, tensor \"two\" has 2 classes",
        ),
        (
            r#"[{ "tensor": "three", "kind": "values" }]"#,
            "outputs[0].tensor: the network has no output \"three\"",
        ),
        (
            r#"[{ "tensor": "frames", "kind": "values", "rows": { "hop_seconds": 0.05 } }]"#,
            "outputs[0].rows.hop_seconds: 0.05; 8 rows are then 0.4 s, and the window has 0.1 s",
        ),
        (
            r#"[{ "tensor": "frames", "labels": ["1", "2", "3", "4", "5", "6", "7", "8"], "rows": "mean" }]"#,
            "has 2 classes ([1, 8, 2]); rows are the last axis but one: turn the axes round",
        ),
        (
            r#"[{ "tensor": "frames", "kind": "values" }]"#,
            "outputs[0].rows: tensor \"frames\" has [1, 8, 2]: say what becomes",
        ),
        (
            r#"[{ "tensor": "frames", "kind": "values", "rows": { "hop_seconds": 0.0125, "trim_start": 4, "trim_end": 4 } }]"#,
            "rows: nothing is left of tensor \"frames\"",
        ),
        (
            r#"[{ "tensor": "two", "kind": "values", "dtype": "u8", "scale": 1 }]"#,
            "outputs[0].dtype: u8; tensor \"two\" holds f32",
        ),
        (r#"[{ "kind": "values" }, { "tensor": "two", "kind": "values" }]"#, "tensor \"two\" is there twice"),
        (
            r#"[{ "tensor": "two", "kind": "values" },
                { "tensor": "frames", "kind": "values", "rows": { "hop_seconds": 0.0125 } }]"#,
            "outputs[1].rows: a series goes with the results",
        ),
        (r#"[{ "tensor": "two", "kind": "embedding", "labels": ["a", "b"] }]"#, "only scores have labels"),
        (r#"[{ "tensor": "two", "kind": "embedding", "activation": "softmax" }]"#, "only scores have one"),
        (r#"[{ "tensor": "two" }]"#, "outputs[0].labels: 0 labels"),
        (r#"[{ "tensor": "two", "kind": "values", "dtype": "u8" }]"#, "scale: is needed with dtype u8"),
        (r#"[{ "tensor": "two", "kind": "values", "scale": 2 }]"#, "has no meaning with dtype f32"),
        ("[]", "0 outputs"),
    ] {
        let message = refused(outputs);
        assert!(message.contains(expected), "{outputs}: {message}");
    }
    // All at once.
    let message = refused(
        r#"[{ "tensor": "two", "labels": ["a"] }, { "tensor": "three", "kind": "values" }, { "tensor": "vector", "kind": "values", "dtype": "f64" }]"#,
    );
    assert!(
        ["outputs[0].labels", "outputs[1].tensor", "outputs[2].dtype"]
            .iter()
            .all(|path| message.contains(path)),
        "{message}"
    );
}

/// A network of the first two samples, and these operators behind them, each of one input.
fn ends_in(ops: &[&str]) -> Vec<u8> {
    let name = |k: usize| if k == ops.len() { "out".to_owned() } else { format!("t{k}") };
    let mut parts = vec![
        onnx::bytes(2, "g"),
        value(11, "audio", F32, &[1, WINDOW as u64]),
        value(12, "out", F32, &[1, 2]),
        onnx::bytes(5, onnx::integers("places", &[2], &[0, 1])),
        onnx::node("Gather", &["audio", "places"], &["t0"], &[onnx::int("axis", 1)]),
    ];
    parts.extend(ops.iter().enumerate().map(|(k, op)| onnx::node(op, &[&name(k)], &[&name(k + 1)], &[])));
    file("", &parts)
}

/// Two of them would give scores that look like scores: softmax of 0.9 and 0.1 is 0.69 and 0.31.
#[test]
fn no_activation_stands_behind_the_networks_own() {
    let load = |ops: &[&str], activation: &str| {
        let outputs = format!(r#"[{{ "labels": ["a", "b"], "activation": "{activation}" }}]"#);
        load(&ends_in(ops), "", &outputs, 0.1)
    };
    for (ops, activation, expected) in [
        (&["Softmax"][..], "softmax", "softmax, but tensor \"out\" comes out of a Softmax in the network"),
        (&["Sigmoid", "Identity"], "sigmoid", "comes out of a Sigmoid in the network"),
        (&["Softmax", "Flatten"], "sigmoid", "\"none\" is right there"),
        (&["LogSoftmax"], "sigmoid", "\"softmax\" is right there"),
    ] {
        let message = load(ops, activation).expect_err(activation).message().to_owned();
        assert!(
            message.contains("outputs[0].activation: ") && message.contains(expected),
            "{ops:?}: {message}"
        );
    }
    for (ops, activation) in [
        (&["Softmax"][..], "none"),
        (&["Sigmoid"], "none"),
        (&["LogSoftmax"], "softmax"),
        (&["Tanh"], "softmax"),
        (&["Softmax", "Neg"], "sigmoid"),
        (&["Identity"], "none"),
    ] {
        load(ops, activation).unwrap_or_else(|error| panic!("{ops:?} {activation}: {error}"));
    }
    // What a softmax has said already comes back from its logarithms.
    let mut scores = [0.0; 2];
    let model = load(&["Softmax"], "none").expect("loads");
    model.classify(clip(&audio(1, WINDOW)), &mut scores).expect("classifies");
    let mut again = [0.0; 2];
    let model = load(&["LogSoftmax"], "softmax").expect("loads");
    model.classify(clip(&audio(1, WINDOW)), &mut again).expect("classifies");
    close(&again, &scores);
}

#[test]
fn what_would_say_nothing_or_anything_is_refused() {
    let refused = |network: &[u8], outputs: &str| {
        load(network, "", outputs, 0.1).expect_err(outputs).message().to_owned()
    };
    let one = refused(&heads(), r#"[{ "tensor": "two", "labels": ["a"], "activation": "softmax" }]"#);
    assert!(one.contains("outputs[0].activation: softmax of one class is 1"), "{one}");
    // Several outputs, and no word of which is meant.
    for outputs in [r#"[{ "kind": "embedding" }]"#, r#"[{ "labels": ["a", "b"] }]"#] {
        let message = refused(&heads(), outputs);
        let expected =
            r#"outputs[0].tensor: is needed: the network has 3 outputs, "two", "vector", "frames""#;
        assert!(message.contains(expected), "{message}");
    }
    // One that is left over is the one that is meant.
    model(
        r#"[{ "kind": "values" }, { "tensor": "vector", "kind": "values" },
            { "tensor": "frames", "kind": "values", "rows": "mean" }]"#,
    );
}
