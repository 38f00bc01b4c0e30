//! Samples -> the network's input, computed by the library's own feature code.

use std::fs;

use anyhow::{Context, Result, ensure};
use auricle::Manifest;
use auricle::manifest::{Input, Output, Stream};
use auricle::stages::events::Rules;
use auricle::stages::features::Kind;
use auricle::stages::padding::Padding;
use auricle::stages::resample::Method;
use auricle::stages::rows::Rows;
use auricle::stages::scores::Activation;
use auricle::stages::tensor::Axis;
use clap::Args;
use serde::{Deserialize, Serialize};

/// 64 mel bands of 16 kHz audio, windows of 1.0 s.
const MEL: &str = include_str!("mel.json");
/// ln(|STFT| + 1e-6) of 16 kHz audio, 257 bins, windows of 1.0 s.
const LOG_STFT: &str = include_str!("log_stft.json");

/// 64 mel bands of 16 kHz audio whose rows end with their samples, 40 a second, windows of 39 rows.
const STREAM: &str = include_str!("stream.json");

/// Which front end.
#[derive(Args, Clone, Debug)]
pub struct InputArgs {
    /// `mel`, `log-stft`, `stream` (mel without padding along time), or a JSON file: the `input` object of a manifest.
    /// Without it `stream` for the network of this name, `mel` for the others.
    #[arg(long)]
    pub input: Option<String>,
    /// Audio that one inference sees, s; what the input says without.
    #[arg(long)]
    pub window_seconds: Option<f64>,
    /// Distance between the windows of a clip or a stream, s.
    #[arg(long, default_value_t = 0.25)]
    pub hop_seconds: f64,
}

/// A front end on paper: what the manifest will say of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrontEndSpec {
    /// The manifest's `input`.
    pub input: Input,
    /// The manifest's `stream.hop_seconds`.
    pub hop_seconds: f64,
}

impl InputArgs {
    /// Reads and checks what was asked for.
    pub fn spec(&self) -> Result<FrontEndSpec> {
        let (json, name) = match self.input.as_deref().unwrap_or("mel") {
            "mel" => (MEL.to_owned(), "mel.json"),
            "log-stft" => (LOG_STFT.to_owned(), "log_stft.json"),
            "stream" => (STREAM.to_owned(), "stream.json"),
            path => (
                fs::read_to_string(path).with_context(|| {
                    format!(
                        "--input {path}: neither `mel`, `log-stft` nor `stream`, nor a file that can be read"
                    )
                })?,
                path,
            ),
        };
        let mut input: Input = serde_json::from_str(&json).with_context(|| name.to_owned())?;
        if let Some(seconds) = self.window_seconds {
            (input.window_seconds, input.window_samples, input.window_rows) = (Some(seconds), None, None);
        }
        let spec = FrontEndSpec::new(input, self.hop_seconds).with_context(|| name.to_owned())?;
        Ok(spec)
    }
}

impl FrontEndSpec {
    /// `input`, with the tensor's name and layout of the networks trained here, whatever it says of them.
    pub fn new(mut input: Input, hop_seconds: f64) -> Result<Self> {
        input.tensor = "input".into();
        input.layout = vec![Axis::Batch, Axis::Channel, Axis::Bin, Axis::Row];
        ensure!(
            input.padding != Padding::None,
            "`padding` is `none`; networks are trained on windows of one length: `zeros` or `repeat`"
        );
        ensure!(
            matches!(input.resampler, None | Some(Method::Bulk)),
            "`resampler` is {:?}; the trainer converts clips with `bulk`",
            input.resampler
        );
        let spec = Self { input, hop_seconds };
        // The library judges it and fills in the defaults; the labels stand for the real ones.
        let input = spec.manifest(&About::nameless(), &["a".into()], Activation::Softmax)?.input;
        ensure!(
            input.features.kind != Some(Kind::Waveform),
            "features of kind `waveform`: these networks look at bins and rows"
        );
        Ok(Self { input, hop_seconds })
    }

    /// The front end of any model, to compute with; [`FrontEndSpec::new`] makes those of models that are trained here.
    pub fn of(manifest: &Manifest) -> Self {
        let hop_seconds = manifest.stream.hop_seconds.unwrap_or(manifest.input.window_duration());
        Self { input: manifest.input.clone(), hop_seconds }
    }

    /// The mel front end with windows of 1.0 s, 0.25 s apart.
    pub fn mel() -> Result<Self> {
        InputArgs { input: None, window_seconds: None, hop_seconds: 0.25 }.spec()
    }

    /// Rate of the samples, Hz.
    pub fn sample_rate(&self) -> u32 {
        self.input.sample_rate
    }

    /// Samples that the first row of features needs.
    pub fn min_samples(&self) -> usize {
        self.input.samples_of(1)
    }

    /// Plans the computation.
    pub fn plan(&self) -> Result<FrontEnd> {
        let input = &self.input;
        let window = input.window();
        Ok(FrontEnd {
            sample_rate: input.sample_rate,
            pads: input.padding != Padding::None,
            shape: [input.bins(), input.rows(window)],
            min_samples: self.min_samples(),
            window,
            hop: (self.hop_seconds * f64::from(input.sample_rate)).round() as usize,
            rows: Rows::plan(input)?,
        })
    }

    /// The manifest of a model with this front end, valid and complete.
    pub fn manifest(&self, about: &About, labels: &[String], activation: Activation) -> Result<Manifest> {
        let manifest = Manifest {
            auricle: 1,
            name: about.name.clone(),
            version: about.version.clone(),
            licence: about.licence.clone(),
            input: self.input.clone(),
            outputs: vec![Output {
                tensor: "output".into(),
                labels: labels.to_vec(),
                activation,
                ..Output::default()
            }],
            // The default rules: `listen` and a session then have events to report.
            stream: Stream {
                hop_seconds: Some(self.hop_seconds),
                events: Some(Rules::default()),
                ..Stream::default()
            },
            golden: Vec::new(),
        };
        Ok(Manifest::parse(&manifest.to_json())?)
    }
}

/// The plan that computes the network's input.
pub struct FrontEnd {
    sample_rate: u32,
    pads: bool,
    shape: [usize; 2],
    /// Samples that one row needs.
    min_samples: usize,
    window: usize,
    hop: usize,
    rows: Rows,
}

impl FrontEnd {
    /// Rate of the samples, Hz.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Samples in one window.
    pub fn window(&self) -> usize {
        self.window
    }

    /// Samples between two windows.
    pub fn hop(&self) -> usize {
        self.hop
    }

    /// `[bins, rows]` of one window.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// The windows that the library's `classify` looks at: every whole one, a hop apart, and a shorter one at the end, which
    /// [`append`](Self::append) pads, if at least one row's worth of samples is in no whole window. Where the manifest
    /// pads nothing, whole ones alone.
    pub fn windows(&self, samples: &[f32]) -> Vec<Vec<f32>> {
        let mut windows: Vec<Vec<f32>> =
            samples.windows(self.window).step_by(self.hop).map(<[f32]>::to_vec).collect();
        let (next, seen) = match windows.len() {
            0 => (0, 0),
            n => (n * self.hop, (n - 1) * self.hop + self.window),
        };
        if self.pads && samples.len().saturating_sub(seen.max(next)) >= self.min_samples {
            windows.push(samples[next..].to_vec());
        }
        windows
    }

    /// Appends the rows of one window as the network gets them, `out[bin * rows + row]`.
    pub fn append(&mut self, window: &[f32], out: &mut Vec<f32>) {
        assert!((self.min_samples..=self.window).contains(&window.len()), "{} samples", window.len());
        let mut samples = window.to_vec();
        samples.resize(self.window, 0.0);
        let (rows, bins) =
            self.rows.of(0, &mut samples, window.len()).expect("memory for the features of one more thread");
        for bin in 0..bins {
            out.extend(rows[bin..].iter().step_by(bins));
        }
    }
}

/// What the manifest says of the model as a whole.
#[derive(Args, Clone, Debug)]
pub struct About {
    /// Name of the model.
    #[arg(long)]
    pub name: String,
    /// Version of the model, MAJOR.MINOR.PATCH.
    #[arg(long = "model-version", default_value = "1.0.0")]
    pub version: String,
    /// Licence of the weights, and what the training data ask for.
    #[arg(long)]
    pub licence: String,
}

impl About {
    /// Nothing, where nobody will see it.
    pub fn nameless() -> Self {
        Self { name: String::new(), version: String::new(), licence: String::new() }
    }
}
