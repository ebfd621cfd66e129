//! What could not be read.

use super::Locus;
use serde::{Deserialize, Serialize};

/// Something that could not be read: the file, what was wrong, what the user can do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Damage {
    /// Where.
    pub locus: Locus,
    /// What kind of trouble.
    pub kind: DamageKind,
    /// What was wrong, lower-case, without a full stop.
    pub what: String,
    /// What the user can do, imperative; empty if there is nothing better than the message itself.
    pub hint: String,
}

/// Kinds of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DamageKind {
    /// The system refused to read it.
    Unreadable,
    /// Not a regular file where one was expected: a symbolic link, a FIFO, a device. It was not opened.
    NotRegular,
    /// The content does not follow its format.
    Malformed,
    /// The content ends too early.
    Truncated,
    /// A limit of ghostq was reached.
    Limit,
    /// It went away or changed while it was read.
    Vanished,
}

impl Damage {
    /// Damage with a hint.
    pub fn new(kind: DamageKind, locus: Locus, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { locus, kind, what: what.into(), hint: hint.into() }
    }
}
