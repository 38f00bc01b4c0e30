//! What a manifest can say of the features (`input.features`).
//!
//! All kinds share one flat set of members, because all kinds are one computation with different numbers:
//! frame → (DC removal, pre-emphasis) → window function → FFT → power → mel → log → DCT. A kind only says
//! where it stops and what is not to be mentioned.

use std::fmt;

use serde::de::{self, Deserializer, IntoDeserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

use super::mel::Mel;

/// Largest FFT that is accepted, in samples.
pub(super) const MAX_FFT: usize = 65_536;

/// A well-known front end. Other members of the manifest override its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// `torchaudio.transforms` `MelSpectrogram` and `MFCC` with their defaults (2.11).
    Torchaudio,
    /// `librosa.feature` `melspectrogram` and `mfcc` with their defaults (0.11).
    Librosa,
    /// OpenAI Whisper's log-mel spectrogram for 16 kHz (20250625), 80 bins.
    Whisper,
    /// YAMNet's log-mel spectrogram for 16 kHz (TensorFlow model garden); VGGish: `log.offset` 0.01.
    Yamnet,
    /// The Audio Spectrogram Transformer's filter bank (`torchaudio.compliance.kaldi.fbank`, 128 bins).
    Ast,
    /// CED's filter bank for 16 kHz (64 bins, dB), as sherpa-onnx computes it.
    Ced,
    /// Kaldi's filter bank with 80 bins, as kaldi-native-fbank (1.23) computes it from 16-bit samples.
    Kaldi,
}

/// What a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The samples themselves: one row a sample, one bin.
    Waveform,
    /// The short-time Fourier transform's magnitude or power, `fft / 2 + 1` bins.
    Spectrogram,
    /// The spectrogram through a mel filter bank.
    Mel,
    /// Kaldi's filter bank: a mel spectrogram with Kaldi's frames, pre-emphasis, DC removal and log.
    Fbank,
    /// Mel-frequency cepstral coefficients: the DCT of the log mel spectrogram.
    Mfcc,
}

/// A window function. "Periodic" divides by its length, "symmetric" by its length minus one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Taper {
    /// Periodic Hann (torch, librosa, TensorFlow).
    Hann,
    /// Symmetric Hann (Kaldi's `hanning`).
    HannSymmetric,
    /// Periodic Hamming, 0.54 and 0.46.
    Hamming,
    /// Symmetric Hamming (Kaldi's `hamming`).
    HammingSymmetric,
    /// Periodic Blackman, 0.42, 0.5 and 0.08.
    Blackman,
    /// Symmetric Blackman (Kaldi's `blackman`).
    BlackmanSymmetric,
    /// Kaldi's own: symmetric Hann to the power of 0.85.
    Povey,
    /// All ones.
    Rectangular,
}

/// Where a frame shorter than the FFT lies within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// In the middle, as torch and librosa do.
    Center,
    /// At the start, as Kaldi and TensorFlow do.
    Left,
}

/// What stands beyond the ends of the samples, with `center`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgePad {
    /// The samples mirrored at the end sample, which is not repeated (torch's default).
    Reflect,
    /// Zeros (librosa's default).
    Constant,
}

/// Which logarithm is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogKind {
    /// None.
    None,
    /// Natural.
    Ln,
    /// To base 10.
    Log10,
    /// Decibels: 10 log10 of power, 20 log10 of magnitude (`power` 1).
    Db,
}

/// What 0 dB is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Reference {
    /// This value.
    Value(f64),
    /// Named.
    Named(ReferenceName),
}

/// A named reference for 0 dB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceName {
    /// The largest value of the window.
    Max,
}

/// By hand, because serde's `untagged` first keeps whatever it finds.
impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Reference;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number above 0, or \"max\"")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Reference, E> {
                Ok(Reference::Value(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Reference, E> {
                Ok(Reference::Value(value as f64))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Reference, E> {
                Ok(Reference::Value(value as f64))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Reference, E> {
                let name = IntoDeserializer::<E>::into_deserializer(value);
                let named = ReferenceName::deserialize(name).map(Reference::Named);
                named.map_err(|_| E::invalid_value(Unexpected::Str(value), &self))
            }
        }

        from.deserialize_any(Either)
    }
}

/// `features.log`: `log(max(x + offset, floor))`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Which logarithm; `none` if the manifest does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<LogKind>,
    /// Added before the logarithm; 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<f64>,
    /// Smaller values are raised to this before the logarithm; 1e-10, for `fbank` 2⁻²³, with an offset 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<f64>,
    /// `db` only: what 0 dB is; 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// Values further than this below the largest of the window are raised to it, in the logarithm's own unit
    /// (`top_db` in torchaudio and librosa; 8 in Whisper). Without it nothing is raised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<f64>,
}

/// How the DCT-II is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DctNorm {
    /// Orthonormal (librosa, torchaudio).
    Ortho,
    /// √(2/bins) for every coefficient, the first too (TensorFlow).
    Tensorflow,
}

/// `features.mfcc`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mfcc {
    /// Coefficients kept, from the first on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Scale of the DCT; `ortho`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norm: Option<DctNorm>,
    /// Coefficient n is multiplied by `1 + lifter/2 · sin(π n / lifter)`; 0: not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifter: Option<f64>,
    /// What n is of the first coefficient: 1 (librosa) or 0 (HTK, Kaldi, python_speech_features); 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifter_from: Option<u32>,
    /// The first coefficient is the logarithm of the power of the whole frame instead (python_speech_features, sonopy,
    /// SpeechPy); false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub energy: Option<bool>,
}

/// What the manifest says of the features (`input.features`).
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// What a row holds. Needed unless a preset says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// A named set of values; other members override them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// Size of the FFT, samples; even ones with no prime factor above 7 are the fastest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fft: Option<usize>,
    /// Window function; `hann`, for `fbank` `povey`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Taper>,
    /// Length of the frame and of the window function, samples; `fft`, for `fbank` 25 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_length: Option<usize>,
    /// Samples from one row to the next; for `fbank` 10 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_hop: Option<usize>,
    /// Where a frame shorter than the FFT lies in it; `center`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_align: Option<Align>,
    /// Row r is centred on sample r · hop, the samples being padded by fft / 2 on both sides; true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub center: Option<bool>,
    /// What the padding is; `reflect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pad: Option<EdgePad>,
    /// The last row is left out, as Whisper does; false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop_last: Option<bool>,
    /// Without `center`: one row more if samples are left, zeros standing beyond their end (python_speech_features); false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pad_last: Option<bool>,
    /// `fbank` only. True: only frames that lie wholly within the samples. False: one row for each hop, the
    /// samples being mirrored at their ends; true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snip_edges: Option<bool>,
    /// Samples are multiplied by this first; 1, for `fbank` 32768 (Kaldi reads 16-bit integers).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain: Option<f64>,
    /// The mean of each frame is subtracted; false, for `fbank` true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove_dc: Option<bool>,
    /// Within each frame, this times the previous sample is subtracted (the first sample is its own predecessor); 0,
    /// for `fbank` 0.97.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_emphasis: Option<f64>,
    /// 1: magnitude. 2: power; 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub power: Option<f64>,
    /// The filter bank.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mel: Option<Mel>,
    /// The logarithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Log>,
    /// The cepstral coefficients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfcc: Option<Mfcc>,
}
