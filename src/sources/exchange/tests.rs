//! What a user sees of a mailroot, through the trait of sources.

use super::Exchange;
use crate::evidence::{
    Confidence, Damage, Message, PartKind, RecipientState, Record, Sign, Text, Time, TimeKind,
};
use crate::read::disk::{EntryKind, Root};
use crate::sources::{Opened, Options, Place, Source as _, Unit};
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

mod hostile;
mod intake;
mod layouts;
#[cfg(target_os = "linux")]
mod ntfs;
mod plan;
mod queues;
mod streams;

fn fixture(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/exchange").join(case)
}

/// A folder in which a test builds a mailroot: `name` and its content.
fn built(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    folder
}

fn detect(path: &Path, named: bool, chosen: bool) -> Option<crate::sources::Detected> {
    let root = Root::open(path).unwrap();
    let entries: Vec<(OsString, EntryKind)> = root
        .list(Path::new("."))
        .unwrap()
        .map(|e| e.unwrap())
        .map(|(n, k)| (n.into_os_string(), k))
        .collect();
    Exchange.detect(&Place { path, entries: &entries, head: b"", is_directory: true, named, chosen })
}

struct Scanned {
    opened: Opened,
    messages: Vec<Message>,
    damages: Vec<Damage>,
}

impl Scanned {
    /// The message in the file of this name.
    fn file(&self, name: &str) -> &Message {
        let mut found = self.messages.iter().filter(|m| m.place.path.lossy().ends_with(name));
        let one = found.next().unwrap_or_else(|| panic!("no message in `{name}`"));
        assert!(found.next().is_none(), "more than one message in `{name}`");
        one
    }
}

fn scan(path: &Path) -> Scanned {
    scan_with(path, &Options { now: Time::parse("2100-01-01").unwrap(), ..Options::default() })
}

fn scan_with(path: &Path, options: &Options) -> Scanned {
    let detected = detect(path, true, true).unwrap();
    let opened = Exchange.open(&detected, options).unwrap();
    let (mut messages, mut damages) = (Vec::new(), Vec::new());
    for top in &opened.tops {
        let mut entries: Vec<_> = opened.root.list(top).unwrap().map(|entry| entry.unwrap()).collect();
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        for (name, kind) in entries {
            let path = top.join(name);
            (opened.read)(Unit { root: &opened.root, path: &path, kind, lean: false }, &mut |record| {
                match record {
                    Record::Message(message) => messages.push(*message),
                    Record::Damage(damage) => damages.push(damage),
                    Record::Passed => {}
                }
                ControlFlow::Continue(())
            });
        }
    }
    Scanned { opened, messages, damages }
}

fn signs(message: &Message) -> Vec<(Sign, Confidence)> {
    message.signs.iter().map(|signed| (signed.sign.clone(), signed.confidence)).collect()
}

fn said(message: &Message) -> String {
    let facts = message.signs.iter().flat_map(|signed| &signed.facts);
    facts.map(|fact| fact.text.as_str()).collect::<Vec<_>>().join("\n")
}

fn attributes(message: &Message, name: &str) -> Vec<String> {
    message.attributes.iter().filter(|(n, _)| n.contains(name)).map(|(_, v)| v.lossy().into_owned()).collect()
}
