//! Named sets of values, written as what a manifest would say.

use super::spec::{Kind, Log, LogKind, Preset, Spec};

impl Preset {
    /// The kind that it means unless the manifest names another.
    pub fn kind(self) -> Kind {
        match self {
            Preset::Ast | Preset::Ced | Preset::Kaldi => Kind::Fbank,
            _ => Kind::Mel,
        }
    }

    /// The preset as a specification, for features of `kind`.
    pub fn values(self, kind: Kind) -> Spec {
        let mut spec: Spec =
            serde_json::from_str(self.json()).expect("the presets are constants, and a test reads every one");
        if kind == Kind::Mfcc && matches!(self, Preset::Torchaudio | Preset::Librosa) {
            spec.log = Some(Log { kind: Some(LogKind::Db), range: Some(80.0), ..Log::default() });
        }
        spec
    }

    fn json(self) -> &'static str {
        match self {
            Preset::Torchaudio => {
                r#"{ "fft": 400, "frame_hop": 200, "power": 2,
                     "mel": { "bins": 128, "scale": "htk", "norm": "none", "weights": "torch" },
                     "mfcc": { "count": 40 } }"#
            }
            Preset::Librosa => {
                r#"{ "fft": 2048, "frame_hop": 512, "pad": "constant", "power": 2,
                     "mel": { "bins": 128, "scale": "slaney", "norm": "slaney" },
                     "mfcc": { "count": 20 } }"#
            }
            Preset::Whisper => {
                r#"{ "fft": 400, "frame_hop": 160, "drop_last": true, "power": 2,
                     "mel": { "bins": 80, "scale": "slaney", "norm": "slaney", "high_hz": 8000 },
                     "log": { "kind": "log10", "floor": 1e-10, "range": 8 } }"#
            }
            Preset::Yamnet => {
                r#"{ "fft": 512, "frame_length": 400, "frame_hop": 160, "frame_align": "left",
                     "center": false, "power": 1,
                     "mel": { "bins": 64, "triangles": "mel", "first_bin": 1, "low_hz": 125, "high_hz": 7500 },
                     "log": { "kind": "ln", "offset": 0.001 } }"#
            }
            Preset::Ast => r#"{ "window": "hann_symmetric", "gain": 1, "mel": { "bins": 128 } }"#,
            Preset::Ced => {
                r#"{ "window": "hann", "frame_length": 512, "frame_hop": 160, "snip_edges": false,
                     "gain": 1, "remove_dc": false, "pre_emphasis": 0, "mel": { "bins": 64, "low_hz": 0, "high_hz": 8000 },
                     "log": { "kind": "db", "floor": 1e-10, "range": 120 } }"#
            }
            Preset::Kaldi => r#"{ "mel": { "bins": 80 } }"#,
        }
    }
}
