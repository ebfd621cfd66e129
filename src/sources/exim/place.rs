//! Recognising a spool, and the places where one usually is.

use super::message_id;
use super::name::{self, Name};
use crate::read::disk::{EntryKind, Root};
use crate::sources::{Detected, Place, UsualPlace};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The reader of an `input` folder that was given without the rest of its spool.
pub const BARE: &str = "input";
/// Names of an `input` folder that are looked at.
const MAX_NAMES: usize = 512;
/// Where distributions have the spool: Debian; Red Hat, FreeBSD and cPanel; Exim itself; the incoming one of `MailScanner`.
const USUAL: [(&str, &str); 4] = [
    ("/var/spool/exim4", "the spool_directory of Exim on Debian"),
    ("/var/spool/exim", "the spool_directory of Exim on Red Hat, FreeBSD and cPanel"),
    ("/var/spool/exim_in", "the spool of an Exim that hands over to a scanner"),
    ("/var/spool/exim_incoming", "the spool of an Exim that hands over to a scanner"),
];

/// A spool has `input`, and beside it `msglog`; or there are names of Exim in `input`. An empty spool has no names.
pub fn detect(place: &Place<'_>) -> Option<Detected> {
    if !place.is_directory {
        return None;
    }
    let has = |name: &str| place.has_folder(name);
    let found = |why: &str, variant| {
        Some(Detected { root: place.path.to_owned(), why: why.to_owned(), config: None, variant })
    };
    if has("input") {
        if has("msglog") {
            return found("it has the folders of Exim: input, msglog", "");
        }
        if place.chosen || holds_messages(&place.path.join("input")) {
            return found("it has a folder `input` with files of Exim", "");
        }
    }
    let own = place.entries.iter().any(|(entry, _)| is_message(entry));
    let letter = |entry: &OsStr| entry.len() == 1;
    let below = || {
        let letters =
            place.entries.iter().filter(|(entry, kind)| *kind == EntryKind::Directory && letter(entry));
        letters.take(62).any(|(entry, _)| {
            names(&place.path.join(entry)).iter().any(|name| {
                let stands = message_id::letter(name.as_encoded_bytes()).map(String::from);
                is_message(name) && stands.as_deref() == entry.to_str()
            })
        })
    };
    if own || below() { found("its files have the names of Exim messages", BARE) } else { None }
}

fn holds_messages(input: &Path) -> bool {
    let first = names(input);
    first.iter().any(|name| is_message(name))
        || first
            .iter()
            .filter(|name| name.len() == 1)
            .take(62)
            .any(|letter| names(&input.join(letter)).iter().any(|name| is_message(name)))
}

fn names(folder: &Path) -> Vec<std::ffi::OsString> {
    let Ok(root) = Root::open(folder) else { return Vec::new() };
    let Ok(entries) = root.list(Path::new(".")) else { return Vec::new() };
    entries.filter_map(Result::ok).take(MAX_NAMES).map(|(name, _)| name.into_os_string()).collect()
}

fn is_message(name: &OsStr) -> bool {
    // Letters and dashes make an ID of many a name, but hardly of a time since there is Exim.
    let judged = name::judge(name.as_encoded_bytes());
    matches!(judged, Name::Half { tail, made, .. } if tail.is_empty() && made.seconds.is_some())
}

/// The places in which distributions have the spool.
pub fn usual() -> Vec<UsualPlace> {
    USUAL.iter().map(|(path, why)| UsualPlace { path: PathBuf::from(path), why: (*why).to_owned() }).collect()
}
