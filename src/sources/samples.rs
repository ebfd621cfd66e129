//! Spools for the tests of sources: fixtures as they were when they were copied, and made-up ones. Git keeps neither owners nor
//! inodes nor empty folders: the first two come from the manifest, the folders are made anew.

use super::{Detected, Opened, Options, Place, Source, Unit};
use crate::evidence::{Message, Record, Sign, Time};
use crate::read::disk::EntryKind;
use crate::read::manifest::Manifest;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A spool that was laid out, opened and read.
pub struct Sample {
    /// Where it lies.
    pub folder: TempDir,
    /// As a scan has it.
    pub opened: Opened,
    /// Everything that was read.
    pub records: Vec<Record>,
}

impl Sample {
    /// A fixture.
    pub fn fixture(source: &dyn Source, case: &str) -> Self {
        let fixture = fixture_path(source, case);
        let about: toml::Table = std::fs::read_to_string(fixture.join("case.toml")).unwrap().parse().unwrap();
        let folder = TempDir::new().unwrap();
        let manifest = std::fs::read_to_string(fixture.join("manifest.tsv")).unwrap();
        for fields in manifest.lines().map(|line| line.split('\t').collect::<Vec<_>>()) {
            if fields.len() == 8 && fields[6] == "d" {
                std::fs::create_dir_all(folder.path().join(fields[7])).unwrap();
            }
        }
        copy(&fixture.join("tree"), folder.path());
        let options = Options {
            manifest: Some(Arc::new(Manifest::read(&fixture.join("manifest.tsv")).unwrap())),
            now: Time::parse(about["clock"].as_str().unwrap()).unwrap(),
            ..Options::default()
        };
        Self::open(source, folder, &options)
    }

    /// A spool with these folders and files.
    pub fn of(source: &dyn Source, folders: &[&str], files: &[(&str, &[u8])]) -> Self {
        let folder = TempDir::new().unwrap();
        lay_out(folder.path(), folders, files);
        Self::open(source, folder, &Options::default())
    }

    /// Opens and reads what lies there.
    pub fn open(source: &dyn Source, folder: TempDir, options: &Options) -> Self {
        let detected =
            Detected { root: folder.path().to_owned(), why: "test".into(), config: None, variant: "" };
        let opened = source.open(&detected, options).unwrap();
        let mut records = Vec::new();
        for top in &opened.tops {
            walk(&opened, top, opened.depth, &mut records);
        }
        Self { folder, opened, records }
    }

    /// The messages.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.records.iter().filter_map(|record| match record {
            Record::Message(message) => Some(message.as_ref()),
            _ => None,
        })
    }

    /// The message at this place.
    pub fn message(&self, place: &str) -> &Message {
        let found = self.messages().find(|message| *message.place.path.lossy() == *place);
        found.unwrap_or_else(|| panic!("there is no message at {place}"))
    }

    /// The signs of all messages that have one, by place; that a name does not match its inode says nothing on a copy.
    pub fn signs(&self) -> BTreeMap<String, Vec<String>> {
        let of = |message: &Message| {
            let names: Vec<String> = message.signs.iter().map(|signed| name_of(&signed.sign)).collect();
            names.into_iter().filter(|name| name != "NameInode").collect::<Vec<_>>()
        };
        self.messages()
            .map(|message| (message.place.path.lossy().into_owned(), of(message)))
            .filter(|(_, names)| !names.is_empty())
            .collect()
    }

    /// What could not be read.
    pub fn damages(&self) -> usize {
        self.records.iter().filter(|record| matches!(record, Record::Damage(_))).count()
    }

    /// All facts about the place itself.
    pub fn facts(&self) -> String {
        let texts: Vec<&str> = self.opened.instance.facts.iter().map(|fact| fact.text.as_str()).collect();
        texts.join("\n")
    }
}

/// All facts of the signs of a message.
pub fn facts(message: &Message) -> String {
    let facts = message.signs.iter().flat_map(|signed| &signed.facts);
    facts.map(|fact| fact.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// What a map of signs is compared with.
pub fn expected(of: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    of.iter().map(|(place, signs)| ((*place).to_owned(), names(signs))).collect()
}

/// Makes folders and files.
pub fn lay_out(root: &Path, folders: &[&str], files: &[(&str, &[u8])]) {
    for folder in folders {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    for (path, bytes) in files {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), bytes).unwrap();
    }
}

/// Whether a source recognises a folder that the user did not point out as one of its own.
pub fn recognises(source: &dyn Source, folder: &Path) -> bool {
    let entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let kind = match entry.file_type().unwrap() {
                kind if kind.is_dir() => EntryKind::Directory,
                kind if kind.is_file() => EntryKind::Regular,
                _ => EntryKind::Special,
            };
            (entry.file_name(), kind)
        })
        .collect();
    let place =
        Place { path: folder, entries: &entries, head: &[], is_directory: true, named: false, chosen: false };
    source.detect(&place).is_some()
}

/// The same bytes in every run, that mean nothing.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[1]
    };
    (0..length).map(|_| next()).collect()
}

/// A file of a fixture.
pub fn file(source: &dyn Source, path: &str) -> Vec<u8> {
    std::fs::read(fixture_path(source, path)).unwrap()
}

/// The folder of a fixture.
pub fn fixture_path(source: &dyn Source, case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(source.name()).join(case)
}

fn name_of(sign: &Sign) -> String {
    let text = format!("{sign:?}");
    text.split([' ', '{', '(']).next().unwrap().to_owned()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

fn walk(opened: &Opened, folder: &Path, depth: usize, records: &mut Vec<Record>) {
    let mut names: Vec<_> = opened.root.list(folder).unwrap().map(Result::unwrap).collect();
    names.sort_by(|one, other| one.0.cmp(&other.0));
    for (name, kind) in names {
        let path = if folder == Path::new(".") { name } else { folder.join(name) };
        if kind == EntryKind::Directory && depth > 0 {
            walk(opened, &path, depth - 1, records);
        } else {
            let unit = Unit { root: &opened.root, path: &path, kind };
            (opened.read)(unit, &mut |record| {
                records.push(record);
                ControlFlow::Continue(())
            });
        }
    }
}
