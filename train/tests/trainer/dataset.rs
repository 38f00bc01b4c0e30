//! Every form that labelled recordings come in, and every way in which they can be bad.

use std::fs;

use crate::common::Scratch;
use auricle_train::dataset::{Dataset, Source};

impl Scratch {
    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> &Self {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
        self
    }

    /// Sound in every one of these files, each with a first sample of its own, so that none is there twice.
    fn sounds(&self, names: &[&str]) -> &Self {
        for name in names {
            let mut samples = [16_384, 0].repeat(4000);
            samples[0] = name.bytes().fold(0_i16, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
            self.file(name, wav(8_000, 2, &samples));
        }
        self
    }

    fn source(&self) -> Source {
        Source { data: self.0.clone(), labels: None, strict: false, folds: 5, cache: None, no_cache: true }
    }

    fn load(&self) -> anyhow::Result<Dataset> {
        Dataset::load(&self.source(), 16_000, 400)
    }

    fn error(&self, source: &Source) -> String {
        format!("{:#}", Dataset::load(source, 16_000, 400).unwrap_err())
    }
}

/// 16-bit PCM.
pub fn wav(rate: u32, channels: u16, interleaved: &[i16]) -> Vec<u8> {
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels, sample_rate: rate, bits_per_sample: 16, sample_format };
    let mut file = std::io::Cursor::new(Vec::new());
    let mut wav = hound::WavWriter::new(&mut file, spec).unwrap();
    interleaved.iter().for_each(|sample| wav.write_sample(*sample).unwrap());
    wav.finalize().unwrap();
    file.into_inner()
}

/// (file, class, fold) of every clip.
fn labels(data: &Dataset) -> Vec<(String, &str, u32)> {
    let label = |c: &auricle_train::dataset::Clip| (c.file.clone(), data.classes[c.class].as_str(), c.fold);
    data.clips.iter().map(label).collect()
}

#[test]
fn a_csv_of_our_own_is_made_mono_at_the_models_rate() {
    let folder = Scratch::new("mono");
    folder.sounds(&["a.wav", "b.wav"]).file("c.wav", "no sound").file("d.wav", "");
    folder.file(
        "labels.csv",
        "\u{feff}fold,file,licence,class\n2,a.wav,x,zebra\n1,b.wav,x,ant\n1,c.wav,x,ant\n1,d.wav,x,ant\n1,e.wav,x,ant\n",
    );
    let data = folder.load().unwrap();
    assert_eq!(data.classes, ["ant", "zebra"]);
    assert_eq!(data.folds(), [1, 2]);
    assert_eq!(labels(&data), [("a.wav".into(), "zebra", 2), ("b.wav".into(), "ant", 1)]);
    // 8 kHz, the left channel at half of full scale, the right one silent.
    assert_eq!(data.clips[0].samples.len(), 8000);
    assert!((data.clips[0].samples[4000] - 0.25).abs() < 1e-3, "{}", data.clips[0].samples[4000]);
    for (reason, expected) in data.unreadable.iter().zip([
        "c.wav: is not an audio file",
        "d.wav: is empty (0 bytes)",
        "e.wav: cannot be opened",
    ]) {
        assert!(reason.contains(expected), "{reason}");
    }
    assert_eq!(data.unreadable.len(), 3);
    let strict = folder.error(&Source { strict: true, ..folder.source() });
    for part in ["3 problems", "c.wav", "d.wav", "e.wav", "--strict"] {
        assert!(strict.contains(part), "{part}: {strict}");
    }
}

#[test]
fn urbansound8k_and_esc50_are_taken_as_they_are() {
    let urban = Scratch::new("urban");
    urban.sounds(&["audio/fold1/7-3-0-0.wav", "audio/fold2/9-1-0-0.wav"]).file(
        "metadata/UrbanSound8K.csv",
        "slice_file_name,fsID,start,end,salience,fold,classID,class\n\
         7-3-0-0.wav,7,30.5,34.5,1,1,3,dog_bark\n9-1-0-0.wav,9,58.0,62.0,2,2,1,car_horn\n",
    );
    let data = urban.load().unwrap();
    assert_eq!(
        labels(&data),
        [
            ("audio/fold1/7-3-0-0.wav".into(), "dog_bark", 1),
            ("audio/fold2/9-1-0-0.wav".into(), "car_horn", 2)
        ]
    );
    // Its start and end are places in another recording: the whole file counts.
    assert_eq!(data.clips[0].samples.len(), 8000);

    let esc = Scratch::new("esc");
    esc.sounds(&["audio/1-100032-A-0.wav", "audio/2-5-A-10.wav", "audio/3-5-B-10.wav"]).file(
        "meta/esc50.csv",
        "filename,fold,target,category,esc10,src_file,take\n1-100032-A-0.wav,1,0,dog,True,100032,A\n\
         2-5-A-10.wav,2,10,rain,True,5,A\n3-5-B-10.wav,3,10,rain,True,5,B\n",
    );
    let data = esc.load().unwrap();
    assert_eq!(data.folds(), [1, 2, 3]);
    assert_eq!(labels(&data)[1], ("audio/2-5-A-10.wav".into(), "rain", 2));
    // Two takes of source 5, in two folds.
    assert!(data.warnings[0].contains("\"5\" is in the folds [2, 3]"), "{:?}", data.warnings);
    assert!(esc.error(&Source { strict: true, ..esc.source() }).contains("\"5\" is in the folds"));
}

#[test]
fn a_folder_a_class() {
    let folder = Scratch::new("folders");
    folder.sounds(&["rain/1.wav", "rain/garden/2.wav", "dog/1.wav", "dog/2.wav", "wind/1.wav"]);
    folder.file("rain/notes.txt", "not a sound").file("rain/.DS_Store", "x");
    fs::create_dir_all(folder.0.join("empty")).unwrap();
    let data = folder.load().unwrap();
    assert_eq!(data.classes, ["dog", "rain", "wind"]);
    let files: Vec<String> = data.clips.iter().map(|c| c.file.replace('\\', "/")).collect();
    assert_eq!(files, ["dog/1.wav", "dog/2.wav", "rain/1.wav", "rain/garden/2.wav", "wind/1.wav"]);
    assert!(data.unreadable.len() == 1 && data.unreadable[0].contains("notes.txt"), "{:?}", data.unreadable);
    assert!(data.warnings.len() == 1 && data.warnings[0].contains("empty"), "{:?}", data.warnings);
}

#[test]
fn stretches_and_several_classes_of_one_file() {
    let folder = Scratch::new("stretches");
    folder.sounds(&["long.wav"]).file(
        "labels.csv",
        "file,class,start,end\nlong.wav,a | b,,\nlong.wav,b,0.1,0.3\nlong.wav,b,0.2,\nlong.wav,c|c,0,0.55\n\
         long.wav,a,0.4,0.9\nlong.wav,a,0.3,0.2\nlong.wav,a,0.5,\n",
    );
    let data = folder.load().unwrap();
    let seen: Vec<_> = data.clips.iter().map(|c| (c.class, c.also.clone(), c.samples.len())).collect();
    // Half a second; the fourth row is off by a rounding.
    assert_eq!(seen, [(0, vec![1], 8000), (1, vec![], 3200), (1, vec![], 4800), (2, vec![], 8000)]);
    assert_eq!(data.clips[1].samples, data.clips[0].samples[1600..4800]);
    assert_eq!(data.unreadable.len(), 3, "{:?}", data.unreadable);
    assert!(data.unreadable[0].contains("from 0.4 s to 0.9 s is not in the file, which is 0.50 s long"));
}

#[test]
fn takes_of_one_source_are_never_on_both_sides_of_a_split() {
    let folder = Scratch::new("groups");
    let mut csv = String::from("file,class,group\n");
    for take in 0..60 {
        let name = format!("{take}.wav");
        folder.sounds(&[&name]);
        // 3 takes a source, 2 classes, 20 sources.
        csv += &format!("{name},{},source{}\n", ["x", "y"][take / 3 % 2], take / 3);
    }
    folder.file("labels.csv", csv);
    let data = folder.load().unwrap();
    assert_eq!(data.folds(), [1, 2, 3, 4, 5]);
    let fold = |take: usize| data.clips[take].fold;
    for take in 0..60 {
        assert_eq!(fold(take), fold(take / 3 * 3), "take {take}");
    }
    for number in 1..=5 {
        let (held, rest) = data.hold_out(&[number]).unwrap();
        assert_eq!((held.len(), rest.len()), (12, 48));
        assert_eq!(held.iter().filter(|c| c.class == 0).count(), 6, "fold {number}");
    }
    assert!(format!("{}", data.hold_out(&[2, 6]).unwrap_err()).contains("[1, 2, 3, 4, 5]"));
    assert_eq!(labels(&folder.load().unwrap()), labels(&data));
}

/// One bad file does not end the run, and what is missing of another is told every time, with its place.
#[test]
fn damaged_recordings_are_left_out_or_told() {
    let folder = Scratch::new("damaged");
    let whole = wav(8_000, 1, &[9000; 8000]);
    let mut no_rate = whole.clone();
    no_rate[24..28].fill(0);
    folder.sounds(&["a.wav", "b.wav"]).file("cut.wav", &whole[..44 + 8000]).file("bad.wav", no_rate);
    folder.file("labels.csv", "file,class\na.wav,x\ncut.wav,x\nbad.wav,y\nb.wav,y\n");
    let source = Source { cache: Some(folder.0.join("cache")), no_cache: false, ..folder.source() };
    for from_cache in [0, 2] {
        let data = Dataset::load(&source, 16_000, 400).unwrap();
        assert_eq!((data.clips.len(), data.from_cache), (3, from_cache), "cut.wav is read again");
        assert!(
            data.unreadable.len() == 1 && data.unreadable[0].contains("bad.wav"),
            "{:?}",
            data.unreadable
        );
        let told = "cut.wav: at 0.500 s (frame 4000) 0.500 s (4000 frames) are missing";
        assert!(data.warnings.len() == 1 && data.warnings[0].contains(told), "{:?}", data.warnings);
    }
}

#[test]
fn decoded_audio_is_kept_until_the_file_changes() {
    let folder = Scratch::new("cache");
    folder.sounds(&["a.wav", "b.wav"]).file("labels.csv", "file,class\na.wav,x\nb.wav,y\n");
    let cache = folder.0.join("cache");
    let source = Source { cache: Some(cache.clone()), no_cache: false, ..folder.source() };
    let load = || Dataset::load(&source, 16_000, 400).unwrap();
    let samples = |data: &Dataset| data.clips.iter().map(|c| c.samples.clone()).collect::<Vec<_>>();
    let first = load();
    let again = load();
    assert_eq!((first.from_cache, again.from_cache), (0, 2));
    assert_eq!(samples(&first), samples(&again));
    // Another rate is another entry, a changed file too; a cut-off entry is not believed.
    assert_eq!(Dataset::load(&source, 8_000, 200).unwrap().from_cache, 0);
    folder.file("a.wav", wav(8_000, 1, &[100; 2000]));
    let changed = load();
    assert_eq!((changed.from_cache, changed.clips[0].samples.len()), (1, 4000));
    for entry in fs::read_dir(&cache).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 2]).unwrap();
    }
    let repaired = load();
    assert_eq!((repaired.from_cache, samples(&repaired)), (0, samples(&changed)));
    // A folder that cannot be written costs time, not the run.
    let source = Source { cache: Some(folder.0.join("a.wav")), ..source };
    let data = Dataset::load(&source, 16_000, 400).unwrap();
    assert!(data.warnings.len() == 1 && data.warnings[0].contains("a.wav"), "{:?}", data.warnings);
}

#[test]
fn bad_labels_say_what_is_wrong_and_where() {
    let folder = Scratch::new("labels");
    for (text, expected) in [
        ("", "no rows"),
        ("file,class\n", "no rows"),
        ("file,klass\na.wav,x\n", "file, klass"),
        ("file;class\na.wav;x\n", "separated by commas"),
        ("file,class\na.wav,x\nb.wav,\n", "line 3: the class is empty"),
        ("file,class\na.wav,x\nb.wav,x|\n", "line 3: the class is empty"),
        ("file,class\n,x\n", "line 2: the name of the file is empty"),
        ("file,class\na.wav,x\nb.wav,x\n", "1 class"),
        ("file,class,fold\na.wav,x,one\n", "line 2: column `fold` is \"one\": invalid digit"),
        ("file,class,fold\na.wav,x,1\nb.wav,y,\n", "line 3: rows with and without a fold"),
        ("file,class,start\na.wav,x,NaN\n", "line 2: start or end"),
        ("file,class\na.wav,x\nb.wav,y\n", "none of its 2 files"),
    ] {
        folder.file("labels.csv", text);
        let error = folder.error(&folder.source());
        assert!(error.contains(expected) && error.contains("labels.csv"), "{text:?}: {error}");
    }
    // One class of which nothing can be read would never be recognised.
    folder.sounds(&["a.wav"]).file("labels.csv", "file,class\na.wav,x\nb.wav,y\n");
    let error = folder.error(&folder.source());
    assert!(error.contains("no file of class \"y\"") && error.contains("b.wav"), "{error}");
    let named = Source { labels: Some("other.csv".into()), ..folder.source() };
    assert!(folder.error(&named).contains("other.csv"));
    fs::remove_file(folder.0.join("labels.csv")).unwrap();
    assert!(folder.error(&folder.source()).contains("meta/esc50.csv"));
}

/// A clip from which no row of features can be computed is left out by name, before any training.
#[test]
fn clips_that_give_no_row_are_left_out() {
    let folder = Scratch::new("short");
    folder.sounds(&["a.wav", "b.wav"]).file("one.wav", wav(8_000, 1, &[9000]));
    folder.file("labels.csv", "file,class,start,end\na.wav,x,,\nb.wav,y,,\none.wav,x,,\na.wav,x,0.1,0.12\n");
    let data = folder.load().unwrap();
    assert_eq!(data.clips.len(), 2);
    let [first, second] = &data.unreadable[..] else { panic!("{:?}", data.unreadable) };
    assert!(first.contains("one.wav: 2 samples at 16000 Hz (0.1 ms)"), "{first}");
    assert!(first.contains("needs 400 (25.0 ms)"), "{first}");
    assert!(second.contains("a.wav: 320 samples at 16000 Hz (20.0 ms)"), "{second}");
}

#[test]
fn doubtful_labels_are_told() {
    let folder = Scratch::new("doubts");
    folder.sounds(&["a.wav", "b.wav", "c.wav", "d.wav", "e.wav"]);
    folder.file("copy.wav", fs::read(folder.0.join("b.wav")).unwrap());
    folder.file("silent.wav", wav(8_000, 1, &[0; 8000]));
    let rows = [
        "a.wav,rain,1,,",
        "a.wav,rain,1,,",
        "b.wav,rain,1,,",
        "copy.wav,wind,1,,",
        "c.wav,Rain,1,,",
        "c.wav,Rain,2,,",
        "silent.wav,wind,2,,",
        "d.wav,wind,2,0.1,0.3",
        "e.wav,wind,2,0.1,0.3",
    ];
    folder.file("labels.csv", format!("file,class,fold,start,end\n{}\n", rows.join("\n")));
    let data = folder.load().unwrap();
    let told = data.warnings.join("\n");
    for part in [
        "the classes [\"Rain\", \"rain\"] are spelled nearly alike",
        "silent.wav: silent",
        "b.wav = copy.wav (rain, wind): there twice with different classes",
        "c.wav = c.wav: there twice in different folds",
        "a.wav = a.wav: there twice",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // One for the file that is in two folds, and the five.
    assert_eq!(data.warnings.len(), 6, "{told}");
    assert!(folder.error(&Source { strict: true, ..folder.source() }).contains("6 problems"));
    assert_eq!(
        (data.clips[7].name(), data.clips[7].source.as_str()),
        ("d.wav from 0.1 s to 0.300 s".into(), "d.wav")
    );
}

#[test]
fn several_classes_and_classes_without_clips_are_named() {
    let folder = Scratch::new("several");
    folder
        .sounds(&["a.wav", "b.wav", "c.wav"])
        .file("labels.csv", "file,class,fold\na.wav,x|y,1\nb.wav,y,1\nc.wav,z,2\n");
    let data = folder.load().unwrap();
    let error = data.one_class_each("Mend it.").unwrap_err().to_string();
    assert!(
        error.contains("1 clips have several classes, like a.wav (x|y)") && error.ends_with("Mend it."),
        "{error}"
    );
    let (_, rest) = data.hold_out(&[2]).unwrap();
    assert_eq!(data.unheard(&rest), ["z"]);
}
