//! Labels and recordings on disk.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use auricle_train::dataset::Dataset;

/// A folder of its own for one test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("auricle-train-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn labels(&self, text: &str) -> anyhow::Result<Dataset> {
        fs::write(self.0.join("labels.csv"), text).unwrap();
        Dataset::load(&self.0, &self.0.join("labels.csv"), 16_000)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// 16-bit PCM at 8 kHz, stereo: the left channel `left`, the right silent.
fn wav(left: &[i16]) -> Vec<u8> {
    let mut out =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x40\x1f\0\0\0\x7d\0\0\x04\0\x10\0data".to_vec();
    out.extend_from_slice(&(left.len() as u32 * 4).to_le_bytes());
    left.iter().for_each(|s| out.extend_from_slice(&[s.to_le_bytes(), [0, 0]].concat()));
    let size = out.len() as u32 - 8;
    out[4..8].copy_from_slice(&size.to_le_bytes());
    out
}

#[test]
fn clips_are_made_mono_at_the_models_rate() {
    let folder = Scratch::new("mono");
    fs::write(folder.0.join("a.wav"), wav(&[16_384; 4000])).unwrap();
    fs::write(folder.0.join("b.wav"), wav(&[0; 4000])).unwrap();
    fs::write(folder.0.join("c.wav"), b"no sound").unwrap();
    let data =
        folder.labels("fold,file,licence,class\n2,a.wav,x,zebra\n1,b.wav,x,ant\n1,c.wav,x,ant\n").unwrap();
    assert_eq!(data.classes, ["ant", "zebra"]);
    assert_eq!(data.folds(), [1, 2]);
    assert_eq!(data.clips.iter().map(|c| (c.class, c.fold)).collect::<Vec<_>>(), [(1, 2), (0, 1)]);
    assert_eq!(data.clips[0].samples.len(), 8000);
    assert!((data.clips[0].samples[4000] - 0.25).abs() < 1e-3, "{}", data.clips[0].samples[4000]);
    assert!(data.unreadable.len() == 1 && data.unreadable[0].contains("c.wav"), "{:?}", data.unreadable);
}

#[test]
fn bad_labels_say_what_is_wrong_and_where() {
    let folder = Scratch::new("labels");
    let error = |text: &str| format!("{:#}", folder.labels(text).unwrap_err());
    for (text, expected) in [
        ("", "no rows"),
        ("file,class\n", "no rows"),
        ("file,klass\na.wav,x\n", "class"),
        ("file,class\na.wav,x\nb.wav,\n", "row 3"),
        ("file,class\na.wav,x\nb.wav,x\n", "1 class"),
        ("file,class,fold\na.wav,x,one\n", "invalid digit"),
        ("file,class\na.wav,x\nb.wav,y\n", "none of its 2 files"),
    ] {
        let error = error(text);
        assert!(error.contains(expected) && error.contains("labels.csv"), "{text:?}: {error}");
    }
}
