//! Where a fact was seen.

use super::Text;
use serde::{Deserialize, Serialize};

/// The place at which a fact can be checked by hand.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Locus {
    /// The file, listing or export; relative to the root of its source where it lies below one.
    pub path: Text,
    /// The place within it.
    pub at: At,
}

/// A place within a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum At {
    /// The file as a whole: its name or its presence.
    Whole,
    /// Its metadata: mode, owner, inode, size, times.
    Metadata,
    /// Bytes from the first (inclusive) to the second (exclusive), counted from 0.
    Bytes(u64, u64),
    /// A row of an export, counted from 1.
    Row(u64),
    /// A line of a listing or a configuration file, counted from 1.
    Line(u64),
    /// A named stream or extended attribute of the file.
    Stream(String),
}

impl Locus {
    /// The file as a whole.
    pub fn whole(path: impl Into<Text>) -> Self {
        Self { path: path.into(), at: At::Whole }
    }

    /// The metadata of a file.
    pub fn metadata(path: impl Into<Text>) -> Self {
        Self { path: path.into(), at: At::Metadata }
    }

    /// Bytes of a file, end exclusive.
    pub fn bytes(path: impl Into<Text>, start: u64, end: u64) -> Self {
        Self { path: path.into(), at: At::Bytes(start, end) }
    }

    /// A row of an export, counted from 1.
    pub fn row(path: impl Into<Text>, row: u64) -> Self {
        Self { path: path.into(), at: At::Row(row) }
    }

    /// A line of a text file, counted from 1.
    pub fn line(path: impl Into<Text>, line: u64) -> Self {
        Self { path: path.into(), at: At::Line(line) }
    }
}

/// One sentence of evidence, and where to check it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fact {
    /// What was seen, lower-case, without a full stop.
    pub text: String,
    /// Where it was seen.
    pub locus: Locus,
}

impl Fact {
    /// A fact at its place.
    pub fn new(text: impl Into<String>, locus: Locus) -> Self {
        Self { text: text.into(), locus }
    }
}
