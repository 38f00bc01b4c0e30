//! Frames of samples -> rows: DC removal, pre-emphasis, window function, FFT, power, filter bank, logarithm.

use super::kernels::{Block, Complex, Engine, Fft, LANES, Lanes, Task, ln};
use super::log::LogScale;
use super::mel::Filter;
use super::spec::Spec;

/// A planned spectrum, with its tables and buffers.
pub(super) struct Spectrum {
    engine: Engine,
    tables: Tables,
    buffers: Buffers,
}

struct Tables {
    remove_dc: bool,
    pre_emphasis: f32,
    /// The window function × gain / 2 (the transform wants halves), filled up with zeros to whole vectors.
    taper: Vec<f32>,
    length: usize,
    fft: Fft,
    magnitude: bool,
    filters: Option<Vec<Filter>>,
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
    /// `None` if `spec`, which is a resolved one, has no FFT.
    pub fn new(spec: &Spec, sample_rate: u32, engine: Engine) -> Option<Self> {
        let (size, length) = (spec.fft?, spec.frame_length?);
        let gain = spec.gain.unwrap_or(1.0);
        let mut taper: Vec<f32> =
            spec.window?.values(length).iter().map(|v| (v * gain * 0.5) as f32).collect();
        taper.resize(length.next_multiple_of(LANES), 0.0);
        let filters = spec.mel.as_ref().map(|mel| mel.filters(size, sample_rate));
        let whole = |n: usize| vec![Block::default(); n.next_multiple_of(LANES)];
        let buffers = Buffers {
            frame: whole(length),
            data: vec![Complex::default(); size / 2],
            power: whole(size / 2 + 1),
            mel: whole(filters.as_ref().map_or(0, Vec::len)),
        };
        let tables = Tables {
            remove_dc: spec.remove_dc == Some(true),
            pre_emphasis: spec.pre_emphasis.unwrap_or(0.0) as f32,
            taper,
            length,
            fft: Fft::new(size),
            magnitude: spec.power == Some(1.0),
            filters,
            log: LogScale::new(spec),
        };
        Some(Self { engine, tables, buffers })
    }

    /// Values in a row.
    pub fn bins(&self) -> usize {
        self.tables.filters.as_ref().map_or(self.buffers.data.len() + 1, Vec::len)
    }

    /// Computes a row from each frame, as many as `out` has room for; all frames have the planned length.
    pub fn rows(&mut self, frames: &[&[f32]; LANES], out: &mut [f32]) {
        let bins = self.bins();
        self.engine.run(Rows { tables: &self.tables, buffers: &mut self.buffers, frames, out, bins });
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
        tables.fft.power::<L>(&mut buffers.data, &mut buffers.power, tables.magnitude);
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
    /// Eight samples of each frame from sample 8 · `chunk` on, zeros beyond its end.
    #[inline(always)]
    fn read<L: Lanes>(&self, frame: &[f32], chunk: usize) -> L {
        let rest = &frame[chunk * LANES..self.length];
        match rest.first_chunk() {
            Some(eight) => L::read(eight),
            None => {
                let mut eight = [0.0; LANES];
                eight[..rest.len()].copy_from_slice(rest);
                L::read(&eight)
            }
        }
    }

    /// Frames × window function -> even and odd samples.
    #[inline(always)]
    fn load<L: Lanes>(&self, frames: &[&[f32]; LANES], data: &mut [Complex]) {
        let (tapers, _) = self.taper.as_chunks::<LANES>();
        for (chunk, taper) in tapers.iter().enumerate() {
            let taper = L::read(taper);
            let mut rows = [taper; LANES];
            for lane in 0..LANES {
                rows[lane] = self.read::<L>(frames[lane], chunk).mul(taper);
            }
            let samples = L::transpose(rows);
            for (pair, value) in data[chunk * LANES / 2..].iter_mut().take(LANES / 2).enumerate() {
                samples[2 * pair].store(&mut value.re);
                samples[2 * pair + 1].store(&mut value.im);
            }
        }
        self.fill_up(data);
    }

    /// The same, with DC removal and pre-emphasis before the window function.
    #[inline(always)]
    fn load_conditioned<L: Lanes>(&self, frames: &[&[f32]; LANES], raw: &mut [Block], data: &mut [Complex]) {
        let mut sum = L::splat(0.0);
        let (chunks, _) = raw.as_chunks_mut::<LANES>();
        for (chunk, blocks) in chunks.iter_mut().enumerate() {
            let mut rows = [sum; LANES];
            for lane in 0..LANES {
                rows[lane] = self.read(frames[lane], chunk);
            }
            for (sample, block) in L::transpose(rows).into_iter().zip(blocks) {
                sum = sum.add(sample);
                sample.store(block);
            }
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
fn sum_bands<L: Lanes>(filters: &[Filter], power: &[Block], mel: &mut [Block]) {
    for (filter, out) in filters.iter().zip(mel) {
        let power = &power[filter.first..][..filter.weights.len()];
        let (fours, rest) = power.as_chunks::<4>();
        let (weights, last) = filter.weights.as_chunks::<4>();
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

/// Vectors of one bin -> rows.
#[inline(always)]
fn store<L: Lanes>(values: &[Block], bins: usize, out: &mut [f32]) {
    let (chunks, _) = values.as_chunks::<LANES>();
    for (chunk, blocks) in chunks.iter().enumerate() {
        let mut columns = [L::splat(0.0); LANES];
        for i in 0..LANES {
            columns[i] = L::load(&blocks[i]);
        }
        let rows = L::transpose(columns);
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(bins)) {
            let Some(out) = out.get_mut(chunk * LANES..) else { return };
            match out.first_chunk_mut() {
                Some(eight) => row.write(eight),
                None => {
                    let mut eight = [0.0; LANES];
                    row.write(&mut eight);
                    let live = out.len();
                    out.copy_from_slice(&eight[..live]);
                }
            }
        }
    }
}
