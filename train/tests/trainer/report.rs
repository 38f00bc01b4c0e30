//! The report as JSON and as a page.

use crate::common::*;
use auricle::stages::scores::Activation;
use auricle_train::dataset::Clip;
use auricle_train::evaluate;
use auricle_train::export;
use auricle_train::network::Architecture;
use auricle_train::plan::Point;
use auricle_train::report::{About, Answer, Fold, Painter, Report};
use serde_json::Value;

/// A clip of class `truth`, one window, for which class `answer` gets an output of 2.
fn answer(file: &str, truth: usize, answer: usize, painter: &Painter) -> Answer {
    let mut clip = clip(truth, 1.2);
    clip.file = file.into();
    clip.source = file.into();
    let outputs: Vec<f32> = (0..CLASSES).map(|class| if class == answer { 2.0 } else { 0.0 }).collect();
    let mut scores = outputs.clone();
    Activation::Softmax.apply(&mut scores, 1.0);
    Answer::new(&clip, evaluate::Answer { scores, windows: vec![outputs] }, painter)
}

fn report() -> Report {
    let plan = plan(Architecture::Cnn, recipe(7, 1));
    let painter = Painter::new(export::manifest(&plan, &about()).unwrap());
    let curve: Vec<Point> =
        (1..=300).map(|step| Point { step, loss: 3.0 / step as f32, held_out: None }).collect();
    let first = vec![answer("a.wav", 0, 0, &painter), answer("<b>&.wav", 1, 0, &painter)];
    let second = vec![answer("c.wav", 1, 1, &painter), answer("d.wav", 0, 0, &painter)];
    let folds = vec![Fold::new(1, &curve, first), Fold::new(2, &curve, second)];
    Report::new(
        plan.classes.clone(),
        About::new(&plan, vec![20, 30]).unwrap(),
        Activation::Softmax,
        1.0,
        folds,
    )
}

#[test]
fn the_numbers_are_those_of_the_confusion_matrix() {
    let report = report();
    assert_eq!(report.confusion, Some(vec![vec![2, 0], vec![1, 1]]));
    assert_eq!((report.balanced_accuracy.value, report.commonest, report.groups), (0.75, 0.5, None));
    assert_eq!(report.accuracy, 0.75);
    let [tone, noise] = report.per_class[..] else { panic!() };
    assert_eq!((tone.precision, tone.recall, tone.specificity), (2.0 / 3.0, 1.0, 0.5));
    assert_eq!((tone.f1, tone.clips, tone.best.unwrap().1), (0.8, 2, 0.8));
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
    let curves = std::fs::read_to_string(json.with_extension("csv")).unwrap();
    assert!(
        curves.starts_with("fold,step,loss,held_out_loss,held_out_accuracy\n1,3,")
            && curves.lines().count() == 201
    );
    let value: Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(value["folds"][0]["clips"][1]["file"], "<b>&.wav");
    assert_eq!(value["about"]["plan"]["recipe"]["steps"], 7);
    assert_eq!(value["about"]["plan"]["recipe"]["augment"]["mix"], 0.3);
    assert_eq!(value["per_class"][1]["recall"], 0.5);
    let page = std::fs::read_to_string(page).unwrap();
    for part in [
        "75.00 %",
        "Confusion",
        "&lt;b&gt;&amp;.wav",
        "data:image/png;base64,iVBOR",
        "<polyline",
        "<circle",
        "data:audio/wav;base64,UklGR",
        "clips trained on</tr><tr><td>tone<td>20</tr>",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for elsewhere in ["http:", "https:", "<script", "src=\"/", "<b>&.wav", "NaN"] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    // One mistake, one picture.
    assert_eq!(page.matches("<img").count(), 1);
    assert_eq!(page.matches("<table").count(), page.matches("</table>").count());
}

/// Each for itself: what is found is judged by scores, and a second class counts like the first.
#[test]
fn several_classes_of_one_clip_are_all_measured() {
    let painter = Painter::none();
    let clip = |truth: &[usize], scores: [f32; 2], source: &str| {
        let clip =
            Clip { class: truth[0], also: truth[1..].to_vec(), source: source.into(), ..Clip::default() };
        let outputs = scores.map(|score| (score / (1.0 - score)).ln()).to_vec();
        Answer::new(&clip, evaluate::Answer { scores: scores.to_vec(), windows: vec![outputs] }, &painter)
    };
    let clips = vec![
        clip(&[0, 1], [0.9, 0.4], "a"),
        clip(&[0], [0.8, 0.3], "a"),
        clip(&[1], [0.6, 0.7], "b"),
        clip(&[1], [0.2, 0.35], "c"),
    ];
    let classes = vec!["dog".into(), "rain".into()];
    let report =
        Report::new(classes, About::default(), Activation::Sigmoid, 1.0, vec![Fold::new(0, &[], clips)]);
    assert!(report.confusion.is_none() && report.multi_label);
    let [dog, rain] = report.per_class[..] else { panic!() };
    assert_eq!((dog.clips, dog.recall, dog.precision), (2, 1.0, 2.0 / 3.0));
    assert_eq!((rain.clips, rain.recall, rain.precision, rain.specificity), (3, 1.0 / 3.0, 1.0, 1.0));
    // Every clip with rain has a higher score of it than the one without.
    assert_eq!((rain.average_precision, rain.area_under_roc), (Some(1.0), Some(1.0)));
    assert_eq!((report.mean_average_precision, rain.best.unwrap().1), (1.0, 1.0));
    // Three sources: the two clips of a by their mean.
    assert_eq!(report.groups.unwrap().count, 3);
}
