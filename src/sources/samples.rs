//! Spools for the tests of sources: fixtures as they were when they were copied, and made-up ones. Git keeps neither owners nor
//! inodes nor empty folders: the first two come from the manifest, the folders are made anew.

use super::{Ask, Detected, Extent, Opened, Options, Place, Remedies, Source, Unit};
use crate::evidence::{Damage, Message, Record, Sign, Signed, Time};
use crate::plan::{Change, Given, Proposal, Refusal, Verb, Way};
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
        Self::fixture_at(source, case, "")
    }

    /// A fixture at this place below the folder.
    pub fn fixture_at(source: &dyn Source, case: &str, place: &str) -> Self {
        let folder = TempDir::new().unwrap();
        lay_out_fixture(source, case, &folder.path().join(place));
        Self::open_at(source, folder, place, &fixture_options(source, case))
    }

    /// A spool with these folders and files.
    pub fn of(source: &dyn Source, folders: &[&str], files: &[(&str, &[u8])]) -> Self {
        let folder = TempDir::new().unwrap();
        lay_out(folder.path(), folders, files);
        Self::open(source, folder, &Options::default())
    }

    /// Opens and reads what lies there.
    pub fn open(source: &dyn Source, folder: TempDir, options: &Options) -> Self {
        Self::open_at(source, folder, "", options)
    }

    /// Opens and reads what lies at this place below the folder.
    pub fn open_at(source: &dyn Source, folder: TempDir, place: &str, options: &Options) -> Self {
        let root = folder.path().join(place).components().collect();
        let detected = Detected { root, why: "test".into(), config: None, variant: "" };
        let opened = source.open(&detected, options).unwrap();
        Self::read(folder, opened)
    }

    /// Reads what was opened.
    pub fn read(folder: TempDir, opened: Opened) -> Self {
        let records = records(&opened);
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
        let places = || self.messages().map(|message| message.place.path.lossy()).collect::<Vec<_>>();
        let found = self.messages().find(|message| *message.place.path.lossy() == *place);
        found.unwrap_or_else(|| panic!("there is no message at {place}: {:?}", places()))
    }

    /// The signs of all messages that have one, by place.
    pub fn signs(&self) -> BTreeMap<String, Vec<String>> {
        self.signs_by(names)
    }

    /// The same, but for what says nothing on a copy.
    pub fn signs_on_a_copy(&self) -> BTreeMap<String, Vec<String>> {
        self.signs_by(names_on_a_copy)
    }

    fn signs_by(&self, names: fn(&Message) -> Vec<String>) -> BTreeMap<String, Vec<String>> {
        self.messages()
            .map(|message| (message.place.path.lossy().into_owned(), names(message)))
            .filter(|(_, names)| !names.is_empty())
            .collect()
    }

    /// The signs of the message at this place, if there is one.
    pub fn signs_of(&self, place: &str) -> Vec<String> {
        self.signs().remove(place).unwrap_or_default()
    }

    /// What could not be read.
    pub fn damages(&self) -> Vec<&Damage> {
        let mut found = Vec::new();
        for record in &self.records {
            if let Record::Damage(damage) = record {
                found.push(damage);
            }
        }
        found
    }

    /// What these remedies propose for the message at this place.
    pub fn proposed(
        &self,
        remedies: &Remedies,
        place: &str,
        (verb, rules, listed): (Verb, &[&str], Option<bool>),
        given: &Given,
    ) -> Result<Proposal, Refusal> {
        let (message, instance, root) = (self.message(place), &self.opened.instance, &self.opened.root);
        let now = Time::parse("2026-11-24T12:00:00Z").unwrap();
        (remedies.propose)(&Ask { verb, rules, listed, message, instance, root, given, now })
    }

    /// The content of the message at this place.
    pub fn content(&self, place: &str, extent: Extent) -> Result<Vec<u8>, Refusal> {
        let mut content = Vec::new();
        let write = &self.opened.remedies.content;
        write(&self.opened.root, self.message(place), extent, &mut content).map(|()| content)
    }

    /// How many files are no message of their own.
    pub fn passed(&self) -> usize {
        self.records.iter().filter(|record| matches!(record, Record::Passed)).count()
    }

    /// All facts about the place itself.
    pub fn facts(&self) -> String {
        let texts: Vec<&str> = self.opened.instance.facts.iter().map(|fact| fact.text.as_str()).collect();
        texts.join("\n")
    }
}

/// The names of the signs of a message.
pub fn names(message: &Message) -> Vec<String> {
    message.signs.iter().map(|signed| name_of(&signed.sign)).collect()
}

/// The same, but for the one that says nothing on a copy: files that a test makes have inodes of their own.
pub fn names_on_a_copy(message: &Message) -> Vec<String> {
    names(message).into_iter().filter(|name| name != "NameInode").collect()
}

/// The first sign of a message that has this name.
pub fn sign<'a>(message: &'a Message, name: &str) -> &'a Signed {
    message.signs.iter().find(|signed| name_of(&signed.sign) == name).unwrap()
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

/// Lays a fixture out as it was when it was copied, with its empty folders.
pub fn lay_out_fixture(source: &dyn Source, case: &str, root: &Path) {
    let fixture = fixture_path(source, case);
    let manifest = std::fs::read_to_string(fixture.join("manifest.tsv")).unwrap();
    for fields in manifest.lines().map(|line| line.split('\t').collect::<Vec<_>>()) {
        if fields.len() == 8 && fields[6] == "d" {
            std::fs::create_dir_all(root.join(fields[7])).unwrap();
        }
    }
    copy(&fixture.join("tree"), root);
}

/// What is known of a fixture besides its files: the manifest, and the time at which it was copied.
pub fn fixture_options(source: &dyn Source, case: &str) -> Options {
    let manifest = Manifest::read(&fixture_path(source, case).join("manifest.tsv")).unwrap();
    let now = Time::parse(about(source, case)["clock"].as_str().unwrap()).unwrap();
    Options { manifest: Some(Arc::new(manifest)), now, ..Options::default() }
}

/// What a fixture says of itself.
pub fn about(source: &dyn Source, case: &str) -> toml::Table {
    std::fs::read_to_string(fixture_path(source, case).join("case.toml")).unwrap().parse().unwrap()
}

/// Options with a manifest of these lines, which is written into the folder.
pub fn with_manifest(folder: &Path, lines: &str) -> Options {
    let path = folder.join("manifest.tsv");
    std::fs::write(&path, lines).unwrap();
    Options { manifest: Some(Arc::new(Manifest::read(&path).unwrap())), ..Options::default() }
}

/// Gives a file this mode, where there are modes.
pub fn set_mode(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
}

/// Makes a FIFO.
#[cfg(unix)]
pub fn mkfifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Whether a source recognises a folder that the user did not point out as one of its own.
pub fn recognises(source: &dyn Source, folder: &Path) -> bool {
    offer(source, folder, false, false).is_some()
}

/// What a source takes a folder for that the user named, and perhaps chose the source for.
pub fn detect(source: &dyn Source, folder: &Path, chosen: bool) -> Option<Detected> {
    offer(source, folder, true, chosen)
}

fn offer(source: &dyn Source, folder: &Path, named: bool, chosen: bool) -> Option<Detected> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
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
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    source.detect(&Place { path: folder, entries: &entries, head: &[], is_directory: true, named, chosen })
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

/// Numbers that look random and are the same in every run.
pub struct Random(u64);

impl Random {
    /// Other numbers for each seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, below this one.
    pub fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    /// Bytes, fewer than this many.
    pub fn bytes(&mut self, below: usize) -> Vec<u8> {
        let length = self.next(below);
        (0..length).map(|_| self.byte()).collect()
    }

    /// These bytes, with one to four of them overwritten.
    pub fn overwritten(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.next(4) {
            let at = self.next(bytes.len());
            bytes[at] = self.byte();
        }
        bytes
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        u8::try_from(self.next(256)).unwrap()
    }
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

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
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

/// What is given where nothing is left to run.
pub fn offline() -> Given {
    Given { offline: true, ..Given::default() }
}

/// A proposal in a few words: commands as they are typed, changes and parts by their paths.
pub fn told(proposal: &Proposal) -> Vec<String> {
    let typed = crate::plan::Command::line;
    match &proposal.way {
        Way::Native { commands } => commands.iter().map(typed).collect(),
        Way::Repair { changes, then } => changes.iter().map(change).chain(then.iter().map(typed)).collect(),
        Way::HandOver { parts, outgoing } => {
            let to = outgoing.recipients.iter().map(|recipient| recipient.address.lossy());
            let from = outgoing.sender.as_ref().map_or("?".into(), |sender| sender.lossy());
            let envelope = format!("{from} -> {}", to.collect::<Vec<_>>().join(" "));
            parts.iter().map(|part| part.lossy().into_owned()).chain([envelope]).collect()
        }
    }
}

fn change(change: &Change) -> String {
    match change {
        Change::Owner { path, uid, gid } => format!("chown {uid}:{gid:?} {}", path.lossy()),
        Change::Mode { path, mode } => format!("chmod {mode:o} {}", path.lossy()),
        Change::Modified { path, at } => format!("touch {} {}", at.rfc3339(), path.lossy()),
        Change::Folder { path, uid, gid, mode } => format!("mkdir {mode:o} {uid}:{gid} {}", path.lossy()),
        Change::Rename { from, to } => format!("mv {} {}", from.lossy(), to.lossy()),
        Change::Link { from, to } => format!("ln {} {}", from.lossy(), to.lossy()),
        Change::Wake { path } => format!("wake {}", path.lossy()),
    }
}

/// Everything that can be read in what was opened, as a scan reads it.
pub fn records(opened: &Opened) -> Vec<Record> {
    let mut records = Vec::new();
    for top in &opened.tops {
        walk(opened, top, opened.depth, &mut records);
    }
    records
}

fn walk(opened: &Opened, folder: &Path, depth: usize, records: &mut Vec<Record>) {
    let mut entries: Vec<_> = opened.root.list(folder).unwrap().map(Result::unwrap).collect();
    entries.sort_by(|one, other| one.0.cmp(&other.0));
    for (name, kind) in entries {
        let path = if folder == Path::new(".") { name } else { folder.join(name) };
        if kind == EntryKind::Directory {
            if depth > 0 {
                walk(opened, &path, depth - 1, records);
            }
            continue;
        }
        (opened.read)(Unit { root: &opened.root, path: &path, kind, lean: false }, &mut |record| {
            records.push(record);
            ControlFlow::Continue(())
        });
    }
}
