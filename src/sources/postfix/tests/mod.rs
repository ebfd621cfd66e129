//! Real spools of Postfix 3.7.11, opened through the door that a scan uses. `fixtures/postfix/*/case.toml` says how each
//! was made. Git keeps neither owners nor modes nor empty folders: the first two come from the manifest, the folders are
//! made anew.

use super::Postfix;
use crate::evidence::{Message, Record, Sign, Time};
use crate::read::disk::EntryKind;
use crate::read::manifest::Manifest;
use crate::sources::{Detected, Opened, Options, Source as _, Unit};
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
    folder: TempDir,
    opened: Opened,
    records: Vec<Record>,
}

impl Case {
    /// A fixture, as it was when it was copied.
    fn fixture(name: &str) -> Self {
        let fixture = fixture_path(name);
        let about: toml::Table = std::fs::read_to_string(fixture.join("case.toml")).unwrap().parse().unwrap();
        let spool = Path::new(about["root"].as_str().unwrap());
        let folder = TempDir::new().unwrap();
        let root = folder.path().join(spool.strip_prefix("/").unwrap());
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

    /// A spool of these files, all with the same bytes, below `var/spool/postfix`.
    fn of(files: &[(&str, &[u8])]) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().join("var/spool/postfix");
        for queue in super::layout::QUEUES {
            std::fs::create_dir_all(root.join(queue)).unwrap();
        }
        for (path, bytes) in files {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), bytes).unwrap();
            set_mode(&root.join(path), 0o700);
        }
        Self::open(folder, &root, &Options::default())
    }

    fn open(folder: TempDir, root: &Path, options: &Options) -> Self {
        let detected = Detected { root: root.to_owned(), why: "test".into(), config: None, variant: "" };
        let opened = Postfix.open(&detected, options).unwrap();
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

fn fixture_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/postfix").join(name)
}

/// A healthy queue file with three recipients.
fn healthy() -> Vec<u8> {
    let folder = fixture_path("deferred/tree/deferred");
    let mut files = Vec::new();
    for letter in std::fs::read_dir(folder).unwrap() {
        files.extend(std::fs::read_dir(letter.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    files.sort();
    let all = files.into_iter().map(|file| std::fs::read(file).unwrap());
    all.into_iter().find(|bytes| memchr::memmem::find(bytes, b"Subject: multi").is_some()).unwrap()
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
