//! The page: one file that needs nothing from anywhere.

use std::fmt::Write as _;

use super::{InNoise, InPlace, Report, SHOWN};
use crate::calibrate::Reliability;

/// What pages look like.
pub const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2330;--soft:#6b7484;--line:#d8dde5;--back:#fff;--mark:#1f6feb;--bad:#d1432f}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#98a1b0;--line:#333b48;--back:#14181f;--mark:#6cb0ff;--bad:#ff7d6b}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:62rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}p,figcaption{color:var(--soft);margin:.3rem 0}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:.2rem .6rem;text-align:right;font-weight:400}\
th{color:var(--soft)}td:first-child,th:first-child{text-align:left}.big{font-size:2.2rem;margin:0;color:var(--ink)}\
.scroll{overflow-x:auto}.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(18rem,1fr));gap:1rem}\
figure{margin:0}audio{width:100%;height:2.2rem;margin-top:.3rem}.key{display:inline-block;width:1.4rem;height:0;border-top:2px solid;vertical-align:middle;margin:0 .3rem 0 .8rem}.name{white-space:nowrap}.key.held{border-top-style:dashed}img{width:100%;height:8rem;image-rendering:pixelated;border-radius:4px;display:block}\
svg text{fill:var(--soft);font-size:11px}svg .axis{stroke:var(--line)}svg .curve{fill:none;stroke-width:1.6}\
details{margin-top:2rem}pre{white-space:pre-wrap}";

/// The whole page.
pub fn page(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Report</title><style>{STYLE}</style><h1>Report</h1>"
    );
    let clips: usize = report.folds.iter().map(|fold| fold.clips.len()).sum();
    let _ = write!(
        page,
        "<p class=big>{:.2} %</p><p>of {clips} clips are recognised, {} classes; always the commonest class: {:.2} %</p>\
         <p class=big>{:.1} %</p><p>balanced accuracy, the mean of the classes' recalls: {:.1} to {:.1} % with 95 % \
         confidence; chance: {:.1} %. Mean average precision {:.3}, mean area under the ROC {:.3}</p>",
        100.0 * report.accuracy,
        report.classes.len(),
        100.0 * report.commonest,
        100.0 * report.balanced_accuracy.value,
        100.0 * report.balanced_accuracy.low,
        100.0 * report.balanced_accuracy.high,
        100.0 / report.classes.len() as f64,
        report.mean_average_precision,
        report.mean_area_under_roc
    );
    if let Some(baseline) = report.baseline {
        let _ = write!(
            page,
            "<p>A support vector machine on MFCCs, trained on the same clips: {:.2} %</p>",
            100.0 * baseline
        );
    }
    if let Some(groups) = report.groups {
        let _ =
            write!(page, "<p>{} groups, one answer each: {:.2} %</p>", groups.count, 100.0 * groups.accuracy);
    }
    if report.folds.len() > 1 {
        page.push_str("<table><tr><th>fold<th>clips<th>right</tr>");
        for fold in &report.folds {
            let _ = write!(
                page,
                "<tr><td>{}<td>{}<td>{:.2} %</tr>",
                fold.fold,
                fold.clips.len(),
                100.0 * fold.accuracy
            );
        }
        page.push_str("</table>");
    }
    curves(&mut page, report);
    if let Some(counts) = &report.confusion {
        confusion(&mut page, report, counts);
    }
    per_class(&mut page, report);
    precision_recall(&mut page, report);
    noise(&mut page, &report.noise);
    elsewhere(&mut page, &report.elsewhere);
    let calibration = &report.calibration;
    let _ = write!(
        page,
        "<h2>Are the scores to be believed?</h2><p>Of the windows with a score of 0.8, 80 % should be right (the \
         straight line). {}.</p><div class=grid>",
        escaped(&calibration.to_string())
    );
    reliability(&mut page, "as it was tested", &calibration.before);
    if calibration.temperature != 1.0 {
        reliability(&mut page, &format!("with temperature {}", calibration.temperature), &calibration.after);
    }
    page.push_str("</div>");
    mistakes(&mut page, report);
    about(&mut page, report);
    page
}

/// Command, versions, clips that were trained on, and everything else that decided the outcome.
fn about(page: &mut String, report: &Report) {
    let about = &report.about;
    let _ = write!(
        page,
        "<h2>Where this comes from</h2><pre>{}</pre><p>{}</p>",
        escaped(&about.command),
        escaped(&about.versions)
    );
    if !about.trained_on.is_empty() {
        page.push_str("<table><tr><th>class<th>clips trained on</tr>");
        for (name, count) in report.classes.iter().zip(&about.trained_on) {
            let _ = write!(page, "<tr><td>{}<td>{count}</tr>", escaped(name));
        }
        page.push_str("</table>");
    }
    let plan = serde_json::to_string_pretty(&about.plan).unwrap_or_default();
    let _ = write!(
        page,
        "<details><summary>Network, front end and recipe</summary><pre>{}</pre></details></html>",
        escaped(&plan)
    );
}

/// A name of a line's colour.
fn hue(index: usize, of: usize) -> String {
    format!("hsl({} 60% 50%)", index * 360 / of.max(1))
}

/// A line of a diagram: its colour, whether it is dashed, a name, and points from 0 to 1.
type Line = (String, bool, String, Vec<(f64, f64)>);

/// A diagram with the values at the ends of its axes.
fn diagram(page: &mut String, label: &str, lines: &[Line], x: [&str; 2], y: [&str; 2]) {
    const WIDTH: f64 = 640.0;
    const HEIGHT: f64 = 200.0;
    let (right, bottom, below) = (WIDTH - 10.0, HEIGHT - 20.0, HEIGHT - 5.0);
    let _ = write!(
        page,
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=img aria-label=\"{label}\"><path class=axis d=\"M40 10V{bottom}H{right}\" \
         fill=none /><text x=36 y=18 text-anchor=end>{}</text><text x=36 y={bottom} text-anchor=end>{}</text><text x=40 \
         y={below}>{}</text><text x={right} y={below} text-anchor=end>{}</text>",
        y[1], y[0], x[0], x[1]
    );
    for (colour, dashed, name, points) in lines.iter().filter(|line| line.3.len() > 1) {
        let place = |&(x, y): &(f64, f64)| {
            format!("{:.1},{:.1} ", 40.0 + (right - 40.0) * x, 10.0 + (bottom - 10.0) * (1.0 - y))
        };
        let path: String = points.iter().map(place).collect();
        let dash = if *dashed { "stroke-dasharray=\"4 3\"" } else { "" };
        let _ = write!(
            page,
            "<polyline class=curve stroke=\"{colour}\" {dash} points=\"{path}\"><title>{}</title></polyline>",
            escaped(name)
        );
    }
    page.push_str("</svg>");
}

/// What the colours of a diagram mean.
fn legend<'a>(page: &mut String, names: impl Iterator<Item = (String, &'a str)>) {
    page.push_str("<p>");
    for (colour, name) in names {
        let _ = write!(
            page,
            "<span class=name><span class=key style=\"border-color:{colour}\"></span>{}</span> ",
            escaped(name)
        );
    }
    page.push_str("</p>");
}

/// Loss and accuracy over steps, one line per fold.
fn curves(page: &mut String, report: &Report) {
    let points = || report.folds.iter().flat_map(|fold| &fold.curve);
    let steps = points().map(|p| p.step).max().unwrap_or(0);
    let losses = points().flat_map(|p| [Some(f64::from(p.loss)), p.held_out.map(|held| held.loss)]).flatten();
    let max = losses.filter(|loss| loss.is_finite()).fold(0.0, f64::max);
    if steps == 0 || max == 0.0 {
        return;
    }
    let count = report.folds.len();
    let (mut losses, mut accuracies): (Vec<Line>, Vec<Line>) = (Vec::new(), Vec::new());
    for (index, fold) in report.folds.iter().enumerate() {
        let (colour, name) = (hue(index, count), format!("fold {}", fold.fold));
        let x = |step: usize| step as f64 / steps as f64;
        let training = fold.curve.iter().map(|point| (x(point.step), f64::from(point.loss) / max)).collect();
        let held = || fold.curve.iter().filter_map(|point| point.held_out.map(|held| (x(point.step), held)));
        losses.push((colour.clone(), false, format!("{name}, training"), training));
        let held_losses = held().map(|(x, held)| (x, held.loss / max)).collect();
        losses.push((colour.clone(), true, format!("{name}, held out"), held_losses));
        accuracies.push((colour, false, name, held().map(|(x, held)| (x, held.accuracy)).collect()));
    }
    let (last, top) = (format!("{steps} steps"), format!("{max:.2}"));
    page.push_str("<h2>Loss</h2>");
    diagram(page, "loss over steps", &losses, ["", &last], ["0", &top]);
    let looked_at = accuracies.iter().any(|line| !line.3.is_empty());
    page.push_str("<p><span class=key></span>training, on clips that are mixed, masked and in noise");
    if looked_at {
        page.push_str(
            "<span class=\"key held\"></span>held out, on clips as they are, by the moving average of the weights: so it can lie below",
        );
    }
    page.push_str("</p>");
    if looked_at {
        page.push_str("<h2>Held-out clips that are right</h2>");
        diagram(page, "accuracy over steps", &accuracies, ["", &last], ["0", "100 %"]);
    }
    if count > 1 {
        let names: Vec<String> = report.folds.iter().map(|fold| format!("fold {}", fold.fold)).collect();
        legend(page, names.iter().enumerate().map(|(index, name)| (hue(index, count), name.as_str())));
    }
}

/// Precision over recall, one line per class.
fn precision_recall(page: &mut String, report: &Report) {
    let curves = report.precision_recall();
    let count = curves.len();
    let mut lines: Vec<Line> = Vec::new();
    for (index, (name, points)) in curves.iter().enumerate() {
        lines.push((hue(index, count), false, (*name).to_owned(), points.clone()));
    }
    page.push_str("<h2>Precision over recall</h2><p>As the threshold of a class falls, more of it is found, and more else.</p>");
    diagram(page, "precision over recall", &lines, ["recall 0", "1"], ["0", "1"]);
    legend(page, curves.iter().enumerate().map(|(index, (name, _))| (hue(index, count), *name)));
}

fn confusion(page: &mut String, report: &Report, counts: &[Vec<u32>]) {
    page.push_str("<h2>Confusion</h2><p>A row is what a clip is, a column what was answered.</p><div class=scroll><table><tr><th>");
    for name in &report.classes {
        let _ = write!(page, "<th>{}", escaped(name));
    }
    for (truth, row) in counts.iter().enumerate() {
        let all: u32 = row.iter().sum();
        let _ = write!(page, "<tr><td>{}", escaped(&report.classes[truth]));
        for (answer, &count) in row.iter().enumerate() {
            let share = 70 * count / all.max(1);
            let colour = if truth == answer { "--mark" } else { "--bad" };
            let cell = if count == 0 { String::new() } else { count.to_string() };
            let _ = write!(
                page,
                "<td style=\"background:color-mix(in srgb,var({colour}) {share}%,transparent)\">{cell}"
            );
        }
    }
    page.push_str("</table></div>");
}

fn per_class(page: &mut String, report: &Report) {
    page.push_str(
        "<h2>Classes</h2><p>Specificity is the share of the other clips that do not get this answer; the threshold is the \
         score from which on a clip is found with the highest F1.</p><div class=scroll><table><tr><th>class<th>clips\
         <th>precision<th>recall<th>specificity<th>F1<th>average precision<th>area under ROC<th>threshold<th>F1 there</tr>",
    );
    for (name, class) in report.classes.iter().zip(&report.per_class) {
        let maybe = |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.3}"));
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td>{:.3}<td>{:.3}<td>{:.3}<td>{:.3}<td>{}<td>{}<td>{}<td>{}</tr>",
            escaped(name),
            class.clips,
            class.precision,
            class.recall,
            class.specificity,
            class.f1,
            maybe(class.average_precision),
            maybe(class.area_under_roc),
            maybe(class.best.map(|(threshold, _)| threshold.into())),
            maybe(class.best.map(|(_, f1)| f1))
        );
    }
    page.push_str("</table></div>");
}

fn noise(page: &mut String, noise: &[InNoise]) {
    if noise.is_empty() {
        return;
    }
    page.push_str("<h2>In noise</h2><table><tr><th>noise<th>SNR<th>right</tr>");
    for InNoise { noise, snr, accuracy } in noise {
        let _ = write!(page, "<tr><td>{noise}<td>{snr} dB<td>{:.2} %</tr>", 100.0 * accuracy);
    }
    page.push_str("</table>");
}

fn elsewhere(page: &mut String, places: &[InPlace]) {
    if places.is_empty() {
        return;
    }
    page.push_str("<h2>Elsewhere</h2><table><tr><th>the same clips<th>right</tr>");
    for InPlace { place, accuracy } in places {
        let _ = write!(page, "<tr><td>{place}<td>{:.2} %</tr>", 100.0 * accuracy);
    }
    page.push_str("</table>");
}

/// Score to the right, share that is right upwards; the dots' areas are the windows' shares.
fn reliability(page: &mut String, title: &str, diagram: &Reliability) {
    let _ = write!(
        page,
        "<figure><svg viewBox=\"0 -14 270 254\" role=img aria-label=\"reliability {title}\"><path class=axis \
         d=\"M40 10V210H240M40 210L240 10\" fill=none /><text x=36 y=18 text-anchor=end>right</text>\
         <text x=240 y=226 text-anchor=end>score</text>"
    );
    for bin in diagram.bins.iter().filter(|bin| bin.share > 0.0) {
        let _ = write!(
            page,
            "<circle cx={:.1} cy={:.1} r={:.1} fill=\"var(--mark)\" opacity=.8><title>{:.1} % of the windows: score \
             {:.3}, right {:.3}</title></circle>",
            40.0 + 200.0 * bin.score,
            210.0 - 200.0 * bin.right,
            2.0 + 16.0 * bin.share.sqrt(),
            100.0 * bin.share,
            bin.score,
            bin.right
        );
    }
    let _ = write!(page, "</svg><figcaption>{title}: error {:.3}</figcaption></figure>", diagram.error);
}

fn mistakes(page: &mut String, report: &Report) {
    let wrong = report.mistakes();
    page.push_str("<h2>Mistakes</h2>");
    let _ = match wrong.len() {
        0 => write!(page, "<p>No clip got a wrong answer.</p><div class=grid>"),
        count => write!(
            page,
            "<p>{count} clips got a wrong answer; the {} surest of them, as the network sees and hears them:</p><div class=grid>",
            count.min(SHOWN)
        ),
    };
    for clip in wrong.iter().take(SHOWN) {
        page.push_str("<figure>");
        if let Some(picture) = &clip.picture {
            let _ = write!(page, "<img alt=\"\" src=\"{picture}\">");
        }
        if let Some(sound) = &clip.sound {
            let _ = write!(page, "<audio controls preload=none src=\"{sound}\"></audio>");
        }
        let truth: Vec<&str> = clip.truth.iter().map(|&class| report.classes[class].as_str()).collect();
        let _ = write!(
            page,
            "<figcaption>{}<br>is {} ({:.2}), answered {} ({:.2})</figcaption></figure>",
            escaped(&clip.name),
            escaped(&truth.join(", ")),
            clip.scores[clip.truth[0]],
            escaped(&report.classes[clip.answer]),
            clip.scores[clip.answer]
        );
    }
    page.push_str("</div>");
}

/// Names of files and classes are anyone's text.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}
