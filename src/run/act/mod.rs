//! `ghostq requeue` and `ghostq ndr`, and what goes with them: select, plan, apply, resume, undo.

pub mod apply;
mod build;
pub mod content;
pub mod plan;
pub mod resume;
pub mod select;
pub mod state;
pub mod undo;

#[cfg(test)]
mod tests;

pub use select::Selection;

use super::ScanRequest;
use crate::act::pace::Rate;
use crate::evidence::Text;
use crate::plan::{Choice, Given, Ret, Verb};
use std::path::PathBuf;

/// Messages that are acted upon without `--max`.
pub const WITHOUT_MAX: usize = 100;

/// What the operator asks for. Every default has been decided before it comes here.
#[derive(Debug, Clone)]
pub struct ActRequest {
    /// Where to look, and the filter.
    pub scan: ScanRequest,
    /// What to do.
    pub verb: Verb,
    /// Which messages, beyond the filter.
    pub selection: Selection,
    /// What was given for halves, and whether the spool belongs to nobody.
    pub given: Given,
    /// Where messages are handed in that ghostq hands in itself.
    pub via: Choice,
    /// The folder of journal and vault.
    pub state: PathBuf,
    /// How many messages at most.
    pub max: Option<usize>,
    /// Only the first message; `ghostq resume` does the others.
    pub canary: bool,
    /// How many messages in a time.
    pub rate: Option<Rate>,
    /// How many messages in a time to one recipient domain.
    pub per_domain: Option<Rate>,
    /// The name of this host in mail: for the trace field, the greeting, and reports.
    pub mail_name: String,
    /// Everything about reports.
    pub report: NdrRequest,
    /// The words of the command line, for the journal.
    pub words: Vec<String>,
}

/// Everything about reports.
#[derive(Debug, Clone, Default)]
pub struct NdrRequest {
    /// How much of the message is returned, where its sender did not say.
    pub ret: Option<Ret>,
    /// To whom the report goes instead of the envelope sender.
    pub to: Option<Text>,
    /// Whether unverified senders get one.
    pub allow_backscatter: bool,
}

impl ActRequest {
    /// How many messages are planned at most.
    pub fn limit(&self) -> usize {
        self.max.unwrap_or(WITHOUT_MAX)
    }
}
