//! Real queues of notqmail 1.09, opened through the door that a scan uses. `fixtures/qmail/*/case.toml` says how each was
//! made. Git keeps neither owners nor modes nor empty folders: the first two come from the manifest, the folders are made
//! anew.

use super::Qmail;
use crate::evidence::{Message, Record, Sign, Time};
use crate::read::disk::EntryKind;
use crate::read::manifest::Manifest;
use crate::sources::{Detected, Opened, Options, Source as _, Unit};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

mod fixtures;
mod hostile;
mod synthetic;

/// A queue that was made ready for a test.
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
        let root = folder.path().join("queue");
        std::fs::create_dir_all(&root).unwrap();
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
            ..Options::default()
        };
        Self::open(folder, &root, &options)
    }

    /// A queue that is split in three, with these files.
    fn of(files: &[(&str, &[u8])]) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("queue");
        for flat in ["pid", "intd", "todo", "bounce"] {
            std::fs::create_dir_all(root.join(flat)).unwrap();
        }
        for part in 0..3 {
            for split in super::split::SPLIT {
                std::fs::create_dir_all(root.join(split).join(part.to_string())).unwrap();
            }
        }
        for (path, bytes) in files {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), bytes).unwrap();
        }
        Self::again(folder)
    }

    /// The same queue, read anew.
    fn again(folder: TempDir) -> Self {
        let root = folder.path().join("queue");
        Self::open(folder, &root, &Options { now: Time::now().plus(60), ..Options::default() })
    }

    fn open(folder: TempDir, root: &Path, options: &Options) -> Self {
        let detected = Detected { root: root.to_owned(), why: "test".into(), config: None, variant: "" };
        let opened = Qmail.open(&detected, options).unwrap();
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
        let found = self.messages().find(|message| *message.place.path.lossy() == *path);
        found.unwrap_or_else(|| panic!("no message at {path}: {:?}", self.signs()))
    }

    fn passed(&self) -> usize {
        self.records.iter().filter(|record| matches!(record, Record::Passed)).count()
    }

    /// The signs of all messages that have one, by place. Files that a test makes have inodes of their own, which is no
    /// matter here.
    fn signs(&self) -> BTreeMap<String, Vec<String>> {
        self.messages()
            .map(|message| (message.place.path.lossy().into_owned(), names(message)))
            .filter(|(_, names)| !names.is_empty())
            .collect()
    }
}

/// The names of the signs of a message, that of its inode left out.
fn names(message: &Message) -> Vec<String> {
    let names = message.signs.iter().map(|signed| name_of(&signed.sign));
    names.filter(|name| name != "NameInode").collect()
}

fn name_of(sign: &Sign) -> String {
    let text = format!("{sign:?}");
    text.split([' ', '{', '(']).next().unwrap().to_owned()
}

fn fixture_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/qmail").join(name)
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
