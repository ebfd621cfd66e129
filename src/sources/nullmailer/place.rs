//! Recognising a spool, and the place where one usually is.

use crate::read::disk::EntryKind;
use crate::sources::{Detected, Place, UsualPlace};
use std::path::PathBuf;

/// The folders of a spool. Source: nullmailer `src/queue.cc`, `src/send.cc`.
pub const FOLDERS: [&str; 3] = ["queue", "failed", "tmp"];
/// The spool where nothing else is configured.
pub const DEFAULT: &str = "/var/spool/nullmailer";

/// A spool has a folder `queue`, which many programs have, and beside it the FIFO by which nullmailer-send is woken, or the
/// two other folders.
pub fn detect(place: &Place<'_>) -> Option<Detected> {
    if !place.is_directory {
        return None;
    }
    let has = |name: &str, kinds: &[EntryKind]| {
        place.entries.iter().any(|(entry, kind)| entry == name && kinds.contains(kind))
    };
    let folder = |name: &str| has(name, &[EntryKind::Directory, EntryKind::Unknown]);
    let trigger = has("trigger", &[EntryKind::Special]);
    let found: Vec<&str> = FOLDERS.into_iter().filter(|name| folder(name)).collect();
    let named = place.path.ends_with("spool/nullmailer");
    let enough = if place.chosen || named {
        !found.is_empty()
    } else {
        folder("queue") && (trigger || found.len() == FOLDERS.len())
    };
    let mut what = found.join(", ");
    if trigger {
        what.push_str(" and the FIFO trigger");
    }
    enough.then(|| Detected {
        root: place.path.to_owned(),
        why: format!("it has the parts of a nullmailer spool: {what}"),
        config: None,
        variant: "",
    })
}

/// The place that is compiled in.
pub fn usual() -> Vec<UsualPlace> {
    vec![UsualPlace { path: PathBuf::from(DEFAULT), why: "the spool of nullmailer".to_owned() }]
}
