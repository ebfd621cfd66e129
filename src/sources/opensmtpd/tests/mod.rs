//! Real spools of OpenSMTPD 6.8.0p2, and spools made by hand, opened through the door that a scan uses.
//! `fixtures/opensmtpd/*/case.toml` says how each of the real ones was made.

use super::OpenSmtpd;
use crate::evidence::{Sign, Time};
use crate::read::disk::EntryKind;
use crate::sources::Options;
use crate::sources::samples::{Sample, facts, file, lay_out, names, with_manifest};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

mod coded;
mod fixtures;
mod hostile;
mod intake;
mod plan;
mod queue;

/// A message ID and an envelope of it.
const ID: &str = "3252b9b1";
const ENVELOPE: &str = "3252b9b1cdfe3647";

/// A fixture.
fn fixture(name: &str) -> Sample {
    Sample::fixture(&OpenSmtpd, name)
}

/// A spool of these files.
fn of(files: &[(&str, &[u8])]) -> Sample {
    Sample::open(&OpenSmtpd, spool(files), &Options::default())
}

/// A healthy envelope that smtpd wrote.
fn envelope() -> Vec<u8> {
    file(&OpenSmtpd, &format!("ghosts/tree/queue/32/{ID}/{ENVELOPE}"))
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
    lay_out(folder.path(), &["queue", "incoming", "temporary", "offline", "purge"], files);
    folder
}
