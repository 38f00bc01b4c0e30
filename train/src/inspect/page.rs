//! The same as a page in one file, with the sounds that are in doubt.

use std::fmt::Write as _;

use super::{Inspection, span};
use crate::dataset::Clip;
use crate::report::{Painter, STYLE, escaped};

/// Clips with sound in each section.
const HEARD: usize = 12;

/// The whole page.
pub fn page(found: &Inspection, clips: &[Clip], painter: &Painter) -> String {
    let seconds: f64 = found.clips.iter().map(|clip| clip.sound.seconds).sum();
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Recordings</title><style>{STYLE}</style><h1>Recordings</h1><p class=big>{}</p><p>clips of {} classes, \
         {seconds:.0} s</p><h2>Classes</h2><div class=scroll><table><tr><th>class<th>clips<th>seconds<th>dBFS<th>silence",
        found.clips.len(),
        found.classes.len()
    );
    for fold in &found.folds {
        let _ = write!(page, "<th>fold {fold}");
    }
    for (class, name) in found.classes.iter().enumerate() {
        let own = || found.clips.iter().filter(move |clip| clip.classes.contains(&class));
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td>{}<td>{}<td>{:.0} %",
            escaped(name),
            own().count(),
            span(own().map(|clip| clip.sound.seconds), "", 1),
            span(own().filter(|clip| !clip.sound.is_silent()).map(|clip| clip.sound.level), "", 0),
            100.0 * own().map(|clip| clip.sound.silence).sum::<f64>() / own().count().max(1) as f64
        );
        for count in &found.counts[class] {
            let _ = write!(page, "<td>{count}");
        }
    }
    page.push_str("</table></div>");
    list(&mut page, "Left out", &found.left_out);
    list(&mut page, "Warnings", &found.warnings);
    list(&mut page, "Classes and folds", &found.missing());
    let pairs: Vec<(String, &[usize])> =
        found.alike.iter().map(|pair| (found.pair(pair), &pair.clips[..])).collect();
    heard(&mut page, "Clips that share sound", "", &pairs, clips, painter);
    let doubts: Vec<(String, &[usize])> =
        found.doubtful.iter().map(|doubt| (found.doubt(doubt), std::slice::from_ref(&doubt.clip))).collect();
    let right = found.classifier_right.map_or(String::new(), |right| {
        format!(
            "By a linear classifier that has {:.0} % of the clips right in a cross-validation.",
            100.0 * right
        )
    });
    heard(&mut page, "Doubtful labels", &right, &doubts, clips, painter);
    for (title, is) in [
        ("Silent, below −60 dBFS all the time", super::Sound::is_silent as fn(&super::Sound) -> bool),
        ("At full scale for more than 0.1 % of the time", super::Sound::is_clipped),
        ("With digital silence for more than a tenth at an end", super::Sound::is_padded),
    ] {
        let named: Vec<(usize, String)> = found
            .clips
            .iter()
            .enumerate()
            .filter(|(_, clip)| is(&clip.sound))
            .map(|(index, clip)| {
                (index, format!("{} ({:.1} s, {:.0} dBFS)", clip.name, clip.sound.seconds, clip.sound.level))
            })
            .collect();
        let named: Vec<(String, &[usize])> =
            named.iter().map(|(index, name)| (name.clone(), std::slice::from_ref(index))).collect();
        heard(&mut page, title, "", &named, clips, painter);
    }
    page.push_str("</html>");
    page
}

fn list(page: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = write!(page, "<h2>{title}</h2>");
    for line in lines {
        let _ = write!(page, "<p>{}</p>", escaped(line));
    }
}

/// Lines with pictures and sounds of their clips.
fn heard(
    page: &mut String,
    title: &str,
    note: &str,
    lines: &[(String, &[usize])],
    clips: &[Clip],
    painter: &Painter,
) {
    let _ = write!(page, "<h2>{title}: {}</h2><p>{}</p><div class=grid>", lines.len(), escaped(note));
    for (text, of) in lines.iter().take(HEARD) {
        page.push_str("<figure>");
        for &index in *of {
            let samples = &clips[index].samples;
            if let Some(picture) = painter.paint(samples) {
                let _ = write!(page, "<img alt=\"\" src=\"{picture}\">");
            }
            if let Some(sound) = painter.sound(samples) {
                let _ = write!(page, "<audio controls preload=none src=\"{sound}\"></audio>");
            }
        }
        let _ = write!(page, "<figcaption>{}</figcaption></figure>", escaped(text));
    }
    page.push_str("</div>");
    for (text, _) in lines.iter().skip(HEARD) {
        let _ = write!(page, "<p>{}</p>", escaped(text));
    }
}
