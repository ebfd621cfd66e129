//! Progress on a terminal. The one door to indicatif.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line on stderr that says what is being done and how far it is; silent where there is no terminal.
#[derive(Debug, Clone)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Shows progress on stderr if it is a terminal and `wanted`.
    pub fn new(wanted: bool) -> Self {
        if !wanted {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}: {human_pos} ({per_sec}, {elapsed})")
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Says what is being done.
    pub fn stage(&self, what: &'static str) {
        self.0.set_message(what);
    }

    /// Counts.
    pub fn add(&self, count: u64) {
        self.0.inc(count);
    }

    /// Clears the line.
    pub fn done(&self) {
        self.0.finish_and_clear();
    }
}
