//! Recognising a spool, and the place where one usually is. What a name in it is.

use crate::read::disk::EntryKind;
use crate::sources::{Detected, Place, UsualPlace};
use std::path::PathBuf;

/// The spool where nothing else is configured (`SPOOLDIR` in `dma.conf`).
pub const DEFAULT: &str = "/var/spool/dma";

/// What a name in a spool is. Source: dma `spool.c`, `newspoolf`, `linkspool`, `load_queue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// `Q` and an ID: the envelope. dma takes every name that begins with a Q for one.
    Envelope(&'a [u8]),
    /// `M` and an ID: the content.
    Content(&'a [u8]),
    /// `tmp_`: the content while it is being read.
    Temporary,
    /// The file whose time says when `dma -q` was run last.
    Flush,
    /// Anything else: dma passes over it.
    Foreign,
}

/// Judges a name.
pub fn judge(name: &[u8]) -> Name<'_> {
    match name.split_first() {
        _ if name.starts_with(b"tmp_") => Name::Temporary,
        _ if name == b"flush" => Name::Flush,
        Some((b'Q', id)) => Name::Envelope(id),
        Some((b'M', id)) => Name::Content(id),
        _ => Name::Foreign,
    }
}

/// An ID is the inode of the content and an address in memory, both hexadecimal (`linkspool`).
pub fn is_id(id: &[u8]) -> bool {
    let hex = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_hexdigit);
    let mut parts = id.split(|byte| *byte == b'.');
    matches!((parts.next(), parts.next(), parts.next()), (Some(inode), Some(item), None) if hex(inode) && hex(item))
}

/// A spool has a Q or M file with an ID in its name; an empty one is known by its own name only.
pub fn detect(place: &Place<'_>) -> Option<Detected> {
    if !place.is_directory {
        return None;
    }
    let queued = |name: &std::ffi::OsString| match judge(name.as_encoded_bytes()) {
        Name::Envelope(id) | Name::Content(id) => is_id(id),
        _ => false,
    };
    let files =
        || place.entries.iter().filter(|(_, kind)| matches!(kind, EntryKind::Regular | EntryKind::Unknown));
    let count = files().filter(|(name, _)| queued(name)).count();
    let why = if count > 0 {
        format!("it has {count} files with names as dma gives them")
    } else if place.chosen || place.path.ends_with("spool/dma") {
        "it is named as a spool of dma".to_owned()
    } else {
        return None;
    };
    Some(Detected { root: place.path.to_owned(), why, config: None, variant: "" })
}

/// The place that is compiled in.
pub fn usual() -> Vec<UsualPlace> {
    vec![UsualPlace { path: PathBuf::from(DEFAULT), why: "the default spool of dma".to_owned() }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_file_is() {
        assert_eq!(judge(b"Q9f6e4f.55b2b8040f40"), Name::Envelope(b"9f6e4f.55b2b8040f40"));
        assert_eq!(judge(b"Q.bak"), Name::Envelope(b".bak"), "dma takes it, too");
        assert_eq!(judge(b"tmp_XXXXQwpTvc"), Name::Temporary);
        assert_eq!(judge(b"flush"), Name::Flush);
        assert_eq!(judge(b".Q9f6e4f.55b2b8040f40"), Name::Foreign);
        assert!(is_id(b"9f6e4f.55b2b8040f40") && !is_id(b"9f6e4f") && !is_id(b"a.b.c") && !is_id(b".b"));
    }
}
