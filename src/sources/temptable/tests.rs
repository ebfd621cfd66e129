//! What a user can see of the exports, through the source.

use super::TempTable;
use crate::evidence::{Damage, DamageKind, Instance, Message, Record, Text, Time, TimeKind};
use crate::read::disk::EntryKind;
use crate::sources::{Detected, Options, Place, Source, Unit};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

mod eras;
mod hostile;
mod incident;
mod labels;
mod recognition;
mod stamps;
mod tables;

struct Seen {
    instance: Instance,
    messages: Vec<Message>,
    damages: Vec<Damage>,
    passed: usize,
}

impl Seen {
    fn subjects(&self) -> Vec<String> {
        self.messages.iter().map(subject).collect()
    }

    fn says(&self, text: &str) -> bool {
        self.instance.facts.iter().any(|fact| fact.text.contains(text))
    }
}

fn subject(message: &Message) -> String {
    message.header("Subject").map(|subject| subject.lossy().into_owned()).unwrap_or_default()
}

fn text(text: Option<&Text>) -> Option<&str> {
    text.and_then(Text::as_str)
}

fn rfc3339(message: &Message, kind: TimeKind) -> Option<String> {
    message.time(kind).map(Time::rfc3339)
}

fn recipients(message: &Message) -> Vec<&str> {
    message.envelope.recipients.iter().filter_map(|recipient| recipient.address.as_str()).collect()
}

fn attribute<'m>(message: &'m Message, name: &str) -> Option<&'m str> {
    message.attributes.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_str())
}

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/temptable").join(path)
}

/// A file of this content in a folder of its own, which lives as long as what is returned.
fn written(name: &str, bytes: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn utf16(text: &str) -> Vec<u8> {
    [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

fn offer(path: &Path, named: bool, chosen: bool) -> Option<Detected> {
    if path.is_dir() {
        let entries: Vec<_> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| (entry.unwrap().file_name(), EntryKind::Regular))
            .collect();
        let place = Place { path, entries: &entries, head: &[], is_directory: true, named, chosen };
        return TempTable.detect(&place);
    }
    let head: Vec<u8> = std::fs::read(path).unwrap().into_iter().take(8 << 10).collect();
    TempTable.detect(&Place { path, entries: &[], head: &head, is_directory: false, named, chosen })
}

fn open_error(path: &Path, options: &Options) -> String {
    let detected = offer(path, true, true).expect("a file that the user calls an export is taken for one");
    match TempTable.open(&detected, options) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => format!("{error:#}"),
    }
}

fn scan(path: &Path) -> Seen {
    scan_with(path, &Options::default())
}

fn scan_with(path: &Path, options: &Options) -> Seen {
    let mut seen = opened(path, options, &mut |_| ControlFlow::Continue(()));
    seen.messages.sort_by_key(|message| match message.place.at {
        crate::evidence::At::Row(row) => row,
        _ => 0,
    });
    seen
}

fn opened(path: &Path, options: &Options, more: &mut dyn FnMut(usize) -> ControlFlow<()>) -> Seen {
    let detected = offer(path, true, true).unwrap_or_else(|| panic!("{} was not recognised", path.display()));
    let opened = TempTable.open(&detected, options).unwrap_or_else(|error| panic!("{error:#}"));
    let mut seen = Seen { instance: opened.instance, messages: vec![], damages: vec![], passed: 0 };
    for name in files(&opened.root, &opened.tops) {
        let (kind, _) = opened.root.stat(&name).unwrap();
        (opened.read)(Unit { root: &opened.root, path: &name, kind, lean: false }, &mut |record| {
            match record {
                Record::Message(message) => seen.messages.push(*message),
                Record::Damage(damage) => seen.damages.push(damage),
                Record::Passed => seen.passed += 1,
            }
            more(seen.messages.len())
        });
    }
    seen
}

fn files(root: &crate::read::disk::Root, tops: &[PathBuf]) -> Vec<PathBuf> {
    let mut names = Vec::new();
    for top in tops {
        if top == Path::new(".") {
            below(root, top, &mut names);
        } else {
            names.push(top.clone());
        }
    }
    names.sort();
    names
}

fn below(root: &crate::read::disk::Root, folder: &Path, names: &mut Vec<PathBuf>) {
    for entry in root.list(folder).unwrap() {
        let (name, kind) = entry.unwrap();
        let path = if folder == Path::new(".") { name } else { folder.join(name) };
        match kind {
            EntryKind::Directory => below(root, &path, names),
            _ => names.push(path),
        }
    }
}
