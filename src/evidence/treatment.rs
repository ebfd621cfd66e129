//! What a mail system does with a message in a given condition.

use super::Fate;

/// What a mail system does with a message that a rule names: knowledge, with its source, kept beside the parser.
#[derive(Debug, Clone, Copy)]
pub struct Treatment {
    /// The rule it speaks about.
    pub rule: &'static str,
    /// Whether the mail system's own listing shows such a message.
    pub shown: Shown,
    /// What the mail system will do with it next: at the next queue run, start or reload.
    pub next: &'static str,
    /// What the operator can do, the mail system's own command first.
    pub remedies: &'static [Remedy],
    /// Actions that would destroy the message, often the obvious ones.
    pub destroyers: &'static [&'static str],
    /// What becomes of it when something is set going. Empty: not known. Of several that hold the worst counts, and one that
    /// says that it stays outweighs what comes of an attempt.
    pub fates: &'static [Fate],
    /// Where this is known from.
    pub source: &'static str,
}

/// Whether a mail system's own listing shows a message in some condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Its listing shows it.
    Always,
    /// Its listing never shows it.
    Never,
    /// It depends; only a listing can tell.
    Depends,
}

/// One thing that the operator can do.
#[derive(Debug, Clone, Copy)]
pub struct Remedy {
    /// A command to type, with `{id}`, `{root}` and `{path}` (from the root on) to be filled in; empty when there is none.
    pub command: &'static str,
    /// What it does or what to do instead, imperative, without a full stop.
    pub what: &'static str,
}
