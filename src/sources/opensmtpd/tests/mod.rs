//! Real spools of OpenSMTPD 6.8.0p2, and spools made by hand, opened through the door that a scan uses.
//! `fixtures/opensmtpd/*/case.toml` says how each of the real ones was made. Git keeps neither owners nor modes nor empty
//! folders: the first two come from the manifest, the folders are made anew.

use super::OpenSmtpd;
use crate::evidence::{Damage, Message, Record, Sign, Time};
use crate::read::disk::EntryKind;
use crate::read::manifest::Manifest;
use crate::sources::{Detected, Opened, Options, Source as _, Unit};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

mod coded;
mod fixtures;
mod hostile;
mod intake;
mod queue;

/// A message ID and an envelope of it.
const ID: &str = "3252b9b1";
const ENVELOPE: &str = "3252b9b1cdfe3647";

/// A spool that was made ready for a test.
struct Case {
    folder: TempDir,
    opened: Opened,
    records: Vec<Record>,
}

impl Case {
    /// A fixture, as it was when it was copied.
    fn fixture(name: &str) -> Self {
        let fixture = fixture_path(name);
        let about: toml::Table = std::fs::read_to_string(fixture.join("case.toml")).unwrap().parse().unwrap();
        let folder = TempDir::new().unwrap();
        let manifest = std::fs::read_to_string(fixture.join("manifest.tsv")).unwrap();
        for fields in manifest.lines().map(|line| line.split('\t').collect::<Vec<_>>()) {
            if fields[6] == "d" {
                std::fs::create_dir_all(folder.path().join(fields[7])).unwrap();
            }
        }
        copy(&fixture.join("tree"), folder.path());
        let options = Options {
            manifest: Some(Arc::new(Manifest::read(&fixture.join("manifest.tsv")).unwrap())),
            now: Time::parse(about["clock"].as_str().unwrap()).unwrap(),
            ..Options::default()
        };
        Self::open(folder, &options)
    }

    /// A spool of these files.
    fn of(files: &[(&str, &[u8])]) -> Self {
        Self::open(spool(files), &Options::default())
    }

    fn open(folder: TempDir, options: &Options) -> Self {
        let detected =
            Detected { root: folder.path().to_owned(), why: "test".into(), config: None, variant: "" };
        let opened = OpenSmtpd.open(&detected, options).unwrap();
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

    fn damages(&self) -> Vec<&Damage> {
        let records = self.records.iter();
        records
            .filter_map(|record| match record {
                Record::Damage(damage) => Some(damage),
                _ => None,
            })
            .collect()
    }

    fn message(&self, path: &str) -> &Message {
        let there = || self.messages().map(|message| message.place.path.lossy()).collect::<Vec<_>>();
        self.messages()
            .find(|message| *message.place.path.lossy() == *path)
            .unwrap_or_else(|| panic!("{path} is not among {:?}", there()))
    }

    fn passed(&self) -> usize {
        self.records.iter().filter(|record| matches!(record, Record::Passed)).count()
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

/// All facts of all signs, in one text.
fn facts(message: &Message) -> String {
    let facts = message.signs.iter().flat_map(|signed| &signed.facts);
    facts.map(|fact| fact.text.as_str()).collect::<Vec<_>>().join("\n")
}

fn fixture_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/opensmtpd").join(name)
}

/// A healthy envelope that smtpd wrote.
fn envelope() -> Vec<u8> {
    let folder = fixture_path("ghosts/tree/queue").join("32").join(ID);
    std::fs::read(folder.join(ENVELOPE)).unwrap()
}

/// That envelope, with another value for one field.
fn envelope_with(field: &str, value: &str) -> Vec<u8> {
    let text = String::from_utf8(envelope()).unwrap();
    let lines = text.lines().map(|line| match line.split_once(": ") {
        Some((name, _)) if name == field => format!("{name}: {value}\n"),
        _ => format!("{line}\n"),
    });
    lines.collect::<String>().into_bytes()
}

/// A spool folder of these files.
fn spool(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["queue", "incoming", "temporary", "offline", "purge"] {
        std::fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    for (path, bytes) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
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
        let path = folder.join(name);
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
