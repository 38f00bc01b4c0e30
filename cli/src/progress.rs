//! The progress bar over many files.

use std::io::{IsTerminal, stdout};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::out::shown;

/// A bar on standard error; nothing at all if that is not a terminal, or for a single file.
pub struct Progress(ProgressBar);

impl Progress {
    /// `streams`: results are printed while a file is read. On a terminal they are progress enough.
    pub fn over(files: usize, streams: bool) -> Self {
        let target = match files {
            0 | 1 => ProgressDrawTarget::hidden(),
            _ if streams && stdout().is_terminal() => ProgressDrawTarget::hidden(),
            _ => ProgressDrawTarget::stderr(), // hidden by itself where there is no terminal
        };
        let bar = ProgressBar::with_draw_target(Some(files as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {wide_msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Shows which file is being worked on.
    pub fn at(&self, file: &Path) {
        self.0.set_message(shown(file));
        self.0.tick();
    }

    /// Takes the bar away while `print` writes to the same terminal, and counts the file as done.
    pub fn done<T>(&self, print: impl FnOnce() -> T) -> T {
        let result = self.0.suspend(print);
        self.0.inc(1);
        result
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
