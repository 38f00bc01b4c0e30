//! The mel filter bank: triangles that sum neighbouring FFT bins, narrow at low and wide at high frequencies.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, need};
use crate::memory::{collected, grow, reserved};

/// The most filters that are accepted.
const MAX_BINS: usize = 4096;

/// The mel scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// 2595 log10(1 + f/700) (HTK, torchaudio's default, Kaldi, TensorFlow).
    Htk,
    /// Linear below 1 kHz, logarithmic above (Slaney's Auditory Toolbox, librosa's default, Whisper).
    Slaney,
}

/// How filters are scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// The peak of each triangle is 1.
    None,
    /// The area of each triangle is 1 (× 2 / width in Hz).
    Slaney,
}

/// The axis on which the triangles' sides are straight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Triangles {
    /// Frequency (torchaudio, librosa).
    Hz,
    /// Mel (Kaldi, TensorFlow).
    Mel,
    /// Frequency, with corners on whole FFT bins: corner f lies on bin ⌊grid · f / sample rate⌋ (python_speech_features,
    /// sonopy, SpeechPy, Edge Impulse).
    Bins,
}

/// What becomes of filters whose corners lie on one bin, with triangles on whole bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Narrow {
    /// A side that has no bins is left out, and the peak with it if that is the falling one (python_speech_features,
    /// sonopy).
    Empty,
    /// The peak stays if one side is left (SpeechPy, Edge Impulse).
    Peak,
}

/// How exactly the weights are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// In f64, then rounded.
    Exact,
    /// In f32, step by step as torchaudio does (`torchaudio.functional.melscale_fbanks`, 2.11): off by up to 5e-6.
    Torch,
}

/// `features.mel`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mel {
    /// Number of filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bins: Option<usize>,
    /// Mel scale; `htk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// Scaling of the filters; `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norm: Option<Norm>,
    /// Axis on which the triangles are straight; `hz`, for `fbank` `mel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triangles: Option<Triangles>,
    /// How the weights are computed; `exact`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<Weights>,
    /// Where the first triangle begins; 0 Hz, for `fbank` 20 Hz.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low_hz: Option<f64>,
    /// Where the last triangle ends; half the sample rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_hz: Option<f64>,
    /// `triangles` `bins` only: FFT bins per sample rate, for the corners; `fft` + 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<usize>,
    /// `triangles` `bins` only: what becomes of filters that are narrower than two bins; `empty`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub narrow: Option<Narrow>,
    /// FFT bins below this one count for nothing; 0. TensorFlow leaves out bin 0 (so 1 here).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_bin: Option<usize>,
}

/// Of each filter no more than its non-zero weights: a bin lies in two filters at most.
#[derive(Debug)]
pub(super) struct FilterBank {
    filters: Vec<Filter>,
    weights: Vec<f32>,
}

/// Where one filter's weights stand, and the FFT bin that the first of them belongs to.
#[derive(Debug)]
struct Filter {
    first: usize,
    weights: Range<usize>,
}

impl FilterBank {
    fn new(filters: usize) -> Result<Self> {
        Ok(Self { filters: reserved(filters, WHAT)?, weights: Vec::new() })
    }

    /// Adds a filter: `weight` of the bins from `first_bin` on whose place, in `places`, lies between the outer two of
    /// `corners`.
    fn add<T: PartialOrd + Copy>(
        &mut self,
        corners: [T; 3],
        places: &[T],
        first_bin: usize,
        weight: impl Fn(T) -> f32,
    ) -> Result<()> {
        let [left, _, right] = corners;
        let bins =
            places.partition_point(|place| *place < left)..places.partition_point(|place| *place <= right);
        let used = |&bin: &usize| bin >= first_bin && weight(places[bin]) > 0.0;
        let first = bins.clone().find(used).unwrap_or(0);
        let end = bins.rev().find(used).map_or(first, |last| last + 1);
        let start = self.weights.len();
        grow(&mut self.weights, end - first, WHAT)?;
        self.weights.extend(places[first..end].iter().map(|place| weight(*place)));
        self.filters.push(Filter { first, weights: start..self.weights.len() });
        Ok(())
    }

    /// Adds a filter that sums all of the `bins` FFT bins.
    pub fn add_sum(&mut self, bins: usize) -> Result<()> {
        let start = self.weights.len();
        grow(&mut self.weights, bins, WHAT)?;
        self.weights.extend(std::iter::repeat_n(1.0, bins));
        grow(&mut self.filters, 1, WHAT)?;
        self.filters.push(Filter { first: 0, weights: start..self.weights.len() });
        Ok(())
    }

    /// Number of filters.
    pub fn len(&self) -> usize {
        self.filters.len()
    }

    /// Weights of all filters together.
    pub fn weights(&self) -> usize {
        self.weights.len()
    }

    /// Of each filter the first FFT bin, and the weights from that one on.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.filters.iter().map(|filter| (filter.first, &self.weights[filter.weights.clone()]))
    }
}

/// What memory is taken for.
const WHAT: &str = "the mel filters";

impl Mel {
    /// Checks a resolved filter bank; gives the number of filters.
    pub(super) fn check(&self, fft: usize, sample_rate: u32, path: &str) -> Result<usize> {
        let refuse =
            |member: &str, message: String| Err(Error::manifest(&format!("{path}.{member}"), message));
        let bins = need(self.bins, path, "bins")?;
        let low = need(self.low_hz, path, "low_hz")?;
        let high = need(self.high_hz, path, "high_hz")?;
        let whole_bins = self.triangles == Some(Triangles::Bins);
        // sonopy's bank goes up to the sample rate, on a grid of half the bins.
        let (top, top_name) = match whole_bins {
            true => (f64::from(sample_rate), "sample_rate"),
            false => (f64::from(sample_rate) / 2.0, "half of sample_rate"),
        };
        if !(1..=MAX_BINS).contains(&bins) {
            return refuse("bins", format!("is {bins}; valid 1..={MAX_BINS}"));
        }
        if !(high > 0.0 && high <= top) {
            return refuse("high_hz", format!("is {high} Hz; valid above 0 up to {top} ({top_name})"));
        }
        if !(low >= 0.0 && low < high) {
            return refuse("low_hz", format!("is {low} Hz; valid 0 up to below {high} (high_hz)"));
        }
        let first_bin = need(self.first_bin, path, "first_bin")?;
        if first_bin > fft / 2 {
            return refuse("first_bin", format!("is {first_bin}; valid 0..={} (fft / 2)", fft / 2));
        }
        if self.weights == Some(Weights::Torch) && self.triangles != Some(Triangles::Hz) {
            return refuse("weights", "is torch, which has triangles in hz".into());
        }
        match self.grid {
            Some(_) if !whole_bins => return refuse("grid", "only triangles bins has a grid".into()),
            Some(grid) if !(1..=fft + 1).contains(&grid) => {
                return refuse("grid", format!("is {grid}; valid 1..={} (fft + 1)", fft + 1));
            }
            _ => {}
        }
        if !whole_bins && self.narrow != Some(Narrow::Empty) {
            return refuse("narrow", "only triangles bins has narrow filters".into());
        }
        if whole_bins && self.norm != Some(Norm::None) {
            return refuse("norm", "triangles is bins, where filters have peak 1".into());
        }
        if whole_bins && self.corners(sample_rate)?.last().is_some_and(|&last| last > fft / 2 + 1) {
            let message = format!("is {high} Hz, beyond FFT bin {}, the last one, on this grid", fft / 2);
            return refuse("high_hz", message);
        }
        // A filter between two FFT bins is empty; torchaudio and librosa have such too, and networks are trained with them.
        let filters = self.filters(fft, sample_rate)?;
        let step = f64::from(sample_rate) / fft as f64;
        if filters.weights() == 0 {
            return refuse(
                "high_hz",
                format!(
                    "is {high} Hz and low_hz {low} Hz: no FFT bin lies between; they are {step} Hz apart"
                ),
            );
        }
        Ok(bins)
    }

    /// The filters of a resolved filter bank.
    pub(super) fn filters(&self, fft: usize, sample_rate: u32) -> Result<FilterBank> {
        match (self.weights, self.triangles) {
            (Some(Weights::Torch), _) => self.torch_filters(fft, sample_rate),
            (_, Some(Triangles::Bins)) => self.whole_bin_filters(fft, sample_rate),
            _ => self.exact_filters(fft, sample_rate),
        }
    }

    /// The FFT bins that the corners of the filters lie on. Where rounding decides, it is that of sonopy and Edge Impulse
    /// (python_speech_features has no such places): the scale by natural logarithms, points as `numpy.linspace` has them.
    fn corners(&self, sample_rate: u32) -> Result<Vec<usize>> {
        let (bins, _, low, high) = self.shape(sample_rate);
        let mel = |hz: f64| 1127.0 * (1.0 + hz / 700.0).ln();
        let (low, high) = (mel(low), mel(high));
        let step = (high - low) / (bins + 1) as f64;
        let point = |m: usize| if m == bins + 1 { high } else { m as f64 * step + low };
        let hz = |mel: f64| 700.0 * ((mel / 1127.0).exp() - 1.0);
        let grid = self.grid.unwrap_or(0) as f64;
        let corner = |m: usize| (hz(point(m)) * grid / f64::from(sample_rate)) as usize;
        collected(bins + 2, WHAT, (0..bins + 2).map(corner))
    }

    fn whole_bin_filters(&self, fft: usize, sample_rate: u32) -> Result<FilterBank> {
        let corners = self.corners(sample_rate)?;
        let places: Vec<usize> = collected(fft / 2 + 1, WHAT, 0..=fft / 2)?;
        let mut bank = FilterBank::new(corners.len() - 2)?;
        for corner in corners.windows(3) {
            let [left, peak, right] = [corner[0], corner[1], corner[2]];
            let part = |from: usize, to: usize, of: usize| ((to - from) as f64 / of as f64) as f32;
            let weight = |bin: usize| match bin {
                _ if bin < peak => part(left, bin, peak - left),
                _ if bin < right => part(bin, right, right - peak),
                _ if self.narrow == Some(Narrow::Peak) && bin == peak && left < peak => 1.0,
                _ => 0.0,
            };
            bank.add([left, peak, right], &places, self.first_bin.unwrap_or(0), weight)?;
        }
        Ok(bank)
    }

    fn exact_filters(&self, fft: usize, sample_rate: u32) -> Result<FilterBank> {
        let (bins, scale, low, high) = self.shape(sample_rate);
        let (low, high) = (scale.mel(low), scale.mel(high));
        let mel = |i: usize| low + (high - low) * i as f64 / (bins + 1) as f64;
        let mels: Vec<f64> = collected(bins + 2, WHAT, (0..bins + 2).map(mel))?;
        let edges: Vec<f64> = collected(bins + 2, WHAT, mels.iter().map(|&m| scale.hz(m)))?;
        let in_mel = self.triangles == Some(Triangles::Mel);
        let corners = if in_mel { &mels } else { &edges };
        let step = f64::from(sample_rate) / fft as f64;
        let place = |bin: usize| if in_mel { scale.mel(bin as f64 * step) } else { bin as f64 * step };
        let places: Vec<f64> = collected(fft / 2 + 1, WHAT, (0..=fft / 2).map(place))?;
        let mut bank = FilterBank::new(bins)?;
        for m in 0..bins {
            let [left, peak, right] = [corners[m], corners[m + 1], corners[m + 2]];
            let area = if self.norm == Some(Norm::Slaney) { 2.0 / (edges[m + 2] - edges[m]) } else { 1.0 };
            let weight = |f: f64| {
                (((f - left) / (peak - left)).min((right - f) / (right - peak)).max(0.0) * area) as f32
            };
            bank.add([left, peak, right], &places, self.first_bin.unwrap_or(0), weight)?;
        }
        Ok(bank)
    }

    /// The same in f32 and in torchaudio's order of operations.
    fn torch_filters(&self, fft: usize, sample_rate: u32) -> Result<FilterBank> {
        let (bins, scale, low, high) = self.shape(sample_rate);
        let mels = torch_linspace(scale.mel(low) as f32, scale.mel(high) as f32, bins + 2);
        let edges: Vec<f32> = collected(bins + 2, WHAT, mels.map(|m| scale.torch_hz(m)))?;
        let places = torch_linspace(0.0, (sample_rate / 2) as f32, fft / 2 + 1);
        let places: Vec<f32> = collected(fft / 2 + 1, WHAT, places)?;
        let mut bank = FilterBank::new(bins)?;
        for m in 0..bins {
            let [left, peak, right] = [edges[m], edges[m + 1], edges[m + 2]];
            let area = if self.norm == Some(Norm::Slaney) { 2.0 / (right - left) } else { 1.0 };
            let weight =
                |f: f32| (-(left - f) / (peak - left)).min((right - f) / (right - peak)).max(0.0) * area;
            bank.add([left, peak, right], &places, self.first_bin.unwrap_or(0), weight)?;
        }
        Ok(bank)
    }

    fn shape(&self, sample_rate: u32) -> (usize, Scale, f64, f64) {
        let high = self.high_hz.unwrap_or(f64::from(sample_rate) / 2.0);
        (self.bins.unwrap_or(0), self.scale.unwrap_or(Scale::Htk), self.low_hz.unwrap_or(0.0), high)
    }
}

/// Slaney's scale: 3 mel per 200 Hz up to 1 kHz, then 27 mel for each factor of 6.4.
const SLANEY_HZ_PER_MEL: f64 = 200.0 / 3.0;
const SLANEY_BREAK_HZ: f64 = 1000.0;
const SLANEY_BREAK_MEL: f64 = SLANEY_BREAK_HZ / SLANEY_HZ_PER_MEL;

/// Natural logarithm of the frequency ratio of one mel above the break.
fn slaney_step() -> f64 {
    6.4f64.ln() / 27.0
}

impl Scale {
    fn mel(self, hz: f64) -> f64 {
        match self {
            Scale::Htk => 2595.0 * (1.0 + hz / 700.0).log10(),
            Scale::Slaney if hz < SLANEY_BREAK_HZ => hz / SLANEY_HZ_PER_MEL,
            Scale::Slaney => SLANEY_BREAK_MEL + (hz / SLANEY_BREAK_HZ).ln() / slaney_step(),
        }
    }

    fn hz(self, mel: f64) -> f64 {
        match self {
            Scale::Htk => 700.0 * (10f64.powf(mel / 2595.0) - 1.0),
            Scale::Slaney if mel < SLANEY_BREAK_MEL => mel * SLANEY_HZ_PER_MEL,
            Scale::Slaney => SLANEY_BREAK_HZ * (slaney_step() * (mel - SLANEY_BREAK_MEL)).exp(),
        }
    }

    fn torch_hz(self, mel: f32) -> f32 {
        match self {
            Scale::Htk => 700.0 * (torch_exp(f64::from(mel / 2595.0) * std::f64::consts::LN_10) - 1.0),
            Scale::Slaney if mel < SLANEY_BREAK_MEL as f32 => SLANEY_HZ_PER_MEL as f32 * mel,
            Scale::Slaney => {
                let log = slaney_step() as f32 * (mel - SLANEY_BREAK_MEL as f32);
                SLANEY_BREAK_HZ as f32 * f64::from(log).exp() as f32
            }
        }
    }
}

/// e^x as torch's `10 ** tensor` has it on a CPU: SLEEF's polynomial (`expkf`, 3.x), whose error of a twentieth of a
/// unit in the last place decides how some of the weights are rounded.
fn torch_exp(x: f64) -> f32 {
    let halvings = (x / std::f64::consts::LN_2).round();
    let rest = x - halvings * std::f64::consts::LN_2;
    let series = [0.001_363_246_5_f32, 0.008_365_969, 0.041_671_082, 0.166_665_52, 0.499_999_85]
        .into_iter()
        .reduce(|sum, c| sum.mul_add(rest as f32, c));
    let power = 1.0 + rest + rest * rest * f64::from(series.unwrap_or(0.0));
    (power * halvings.exp2()) as f32
}

/// `torch.linspace` in f32: the second half counts down from the end, and each value is rounded once.
fn torch_linspace(start: f32, end: f32, count: usize) -> impl Iterator<Item = f32> {
    let step = (end - start) / (count - 1) as f32;
    (0..count).map(move |i| {
        if i < count / 2 {
            step.mul_add(i as f32, start)
        } else {
            step.mul_add(-((count - 1 - i) as f32), end)
        }
    })
}
