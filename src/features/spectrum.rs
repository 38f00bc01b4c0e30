//! One frame of samples -> one row: DC removal, pre-emphasis, window function, FFT, power, filter bank, logarithm.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::log::LogScale;
use super::mel::Filter;
use super::spec::Spec;

/// A planned spectrum, with its tables and buffers.
pub(super) struct Spectrum {
    remove_dc: bool,
    pre_emphasis: f32,
    taper: Vec<f32>,
    magnitude: bool,
    filters: Option<Vec<Filter>>,
    log: Option<LogScale>,
    fft: Arc<dyn RealToComplex<f32>>,
    input: Vec<f32>,
    output: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    power: Vec<f32>,
}

impl Spectrum {
    /// `None` if `spec`, which is a resolved one, has no FFT.
    pub fn new(spec: &Spec, sample_rate: u32) -> Option<Self> {
        let (size, length) = (spec.fft?, spec.frame_length?);
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(size);
        let gain = spec.gain.unwrap_or(1.0);
        Some(Self {
            remove_dc: spec.remove_dc == Some(true),
            pre_emphasis: spec.pre_emphasis.unwrap_or(0.0) as f32,
            taper: spec.window?.values(length).iter().map(|v| (v * gain) as f32).collect(),
            magnitude: spec.power == Some(1.0),
            filters: spec.mel.as_ref().map(|mel| mel.filters(size, sample_rate)),
            log: LogScale::new(spec),
            input: fft.make_input_vec(),
            output: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            power: vec![0.0; size / 2 + 1],
            fft,
        })
    }

    /// Values in a row.
    pub fn bins(&self) -> usize {
        self.filters.as_ref().map_or(self.power.len(), Vec::len)
    }

    /// Computes one row from a frame of the planned length.
    pub fn row(&mut self, frame: &[f32], out: &mut [f32]) {
        let mean = if self.remove_dc { frame.iter().sum::<f32>() / frame.len() as f32 } else { 0.0 };
        let mut before = frame.first().map_or(0.0, |x| x - mean);
        for ((value, &x), &taper) in self.input.iter_mut().zip(frame).zip(&self.taper) {
            let x = x - mean;
            *value = (x - self.pre_emphasis * before) * taper;
            before = x;
        }
        self.input[frame.len()..].fill(0.0);
        // The buffers have the plan's own sizes, which is all that it can complain of.
        let _ = self.fft.process_with_scratch(&mut self.input, &mut self.output, &mut self.scratch);
        for (power, z) in self.power.iter_mut().zip(&self.output) {
            *power = if self.magnitude { z.norm_sqr().sqrt() } else { z.norm_sqr() };
        }
        match &self.filters {
            Some(filters) => {
                for (value, filter) in out.iter_mut().zip(filters) {
                    let bins = &self.power[filter.first..];
                    *value = filter.weights.iter().zip(bins).map(|(w, p)| w * p).sum();
                }
            }
            None => out.copy_from_slice(&self.power),
        }
        if let Some(log) = &self.log {
            out.iter_mut().for_each(|v| *v = log.apply(*v));
        }
    }
}
