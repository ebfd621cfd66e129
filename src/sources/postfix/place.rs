//! Recognising a spool, and the places where one usually is.

use super::layout::QUEUES;
use super::main_cf;
use super::settings::{Config, configs_below};
use crate::sources::{Detected, Place, UsualPlace};
use std::path::{Path, PathBuf};

/// Queue folders without which it is no spool of Postfix.
const LEADING: [&str; 4] = ["incoming", "deferred", "maildrop", "active"];
/// Folders of OpenSMTPD, which has `incoming` and `corrupt` as well (`queue_fs.c`).
const OPENSMTPD: [&str; 4] = ["queue", "purge", "temporary", "offline"];

/// A spool has at least two queue folders, one of which takes part in every delivery. None is required: a restored spool
/// may have only what was in the backup.
pub fn detect(place: &Place<'_>) -> Option<Detected> {
    if !place.is_directory {
        return None;
    }
    let has = |name: &str| place.has_folder(name);
    let found: Vec<&str> = QUEUES.into_iter().filter(|queue| has(queue)).collect();
    let leading = found.iter().any(|queue| LEADING.contains(queue));
    let enough = if place.chosen { !found.is_empty() } else { found.len() >= 2 && leading };
    let other = !place.chosen && OPENSMTPD.into_iter().filter(|name| has(name)).count() >= 2;
    (enough && !other).then(|| Detected {
        root: place.path.to_owned(),
        why: format!("it has the queue folders of Postfix: {}", found.join(", ")),
        config: None,
        variant: "",
    })
}

/// The spools of all instances that this machine has a configuration of, and the default place.
pub fn usual() -> Vec<UsualPlace> {
    let mut places: Vec<UsualPlace> = Vec::new();
    let mut add = |path: PathBuf, why: String| {
        if !places.iter().any(|place| place.path == path) {
            places.push(UsualPlace { path, why });
        }
    };
    let configs = configs_below(Path::new("/"));
    let further: Vec<Config> = configs
        .iter()
        .filter_map(|config| config.main_cf.value("multi_instance_directories"))
        .flat_map(|folders| {
            let folders = folders.split(|c: char| c == ',' || c.is_ascii_whitespace());
            folders.filter_map(|folder| Config::read(Path::new(folder))).collect::<Vec<_>>()
        })
        .collect();
    for config in configs.iter().chain(&further) {
        if let Some(path) = config.queue_directory() {
            add(path, format!("queue_directory in {}", config.path().display()));
        }
    }
    if let Some(default) = main_cf::default("queue_directory") {
        add(PathBuf::from(default), "the default queue_directory of Postfix".to_owned());
    }
    places
}
