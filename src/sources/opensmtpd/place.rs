//! Recognising a spool, and the place where one usually is.

use crate::sources::{Detected, Place, UsualPlace};
use std::path::PathBuf;

/// Where the spool is, fixed when smtpd is built (`smtpd.h`, `PATH_SPOOL`).
pub const SPOOL: &str = "/var/spool/smtpd";
/// The folders of a spool, in the order in which they are read. `corrupt` is made by versions before 6.4 only.
pub const FOLDERS: [&str; 6] = ["queue", "incoming", "temporary", "offline", "corrupt", "purge"];
/// Folders that no other mail system has beside one called `queue`.
const TELLING: [&str; 3] = ["purge", "temporary", "offline"];

/// A spool has `queue` and one of the folders that are OpenSMTPD's own. Where the user chose it, one folder is enough, so
/// that a restored part of a spool is read as well.
pub fn detect(place: &Place<'_>) -> Option<Detected> {
    if !place.is_directory {
        return None;
    }
    let has = |name: &str| place.has_folder(name);
    let found: Vec<&str> = FOLDERS.into_iter().filter(|folder| has(folder)).collect();
    let telling = TELLING.into_iter().any(has);
    let enough = if place.chosen { !found.is_empty() } else { has("queue") && telling };
    enough.then(|| Detected {
        root: place.path.to_owned(),
        why: format!("it has the folders of OpenSMTPD: {}", found.join(", ")),
        config: None,
        variant: "",
    })
}

/// The one place that is compiled into smtpd.
pub fn usual() -> Vec<UsualPlace> {
    vec![UsualPlace { path: PathBuf::from(SPOOL), why: "the spool of OpenSMTPD (`PATH_SPOOL`)".to_owned() }]
}
