//! What a terminal shows of a run: a bar, and the curves of the loss and of the clips that are held out.

use std::io::IsTerminal;

use auricle_train::plan::Point;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Characters of a curve.
const WIDTH: usize = 24;
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A bar for work on many things; a line where plain lines were asked for or the output is no terminal.
pub fn bar(screen: &MultiProgress, what: String, count: usize, plain: bool) -> ProgressBar {
    if plain || !std::io::stderr().is_terminal() {
        println!("{what}: {count}");
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{prefix:8} {bar:20} {pos}/{len}  {eta} left");
    let bar = ProgressBar::new(count as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_prefix(what);
    screen.add(bar)
}

/// One run on the screen.
pub struct Curve {
    /// None where plain lines were asked for or the output is no terminal.
    bar: Option<ProgressBar>,
    name: String,
    steps: usize,
    points: Vec<Point>,
    losses: Vec<f32>,
    accuracies: Vec<f32>,
}

impl Curve {
    /// `screen` is shared by the runs that go on at the same time.
    pub fn new(screen: &MultiProgress, name: String, steps: usize, plain: bool) -> Self {
        let bar = (!plain && std::io::stderr().is_terminal()).then(|| {
            let style = "{prefix:8} {bar:20} {pos}/{len}  {msg}  {eta} left";
            screen.add(
                ProgressBar::new(steps as u64)
                    .with_style(
                        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
                    )
                    .with_prefix(name.clone()),
            )
        });
        Self { bar, name, steps, points: Vec::new(), losses: Vec::new(), accuracies: Vec::new() }
    }

    /// Takes up one step.
    pub fn add(&mut self, point: &Point) {
        self.points.push(*point);
        self.losses.push(point.loss);
        self.accuracies.extend(point.held_out.map(|found| found.accuracy as f32));
        let held_out = point.held_out.map_or(String::new(), |found| {
            format!(", held out: loss {:.3}, {:.1} % right", found.loss, 100.0 * found.accuracy)
        });
        if let Some(bar) = &self.bar {
            let mut text = format!("loss {} {:.3}", spark(&self.losses), self.recent());
            if let Some(last) = self.accuracies.last() {
                text += &format!("  right {} {:.1} %", spark(&self.accuracies), 100.0 * last);
            }
            bar.set_message(text);
            bar.set_position(point.step as u64);
        } else if point.step.is_multiple_of(self.steps.div_ceil(10)) || !held_out.is_empty() {
            println!(
                "{}: {}/{} steps, loss {:.3}{held_out}",
                self.name,
                point.step,
                self.steps,
                self.recent()
            );
        }
    }

    /// Ends the bar; every step.
    pub fn finish(self) -> Vec<Point> {
        if let Some(bar) = &self.bar {
            bar.finish();
        }
        self.points
    }

    fn recent(&self) -> f32 {
        let tail = &self.losses[self.losses.len().saturating_sub(self.steps.div_ceil(10))..];
        tail.iter().sum::<f32>() / tail.len().max(1) as f32
    }
}

/// All values so far, from the lowest to the highest, in [`WIDTH`] characters: each is the mean of its share.
fn spark(values: &[f32]) -> String {
    let share = values.len().div_ceil(WIDTH).max(1);
    let means: Vec<f32> = values.chunks(share).map(|c| c.iter().sum::<f32>() / c.len() as f32).collect();
    let min = means.iter().copied().fold(f32::INFINITY, f32::min);
    let range = (means.iter().copied().fold(f32::NEG_INFINITY, f32::max) - min).max(1e-6);
    means.iter().map(|v| LEVELS[((v - min) / range * (LEVELS.len() - 1) as f32).round() as usize]).collect()
}
