//! The page: one file that needs nothing from anywhere.

use std::fmt::Write as _;

use super::{InNoise, Report, SHOWN};
use crate::calibrate::Reliability;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2330;--soft:#6b7484;--line:#d8dde5;--back:#fff;--mark:#1f6feb;--bad:#d1432f}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#98a1b0;--line:#333b48;--back:#14181f;--mark:#6cb0ff;--bad:#ff7d6b}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:62rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}p,figcaption{color:var(--soft);margin:.3rem 0}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums}td,th{padding:.2rem .6rem;text-align:right;font-weight:400}\
th{color:var(--soft)}td:first-child,th:first-child{text-align:left}.big{font-size:2.2rem;margin:0;color:var(--ink)}\
.scroll{overflow-x:auto}.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(18rem,1fr));gap:1rem}\
figure{margin:0}img{width:100%;height:8rem;image-rendering:pixelated;border-radius:4px;display:block}\
svg text{fill:var(--soft);font-size:11px}svg .axis{stroke:var(--line)}svg .curve{fill:none;stroke-width:1.6}\
details{margin-top:2rem}pre{white-space:pre-wrap}";

/// The whole page.
pub fn page(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Training report</title><style>{STYLE}</style><h1>Training report</h1>"
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
    noise(&mut page, &report.noise);
    let calibration = &report.calibration;
    let _ = write!(
        page,
        "<h2>Are the scores to be believed?</h2><p>Of the windows with a score of 0.8, 80 % should be right (the \
         straight line). {}.</p><div class=grid>",
        escaped(&calibration.to_string())
    );
    reliability(&mut page, "as trained", &calibration.before);
    if calibration.temperature != 1.0 {
        reliability(&mut page, &format!("with temperature {}", calibration.temperature), &calibration.after);
    }
    page.push_str("</div>");
    mistakes(&mut page, report);
    let recipe = serde_json::to_string_pretty(&report.recipe).unwrap_or_default();
    let _ =
        write!(page, "<details><summary>Recipe</summary><pre>{}</pre></details></html>", escaped(&recipe));
    page
}

/// Loss over steps, one line a fold; dashed: on held-out clips.
fn curves(page: &mut String, report: &Report) {
    const WIDTH: f64 = 640.0;
    const HEIGHT: f64 = 200.0;
    let points = || report.folds.iter().flat_map(|fold| &fold.curve);
    let steps = points().map(|p| p.step).max().unwrap_or(0);
    let losses = points().flat_map(|p| [Some(f64::from(p.loss)), p.held_out.map(|held| held.loss)]).flatten();
    let max = losses.filter(|loss| loss.is_finite()).fold(0.0, f64::max);
    if steps == 0 || max == 0.0 {
        return;
    }
    let x = |step: usize| 40.0 + (WIDTH - 50.0) * step as f64 / steps as f64;
    let y = |loss: f64| 10.0 + (HEIGHT - 30.0) * (1.0 - loss / max);
    let _ = write!(
        page,
        "<h2>Loss</h2><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=img aria-label=\"loss over steps\">\
         <path class=axis d=\"M40 10V{0}H{1}\" fill=none /><text x=36 y=18 text-anchor=end>{max:.2}</text>\
         <text x=36 y={0} text-anchor=end>0</text><text x={1} y={2} text-anchor=end>{steps} steps</text>",
        HEIGHT - 20.0,
        WIDTH - 10.0,
        HEIGHT - 5.0
    );
    for (index, fold) in report.folds.iter().enumerate() {
        let hue = index * 360 / report.folds.len();
        let mut line = |dash: &str, points: Vec<(usize, f64)>| {
            let path: String =
                points.iter().map(|(step, loss)| format!("{:.1},{:.1} ", x(*step), y(*loss))).collect();
            if points.len() > 1 {
                let _ = write!(
                    page,
                    "<polyline class=curve stroke=\"hsl({hue} 60% 50%)\" {dash} points=\"{path}\"><title>fold \
                     {}</title></polyline>",
                    fold.fold
                );
            }
        };
        line("", fold.curve.iter().map(|p| (p.step, f64::from(p.loss))).collect());
        line(
            "stroke-dasharray=\"4 3\"",
            fold.curve.iter().filter_map(|p| p.held_out.map(|held| (p.step, held.loss))).collect(),
        );
    }
    page.push_str("</svg>");
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

/// Score to the right, share that is right upwards; the dots' areas are the windows' shares.
fn reliability(page: &mut String, title: &str, diagram: &Reliability) {
    let _ = write!(
        page,
        "<figure><svg viewBox=\"0 0 260 240\" role=img aria-label=\"reliability {title}\"><path class=axis \
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
    let _ = write!(
        page,
        "<h2>Mistakes</h2><p>{} clips got a wrong answer; the surest of them, as the network sees them:</p><div \
         class=grid>",
        wrong.len()
    );
    for clip in wrong.iter().take(SHOWN) {
        page.push_str("<figure>");
        if let Some(picture) = &clip.picture {
            let _ = write!(page, "<img alt=\"\" src=\"{picture}\">");
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
fn escaped(text: &str) -> String {
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
