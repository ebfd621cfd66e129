//! Recognising a queue, and the places where one usually is.

use crate::read::disk::EntryKind;
use crate::sources::{Detected, Place, UsualPlace};
use std::path::PathBuf;

/// The folders of a queue. Source: Courier `courier/localstatedir.h`.
pub const FOLDERS: [&str; 3] = ["msgs", "msgq", "tmp"];
/// `localstatedir` of Debian, of FreeBSD, and of the source as it is.
pub const USUAL: [&str; 3] = ["/var/lib/courier", "/var/spool/courier", "/usr/lib/courier/var"];

/// A queue has `msgs` and `msgq`.
pub fn detect(place: &Place<'_>) -> Option<Detected> {
    if !place.is_directory {
        return None;
    }
    let has = |name: &str| {
        let folder = |kind: &EntryKind| matches!(kind, EntryKind::Directory | EntryKind::Unknown);
        place.entries.iter().any(|(entry, kind)| entry == name && folder(kind))
    };
    let found: Vec<&str> = FOLDERS.into_iter().filter(|name| has(name)).collect();
    let enough = if place.chosen { !found.is_empty() } else { has("msgs") && has("msgq") };
    enough.then(|| Detected {
        root: place.path.to_owned(),
        why: format!("it has the queue folders of Courier: {}", found.join(", ")),
        config: None,
        variant: "",
    })
}

/// The places that packages use.
pub fn usual() -> Vec<UsualPlace> {
    let why = "a usual localstatedir of Courier";
    USUAL.into_iter().map(|path| UsualPlace { path: PathBuf::from(path), why: why.to_owned() }).collect()
}
