//! Real spools of Exim 4.96, opened through the door that a scan uses. `fixtures/exim/*/case.toml` says how each was made.

use super::Exim;
use crate::evidence::{Confidence, Message, RecipientState, Record, Text, Time, TimeKind};
use crate::sources::samples::{
    Random, Sample, detect, facts, file, fixture_options, lay_out, lay_out_fixture, names, records,
};
use crate::sources::{Options, Source as _};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

mod fixtures;
mod hostile;
mod plan;
mod synthetic;

/// Where the spools lie.
const SPOOL: &str = "var/spool/exim4";

/// A fixture.
fn fixture(name: &str) -> Sample {
    fixture_with(name, false)
}

fn fixture_with(name: &str, deep: bool) -> Sample {
    let folder = TempDir::new().unwrap();
    lay_out_fixture(&Exim, name, &folder.path().join(SPOOL));
    open(folder, &Options { deep, ..fixture_options(&Exim, name) })
}

/// A spool of these files.
fn of(files: &[(&str, &[u8])]) -> Sample {
    with_options(files, &Options { now: Time::now(), ..Options::default() })
}

fn with_options(files: &[(&str, &[u8])], options: &Options) -> Sample {
    let folder = TempDir::new().unwrap();
    lay_out(&folder.path().join(SPOOL), &["input", "msglog", "db"], files);
    open(folder, options)
}

/// As Exim's spools are opened: what they are recognised by says how.
fn open(folder: TempDir, options: &Options) -> Sample {
    let detected = detect(&Exim, &folder.path().join(SPOOL), false).unwrap();
    let opened = Exim.open(&detected, options).unwrap();
    Sample::read(folder, opened)
}

fn state(message: &Message, address: &str) -> RecipientState {
    let recipients = &message.envelope.recipients;
    recipients.iter().find(|recipient| recipient.address == Text::from(address)).unwrap().state
}
