//! Real spools of Exim 4.96, opened through the door that a scan uses. `fixtures/exim/*/case.toml` says how each was made.
//! Git keeps neither owners nor modes nor empty folders: the first two come from the manifest, the folders are made anew.

use super::Exim;
use crate::evidence::{Confidence, Message, RecipientState, Record, Sign, Text, Time, TimeKind};
use crate::read::disk::EntryKind;
use crate::read::manifest::Manifest;
use crate::sources::{Detected, Opened, Options, Place, Source as _, Unit};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

mod fixtures;
mod hostile;
mod synthetic;

/// A spool that was made ready for a test.
struct Case {
    folder: TempDir,
    opened: Opened,
    records: Vec<Record>,
}

impl Case {
    /// A fixture, as it was when it was copied.
    fn fixture(name: &str) -> Self {
        Self::fixture_with(name, false)
    }

    fn fixture_with(name: &str, deep: bool) -> Self {
        let fixture = fixture_path(name);
        let about: toml::Table = std::fs::read_to_string(fixture.join("case.toml")).unwrap().parse().unwrap();
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("var/spool/exim4");
        let manifest = std::fs::read_to_string(fixture.join("manifest.tsv")).unwrap();
        for fields in manifest.lines().map(|line| line.split('\t').collect::<Vec<_>>()) {
            if fields.len() == 8 && fields[6] == "d" {
                std::fs::create_dir_all(root.join(fields[7])).unwrap();
            }
        }
        copy(&fixture.join("tree"), &root);
        let options = Options {
            manifest: Some(Arc::new(Manifest::read(&fixture.join("manifest.tsv")).unwrap())),
            now: Time::parse(about["clock"].as_str().unwrap()).unwrap(),
            deep,
            ..Options::default()
        };
        Self::open(folder, &root, &options)
    }

    /// A spool of these files.
    fn of(files: &[(&str, &[u8])]) -> Self {
        Self::with_options(files, &Options { now: Time::now(), ..Options::default() })
    }

    fn with_options(files: &[(&str, &[u8])], options: &Options) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("var/spool/exim4");
        for queue in ["input", "msglog", "db"] {
            std::fs::create_dir_all(root.join(queue)).unwrap();
        }
        for (path, bytes) in files {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), bytes).unwrap();
        }
        Self::open(folder, &root, options)
    }

    fn open(folder: TempDir, root: &Path, options: &Options) -> Self {
        let detected = detect(root, false).unwrap();
        let opened = Exim.open(&detected, options).unwrap();
        let mut records = Vec::new();
        for top in &opened.tops {
            walk(&opened, top, opened.depth, &mut records);
        }
        Self { folder, opened, records }
    }

    fn messages(&self) -> impl Iterator<Item = &Message> {
        self.records.iter().filter_map(|record| match record {
            Record::Message(message) => Some(message.as_ref()),
            _ => None,
        })
    }

    fn message(&self, path: &str) -> &Message {
        self.messages().find(|message| *message.place.path.lossy() == *path).unwrap()
    }

    /// The signs of all messages that have one, by place.
    fn signs(&self) -> BTreeMap<String, Vec<String>> {
        self.messages()
            .filter(|message| !message.signs.is_empty())
            .map(|message| (message.place.path.lossy().into_owned(), names(message)))
            .collect()
    }

    fn signs_of(&self, path: &str) -> Vec<String> {
        self.signs().remove(path).unwrap_or_default()
    }
}

/// The names of the signs of a message.
fn names(message: &Message) -> Vec<String> {
    let name = |sign: &Sign| format!("{sign:?}").split([' ', '{', '(']).next().unwrap().to_owned();
    message.signs.iter().map(|signed| name(&signed.sign)).collect()
}

/// All facts of all signs, for what is looked for in them.
fn facts(message: &Message) -> String {
    let all = message.signs.iter().flat_map(|signed| &signed.facts).map(|fact| fact.text.as_str());
    all.collect::<Vec<_>>().join("\n")
}

fn state(message: &Message, address: &str) -> RecipientState {
    let recipients = &message.envelope.recipients;
    recipients.iter().find(|recipient| recipient.address == Text::from(address)).unwrap().state
}

fn fixture_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/exim").join(name)
}

fn detect(path: &Path, chosen: bool) -> Option<Detected> {
    let kind = |entry: &std::fs::DirEntry| {
        if entry.file_type().unwrap().is_dir() { EntryKind::Directory } else { EntryKind::Regular }
    };
    let entries: Vec<_> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name(), kind(&entry)))
        .collect();
    Exim.detect(&Place { path, entries: &entries, head: b"", is_directory: true, named: true, chosen })
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
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
