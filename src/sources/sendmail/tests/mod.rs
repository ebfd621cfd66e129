//! Real spools of sendmail 8.17.1, opened through the door that a scan uses. `fixtures/sendmail/*/case.toml` says how each
//! was made. Git keeps neither owners nor modes: they come from the manifest.

use super::Sendmail;
use crate::evidence::{Message, Record, Sign, Signed, Time};
use crate::read::disk::EntryKind;
use crate::read::manifest::Manifest;
use crate::sources::{Detected, Opened, Options, Place, Source as _, Unit};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

mod configuration;
mod fixtures;
mod hostile;
mod synthetic;

/// A spool that was made ready for a test.
struct Case {
    opened: Opened,
    records: Vec<Record>,
    folder: Option<TempDir>,
}

impl Case {
    /// A fixture, as it was when it was copied; `spool` is its place below the tree.
    fn fixture(name: &str, spool: &str) -> Self {
        let fixture = fixture_path(name);
        let about: toml::Table = std::fs::read_to_string(fixture.join("case.toml")).unwrap().parse().unwrap();
        let options = Options {
            manifest: Some(Arc::new(Manifest::read(&fixture.join("manifest.tsv")).unwrap())),
            now: Time::parse(about["clock"].as_str().unwrap()).unwrap(),
            ..Options::default()
        };
        Self::open(None, &fixture.join("tree").join(spool), &options)
    }

    /// A spool of these files below `var/spool/mqueue`, or wherever their paths lead if they begin with `/`.
    fn of(files: &[(&str, &[u8])]) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("var/spool/mqueue");
        std::fs::create_dir_all(&root).unwrap();
        for (path, bytes) in files {
            let path = match path.strip_prefix('/') {
                Some(absolute) => folder.path().join(absolute),
                None => root.join(path),
            };
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, bytes).unwrap();
            set_mode(&path, 0o600);
        }
        Self::open(Some(folder), &root, &Options { now: Time::now(), ..Options::default() })
    }

    fn open(folder: Option<TempDir>, root: &Path, options: &Options) -> Self {
        let detected = Detected { root: root.to_owned(), why: "test".into(), config: None, variant: "" };
        let opened = Sendmail.open(&detected, options).unwrap();
        let mut records = Vec::new();
        for top in &opened.tops {
            walk(&opened, top, opened.depth, &mut records);
        }
        Self { opened, records, folder }
    }

    fn messages(&self) -> impl Iterator<Item = &Message> {
        self.records.iter().filter_map(|record| match record {
            Record::Message(message) => Some(message.as_ref()),
            _ => None,
        })
    }

    fn message(&self, path: &str) -> &Message {
        let found = self.messages().find(|message| *message.place.path.lossy() == *path);
        found.unwrap_or_else(|| panic!("no message at {path}: {:?}", self.records))
    }

    fn damages(&self) -> Vec<&crate::evidence::Damage> {
        let mut found = Vec::new();
        for record in &self.records {
            if let Record::Damage(damage) = record {
                found.push(damage);
            }
        }
        found
    }

    /// The signs of all messages that have one, by place.
    fn signs(&self) -> BTreeMap<String, Vec<String>> {
        self.messages()
            .filter(|message| !message.signs.is_empty())
            .map(|message| (message.place.path.lossy().into_owned(), names(message)))
            .collect()
    }
}

/// The names of the signs of a message.
fn names(message: &Message) -> Vec<String> {
    message.signs.iter().map(|signed| name_of(&signed.sign)).collect()
}

fn name_of(sign: &Sign) -> String {
    let text = format!("{sign:?}");
    text.split([' ', '{', '(']).next().unwrap().to_owned()
}

fn sign<'a>(message: &'a Message, name: &str) -> &'a Signed {
    message.signs.iter().find(|signed| name_of(&signed.sign) == name).unwrap()
}

fn fixture_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sendmail").join(name)
}

/// The ID of a healthy message with three recipients.
const ID: &str = "6AO0BPC1001602";

/// Its control file.
fn healthy() -> Vec<u8> {
    std::fs::read(fixture_path("deferred/tree").join(format!("qf{ID}"))).unwrap()
}

/// A line of it replaced.
fn with(from: &str, to: &str) -> Vec<u8> {
    let bytes = healthy();
    let at = memchr::memmem::find(&bytes, from.as_bytes()).unwrap();
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

fn set_mode(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
}

fn walk(opened: &Opened, folder: &Path, depth: usize, records: &mut Vec<Record>) {
    for entry in opened.root.list(folder).unwrap() {
        let (name, kind) = entry.unwrap();
        let path = if folder == Path::new(".") { name } else { folder.join(name) };
        if kind == EntryKind::Directory {
            if depth > 0 {
                walk(opened, &path, depth - 1, records);
            }
            continue;
        }
        (opened.read)(Unit { root: &opened.root, path: &path, kind }, &mut |record| {
            records.push(record);
            ControlFlow::Continue(())
        });
    }
}

fn detect(path: &Path, chosen: bool) -> Option<Detected> {
    let mut entries: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let kind =
                if entry.file_type().unwrap().is_dir() { EntryKind::Directory } else { EntryKind::Regular };
            (entry.file_name(), kind)
        })
        .collect();
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    Sendmail.detect(&Place { path, entries: &entries, head: &[], is_directory: true, named: true, chosen })
}
