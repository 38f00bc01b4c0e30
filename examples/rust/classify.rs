//! What is heard in a WAV file: `cargo run --example classify -- [MODEL.onnx] FILE.wav`
//!
//! The library takes PCM and never opens an audio file; a program reads its own. Here the crate `hound` does.

use std::error::Error;

use auricle::{Clip, Model, ModelOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (model, file) = match &arguments[..] {
        [file] => ("models/esc10.onnx", file.as_str()),
        [model, file] => (model.as_str(), file.as_str()),
        _ => return Err("usage: classify [MODEL.onnx] FILE.wav".into()),
    };
    let model = Model::load(model, &ModelOptions::default())?;
    let (samples, format) = read(file)?;
    let clip =
        Clip { interleaved: &samples, channels: format.channels.into(), sample_rate: format.sample_rate };
    let mut scores = vec![0.0; model.labels().len()];
    model.classify(clip, &mut scores)?;

    let mut ranked: Vec<_> = model.labels().iter().zip(&scores).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(a.1));
    for (label, score) in &ranked[..ranked.len().min(3)] {
        println!("{score:.3}  {label}");
    }
    Ok(())
}

/// All samples as floats, full scale 1.0.
fn read(file: &str) -> Result<(Vec<f32>, hound::WavSpec), hound::Error> {
    let mut reader = hound::WavReader::open(file)?;
    let format = reader.spec();
    let samples = match format.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>()?,
        hound::SampleFormat::Int => {
            let full_scale = (1_u64 << (format.bits_per_sample - 1)) as f32;
            reader.samples::<i32>().map(|s| s.map(|s| s as f32 / full_scale)).collect::<Result<_, _>>()?
        }
    };
    Ok((samples, format))
}
