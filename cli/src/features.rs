//! `auricle features`: what a model would see of a file, as a NumPy array.

use std::fmt::Display;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use auricle::Manifest;
use auricle::stages::features::Features;

use crate::model::{self, Engine};
use crate::npy::{Npy, Part};
use crate::out::{Stdout, Stop, shown};
use crate::rows::{ROWS, Rows};
use crate::sound::Sound;

/// Write the features that a model would see as a NumPy file (float32, [row, bin])
///
/// The file is mixed to mono, converted to the model's rate and turned into rows as the manifest says.
/// What belongs to a window and not to a file is not applied: input.samples, stack and normalisation.
#[derive(clap::Args)]
pub struct Args {
    /// The sound file; - is standard input
    file: PathBuf,
    /// The ONNX model whose manifest says what to compute [default: the bundled model]
    #[arg(short, long, conflicts_with = "manifest")]
    model: Option<PathBuf>,
    /// A manifest alone; ONNX Runtime is not needed then
    #[arg(long, value_name = "JSON")]
    manifest: Option<PathBuf>,
    /// The channel to hear, from 1; 0 is the mean of all
    #[arg(short, long, value_name = "N", default_value = "0")]
    channel: u32,
    /// Where to write the array. A file that is there is replaced only if it is an array
    #[arg(short, long, value_name = "NPY")]
    output: PathBuf,
}

pub fn run(args: &Args, engine: Engine<'_>, out: &mut Stdout) -> Result<(), Stop> {
    let manifest = match &args.manifest {
        Some(path) => {
            let json = model::read_json(path)?;
            Manifest::parse(&json).map_err(|e| Stop::because(shown(path), e))?
        }
        None => model::load(args.model.as_deref(), engine)?.manifest().clone(),
    };
    let of_file = |e: &dyn Display| Stop::because(shown(&args.file), e);
    let of_output = |e: io::Error| Stop::because(shown(&args.output), e);
    let mut sound = Sound::open(&args.file, args.channel).map_err(|e| of_file(&e))?;
    let input = &manifest.input;
    let features =
        Features::new(&input.features, input.sample_rate, "input.features").map_err(|e| of_file(&e))?;
    let mut rows = features
        .try_clone()
        .and_then(|features| Rows::new(features, &manifest, &sound))
        .map_err(|e| of_file(&e))?;
    let bins = features.bins();
    let mut array = Array::create(&args.output, features).map_err(of_output)?;
    loop {
        let block = sound.next_block().map_err(|e| of_file(&e))?;
        match block {
            Some(block) => rows.push(block, |inner| array.add(inner)).map_err(of_output)?,
            None => break,
        }
    }
    rows.finish(|inner| array.add(inner)).map_err(of_output)?;
    if rows.count() == 0 {
        return Err(of_file(&format_args!(
            "has {} samples at the model's {} Hz; the first row of features needs {}",
            rows.samples(),
            input.sample_rate,
            array.features.min_samples()
        )));
    }
    let count = array.finish().map_err(of_output)?;
    out.line(format_args!("{}: float32 [{count}, {bins}]", shown(&args.output)))?;
    for (member, said) in [("samples", input.samples.is_some()), ("stack", input.stack.is_some())] {
        if said {
            out.line(format_args!("  warning: input.{member} is not applied: it belongs to a window"))?;
        }
    }
    sound.warnings().iter().try_for_each(|warning| out.line(format_args!("  warning: {warning}")))
}

/// The rows of a clip on their way into a file.
struct Array {
    npy: Npy,
    features: Features,
    /// Where the largest value of the whole clip is needed, the inner rows wait in a file for it.
    waiting: Option<Part>,
    largest: f32,
    rows: Vec<f32>,
}

impl Array {
    fn create(path: &Path, features: Features) -> io::Result<Self> {
        let npy = Npy::create(path, features.bins())?;
        let waiting = features.needs_largest().then(|| Part::beside(path)).transpose()?;
        Ok(Self { npy, features, waiting, largest: f32::NEG_INFINITY, rows: Vec::new() })
    }

    fn add(&mut self, inner: &[f32]) -> io::Result<()> {
        let Some(part) = &mut self.waiting else { return self.write(inner) };
        self.largest = inner.iter().copied().fold(self.largest, f32::max);
        inner.iter().try_for_each(|value| part.to.write_all(&value.to_le_bytes()))
    }

    fn write(&mut self, inner: &[f32]) -> io::Result<()> {
        let count = inner.len() / self.features.inner_bins();
        self.rows.resize(count * self.features.bins(), 0.0);
        self.features.finish_rows(inner, self.largest, &mut self.rows);
        self.npy.write(&self.rows)
    }

    /// The number of rows.
    fn finish(mut self) -> io::Result<u64> {
        if let Some(mut part) = self.waiting.take() {
            part.to.seek(SeekFrom::Start(0))?;
            let size = 4 * ROWS * self.features.inner_bins();
            let (mut bytes, mut inner) = (Vec::with_capacity(size), Vec::with_capacity(size / 4));
            loop {
                bytes.clear();
                part.to.get_mut().take(size as u64).read_to_end(&mut bytes)?;
                if bytes.is_empty() {
                    break;
                }
                inner.clear();
                inner.extend(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
                self.write(&inner)?;
            }
        }
        self.npy.finish()
    }
}
