//! The report as JSON and as a page.

use crate::common::*;
use auricle::stages::scores::Activation;
use auricle_train::export;
use auricle_train::network::Architecture;
use auricle_train::plan::Point;
use auricle_train::report::{Answer, Fold, Painter, PerClass, Report};
use serde_json::Value;

/// A clip of class `truth`, one window, for which class `answer` gets an output of 2.
fn answer(file: &str, truth: usize, answer: usize, painter: &Painter) -> Answer {
    let mut clip = clip(truth, 1.2);
    clip.file = file.into();
    let outputs = (0..CLASSES).map(|class| if class == answer { 2.0 } else { 0.0 }).collect();
    Answer::new(&clip, vec![outputs], Activation::Softmax, painter)
}

fn report() -> Report {
    let plan = plan(Architecture::Cnn, recipe(7, 1));
    let painter = Painter::new(export::manifest(&plan, &about()).unwrap());
    let curve: Vec<Point> =
        (1..=300).map(|step| Point { step, loss: 3.0 / step as f32, held_out: None }).collect();
    let first = vec![answer("a.wav", 0, 0, &painter), answer("<b>&.wav", 1, 0, &painter)];
    let second = vec![answer("c.wav", 1, 1, &painter), answer("d.wav", 0, 0, &painter)];
    let folds = vec![Fold::new(1, &curve, first), Fold::new(2, &curve, second)];
    Report::new(plan.classes.clone(), &plan.recipe, Activation::Softmax, folds).unwrap()
}

#[test]
fn the_numbers_are_those_of_the_confusion_matrix() {
    let report = report();
    assert_eq!(report.confusion, [[2, 0], [1, 1]]);
    assert_eq!(report.accuracy, 0.75);
    let [tone, noise] = report.per_class[..] else { panic!() };
    assert_eq!(tone, PerClass { precision: 2.0 / 3.0, recall: 1.0, f1: 0.8, clips: 2 });
    assert_eq!((noise.precision, noise.recall, noise.clips), (1.0, 0.5, 2));
    assert!((noise.f1 - 2.0 / 3.0).abs() < 1e-12);
    // All scores are 0.88, three of four right: softmax(2 / T) becomes 0.75.
    let calibration = &report.calibration;
    assert!((calibration.temperature - 2.0 / 3_f32.ln()).abs() < 5e-3, "{calibration}");
    assert!(calibration.after.error < 2e-3 && calibration.before.error > 0.1);
    assert_eq!((report.folds[0].curve.len(), report.folds[0].curve[99].step), (100, 300));
}

#[test]
fn the_files_parse_and_need_nothing_from_elsewhere() {
    let folder = Scratch::new("report");
    let json = folder.0.join("report.json");
    let page = report().write(&json).unwrap();
    let value: Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(value["folds"][0]["clips"][1]["file"], "<b>&.wav");
    assert_eq!(value["recipe"]["steps"], 7);
    assert_eq!(value["per_class"][1]["recall"], 0.5);
    let page = std::fs::read_to_string(page).unwrap();
    for part in
        ["75.00 %", "Confusion", "&lt;b&gt;&amp;.wav", "data:image/png;base64,iVBOR", "<polyline", "<circle"]
    {
        assert!(page.contains(part), "{part}");
    }
    for elsewhere in ["http:", "https:", "<script", "src=\"/", "<b>&.wav", "NaN"] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    // One mistake, one picture.
    assert_eq!(page.matches("<img").count(), 1);
    assert_eq!(page.matches("<table").count(), page.matches("</table>").count());
}
