//! Finding places: what lies at the paths that were named, or at the usual places of this host.

use super::walk;
use crate::evidence::{Damage, Locus, Text};
use crate::read::disk::{EntryKind, Root};
use crate::sources::{ALL, Detected, Place, Source, by_name};
use anyhow::{Result, bail};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// How deep below a named path a spool is looked for: `/mnt/disk/srv/mail/var/spool/postfix` is six down.
const MAX_DEPTH: usize = 8;
/// Folders that are looked into in search of a spool, below one named path.
const MAX_FOLDERS: usize = 50_000;
/// Names of one folder that are shown to the sources: a folder of queue folders has a few dozen.
const MAX_NAMES: usize = 4_096;
/// How much of a file is shown to the sources.
const HEAD_BYTES: usize = 8 << 10;
/// Files of a folder are offered as exports this far below the named path: a folder of evidence, not a file system.
const FILE_DEPTH: usize = 1;
/// Folders of a running system in which no mail rests, and in which looking has no end.
const NEVER: [&str; 3] = ["proc", "sys", "dev"];

/// Said of a folder in which no source recognised anything.
const NOTHING: &str = "nothing in it looks like a spool or an export";

/// A place and the source that recognised it.
pub type Recognised = (&'static dyn Source, Detected);

/// What was found, and what was not.
#[derive(Default)]
pub struct Found {
    /// Places, each with its source.
    pub places: Vec<Recognised>,
    /// What was looked for in vain: path and reason.
    pub in_vain: Vec<(PathBuf, String)>,
    /// What could not be looked into.
    pub damages: Vec<Damage>,
}

/// Which source the user asked for.
///
/// # Errors
/// When there is none of this name.
pub fn chosen(name: Option<&str>) -> Result<Option<&'static dyn Source>> {
    match name {
        None | Some("auto") => Ok(None),
        Some(name) => {
            if let Some(source) = by_name(name) {
                return Ok(Some(source));
            }
            let names: Vec<_> = ALL.iter().map(|source| source.name()).collect();
            bail!("there is no source `{name}`; there are {}", names.join(", "))
        }
    }
}

/// Looks at the named paths, and below them.
///
/// # Errors
/// When a named path does not exist or cannot be read at all.
pub fn at_paths(paths: &[PathBuf], source: Option<&'static dyn Source>) -> Result<Found> {
    let mut found = Found::default();
    for path in paths {
        let data = match std::fs::metadata(path) {
            Ok(data) => data,
            Err(error) => {
                bail!("could not look at `{}`: {}", path.display(), error.to_string().to_lowercase())
            }
        };
        let before = found.places.len();
        if data.is_dir() {
            search(path, source, &mut found);
        } else {
            offer_file(path, true, source, &mut found);
        }
        if found.places.len() == before {
            found.in_vain.push((path.clone(), if data.is_dir() { NOTHING.into() } else { why_not(path) }));
        }
    }
    Ok(found)
}

/// Why a file that was named is no place.
fn why_not(path: &Path) -> String {
    if let Ok(listing) = super::listing::open_file(path, &[]) {
        return format!(
            "it is a listing of {} (`{}`): give it with `--listing`",
            listing.source, listing.format.name
        );
    }
    "it does not look like an export; name it with `--temp-table` to learn what is missing".into()
}

/// Looks at the usual places of every source on this host.
pub fn on_this_host(source: Option<&'static dyn Source>) -> Found {
    let mut found = Found::default();
    let candidates = ALL.iter().copied().filter(|s| source.is_none_or(|only| only.name() == s.name()));
    for candidate in candidates {
        for usual in candidate.usual_places() {
            let known = found.places.iter().any(|(_, place)| same_folder(&place.root, &usual.path));
            if known {
                continue;
            }
            if !look(&usual.path, true, Some(candidate), &mut found) {
                found.in_vain.push((usual.path, usual.why));
            } else if let Some((_, place)) = found.places.last_mut() {
                place.why = format!("{} ({})", place.why, usual.why);
            }
        }
    }
    found
}

fn same_folder(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Breadth first, so that a spool is found before anything inside it is mistaken for one.
fn search(top: &Path, source: Option<&'static dyn Source>, found: &mut Found) {
    let mut waiting = VecDeque::from([(top.to_owned(), 0)]);
    let mut folders = 0;
    while let Some((folder, depth)) = waiting.pop_front() {
        folders += 1;
        if folders > MAX_FOLDERS {
            found.damages.push(Damage::new(
                crate::evidence::DamageKind::Limit,
                Locus::whole(Text::from_path(top)),
                format!("more than {MAX_FOLDERS} folders lie below it; the search for spools was broken off"),
                "name the spool itself",
            ));
            return;
        }
        if look(&folder, depth == 0, source, found) {
            continue;
        }
        let (entries, damage) = names(&folder);
        found.damages.extend(damage);
        for (name, kind) in entries {
            let path = folder.join(&name);
            match kind {
                EntryKind::Directory if depth < MAX_DEPTH && !skipped(&path) => {
                    waiting.push_back((path, depth + 1));
                }
                EntryKind::Regular if depth <= FILE_DEPTH => offer_file(&path, false, source, found),
                _ => {}
            }
        }
    }
}

fn skipped(path: &Path) -> bool {
    path.parent() == Some(Path::new("/"))
        && path.file_name().is_some_and(|name| NEVER.iter().any(|n| name == *n))
}

/// Shows one folder to the sources.
fn look(folder: &Path, named: bool, source: Option<&'static dyn Source>, found: &mut Found) -> bool {
    if !folder.is_dir() {
        return false;
    }
    let (entries, _) = names(folder);
    let place = Place {
        path: folder,
        entries: &entries,
        head: &[],
        is_directory: true,
        named,
        chosen: named && source.is_some(),
    };
    offer(&place, source, found)
}

fn offer(place: &Place<'_>, source: Option<&'static dyn Source>, found: &mut Found) -> bool {
    let candidates = ALL.iter().copied().filter(|s| source.is_none_or(|only| only.name() == s.name()));
    for candidate in candidates {
        if let Some(detected) = candidate.detect(place) {
            found.places.push((candidate, detected));
            return true;
        }
    }
    false
}

fn offer_file(path: &Path, named: bool, source: Option<&'static dyn Source>, found: &mut Found) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let head = Root::open(folder)
        .map_err(|error| error.to_string())
        .and_then(|root| {
            root.crossing_file_systems(true).open_file(Path::new(name)).map_err(|damage| damage.what)
        })
        .and_then(|file| file.head(HEAD_BYTES).map_err(|error| error.to_string()));
    match head {
        Ok(head) => {
            let chosen = named && source.is_some();
            let place = Place { path, entries: &[], head: &head, is_directory: false, named, chosen };
            let _recognised = offer(&place, source, found);
        }
        Err(what) if named => found.damages.push(Damage::new(
            crate::evidence::DamageKind::Unreadable,
            Locus::whole(Text::from_path(path)),
            what,
            "run as a user who may read it",
        )),
        Err(_) => {}
    }
}

/// The names in a folder, bounded, with their kinds.
fn names(folder: &Path) -> (Vec<(OsString, EntryKind)>, Option<Damage>) {
    let root = match Root::open(folder) {
        Ok(root) => root.crossing_file_systems(true),
        Err(error) => {
            let what = error.to_string().to_lowercase();
            let locus = Locus::whole(Text::from_path(folder));
            return (
                Vec::new(),
                Some(Damage::new(crate::evidence::DamageKind::Unreadable, locus, what, "run as root")),
            );
        }
    };
    match root.list(Path::new(".")) {
        Ok(entries) => {
            let mut names: Vec<_> = entries
                .filter_map(Result::ok)
                .take(MAX_NAMES)
                .map(|(name, kind)| {
                    let kind = walk::settle(&root, &name, kind).unwrap_or(kind);
                    (name.into_os_string(), kind)
                })
                .collect();
            names.sort_by(|one, other| one.0.cmp(&other.0));
            (names, None)
        }
        Err(mut damage) => {
            damage.locus = Locus::whole(Text::from_path(folder));
            (Vec::new(), Some(damage))
        }
    }
}
