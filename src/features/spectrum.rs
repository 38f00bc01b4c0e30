//! Frames of samples -> rows: DC removal, pre-emphasis, window function, FFT, power, filter bank, logarithm.

use std::sync::Arc;

use super::kernels::{
    AnyBuffers, AnyFft, Block, Complex, Fft, Isa, Lanes, MAX_LANES, Pair, Source, Task, ln,
};
use super::log::LogScale;
use super::mel::FilterBank;
use super::spec::{Spec, Taper};
use crate::error::Result;
use crate::memory::{collected, filled};

/// What memory is taken for.
const BUFFERS: &str = "the buffers of the features";

/// A planned spectrum: tables, which all threads share, and buffers.
pub(super) struct Spectrum {
    isa: Isa,
    tables: Arc<Tables>,
    buffers: Buffers,
}

struct Tables {
    remove_dc: bool,
    pre_emphasis: f32,
    /// The window function × gain / 2 (the transform wants halves), padded with zeros to whole vectors.
    taper: Vec<f32>,
    length: usize,
    size: usize,
    fft: Transform,
    magnitude: bool,
    filters: Option<FilterBank>,
    log: Option<LogScale>,
}

/// The transform of lanes side by side, or of any size.
#[allow(clippy::large_enum_variant, reason = "a front end has one")]
enum Transform {
    Lanes(Fft),
    Any(AnyFft),
}

impl Transform {
    fn new(size: usize, registers: usize) -> Result<Self> {
        match Fft::takes(size) {
            true => Fft::new(size, registers).map(Self::Lanes),
            false => AnyFft::new(size).map(Self::Any),
        }
    }

    /// Complex values that [`Transform::power`] needs room for.
    fn room(&self) -> usize {
        match self {
            Self::Lanes(fft) => fft.room(),
            Self::Any(fft) => fft.room(),
        }
    }

    #[inline(always)]
    fn power<const N: usize, L: Lanes<N>, const REGISTERS: usize>(
        &self,
        source: &impl Source<N, L>,
        data: &mut [Complex<N>],
        any: &mut Option<AnyBuffers>,
        power: &mut [Block<N>],
    ) {
        match (self, any) {
            (Self::Lanes(fft), _) => fft.power::<N, L, REGISTERS>(source, data, power),
            (Self::Any(fft), Some(buffers)) => fft.power(source, data, buffers, power),
            (Self::Any(_), None) => {} // never: buffers are made for the transform
        }
    }
}

/// Scratch space in one piece. Loads and stores whose addresses agree in their last twelve bits hinder each other, so
/// the parts begin a quarter of a page further on each, wherever in memory the whole lies.
struct Buffers {
    memory: Vec<f32>,
    lengths: [usize; 4],
    any: Option<AnyBuffers>,
}

/// f32 in a page.
const PAGE: usize = 4096 / size_of::<f32>();

struct Parts<'a, const N: usize> {
    data: &'a mut [Block<N>],
    mel: &'a mut [Block<N>],
    /// The frame, transposed; used only where it has to be gone over twice.
    frame: &'a mut [Block<N>],
    power: &'a mut [Block<N>],
    any: &'a mut Option<AnyBuffers>,
}

impl Buffers {
    fn new(tables: &Tables) -> Result<Self> {
        let values = [
            2 * tables.fft.room(),
            tables.filters.as_ref().map_or(0, FilterBank::len).next_multiple_of(4),
            tables.length.next_multiple_of(4),
            (tables.size / 2 + 1).next_multiple_of(4),
        ];
        let lengths = values.map(|values| (values * MAX_LANES).next_multiple_of(PAGE) + PAGE / 4);
        let any = match &tables.fft {
            Transform::Lanes(_) => None,
            Transform::Any(fft) => Some(fft.buffers()?),
        };
        Ok(Self { memory: filled(PAGE + lengths.iter().sum::<usize>(), 0.0, BUFFERS)?, lengths, any })
    }

    fn parts<const N: usize>(&mut self) -> Parts<'_, N> {
        let ahead = self.memory.as_ptr().align_offset(PAGE * size_of::<f32>()).min(PAGE);
        let mut rest = &mut self.memory[ahead..];
        let [data, mel, frame, power] = self.lengths.map(|length| {
            let (part, others) = std::mem::take(&mut rest).split_at_mut(length);
            rest = others;
            part.as_chunks_mut().0
        });
        Parts { data, mel, frame, power, any: &mut self.any }
    }
}

impl Spectrum {
    /// `spec` is a resolved one, with an FFT of `size` and frames of which `length` samples count.
    pub fn new(spec: &Spec, (size, length): (usize, usize), sample_rate: u32, isa: Isa) -> Result<Self> {
        let gain = spec.gain.unwrap_or(1.0);
        let window = spec.window.unwrap_or(Taper::Rectangular).values(spec.frame_length.unwrap_or(length));
        let values = window.map(|v| (v * gain * 0.5) as f32).take(length).chain(std::iter::repeat(0.0));
        let mut filters = spec.mel.as_ref().map(|mel| mel.filters(size, sample_rate)).transpose()?;
        if let (Some(filters), Some(true)) = (&mut filters, spec.mfcc.as_ref().and_then(|mfcc| mfcc.energy)) {
            filters.add_sum(size / 2 + 1)?;
        }
        let tables = Arc::new(Tables {
            remove_dc: spec.remove_dc == Some(true),
            pre_emphasis: spec.pre_emphasis.unwrap_or(0.0) as f32,
            taper: collected(length.next_multiple_of(4), "the window function", values)?,
            length,
            size,
            fft: Transform::new(size, isa.registers())?,
            magnitude: spec.power == Some(1.0),
            filters,
            log: LogScale::new(spec),
        });
        Ok(Self { isa, buffers: Buffers::new(&tables)?, tables })
    }

    /// The same with buffers of its own.
    pub fn try_clone(&self) -> Result<Self> {
        Ok(Self { isa: self.isa, tables: self.tables.clone(), buffers: Buffers::new(&self.tables)? })
    }

    /// Values in a row.
    pub fn bins(&self) -> usize {
        self.tables.filters.as_ref().map_or(self.tables.size / 2 + 1, FilterBank::len)
    }

    /// How many frames [`Spectrum::rows`] wants where `rows` are left to compute.
    pub fn lanes(&self, rows: usize) -> usize {
        self.isa.lanes(rows)
    }

    /// Computes a row from each of `lanes` frames of the planned length, `stride` samples apart in `frames`; as many as
    /// `out` has room for.
    pub fn rows(&mut self, lanes: usize, frames: &[f32], stride: usize, out: &mut [f32]) {
        let bins = self.bins();
        let Self { isa, tables, buffers } = self;
        isa.run(lanes, Rows { tables, buffers, frames, stride, out, bins });
    }
}

struct Rows<'a> {
    tables: &'a Tables,
    buffers: &'a mut Buffers,
    frames: &'a [f32],
    stride: usize,
    out: &'a mut [f32],
    bins: usize,
}

impl Task for Rows<'_> {
    #[inline(always)]
    fn run<const N: usize, L: Lanes<N>, const REGISTERS: usize>(self) {
        let Self { tables, buffers, frames, stride, out, bins } = self;
        let Parts { data, mel, frame, power, any } = buffers.parts::<N>();
        let (data, _) = data.as_chunks_mut::<2>();
        let frames = Frames::new(frames, stride, tables);
        if tables.remove_dc || tables.pre_emphasis != 0.0 {
            let source = tables.condition::<N, L>(&frames, frame);
            tables.fft.power::<N, L, REGISTERS>(&source, data, any, power);
        } else {
            tables.fft.power::<N, L, REGISTERS>(&frames, data, any, power);
        }
        if tables.magnitude {
            take_root::<N, L>(&mut power[..=tables.size / 2]);
        }
        let rows = match &tables.filters {
            Some(filters) => {
                sum_bands::<N, L>(filters, power, mel);
                mel
            }
            None => power,
        };
        if let Some(log) = &tables.log {
            take_log::<N, L>(log, &mut rows[..bins]);
        }
        store::<N, L>(rows, bins, out);
    }
}

/// Frames × window function, `stride` samples from one frame to the next.
struct Frames<'a, const N: usize> {
    samples: &'a [f32],
    stride: usize,
    /// Whole groups of four samples in a frame.
    fours: usize,
    /// What is left of each frame, padded with zeros.
    last: [[f32; 4]; N],
    taper: &'a [[f32; 4]],
}

impl<'a, const N: usize> Frames<'a, N> {
    #[inline(always)]
    fn new(samples: &'a [f32], stride: usize, tables: &'a Tables) -> Self {
        let (fours, rest) = (tables.length / 4, tables.length % 4);
        let mut last = [[0.0; 4]; N];
        for (lane, last) in last.iter_mut().enumerate() {
            last[..rest].copy_from_slice(&samples[lane * stride + fours * 4..][..rest]);
        }
        Self { samples, stride, fours, last, taper: tables.taper.as_chunks().0 }
    }

    /// Group `chunk` of each frame, as one vector a sample.
    #[inline(always)]
    fn gather<L: Lanes<N>>(&self, chunk: usize) -> [L; 4] {
        if chunk < self.fours {
            L::gather(&self.samples[chunk * 4..], self.stride)
        } else {
            L::gather(self.last.as_flattened(), 4)
        }
    }
}

impl<const N: usize, L: Lanes<N>> Source<N, L> for Frames<'_, N> {
    #[inline(always)]
    fn two(&self, chunk: usize) -> [Pair<L>; 2] {
        let Some(taper) = self.taper.get(chunk) else { return [(L::splat(0.0), L::splat(0.0)); 2] };
        let [a, b, c, d] = self.gather::<L>(chunk);
        [
            (a.mul(L::splat(taper[0])), b.mul(L::splat(taper[1]))),
            (c.mul(L::splat(taper[2])), d.mul(L::splat(taper[3]))),
        ]
    }
}

/// The same, with DC removal and pre-emphasis before the window function.
struct Conditioned<'a, const N: usize, L> {
    samples: &'a [[Block<N>; 4]],
    mean: L,
    factor: L,
    taper: &'a [[f32; 4]],
}

impl<const N: usize, L: Lanes<N>> Source<N, L> for Conditioned<'_, N, L> {
    #[inline(always)]
    fn two(&self, chunk: usize) -> [Pair<L>; 2] {
        let (Some(taper), Some(samples)) = (self.taper.get(chunk), self.samples.get(chunk)) else {
            return [(L::splat(0.0), L::splat(0.0)); 2];
        };
        let before = if chunk == 0 { &samples[0] } else { &self.samples[chunk - 1][3] };
        let mut before = L::load(before).sub(self.mean);
        let mut out = [L::splat(0.0); 4];
        for i in 0..4 {
            let sample = L::load(&samples[i]).sub(self.mean);
            out[i] = before.neg_mul_add(self.factor, sample).mul(L::splat(taper[i]));
            before = sample;
        }
        let [a, b, c, d] = out;
        [(a, b), (c, d)]
    }
}

impl Tables {
    /// Transposes the frames into `raw` and finds their means.
    #[inline(always)]
    fn condition<'a, const N: usize, L: Lanes<N>>(
        &'a self,
        frames: &Frames<N>,
        raw: &'a mut [Block<N>],
    ) -> Conditioned<'a, N, L> {
        let blocks = &mut raw.as_chunks_mut().0[..self.taper.len() / 4];
        let mut sum = L::splat(0.0);
        for (chunk, blocks) in blocks.iter_mut().enumerate() {
            let samples = frames.gather::<L>(chunk);
            for i in 0..4 {
                samples[i].store(&mut blocks[i]);
            }
            sum = sum.add(samples[0].add(samples[1]).add(samples[2].add(samples[3])));
        }
        let share = if self.remove_dc { 1.0 / self.length as f32 } else { 0.0 };
        Conditioned {
            samples: blocks,
            mean: sum.mul(L::splat(share)),
            factor: L::splat(self.pre_emphasis),
            taper: self.taper.as_chunks().0,
        }
    }
}

#[inline(always)]
fn take_root<const N: usize, L: Lanes<N>>(power: &mut [Block<N>]) {
    for block in power {
        L::load(block).sqrt().store(block);
    }
}

#[inline(always)]
fn sum_bands<const N: usize, L: Lanes<N>>(filters: &FilterBank, power: &[Block<N>], mel: &mut [Block<N>]) {
    for ((first, weights), out) in filters.iter().zip(mel) {
        let (fours, rest) = power[first..][..weights.len()].as_chunks::<4>();
        let (weights, last) = weights.as_chunks::<4>();
        // Four sums: none waits for another, and all round less.
        let mut sums = [L::splat(0.0); 4];
        for (p, w) in fours.iter().zip(weights) {
            for i in 0..4 {
                sums[i] = L::load(&p[i]).mul_add(L::splat(w[i]), sums[i]);
            }
        }
        for ((p, w), sum) in rest.iter().zip(last).zip(&mut sums) {
            *sum = L::load(p).mul_add(L::splat(*w), *sum);
        }
        let [a, b, c, d] = sums;
        a.add(b).add(c.add(d)).store(out);
    }
}

#[inline(always)]
fn take_log<const N: usize, L: Lanes<N>>(log: &LogScale, rows: &mut [Block<N>]) {
    for block in rows {
        let x = L::load(block).add(L::splat(log.offset)).max(L::splat(log.floor));
        ln(x).mul_add(L::splat(log.gain), L::splat(log.shift)).store(block);
    }
}

/// Vectors of one bin -> rows.
#[inline(always)]
fn store<const N: usize, L: Lanes<N>>(values: &[Block<N>], bins: usize, out: &mut [f32]) {
    let (chunks, _) = values.as_chunks::<4>();
    let all = out.len() == N * bins;
    for (chunk, blocks) in chunks[..bins.div_ceil(4)].iter().enumerate() {
        let mut columns = [L::splat(0.0); 4];
        for i in 0..4 {
            columns[i] = L::load(&blocks[i]);
        }
        let first = chunk * 4;
        if all && first + 4 <= bins {
            L::scatter(columns, &mut out[first..], bins);
            continue;
        }
        // Not every lane has a row, or not every row four values more.
        let mut rows = [[0.0; 4]; N];
        L::scatter(columns, rows.as_flattened_mut(), 4);
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(bins)) {
            let out = &mut out[first..];
            match out.first_chunk_mut() {
                Some(four) => *four = *row,
                None => out.copy_from_slice(&row[..out.len()]),
            }
        }
    }
}
