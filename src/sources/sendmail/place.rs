//! Recognising a spool, and the places where one usually is.

use super::folder;
use super::settings::configs_below;
use crate::read::disk::EntryKind;
use crate::sources::{Detected, Place, UsualPlace};
use std::path::{Path, PathBuf};

/// Names of queue folders that tell by themselves what an empty folder is.
const NAMES: [&str; 3] = ["mqueue", "clientmqueue", "mqueue-client"];
/// A program that keeps queue files of sendmail for its own ends; what is there is not waiting to be sent.
const OTHERS: [&str; 1] = ["MailScanner"];

/// A folder with queue files, with the subfolders `qf` and `df`, or with the name of the queue folder.
pub fn detect(place: &Place<'_>) -> Option<Detected> {
    if !place.is_directory {
        return None;
    }
    let others = place.path.components().any(|part| OTHERS.iter().any(|other| part.as_os_str() == *other));
    if others && !place.chosen {
        return None;
    }
    let name = place.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_folder = |kind: EntryKind| matches!(kind, EntryKind::Directory | EntryKind::Unknown);
    let sub = |wanted: &str| place.entries.iter().any(|(entry, kind)| entry == wanted && is_folder(*kind));
    let file = place.entries.iter().find(|(entry, kind)| {
        *kind != EntryKind::Directory && folder::is_queue_file(entry.as_encoded_bytes())
    });
    let why = if let Some((file, _)) = file {
        format!("it has queue files of sendmail, such as `{}`", file.to_string_lossy())
    } else if sub("qf") && sub("df") {
        "it has the subfolders `qf` and `df` of a queue folder of sendmail".to_owned()
    } else if NAMES.contains(&name) {
        format!("`{name}` is the name of a queue folder of sendmail")
    } else if place.chosen {
        "it was named as a queue folder of sendmail".to_owned()
    } else {
        return None;
    };
    Some(Detected { root: root_of(place.path), why, config: None, variant: "" })
}

/// Named the subfolder `qf`, its sibling `df` is part of the spool as well.
fn root_of(path: &Path) -> PathBuf {
    let above = if path.file_name().is_some() { path.parent() } else { None };
    match above {
        Some(above) if path.file_name().is_some_and(folder::is_subfolder) => {
            if above.as_os_str().is_empty() {
                PathBuf::from(".")
            } else {
                above.to_owned()
            }
        }
        _ => path.to_owned(),
    }
}

/// The spools that the configurations of this machine name, and the default places.
pub fn usual() -> Vec<UsualPlace> {
    let mut places: Vec<UsualPlace> = Vec::new();
    let mut add = |path: PathBuf, why: String| {
        if !places.iter().any(|place| place.path == path) {
            places.push(UsualPlace { path, why });
        }
    };
    for config in configs_below(Path::new("/")) {
        if let Some(path) = config.base() {
            add(path, format!("QueueDirectory in {}", config.path.display()));
        }
    }
    for name in NAMES {
        let why = if name == "mqueue" {
            "the usual queue of sendmail"
        } else {
            "the usual queue of sendmail's submission program"
        };
        add(Path::new("/var/spool").join(name), why.to_owned());
    }
    places
}
