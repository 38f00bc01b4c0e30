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
mod preset;
mod resolve;
mod spec;
mod spectrum;
mod taper;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use dct::Dct;
use framing::Framing;
use kernels::{Fft, MAX_LANES};
use log::WindowScale;
use spectrum::Spectrum;

#[doc(hidden)]
pub use kernels::Isa;
pub use mel::{Mel, Narrow, Norm, Scale, Triangles, Weights};
pub use spec::{
    Align, DctNorm, EdgePad, Kind, Log, LogKind, Mfcc, Preset, Reference, ReferenceName, Spec, Taper,
};

use crate::error::Result;
use crate::memory::filled;

/// What memory is taken for.
const BUFFERS: &str = "the buffers of the features";

/// What a resolved [`Spec`] amounts to, before anything is planned: arithmetic alone.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// `None` for `waveform`.
    framing: Option<Framing>,
    fft: usize,
    inner_bins: usize,
    bins: usize,
    /// Values of the matrix of `mfcc`.
    cosines: usize,
}

/// A planned front end: every table and buffer is made by [`Features::new`]; nothing allocates after it.
#[derive(Debug)]
pub struct Features {
    spec: Spec,
    shape: Shape,
    stages: Option<Stages>,
}

/// All kinds but `waveform` have these.
struct Stages {
    framing: Framing,
    spectrum: Spectrum,
    window_scale: WindowScale,
    dct: Option<Arc<Dct>>,
    /// Frames that touch padding, or have too few neighbours for all lanes.
    padded: Vec<f32>,
    row: Vec<f32>,
}

impl std::fmt::Debug for Stages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stages").field("framing", &self.framing).finish_non_exhaustive()
    }
}

impl Shape {
    /// `spec` is a resolved one.
    pub fn new(spec: &Spec) -> Self {
        let fft = spec.fft.unwrap_or(0);
        let inner_bins = match (&spec.mel, fft) {
            (Some(mel), _) => mel.bins.unwrap_or(0),
            (None, 0) => 1,
            (None, fft) => fft / 2 + 1,
        };
        let energy = spec.mfcc.as_ref().is_some_and(|mfcc| mfcc.energy == Some(true));
        let count = spec.mfcc.as_ref().and_then(|mfcc| mfcc.count);
        let (bins, cosines) = (count.unwrap_or(inner_bins), count.map_or(0, |count| count * inner_bins));
        let inner_bins = inner_bins + usize::from(energy);
        Self { framing: Framing::new(spec), fft, inner_bins, bins, cosines }
    }

    /// Values in one row.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Rows that `samples` samples give; 0 if they are too few for one.
    pub fn rows(&self, samples: usize) -> usize {
        self.framing.as_ref().map_or(samples, |framing| framing.rows(samples))
    }

    /// The fewest samples that give one row.
    pub fn min_samples(&self) -> usize {
        self.framing.as_ref().map_or(1, Framing::min_samples)
    }

    /// Operations that a row takes: N log2 N of the FFT, eight times as many for sizes that it has no radices for, the matrix
    /// of `mfcc`, and the values themselves.
    pub fn work_per_row(&self) -> u64 {
        let fft = self.fft * self.fft.max(1).ilog2() as usize;
        let fft = if self.fft == 0 || Fft::takes(self.fft) { fft } else { 8 * fft };
        (fft + self.cosines + self.inner_bins) as u64
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
        let shape = Shape::new(&spec);
        let stages =
            shape.framing.clone().map(|framing| Stages::new(&spec, framing, &shape, sample_rate, isa));
        Ok(Self { stages: stages.transpose()?, shape, spec })
    }

    /// The same for another thread: the tables are shared, the buffers are its own.
    pub fn try_clone(&self) -> Result<Self> {
        let stages = self.stages.as_ref().map(Stages::try_clone).transpose()?;
        Ok(Self { spec: self.spec.clone(), shape: self.shape.clone(), stages })
    }

    /// The specification with every default filled in.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Values in one row.
    pub fn bins(&self) -> usize {
        self.shape.bins()
    }

    /// Rows that `samples` samples give; 0 if they are too few for one.
    pub fn rows(&self, samples: usize) -> usize {
        self.shape.rows(samples)
    }

    /// The fewest samples that give one row.
    pub fn min_samples(&self) -> usize {
        self.shape.min_samples()
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

    /// Values in one inner row: those of [`Features::bins`], or for `mfcc` those of its mel filter bank, and one more for
    /// the energy.
    pub fn inner_bins(&self) -> usize {
        self.shape.inner_bins
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
        self.finish_rows(inner, largest(inner), out);
    }

    /// Whether the rows of a window depend on the largest value of all of it.
    pub fn needs_largest(&self) -> bool {
        self.stages.as_ref().is_some_and(|s| !s.window_scale.is_none())
    }

    /// [`Features::finish_window`] for some rows of a window whose largest inner value is `largest`.
    pub fn finish_rows(&mut self, inner: &[f32], largest: f32, out: &mut [f32]) {
        match &mut self.stages {
            Some(stages) => stages.finish_rows(inner, largest, out),
            None => copy(inner, out),
        }
    }
}

fn copy(from: &[f32], to: &mut [f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

impl Stages {
    /// `spec` is a resolved one of this shape.
    fn new(spec: &Spec, framing: Framing, shape: &Shape, sample_rate: u32, isa: Isa) -> Result<Self> {
        let mel_bins = spec.mel.as_ref().and_then(|mel| mel.bins).unwrap_or(0);
        let dct = spec.mfcc.as_ref().map(|mfcc| Dct::new(shape.bins, mfcc, mel_bins));
        Ok(Self {
            window_scale: WindowScale::new(spec),
            spectrum: Spectrum::new(spec, (shape.fft, framing.length), sample_rate, isa)?,
            dct: dct.transpose()?.map(Arc::new),
            padded: filled(framing.room(MAX_LANES), 0.0, BUFFERS)?,
            row: filled(shape.inner_bins, 0.0, BUFFERS)?,
            framing,
        })
    }

    fn try_clone(&self) -> Result<Self> {
        Ok(Self {
            framing: self.framing.clone(),
            spectrum: self.spectrum.try_clone()?,
            window_scale: self.window_scale,
            dct: self.dct.clone(),
            padded: filled(self.padded.len(), 0.0, BUFFERS)?,
            row: filled(self.row.len(), 0.0, BUFFERS)?,
        })
    }

    fn compute(&mut self, samples: &[f32], out: &mut [f32]) {
        let rows = self.framing.rows(samples.len());
        let Some(dct) = self.dct.clone() else {
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

    fn finish_rows(&mut self, inner: &[f32], largest: f32, out: &mut [f32]) {
        let (floor, shift) = self.window_scale.levels(largest);
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
