//! `auricle listen`: what a microphone hears, live. Behind the feature `microphone`.

#[cfg(feature = "microphone")]
mod live;
#[cfg(feature = "microphone")]
mod microphone;
#[cfg(feature = "microphone")]
mod view;

use std::path::PathBuf;

#[cfg(feature = "microphone")]
pub use live::run;

/// Say what is heard by a microphone, live
///
/// On a terminal: level, scores and events as they change; q or Ctrl-C ends it. Elsewhere: one line for each event
/// that is over.
#[derive(clap::Args)]
pub struct Args {
    /// The microphone: its name, or a part of it that no other has [default: the system's]
    #[arg(short, long, value_name = "NAME")]
    device: Option<String>,
    /// List the microphones and stop
    #[arg(long)]
    list_devices: bool,
    /// The ONNX model [default: the bundled model]
    #[arg(short, long)]
    model: Option<PathBuf>,
    /// Seconds between windows [default: the model's]
    #[arg(long, value_name = "SECONDS")]
    hop: Option<f64>,
    /// The channel to hear, from 1; 0 is the mean of all
    #[arg(short, long, value_name = "N", default_value = "0")]
    channel: u32,
    /// Smoothing and events: the JSON object, or a file with it [default: the model's]
    #[arg(long, value_name = "JSON|FILE")]
    stream: Option<String>,
    /// Print one JSON object for each event, on a line of its own
    #[arg(long)]
    json: bool,
}

/// Says how to get a build that has it.
#[cfg(not(feature = "microphone"))]
pub fn run(
    _: &Args,
    _: crate::model::Engine<'_>,
    _: &mut crate::out::Stdout,
) -> Result<(), crate::out::Stop> {
    Err(crate::out::Stop::new(
        "this build cannot listen; build one that can with `cargo build --release -p auricle-cli --features \
         microphone` (on Linux after `apt install libasound2-dev pkg-config` or its like)",
    ))
}
