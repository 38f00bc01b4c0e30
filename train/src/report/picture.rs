//! A clip as the network sees it, as a picture; and as it sounds.

use auricle::Manifest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Most seconds of a clip that can be listened to.
const SECONDS: usize = 10;
/// Most columns of a picture; longer clips are thinned out.
const MAX_COLUMNS: usize = 400;
/// Dark blue over red to pale yellow, so that both black-and-white print and colour-blind eyes see the order.
const COLOURS: [[f32; 3]; 5] =
    [[8.0, 8.0, 40.0], [80.0, 20.0, 110.0], [190.0, 55.0, 85.0], [245.0, 145.0, 50.0], [250.0, 250.0, 200.0]];

/// Paints clips through one front end.
pub struct Painter(Option<Manifest>);

impl Painter {
    /// With the features of this manifest.
    pub fn new(manifest: Manifest) -> Self {
        Self(Some(manifest))
    }

    /// Paints nothing.
    pub fn none() -> Self {
        Self(None)
    }

    /// A PNG as a `data:` URI: time to the right, bins upwards. None if the features are no picture.
    pub fn paint(&self, samples: &[f32]) -> Option<String> {
        let manifest = self.0.as_ref()?;
        let clip =
            auricle::Clip { interleaved: samples, channels: 1, sample_rate: manifest.input.sample_rate };
        let (values, bins) = clip.features(manifest).ok().filter(|(_, bins)| *bins > 1)?;
        let rows = values.len() / bins;
        let columns = rows.min(MAX_COLUMNS);
        let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        let pixel = |n: usize| {
            let (bin, row) = (bins - 1 - n / columns, n % columns * rows / columns);
            ((values[row * bins + bin] - low) / (high - low).max(1e-9) * 255.0) as u8
        };
        let pixels: Vec<u8> = (0..bins * columns).map(pixel).collect();
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, columns as u32, bins as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette((0..=255_u8).flat_map(colour).collect::<Vec<u8>>());
        encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels)).ok()?;
        Some(format!("data:image/png;base64,{}", STANDARD.encode(file)))
    }
}

impl Painter {
    /// Its beginning as a WAV file of 16 bits, as a `data:` URI.
    pub fn sound(&self, samples: &[f32]) -> Option<String> {
        let sample_rate = self.0.as_ref()?.input.sample_rate;
        let sample_format = hound::SampleFormat::Int;
        let spec = hound::WavSpec { channels: 1, sample_rate, bits_per_sample: 16, sample_format };
        let mut file = std::io::Cursor::new(Vec::new());
        let mut wav = hound::WavWriter::new(&mut file, spec).ok()?;
        for sample in samples.iter().take(SECONDS * sample_rate as usize) {
            wav.write_sample((sample * 32_768.0).clamp(-32_768.0, 32_767.0) as i16).ok()?;
        }
        wav.finalize().ok()?;
        Some(format!("data:audio/wav;base64,{}", STANDARD.encode(file.into_inner())))
    }
}

fn colour(value: u8) -> [u8; 3] {
    let place = f32::from(value) / 255.0 * (COLOURS.len() - 1) as f32;
    let from = (place as usize).min(COLOURS.len() - 2);
    let share = place - from as f32;
    std::array::from_fn(|k| (COLOURS[from][k] * (1.0 - share) + COLOURS[from + 1][k] * share) as u8)
}
