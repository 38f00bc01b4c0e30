//! What is wrong with a data set on purpose is found, and nothing else.

use crate::common::*;
use auricle::stages::scores::Activation;
use auricle_train::augment::{add_noise, gain};
use auricle_train::dataset::{Clip, Dataset};
use auricle_train::front_end::FrontEndSpec;
use auricle_train::inspect::Inspection;
use auricle_train::inspect::alike::pairs;
use auricle_train::report::Painter;
use rand::{SeedableRng, rngs::StdRng};

/// Three seconds of chirps at random places: what no other seed has.
fn music(seed: u64) -> Vec<f32> {
    let mut random = crate::random::Random(seed);
    let mut samples = vec![0.0_f32; 48_000];
    for _ in 0..30 {
        let (start, length) = (random.next() as usize % 44_000, 1_500 + random.next() as usize % 2_500);
        let (from, rise) = (200.0 + (random.next() % 5_000) as f32, random.sample() * 0.5);
        let end = (start + length).min(samples.len());
        for (n, sample) in samples[start..end].iter_mut().enumerate() {
            let time = n as f32 / RATE;
            let taper = (std::f32::consts::PI * n as f32 / length as f32).sin();
            *sample += 0.1 * taper * (std::f32::consts::TAU * (from + rise * from * time) * time).sin();
        }
    }
    samples
}

fn named(name: &str, class: usize, fold: u32, samples: Vec<f32>) -> Clip {
    Clip { file: name.into(), source: name.into(), class, fold, samples, ..Clip::default() }
}

#[test]
fn clips_that_share_sound_are_found_through_level_noise_and_cuts() {
    let mut clips: Vec<Clip> = (0..30).map(|n| named(&format!("{n}"), 0, 1, music(n))).collect();
    let mut numbers = StdRng::seed_from_u64(1);
    let mut noisy = music(3);
    add_noise(&mut noisy, 20.0, 0.0, &mut numbers);
    let mut quiet = music(7);
    gain(&mut quiet, 20.0, &mut numbers);
    // The last two seconds of one, after half a second of another.
    let mut cut = music(100)[..8_000].to_vec();
    cut.extend_from_slice(&music(11)[16_000..]);
    clips.extend([named("noisy", 0, 1, noisy), named("quiet", 0, 1, quiet), named("cut", 0, 1, cut)]);
    // One hum under two recordings is no sound that they share.
    let hum = |seed: usize| -> Vec<f32> {
        let harmonics = [250.0, 500.0, 1000.0, 2000.0].map(|hz| tone(hz, 3.0));
        let noise = noise(seed, 3.0);
        (0..noise.len())
            .map(|n| 0.02 * noise[n] + harmonics.iter().map(|h| h[n]).sum::<f32>() / 4.0)
            .collect()
    };
    clips.extend([named("hum", 0, 1, hum(1)), named("another", 0, 1, hum(2))]);
    let found = pairs(&clips, 16_000, &|| ());
    let mut names: Vec<[usize; 2]> = found.iter().map(|pair| pair.clips).collect();
    names.sort_unstable();
    assert_eq!(names, [[3, 30], [7, 31], [11, 32]], "{found:?}");
    let cut = found.iter().find(|pair| pair.clips[1] == 32).unwrap();
    assert!((cut.seconds + 0.5).abs() < 0.04, "{cut:?}");
}

#[test]
fn what_is_wrong_is_said_and_the_page_has_its_sound() {
    // Tones are 0, noise is 1; four of each, but for one whose label is wrong, one silent and one at full scale.
    let mut clips = Vec::new();
    for n in 0..24 {
        let samples = if n % 2 == 0 { tone(300.0 + 90.0 * n as f32, 1.0) } else { noise(n, 1.0) };
        clips.push(named(&format!("{n}.wav"), n % 2, 1 + n as u32 % 3, samples));
    }
    clips.push(named("wrong.wav", 0, 1, noise(99, 1.0)));
    clips.push(named("silent.wav", 0, 2, vec![0.0; 16_000]));
    clips.push(named("loud.wav", 1, 3, noise(98, 1.0).iter().map(|s| (9.0 * s).clamp(-1.0, 1.0)).collect()));
    let data = Dataset {
        classes: vec!["tone".into(), "noise".into(), "rare".into()],
        clips,
        unreadable: vec!["broken.wav: no sound".into()],
        warnings: Vec::new(),
        from_cache: 0,
    };
    let mut data = data;
    data.clips.push(named("rare.wav", 2, 1, music(1)));
    let front_end = FrontEndSpec::mel().unwrap();
    let features = front_end.manifest(&about(), &data.classes, Activation::Softmax).unwrap();
    let found = Inspection::new(&data, 16_000, &features, &|| ()).unwrap();
    let doubted: Vec<&str> =
        found.doubtful.iter().map(|doubt| found.clips[doubt.clip].name.as_str()).collect();
    assert!(doubted.contains(&"wrong.wav"), "{found}");
    let missing = found.missing();
    assert!(missing.len() == 1 && missing[0].starts_with("rare: in fold 1 alone"), "{missing:?}");
    let text = found.to_string();
    for expected in [
        "silent (below -60 dBFS all the time): 1\n  silent.wav",
        "at full scale for more than 0.1 % of the time: 1\n  loud.wav",
        "left out: 1\n  broken.wav",
        "doubtful labels",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
    let folder = Scratch::new("inspect");
    let page = found.write(&folder.0.join("data.json"), &data, &Painter::new(features)).unwrap();
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<audio") && page.contains("wrong.wav") && page.ends_with("</html>"));
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.0.join("data.json")).unwrap()).unwrap();
    assert_eq!(json["counts"][2], serde_json::json!([1, 0, 0]));
}
