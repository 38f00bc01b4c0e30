//! The live view: level, scores, events. What is drawn depends on a [`State`] alone.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use auricle::{Event, Window};
use ratatui::crossterm::event::{self, Event as Input, KeyCode, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};
use ratatui::{DefaultTerminal, Frame};

use crate::events;
use crate::out::shown_text;
use crate::ranking::ranked;

/// Where the level's bar begins, dBFS; it ends at 0.
const FLOOR_DBFS: f32 = -80.0;
/// Events that are kept to be shown: more than a terminal has lines.
const MOST_EVENTS: usize = 200;
/// At most so often it is drawn anew.
const REFRESH: Duration = Duration::from_millis(50);

/// All that is shown.
pub struct State<'a> {
    source: String,
    sample_rate: u32,
    labels: &'a [String],
    window: Option<Window>,
    scores: Vec<f32>,
    /// Newest first.
    events: VecDeque<Event>,
    /// Frames lost so far.
    pub lost: u64,
}

impl<'a> State<'a> {
    pub fn new(source: &str, sample_rate: u32, labels: &'a [String]) -> Self {
        let (events, scores) = (VecDeque::new(), vec![0.0; labels.len()]);
        Self { source: source.to_owned(), sample_rate, labels, window: None, scores, events, lost: 0 }
    }

    pub fn labels(&self) -> &'a [String] {
        self.labels
    }

    /// Hz.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Takes a window's scores.
    pub fn heard(&mut self, window: Window, scores: &[f32]) {
        self.window = Some(window);
        self.scores.copy_from_slice(scores);
    }

    /// Takes an event; the final one takes the place of the provisional one.
    pub fn note(&mut self, event: &Event) {
        match self.events.iter_mut().find(|known| known.id == event.id) {
            Some(known) => *known = *event,
            None => self.events.push_front(*event),
        }
        self.events.truncate(MOST_EVENTS);
    }
}

/// Draws everything.
pub fn draw(frame: &mut Frame, state: &State) {
    let rows = state.labels.len().min(usize::from(frame.area().height) / 2) as u16;
    let sizes =
        [Constraint::Length(4), Constraint::Length(rows + 2), Constraint::Fill(1), Constraint::Length(1)];
    let [level, scores, events, foot] = Layout::vertical(sizes).areas(frame.area());
    let titled = |title: &str| Block::bordered().title(format!(" {title} "));

    let block = titled(&format!("{}, {} Hz", state.source, state.sample_rate));
    frame.render_widget(Paragraph::new(level_lines(state, block.inner(level))).block(block), level);
    let block = titled("scores");
    frame.render_widget(Paragraph::new(score_lines(state, block.inner(scores))).block(block), scores);
    frame.render_widget(Paragraph::new(event_lines(state)).block(titled("events")), events);

    let mut words = vec![Span::raw(" q ends")];
    if state.lost > 0 {
        words.push(format!("   {} frames lost: this machine is too busy", state.lost).red());
    }
    frame.render_widget(Line::from(words), foot);
}

fn level_lines<'a>(state: &State, area: Rect) -> Vec<Line<'a>> {
    let Some(window) = &state.window else { return vec![Line::raw("waiting for the first window")] };
    let health = &window.health;
    let share = |dbfs: f32| 1.0 - dbfs.max(FLOOR_DBFS) / FLOOR_DBFS;
    let text = format!("{:6.1} dBFS ", health.rms_dbfs);
    let width = usize::from(area.width).saturating_sub(text.len());
    let color = if health.clipped_frames > 0 { Color::Red } else { Color::Green };
    let mut notes = format!(
        "peak {:.1}, noise {:.1} dBFS, {:.0} ms a window",
        health.peak_dbfs,
        health.noise_floor_dbfs,
        window.inference_nanoseconds as f64 / 1e6
    );
    for (is, what) in
        [(health.silent, ", silent"), (health.clipped_frames > 0, ", clipped"), (window.late, ", too slow")]
    {
        if is {
            notes.push_str(what);
        }
    }
    vec![
        Line::from(vec![Span::raw(text), Span::styled(bar(share(health.rms_dbfs), width), color)]),
        Line::raw(notes),
    ]
}

/// All classes in the order of the model, or, if there are too many for the lines, the best ones.
fn score_lines<'a>(state: &State, area: Rect) -> Vec<Line<'a>> {
    let mut classes: Vec<usize> = (0..state.labels.len()).collect();
    if classes.len() > usize::from(area.height) {
        classes = ranked(&state.scores);
        classes.truncate(area.height.into());
    }
    let names: Vec<String> = classes.iter().map(|&class| shown_text(&state.labels[class])).collect();
    let widest =
        names.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(usize::from(area.width) / 2);
    let on = |class| state.events.iter().any(|event| !event.is_final && event.class == class);
    let row = |(class, name): (usize, String)| {
        let score = state.scores[class];
        let text = format!("{:<widest$} {score:6.3} ", name.chars().take(widest).collect::<String>());
        let width = usize::from(area.width).saturating_sub(text.chars().count());
        let style = if on(class) { Style::new().yellow().bold() } else { Style::new() };
        Line::from(vec![Span::raw(text), Span::raw(bar(score, width))]).style(style)
    };
    classes.into_iter().zip(names).map(row).collect()
}

fn event_lines<'a>(state: &State) -> Vec<Line<'a>> {
    let line = |event: &Event| {
        let text = events::readable(event, state.labels, state.sample_rate);
        if event.is_final { Line::raw(text) } else { Line::from(format!("{text} …")).yellow().bold() }
    };
    state.events.iter().map(line).collect()
}

/// A bar that fills `share`, 0 to 1, of `width` cells, to an eighth of a cell.
fn bar(share: f32, width: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * 8.0 * width as f32).round() as usize;
    "█".repeat(eighths / 8) + PARTS[eighths % 8]
}

/// The terminal, which is itself again when this is dropped, and after a panic.
pub struct View {
    terminal: DefaultTerminal,
    drawn: Option<Instant>,
}

impl View {
    pub fn open() -> io::Result<Self> {
        Ok(Self { terminal: ratatui::try_init()?, drawn: None })
    }

    /// Draws, if it is time to. True: a key asked for the end (raw mode makes no signal of Ctrl-C).
    pub fn refresh(&mut self, state: &State) -> io::Result<bool> {
        while event::poll(Duration::ZERO)? {
            if let Input::Key(key) = event::read()?
                && (matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
                    || (key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL)))
            {
                return Ok(true);
            }
        }
        if self.drawn.is_none_or(|drawn| drawn.elapsed() >= REFRESH) {
            self.terminal.draw(|frame| draw(frame, state))?;
            self.drawn = Some(Instant::now());
        }
        Ok(false)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn drawn(state: &State, width: u16, height: u16) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal in memory");
        terminal.draw(|frame| draw(frame, state)).expect("drawn");
        let buffer = terminal.backend().buffer().clone();
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol().to_owned()).collect::<String>();
        (0..height).map(row).collect()
    }

    fn event(id: u64, class: usize, is_final: bool) -> Event {
        let mut event = Event::default();
        event.id = id;
        event.class = class;
        event.is_final = is_final;
        event.onset_frame = 16_000 * id;
        event.offset_frame = 16_000 * id + 8_000;
        event.decided_frame = 16_000 * id + 8_000;
        event.peak_score = 0.75;
        event.mean_score = 0.5;
        event
    }

    fn window(rms_dbfs: f32) -> Window {
        let mut window = Window::default();
        window.end_frame = 16_000;
        window.health.rms_dbfs = rms_dbfs;
        window.health.peak_dbfs = rms_dbfs + 3.0;
        window.health.noise_floor_dbfs = -60.0;
        window.inference_nanoseconds = 2_000_000;
        window
    }

    fn blocks(line: &str) -> usize {
        line.matches('█').count()
    }

    #[test]
    fn shows_level_scores_and_events() {
        let labels = ["dog", "rain"].map(String::from);
        let mut state = State::new("mic", 16_000, &labels);
        assert!(drawn(&state, 40, 20)[1].contains("waiting"));
        state.heard(window(-40.0), &[0.25, 0.5]);
        state.note(&event(1, 1, false));
        let text = drawn(&state, 47, 20);
        assert!(text[0].contains(" mic, 16000 Hz "), "{text:#?}");
        // 45 cells inside: 12 of text and 33 of bar, half of which is -40 of -80 dB.
        assert!(text[1].contains(" -40.0 dBFS ") && blocks(&text[1]) == 16, "{text:#?}");
        assert!(text[2].contains("peak -37.0, noise -60.0 dBFS, 2 ms"), "{text:#?}");
        let (dog, rain) = (&text[5], &text[6]);
        assert!(dog.contains("dog   0.250") && rain.contains("rain  0.500"), "{text:#?}");
        assert_eq!((blocks(dog), blocks(rain)), (8, 16), "{text:#?}"); // of 33 cells
        assert!(text[9].contains("0:01.00 - 0:01.50   0.750  rain …"), "{text:#?}");
        assert!(!text[19].contains("lost"), "{text:#?}");

        state.note(&event(2, 0, false));
        state.note(&event(1, 1, true));
        state.lost = 480;
        let text = drawn(&state, 47, 20);
        assert!(text[9].contains("dog …"), "the newest is the first: {text:#?}");
        assert!(text[10].contains("rain") && !text[10].contains('…'), "final in its place: {text:#?}");
        assert!(text[19].contains("480 frames lost"), "{text:#?}");
    }

    #[test]
    fn digital_silence_has_no_number() {
        let labels = ["dog".to_owned()];
        let mut state = State::new("mic", 16_000, &labels);
        let mut silence = window(f32::NEG_INFINITY);
        silence.health.noise_floor_dbfs = f32::NEG_INFINITY;
        silence.health.silent = true;
        state.heard(silence, &[0.0]);
        let text = drawn(&state, 60, 20);
        assert!(text[1].contains("  -inf dBFS ") && blocks(&text[1]) == 0, "{text:#?}");
        assert!(text[2].contains("peak -inf, noise -inf dBFS, 2 ms a window, silent"), "{text:#?}");
    }

    #[test]
    fn of_many_classes_the_best_are_shown() {
        let labels: Vec<String> = (0..100).map(|n| format!("class{n}")).collect();
        let mut state = State::new("mic", 16_000, &labels);
        let scores: Vec<f32> = (0..100).map(|n| (n * 37 % 100) as f32 / 100.0).collect();
        state.heard(window(0.0), &scores);
        let text = drawn(&state, 60, 24);
        assert!(text[5].contains("class27  0.990") && text[6].contains("class54  0.980"), "{text:#?}");
        assert!(text.iter().any(|line| line.contains("events")), "{text:#?}");
    }

    #[test]
    fn no_size_and_no_value_is_too_small_or_too_large() {
        let labels = ["a\u{1b}[31m".to_owned(), "x".repeat(300)];
        let mut state = State::new(&"m".repeat(200), 16_000, &labels);
        state.heard(window(f32::NEG_INFINITY), &[f32::INFINITY, -3.0]);
        for id in 0..500 {
            state.note(&event(id, 0, true));
        }
        for (width, height) in [(1, 1), (2, 5), (10, 3), (80, 4), (200, 100)] {
            let text = drawn(&state, width, height).join("\n");
            assert!(!text.contains('\u{1b}'), "{text:?}");
        }
        assert_eq!(state.events.len(), MOST_EVENTS);
    }
}
