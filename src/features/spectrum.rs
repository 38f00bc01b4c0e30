//! Frames of samples -> rows: DC removal, pre-emphasis, window function, FFT, power, filter bank, logarithm.

use std::sync::Arc;

use super::kernels::{Block, Complex, Engine, Fft, LANES, Lanes, Task, ln};
use super::log::LogScale;
use super::mel::FilterBank;
use super::spec::{Spec, Taper};
use crate::error::Result;
use crate::memory::{collected, filled};

/// What memory is taken for.
const BUFFERS: &str = "the buffers of the features";

/// A planned spectrum: tables, which all threads share, and buffers.
pub(super) struct Spectrum {
    engine: Engine,
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
    fft: Fft,
    magnitude: bool,
    filters: Option<FilterBank>,
    log: Option<LogScale>,
}

struct Buffers {
    /// The frame, transposed; used only where it has to be gone over twice.
    frame: Vec<Block>,
    data: Vec<Complex>,
    power: Vec<Block>,
    mel: Vec<Block>,
}

impl Spectrum {
    /// `spec` is a resolved one, with an FFT of `size` and frames of `length` samples.
    pub fn new(
        spec: &Spec,
        (size, length): (usize, usize),
        sample_rate: u32,
        engine: Engine,
    ) -> Result<Self> {
        let gain = spec.gain.unwrap_or(1.0);
        let window = spec.window.unwrap_or(Taper::Rectangular).values(length);
        let values = window.map(|v| (v * gain * 0.5) as f32).chain(std::iter::repeat(0.0));
        let tables = Arc::new(Tables {
            remove_dc: spec.remove_dc == Some(true),
            pre_emphasis: spec.pre_emphasis.unwrap_or(0.0) as f32,
            taper: collected(length.next_multiple_of(4), "the window function", values)?,
            length,
            size,
            fft: Fft::new(size)?,
            magnitude: spec.power == Some(1.0),
            filters: spec.mel.as_ref().map(|mel| mel.filters(size, sample_rate)).transpose()?,
            log: LogScale::new(spec),
        });
        Ok(Self { engine, buffers: Buffers::new(&tables)?, tables })
    }

    /// The same with buffers of its own.
    pub fn try_clone(&self) -> Result<Self> {
        Ok(Self { engine: self.engine, tables: self.tables.clone(), buffers: Buffers::new(&self.tables)? })
    }

    /// Values in a row.
    pub fn bins(&self) -> usize {
        self.tables.filters.as_ref().map_or(self.tables.size / 2 + 1, FilterBank::len)
    }

    /// Computes a row from each frame, as many as `out` has room for; all frames have the planned length.
    pub fn rows(&mut self, frames: &[&[f32]; LANES], out: &mut [f32]) {
        let bins = self.bins();
        self.engine.run(Rows { tables: &self.tables, buffers: &mut self.buffers, frames, out, bins });
    }
}

impl Buffers {
    fn new(tables: &Tables) -> Result<Self> {
        let whole = |n: usize| filled(n.next_multiple_of(4), Block::default(), BUFFERS);
        Ok(Self {
            frame: whole(tables.length)?,
            data: filled((tables.size / 2).next_multiple_of(2), Complex::default(), BUFFERS)?,
            power: whole(tables.size / 2 + 1)?,
            mel: whole(tables.filters.as_ref().map_or(0, FilterBank::len))?,
        })
    }
}

struct Rows<'a> {
    tables: &'a Tables,
    buffers: &'a mut Buffers,
    frames: &'a [&'a [f32]; LANES],
    out: &'a mut [f32],
    bins: usize,
}

impl Task for Rows<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self) {
        let Self { tables, buffers, frames, out, bins } = self;
        if tables.remove_dc || tables.pre_emphasis != 0.0 {
            tables.load_conditioned::<L>(frames, &mut buffers.frame, &mut buffers.data);
        } else {
            tables.load::<L>(frames, &mut buffers.data);
        }
        let Buffers { data, power, .. } = &mut *buffers;
        let data = &mut data[..tables.size / 2];
        tables.fft.transform::<L>(data);
        if tables.magnitude {
            tables.fft.power::<L, true>(data, power);
        } else {
            tables.fft.power::<L, false>(data, power);
        }
        let rows = match &tables.filters {
            Some(filters) => {
                sum_bands::<L>(filters, &buffers.power, &mut buffers.mel);
                &mut buffers.mel
            }
            None => &mut buffers.power,
        };
        if let Some(log) = &tables.log {
            take_log::<L>(log, rows);
        }
        store::<L>(rows, bins, out);
    }
}

impl Tables {
    /// Frames × window function -> even and odd samples.
    #[inline(always)]
    fn load<L: Lanes>(&self, frames: &[&[f32]; LANES], data: &mut [Complex]) {
        let (tapers, _) = self.taper.as_chunks::<4>();
        let (pairs, _) = data.as_chunks_mut::<2>();
        let mut targets = pairs.iter_mut().zip(tapers);
        let (frames, last) = in_fours(frames);
        for (chunk, (values, taper)) in (0..frames[0].len()).zip(targets.by_ref()) {
            taper_fours(gather_fours::<L>(&frames, chunk), taper, values);
        }
        if let Some((values, taper)) = targets.next() {
            taper_fours(L::gather(last.each_ref()), taper, values);
        }
        self.fill_up(data);
    }

    /// The same, with DC removal and pre-emphasis before the window function.
    #[inline(always)]
    fn load_conditioned<L: Lanes>(&self, frames: &[&[f32]; LANES], raw: &mut [Block], data: &mut [Complex]) {
        let (blocks, _) = raw.as_chunks_mut::<4>();
        let mut targets = blocks.iter_mut();
        let (frames, last) = in_fours(frames);
        let mut sum = L::splat(0.0);
        for (chunk, blocks) in (0..frames[0].len()).zip(targets.by_ref()) {
            sum = sum.add(keep_fours(gather_fours::<L>(&frames, chunk), blocks));
        }
        if let Some(blocks) = targets.next() {
            sum = sum.add(keep_fours(L::gather(last.each_ref()), blocks));
        }
        let share = if self.remove_dc { 1.0 / self.length as f32 } else { 0.0 };
        let mean = sum.mul(L::splat(share));
        let factor = L::splat(self.pre_emphasis);
        let mut before = L::load(&raw[0]).sub(mean);
        let (pairs, _) = raw.as_chunks::<2>();
        let (tapers, _) = self.taper.as_chunks::<2>();
        for ((value, [even, odd]), taper) in data.iter_mut().zip(pairs).zip(tapers) {
            let (even, odd) = (L::load(even).sub(mean), L::load(odd).sub(mean));
            before.neg_mul_add(factor, even).mul(L::splat(taper[0])).store(&mut value.re);
            even.neg_mul_add(factor, odd).mul(L::splat(taper[1])).store(&mut value.im);
            before = odd;
        }
        self.fill_up(data);
    }

    /// Zeros from the end of the frame to the size of the FFT.
    #[inline(always)]
    fn fill_up(&self, data: &mut [Complex]) {
        let written = (self.taper.len() / 2).min(data.len());
        data[written..].fill(Complex::default());
    }
}

#[inline(always)]
fn sum_bands<L: Lanes>(filters: &FilterBank, power: &[Block], mel: &mut [Block]) {
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
fn take_log<L: Lanes>(log: &LogScale, rows: &mut [Block]) {
    for block in rows {
        let x = L::load(block).add(L::splat(log.offset)).max(L::splat(log.floor));
        ln(x).mul_add(L::splat(log.gain), L::splat(log.shift)).store(block);
    }
}

/// Frames as whole groups of four samples, equally many, and what is left of each, padded with zeros.
#[inline(always)]
fn in_fours<'a>(frames: &[&'a [f32]; LANES]) -> ([&'a [[f32; 4]]; LANES], [[f32; 4]; LANES]) {
    let count = frames[0].len() / 4;
    let mut whole = [[].as_slice(); LANES];
    let mut last = [[0.0; 4]; LANES];
    for lane in 0..LANES {
        let (fours, rest) = frames[lane].as_chunks::<4>();
        whole[lane] = &fours[..count];
        last[lane][..rest.len()].copy_from_slice(rest);
    }
    (whole, last)
}

/// Group `chunk` of each frame, as one vector a sample.
#[inline(always)]
fn gather_fours<L: Lanes>(frames: &[&[[f32; 4]]; LANES], chunk: usize) -> [L; 4] {
    let mut rows = [&[0.0; 4]; LANES];
    for lane in 0..LANES {
        rows[lane] = &frames[lane][chunk];
    }
    L::gather(rows)
}

#[inline(always)]
fn taper_fours<L: Lanes>(samples: [L; 4], taper: &[f32; 4], [a, b]: &mut [Complex; 2]) {
    samples[0].mul(L::splat(taper[0])).store(&mut a.re);
    samples[1].mul(L::splat(taper[1])).store(&mut a.im);
    samples[2].mul(L::splat(taper[2])).store(&mut b.re);
    samples[3].mul(L::splat(taper[3])).store(&mut b.im);
}

/// Stores four vectors; gives their sum.
#[inline(always)]
fn keep_fours<L: Lanes>(samples: [L; 4], blocks: &mut [Block; 4]) -> L {
    for i in 0..4 {
        samples[i].store(&mut blocks[i]);
    }
    samples[0].add(samples[1]).add(samples[2].add(samples[3]))
}

/// Vectors of one bin -> rows.
#[inline(always)]
fn store<L: Lanes>(values: &[Block], bins: usize, out: &mut [f32]) {
    let (chunks, _) = values.as_chunks::<4>();
    for (chunk, blocks) in chunks.iter().enumerate() {
        let mut columns = [L::splat(0.0); 4];
        for i in 0..4 {
            columns[i] = L::load(&blocks[i]);
        }
        let rows = L::scatter(columns);
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(bins)) {
            let Some(out) = out.get_mut(chunk * 4..) else { return };
            match out.first_chunk_mut() {
                Some(four) => *four = *row,
                None => out.copy_from_slice(&row[..out.len()]),
            }
        }
    }
}
