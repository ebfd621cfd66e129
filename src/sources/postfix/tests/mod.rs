//! Real spools of Postfix 3.7.11, opened through the door that a scan uses. `fixtures/postfix/*/case.toml` says how each
//! was made.

use super::Postfix;
use crate::evidence::{Record, Sign, Time};
use crate::read::disk::EntryKind;
use crate::sources::samples::{
    Random, Sample, about, fixture_path, lay_out, names, names_on_a_copy, set_mode, sign, with_manifest,
};
use crate::sources::{Detected, Opened, Options, Source as _, Unit};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use tempfile::TempDir;

mod configuration;
mod fixtures;
mod hostile;
mod plan;
mod synthetic;

/// Where the spools lie, but for those of second instances.
const SPOOL: &str = "var/spool/postfix";

/// A fixture, at its place of that time.
fn fixture(name: &str) -> Sample {
    let about = about(&Postfix, name);
    Sample::fixture_at(&Postfix, name, about["root"].as_str().unwrap().trim_start_matches('/'))
}

/// A spool of these files, ready to be sent.
fn of(files: &[(&str, &[u8])]) -> Sample {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join(SPOOL);
    lay_out(&root, &super::layout::QUEUES, files);
    for (path, _) in files {
        set_mode(&root.join(path), 0o700);
    }
    open(folder, &Options::default())
}

fn open(folder: TempDir, options: &Options) -> Sample {
    Sample::open_at(&Postfix, folder, SPOOL, options)
}

/// A healthy queue file with three recipients.
fn healthy() -> Vec<u8> {
    let folder = fixture_path(&Postfix, "deferred/tree/deferred");
    let mut files = Vec::new();
    for letter in std::fs::read_dir(folder).unwrap() {
        files.extend(std::fs::read_dir(letter.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    files.sort();
    let all = files.into_iter().map(|file| std::fs::read(file).unwrap());
    all.into_iter().find(|bytes| memchr::memmem::find(bytes, b"Subject: multi").is_some()).unwrap()
}
