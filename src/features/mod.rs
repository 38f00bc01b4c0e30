//! Feature extraction: mono samples at the model's rate -> rows.
//!
//! ```text
//! samples -> framing -> spectrum (window function, FFT, power, mel, log) -> window scale -> DCT -> rows
//! ```
//! Everything up to the logarithm depends on one frame only, so those *inner rows* can be kept from one window to
//! the next. What depends on the whole window (a range below its largest value) or comes after that (the DCT) is
//! [`Features::finish_window`]'s. [`Features::compute`] does both.

mod dct;
mod framing;
mod kernels;
mod log;
mod mel;
mod normalize;
mod preset;
mod spec;
mod spectrum;
mod taper;
#[cfg(test)]
mod tests;

use dct::Dct;
use framing::Framing;
use kernels::MAX_LANES;
use log::WindowScale;
use spectrum::Spectrum;

#[doc(hidden)]
pub use kernels::Isa;
pub use mel::{Mel, Norm, Scale, Triangles, Weights};
pub use normalize::{Normalize, NormalizeKind, Over, PerBin};
pub use preset::Preset;
pub use spec::{Align, DctNorm, Kind, Log, LogKind, Mfcc, Pad, Reference, ReferenceName, Spec, Taper};

use crate::error::Result;

/// A planned front end: every table and buffer is made by [`Features::new`]; nothing allocates after it.
#[derive(Clone, Debug)]
pub struct Features {
    spec: Spec,
    stages: Option<Stages>,
}

/// All kinds but `waveform` have these.
#[derive(Clone)]
struct Stages {
    framing: Framing,
    spectrum: Spectrum,
    window_scale: WindowScale,
    dct: Option<Dct>,
    /// Frames that touch padding, or have too few neighbours for all lanes.
    padded: Vec<f32>,
    row: Vec<f32>,
}

impl std::fmt::Debug for Stages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stages").field("framing", &self.framing).finish_non_exhaustive()
    }
}

impl Features {
    /// Plans the front end that `spec` describes, for samples at `sample_rate` Hz. `path` (such as
    /// `input.features`) opens its error messages.
    pub fn new(spec: &Spec, sample_rate: u32, path: &str) -> Result<Self> {
        Self::with_isa(spec, sample_rate, path, Isa::best())
    }

    /// The same on one of [`Isa::all`], for tests and benches.
    #[doc(hidden)]
    pub fn with_isa(spec: &Spec, sample_rate: u32, path: &str, isa: Isa) -> Result<Self> {
        let spec = spec.resolved(sample_rate, path)?;
        let stages = Stages::new(&spec, sample_rate, isa);
        Ok(Self { spec, stages })
    }

    /// The specification with every default filled in.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Values in one row.
    pub fn bins(&self) -> usize {
        self.stages.as_ref().map_or(1, |s| s.dct.as_ref().map_or(s.spectrum.bins(), Dct::count))
    }

    /// Rows that `samples` samples give; 0 if they are too few for one.
    pub fn rows(&self, samples: usize) -> usize {
        self.stages.as_ref().map_or(samples, |s| s.framing.rows(samples))
    }

    /// The fewest samples that give one row.
    pub fn min_samples(&self) -> usize {
        self.stages.as_ref().map_or(1, |s| s.framing.min_samples())
    }

    /// Computes all rows of `samples` into `out`, row after row (`out[row * bins + bin]`).
    /// `out` must hold exactly `rows(samples.len()) * bins()` values.
    pub fn compute(&mut self, samples: &[f32], out: &mut [f32]) {
        match &mut self.stages {
            Some(stages) => stages.compute(samples, out),
            None => copy(samples, out),
        }
    }

    /// Samples from one row to the next; 1 for `waveform`.
    pub fn hop(&self) -> usize {
        self.stages.as_ref().map_or(1, |s| s.framing.hop)
    }

    /// Samples that one row is computed from; 1 for `waveform`.
    pub fn frame_length(&self) -> usize {
        self.stages.as_ref().map_or(1, |s| s.framing.length)
    }

    /// Where the frame of row 0 begins, in samples from the first one given to [`Features::compute`]; negative if
    /// it begins in padding. Row r begins `r * hop()` later.
    pub fn first_frame(&self) -> isize {
        self.stages.as_ref().map_or(0, |s| s.framing.first)
    }

    /// How many rows at the beginning and how many at the end of a window of `samples` samples are computed from
    /// padding, so that they differ from the rows that a longer stretch of the same audio has there.
    pub fn edge_rows(&self, samples: usize) -> (usize, usize) {
        self.stages.as_ref().map_or((0, 0), |s| s.framing.edge_rows(samples))
    }

    /// Values in one inner row: those of [`Features::bins`], or for `mfcc` those of its mel filter bank.
    pub fn inner_bins(&self) -> usize {
        self.stages.as_ref().map_or(1, |s| s.spectrum.bins())
    }

    /// Computes inner rows `first_row..` of a window of samples, as many as `out` has room for, into `out`, row
    /// after row (`out[row * inner_bins + bin]`). Those that [`Features::edge_rows`] does not count are the same,
    /// bit for bit, wherever in a window they fall.
    pub fn inner_rows(&mut self, samples: &[f32], first_row: usize, out: &mut [f32]) {
        match &mut self.stages {
            Some(stages) => stages.inner_rows(samples, first_row, out),
            None => copy(samples.get(first_row..).unwrap_or(&[]), out),
        }
    }

    /// Inner rows of a whole window -> its rows. `out` holds as many rows as `inner`, of [`Features::bins`] values.
    pub fn finish_window(&mut self, inner: &[f32], out: &mut [f32]) {
        match &mut self.stages {
            Some(stages) => stages.finish_window(inner, out),
            None => copy(inner, out),
        }
    }
}

fn copy(from: &[f32], to: &mut [f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

impl Stages {
    /// `None` if `spec`, which is a resolved one, is of kind `waveform`.
    fn new(spec: &Spec, sample_rate: u32, isa: Isa) -> Option<Self> {
        let framing = Framing::new(spec)?;
        let spectrum = Spectrum::new(spec, sample_rate, isa)?;
        Some(Self {
            window_scale: WindowScale::new(spec),
            dct: spec.mfcc.as_ref().and_then(|mfcc| Dct::new(mfcc, spectrum.bins())),
            padded: vec![0.0; framing.room(MAX_LANES)],
            row: vec![0.0; spectrum.bins()],
            framing,
            spectrum,
        })
    }

    fn compute(&mut self, samples: &[f32], out: &mut [f32]) {
        let rows = self.framing.rows(samples.len());
        let Some(dct) = self.dct.take() else {
            self.inner_rows(samples, 0, out);
            if !self.window_scale.is_none() {
                let (floor, shift) = self.window_scale.levels(largest(out));
                out.iter_mut().for_each(|v| *v = v.max(floor) - shift);
            }
            return;
        };
        // The rows before the DCT are wider than those after it and there is no room to keep them all, so where
        // their largest value is needed they are computed twice.
        let mut row = std::mem::take(&mut self.row);
        let mut most = f32::NEG_INFINITY;
        if !self.window_scale.is_none() {
            for r in 0..rows {
                self.inner_rows(samples, r, &mut row);
                most = most.max(largest(&row));
            }
        }
        let (floor, shift) = self.window_scale.levels(most);
        for (r, out) in out.chunks_exact_mut(dct.count()).take(rows).enumerate() {
            self.inner_rows(samples, r, &mut row);
            row.iter_mut().for_each(|v| *v = v.max(floor) - shift);
            dct.apply(&row, out);
        }
        self.row = row;
        self.dct = Some(dct);
    }

    fn inner_rows(&mut self, samples: &[f32], first_row: usize, out: &mut [f32]) {
        let bins = self.spectrum.bins();
        let (mut row, mut rest) = (first_row, out);
        while !rest.is_empty() {
            let rows = (rest.len() / bins).max(1);
            let lanes = self.spectrum.lanes(rows);
            let (frames, stride) = self.framing.frames(samples, row, rows, lanes, &mut self.padded);
            let count = (lanes * bins).min(rest.len());
            let (out, later) = std::mem::take(&mut rest).split_at_mut(count);
            self.spectrum.rows(lanes, frames, stride, out);
            row += lanes;
            rest = later;
        }
    }

    fn finish_window(&mut self, inner: &[f32], out: &mut [f32]) {
        let (floor, shift) = self.window_scale.levels(largest(inner));
        let Some(dct) = &self.dct else {
            out.iter_mut().zip(inner).for_each(|(out, v)| *out = v.max(floor) - shift);
            return;
        };
        let rows = inner.chunks_exact(self.row.len()).zip(out.chunks_exact_mut(dct.count()));
        for (inner, out) in rows {
            self.row.iter_mut().zip(inner).for_each(|(row, v)| *row = v.max(floor) - shift);
            dct.apply(&self.row, out);
        }
    }
}

fn largest(values: &[f32]) -> f32 {
    values.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}
