//! Opening places.

use super::ScanRequest;
use crate::evidence::{Damage, DamageKind, Locus, Text};
use crate::read::disk::{EntryKind, Root};
use crate::scan::detect::{self, Found};
use crate::sources::{Detected, Opened, Source};
use anyhow::{Result, bail};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Places that are ready to be read, and what was noticed on the way.
pub struct Prepared {
    /// The places.
    pub places: Vec<Opened>,
    /// The source of each of them.
    pub sources: Vec<&'static dyn Source>,
    /// What could not be looked into.
    pub damages: Vec<Damage>,
    /// What was looked for in vain.
    pub in_vain: Vec<(PathBuf, String)>,
    /// What was found, and by what it was recognised.
    pub found: Vec<(PathBuf, String)>,
}

/// Finds and opens what the request names.
///
/// # Errors
/// When a named path does not exist, nothing was found, or nothing that was found can be opened.
pub fn prepare(request: &ScanRequest) -> Result<Prepared> {
    let source = detect::chosen(request.source.as_deref())?;
    let mut found = Found::default();
    if !request.temp_tables.is_empty() {
        let temptable = detect::chosen(Some("temptable"))?;
        found = detect::at_paths(&request.temp_tables, temptable)?;
        if let Some((path, _)) = found.in_vain.first() {
            bail!(
                "`{}` is not an export that ghostq can read; `ghostq sources temptable` says what it reads",
                path.display()
            );
        }
    }
    if !request.paths.is_empty() {
        add(&mut found, detect::at_paths(&request.paths, source)?);
    } else if request.temp_tables.is_empty() {
        add(&mut found, detect::on_this_host(source));
    }
    open(found, request)
}

/// A place that was found on two ways (named itself, and lying below another named path) is one place.
fn add(found: &mut Found, more: Found) {
    for (source, place) in more.places {
        let same = |known: &PathBuf| {
            known == &place.root || known.canonicalize().ok() == place.root.canonicalize().ok()
        };
        if !found.places.iter().any(|(_, known)| same(&known.root)) {
            found.places.push((source, place));
        }
    }
    found.damages.extend(more.damages);
    found.in_vain.extend(more.in_vain);
}

fn open(found: Found, request: &ScanRequest) -> Result<Prepared> {
    let mut prepared = Prepared {
        places: Vec::new(),
        sources: Vec::new(),
        damages: found.damages,
        in_vain: found.in_vain,
        found: Vec::new(),
    };
    let mut first_error = None;
    for (source, detected) in found.places {
        match open_place(source, &detected, request) {
            Ok(place) => {
                prepared.places.push(place);
                prepared.sources.push(source);
                prepared.found.push((detected.root, format!("{}: {}", source.name(), detected.why)));
            }
            Err(error) => {
                prepared.damages.push(Damage::new(
                    DamageKind::Unreadable,
                    Locus::whole(Text::from_path(&detected.root)),
                    format!("{error:#}"),
                    "",
                ));
                first_error.get_or_insert(error);
            }
        }
    }
    tell_apart(&mut prepared.places);
    if prepared.places.is_empty() {
        if let Some(error) = first_error {
            return Err(error);
        }
        bail!("{}", nothing_found(&prepared));
    }
    Ok(prepared)
}

fn open_place(source: &dyn Source, detected: &Detected, request: &ScanRequest) -> Result<Opened> {
    let place = source.open(detected, &request.options)?;
    let below = |path: &&PathBuf| detected.root.starts_with(path) && **path != detected.root;
    let named = request.paths.iter().filter(below).max_by_key(|path| path.as_os_str().len());
    if let Some(named) = named
        && !is_reached(&detected.root, named, &place.root)
    {
        bail!(
            "`{}` was replaced by a link, or by another folder, while it was looked at: no link below a named path is followed",
            detected.root.display()
        );
    }
    Ok(place)
}

/// Whether what was opened at a path lies below the path that the operator named, through no link. A search finds no links, but
/// a folder that it found may have become one before it was opened, and then leads wherever somebody likes.
fn is_reached(path: &Path, named: &Path, opened: &Root) -> bool {
    let Ok(below) = path.strip_prefix(named) else { return true };
    match (Root::open(named).and_then(|top| top.stat(below)), opened.identity()) {
        (Ok((EntryKind::Directory, stat)), Ok(identity)) => (stat.device, stat.inode) == identity,
        // An export.
        (Ok((EntryKind::Regular, _)), _) => true,
        _ => false,
    }
}

/// Two places of one name are called by their paths.
fn tell_apart(places: &mut [Opened]) {
    let labels: Vec<String> = places.iter().map(|place| place.instance.label.clone()).collect();
    for (number, place) in places.iter_mut().enumerate() {
        let same = |(other, label): (usize, &String)| other != number && *label == place.instance.label;
        if labels.iter().enumerate().any(same) {
            place.instance.label = place.instance.root.lossy().into_owned();
        }
    }
}

fn nothing_found(prepared: &Prepared) -> String {
    let mut text = String::from("no mail spool or export was found; looked at:");
    for (path, why) in prepared.in_vain.iter().take(20) {
        let _written = write!(text, "\n  {} ({why})", path.display());
    }
    for damage in prepared.damages.iter().take(5) {
        let _written = write!(text, "\n  {} ({})", damage.locus.path.lossy(), damage.what);
    }
    text.push_str("\nhint: name the spool: `ghostq scan PATH`; `ghostq sources` says what is recognised");
    text.push_str(
        "\nhint: a part of a spool (such as `mess`, `offline` or `msgq`) is recognised by its neighbours: \
         name the folder above it, with `--source NAME` if most of them are missing",
    );
    text
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_became_a_link_after_it_was_found_is_no_place() {
        let (named, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = named.path().join("input");
        std::fs::create_dir(&folder).unwrap();
        let own = Root::open(&folder).unwrap();
        assert!(is_reached(&folder, named.path(), &own));
        std::fs::rename(&folder, named.path().join("aside")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), &folder).unwrap();
        let led_astray = Root::open(&folder).unwrap();
        assert!(!is_reached(&folder, named.path(), &led_astray), "it is a link");
        std::fs::remove_file(&folder).unwrap();
        std::fs::rename(named.path().join("aside"), &folder).unwrap();
        assert!(
            !is_reached(&folder, named.path(), &led_astray),
            "it is a folder again, and not the one that was opened"
        );
    }
}
