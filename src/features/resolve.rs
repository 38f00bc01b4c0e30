//! What a manifest says of the features -> the whole of it: presets and defaults filled in, every number checked.

use serde_json::Value;

use super::mel::Triangles;
use super::spec::{Align, Kind, Log, LogKind, MAX_FFT, Mfcc, Preset, Reference, ReferenceName, Spec};
use crate::error::{Error, Result, need};

/// Most cosines of `mfcc`, coefficients times mel bins: 4 MB. Usual are 40 times 128.
const MAX_COSINES: usize = 1 << 20;

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Waveform => "waveform",
            Kind::Spectrogram => "spectrogram",
            Kind::Mel => "mel",
            Kind::Fbank => "fbank",
            Kind::Mfcc => "mfcc",
        }
    }

    /// Whether a specification of this kind may have `member`.
    fn has(self, member: &str) -> bool {
        match member {
            "kind" | "preset" => true,
            _ if self == Kind::Waveform => false,
            "mel" => self != Kind::Spectrogram,
            "mfcc" => self == Kind::Mfcc,
            "snip_edges" => self == Kind::Fbank,
            "frame_align" | "center" | "pad" | "drop_last" | "pad_last" => self != Kind::Fbank,
            _ => true,
        }
    }

    /// What holds where neither the manifest nor a preset says otherwise.
    fn defaults(self) -> Value {
        let log = match self {
            Kind::Fbank => "ln",
            Kind::Mfcc => "db",
            _ => "none",
        };
        let kaldi = self == Kind::Fbank;
        serde_json::json!({
            "window": if kaldi { "povey" } else { "hann" },
            "frame_align": "center", "center": true, "pad": "reflect", "drop_last": false,
            "pad_last": false, "snip_edges": true,
            "gain": if kaldi { 32768.0 } else { 1.0 },
            "remove_dc": kaldi,
            "pre_emphasis": if kaldi { 0.97 } else { 0.0 },
            "power": 2.0,
            "mel": { "scale": "htk", "norm": "none", "triangles": if kaldi { "mel" } else { "hz" },
                     "weights": "exact", "narrow": "empty", "low_hz": if kaldi { 20.0 } else { 0.0 }, "first_bin": 0 },
            "log": { "kind": log },
            "mfcc": { "norm": "ortho", "lifter": 0.0, "lifter_from": 1, "energy": false },
        })
    }
}

impl Spec {
    /// This specification with its preset's values and all defaults filled in, and checked; what it computes is the same.
    /// `sample_rate` in Hz; `path` (such as `input.features`) opens the error messages.
    pub fn resolved(&self, sample_rate: u32, path: &str) -> Result<Spec> {
        let kind = self.kind.or(self.preset.map(Preset::kind));
        let kind = kind.ok_or_else(|| {
            Error::manifest(
                path,
                "kind is missing; one of waveform, spectrogram, mel, fbank, mfcc, or a preset",
            )
        })?;
        let said = to_value(self);
        if let Some(stray) = members(&said).find(|m| !kind.has(m)) {
            let message = format!("kind is {}, which has no {stray}", kind.name());
            return Err(Error::manifest(&format!("{path}.{stray}"), message));
        }
        let mut all = kind.defaults();
        if let Some(preset) = self.preset {
            overlay(&mut all, to_value(&preset.values(kind)));
        }
        overlay(&mut all, said);
        overlay(&mut all, serde_json::json!({ "kind": kind }));
        if let Value::Object(map) = &mut all {
            map.retain(|member, _| kind.has(member));
        }
        let mut spec: Spec =
            serde_json::from_value(all).map_err(|e| Error::manifest(path, format!("cannot be read: {e}")))?;
        spec.fill_in(kind, sample_rate, path)?;
        spec.check(sample_rate, path)?;
        Ok(spec)
    }

    /// Defaults that follow from other members or from the sample rate.
    fn fill_in(&mut self, kind: Kind, sample_rate: u32, path: &str) -> Result<()> {
        if kind == Kind::Waveform {
            return Ok(());
        }
        if kind == Kind::Fbank {
            let rate = sample_rate as usize;
            self.frame_length.get_or_insert(rate * 25 / 1000);
            self.frame_hop.get_or_insert(rate / 100);
            self.fft = self.fft.or(self.frame_length.map(|n| n.min(MAX_FFT).next_power_of_two()));
        }
        let fft = need(self.fft, path, "fft")?;
        self.frame_length.get_or_insert(fft);
        if let Some(mel) = &mut self.mel {
            mel.high_hz.get_or_insert(f64::from(sample_rate) / 2.0);
            if mel.triangles == Some(Triangles::Bins) {
                mel.grid.get_or_insert(fft + 1);
            }
        }
        if let Some(log) = &mut self.log {
            let offset = *log.offset.get_or_insert(0.0);
            log.floor.get_or_insert(match log.kind {
                Some(LogKind::None) | None => 0.0,
                _ if offset > 0.0 => 0.0,
                _ if kind == Kind::Fbank => f64::from(f32::EPSILON),
                _ => 1e-10,
            });
            log.reference.get_or_insert(Reference::Value(1.0));
        }
        Ok(())
    }

    fn check(&self, sample_rate: u32, path: &str) -> Result<()> {
        if self.kind == Some(Kind::Waveform) {
            return Ok(());
        }
        let refuse =
            |member: &str, message: String| Err(Error::manifest(&format!("{path}.{member}"), message));
        let fft = need(self.fft, path, "fft")?;
        let length = need(self.frame_length, path, "frame_length")?;
        let hop = need(self.frame_hop, path, "frame_hop")?;
        if !(8..=MAX_FFT).contains(&fft) {
            return refuse("fft", format!("is {fft}; valid 8..={MAX_FFT}"));
        }
        if self.pad_last == Some(true) && self.center == Some(true) {
            return refuse("pad_last", "center is true, where every sample is in a row anyway".into());
        }
        // numpy.fft.rfft(frame, fft) takes the beginning of a longer frame.
        let cut = self.center == Some(false) && self.frame_align == Some(Align::Left);
        let max = if cut { MAX_FFT } else { fft };
        if !(2..=max).contains(&length) {
            let longer = if cut { "" } else { "; longer ones need center false and frame_align left" };
            return refuse("frame_length", format!("is {length} samples; valid 2..={max}{longer}"));
        }
        if !(1..=MAX_FFT).contains(&hop) {
            return refuse("frame_hop", format!("is {hop} samples; valid 1..={MAX_FFT}"));
        }
        let power = need(self.power, path, "power")?;
        if power != 1.0 && power != 2.0 {
            return refuse("power", format!("is {power}; valid 1 (magnitude) or 2 (power)"));
        }
        let gain = need(self.gain, path, "gain")?;
        if !(1e-6..=1e6).contains(&gain) {
            return refuse("gain", format!("is {gain}; valid 1e-6..=1e6"));
        }
        let pre_emphasis = need(self.pre_emphasis, path, "pre_emphasis")?;
        if !(0.0..=1.0).contains(&pre_emphasis) {
            return refuse("pre_emphasis", format!("is {pre_emphasis}; valid 0..=1"));
        }
        let bins = match &self.mel {
            Some(mel) => mel.check(fft, sample_rate, &format!("{path}.mel"))?,
            None => fft / 2 + 1,
        };
        if let Some(log) = &self.log {
            log.check(&format!("{path}.log"))?;
        }
        if let Some(mfcc) = &self.mfcc {
            mfcc.check(bins, &format!("{path}.mfcc"))?;
            if mfcc.energy == Some(true) {
                self.check_energy(&format!("{path}.mfcc.energy"))?;
            }
        }
        Ok(())
    }
}

impl Spec {
    /// The energy is a sum of powers, and what it is compared with must not be the bands'.
    fn check_energy(&self, path: &str) -> Result<()> {
        if self.power != Some(2.0) {
            return Err(Error::manifest(path, "needs power to be 2"));
        }
        let log = self.log.as_ref();
        let largest = Some(Reference::Named(ReferenceName::Max));
        if log.is_some_and(|log| log.range.is_some() || log.reference == largest) {
            return Err(Error::manifest(path, "goes with no log.range and no log.reference \"max\""));
        }
        Ok(())
    }
}

impl Log {
    fn check(&self, path: &str) -> Result<()> {
        let refuse =
            |member: &str, message: String| Err(Error::manifest(&format!("{path}.{member}"), message));
        let kind = need(self.kind, path, "kind")?;
        let offset = need(self.offset, path, "offset")?;
        let floor = need(self.floor, path, "floor")?;
        for (member, value) in [("offset", offset), ("floor", floor)] {
            if !(0.0..=1e6).contains(&value) {
                return refuse(member, format!("is {value}; valid 0..=1e6"));
            }
        }
        let none = kind == LogKind::None;
        // Below the smallest normal f32 the logarithm of silence would be -inf or nearly so.
        if !none && offset.max(floor) < f64::from(f32::MIN_POSITIVE) {
            return refuse("floor", "is 0 and so is offset: silence would give minus infinity".into());
        }
        let one = self.reference == Some(Reference::Value(1.0));
        match self.reference {
            Some(Reference::Value(v)) if !(v > 0.0 && v <= 1e12) => {
                return refuse("reference", format!("is {v}; valid above 0 up to 1e12, or \"max\""));
            }
            _ if kind != LogKind::Db && !one => {
                return refuse("reference", "only kind db has a reference".into());
            }
            _ => {}
        }
        match self.range {
            Some(_) if none => refuse("range", "needs a kind other than none".into()),
            Some(range) if !(range > 0.0 && range <= 1e6) => {
                refuse("range", format!("is {range}; valid above 0 up to 1e6"))
            }
            _ => Ok(()),
        }
    }
}

impl Mfcc {
    fn check(&self, bins: usize, path: &str) -> Result<()> {
        let count = need(self.count, path, "count")?;
        if !(1..=bins).contains(&count) {
            let message = format!("is {count}; valid 1..={bins} (mel.bins)");
            return Err(Error::manifest(&format!("{path}.count"), message));
        }
        if count * bins > MAX_COSINES {
            let message =
                format!("is {count}, of {bins} bins: {} cosines; valid up to {MAX_COSINES}", count * bins);
            return Err(Error::manifest(&format!("{path}.count"), message));
        }
        let lifter = need(self.lifter, path, "lifter")?;
        if !(0.0..=1e6).contains(&lifter) {
            let message = format!("is {lifter}; valid 0..=1e6");
            return Err(Error::manifest(&format!("{path}.lifter"), message));
        }
        let from = need(self.lifter_from, path, "lifter_from")?;
        if from > 1 {
            return Err(Error::manifest(&format!("{path}.lifter_from"), format!("is {from}; valid 0 and 1")));
        }
        Ok(())
    }
}

fn to_value(spec: &Spec) -> Value {
    serde_json::to_value(spec).expect("numbers, strings and maps with string keys always serialise")
}

fn members(value: &Value) -> impl Iterator<Item = &String> {
    value.as_object().into_iter().flat_map(|map| map.keys())
}

/// Lays `top` over `base`: objects member by member, anything else replaces what was there.
/// A `log` that names its kind replaces the whole `log`: the numbers of another logarithm mean nothing to it.
fn overlay(base: &mut Value, top: Value) {
    match (base, top) {
        (Value::Object(base), Value::Object(top)) => {
            for (member, value) in top {
                let under = base.entry(&member).or_insert(Value::Null);
                if member == "log" && value.get("kind").is_some() {
                    *under = value;
                } else {
                    overlay(under, value);
                }
            }
        }
        (base, top) => *base = top,
    }
}
