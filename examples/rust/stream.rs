//! Two threads and one session: one pushes a sound as a microphone would, the other one reads scores and events.
//! `cargo run --example stream -- [MODEL.onnx]`

use std::error::Error;
use std::thread;
use std::time::Duration;

use auricle::manifest::Stream;
use auricle::{Model, ModelOptions, Read, Session, SessionOptions, Wait};

const RATE: u32 = 48_000;
/// Frames of one callback.
const BLOCK: usize = 480;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).unwrap_or("models/esc10.onnx".into());
    let model = Model::load(file, &ModelOptions::default())?;
    let mut options = SessionOptions::new(RATE, 1);
    options.stream =
        Some(Stream::parse(r#"{ "hop_seconds": 0.25, "events": { "on": 0.5 } }"#, model.manifest())?);
    let session = Session::new(&model, &options)?;

    thread::scope(|scope| {
        scope.spawn(|| microphone(&session));
        read(&session, &model)
    })?;
    Ok(())
}

/// Stands in for an audio callback: three seconds, as fast as they would come.
fn microphone(session: &Session) {
    let mut state = 1_u32;
    for _ in 0..3 * RATE as usize / BLOCK {
        let mut block = [0.0_f32; BLOCK];
        for sample in &mut block {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample = (state >> 8) as f32 / (1 << 24) as f32 - 0.5;
        }
        // Never blocks; what does not fit is counted in the results that it touches.
        let _ = session.push_f32(&block);
        thread::sleep(Duration::from_millis(10));
    }
    let _ = session.finish();
}

fn read(session: &Session, model: &Model) -> auricle::Result<()> {
    let mut scores = vec![0.0; session.class_count()];
    let seconds = |frame: u64| frame as f64 / f64::from(RATE);
    loop {
        if session.wait(Duration::from_secs(1))? == Wait::TimedOut {
            continue; // nothing came for a second: wait on
        }
        let read = session.read(&mut scores)?;
        if let Read::Window(window) = read {
            let best = (0..scores.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or(0);
            println!("{:6.2} s  {} {:.2}", seconds(window.first_frame), model.labels()[best], scores[best]);
        }
        while let Some(event) = session.read_event()? {
            let what = if event.is_final { "ended" } else { "began" };
            println!(
                "          {} {what} at {:.2} s",
                model.labels()[event.class],
                seconds(event.onset_frame)
            );
        }
        if matches!(read, Read::End | Read::Cancelled) {
            break;
        }
    }
    Ok(())
}
