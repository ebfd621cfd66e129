//! Recognising a queue, and the places where one usually is.

use super::layout::FOLDERS;
use crate::sources::{Detected, Place, UsualPlace};
use std::path::PathBuf;

/// The home of qmail is compiled in (`conf-qmail`); these are what packagers chose.
const USUAL: [(&str, &str); 2] = [
    ("/var/qmail/queue", "the default home of qmail (conf-qmail)"),
    ("/var/lib/qmail/queue", "the home of qmail in Debian's packages"),
];
/// Folders that a queue must have, besides `mess`, to be taken for one.
const ENOUGH: usize = 2;

/// `mess` is a name that no other mail system has; a restored queue may lack most of the others.
pub fn detect(place: &Place<'_>) -> Option<Detected> {
    if !place.is_directory {
        return None;
    }
    let has = |name: &str| place.has_folder(name);
    let found: Vec<&str> = FOLDERS.into_iter().filter(|folder| has(folder)).collect();
    let enough = if place.chosen { !found.is_empty() } else { has("mess") && found.len() > ENOUGH };
    enough.then(|| Detected {
        root: place.path.to_owned(),
        why: format!("it has the folders of a qmail queue: {}", found.join(", ")),
        config: None,
        variant: "",
    })
}

/// The homes that are known.
pub fn usual() -> Vec<UsualPlace> {
    USUAL.iter().map(|(path, why)| UsualPlace { path: PathBuf::from(path), why: (*why).to_owned() }).collect()
}
