//! Real queues of notqmail 1.09, opened through the door that a scan uses. `fixtures/qmail/*/case.toml` says how each was
//! made.

use super::Qmail;
use crate::evidence::{Message, Sign, Time};
use crate::read::disk::EntryKind;
use crate::sources::samples::{Random, Sample, lay_out, names_on_a_copy, sign};
use crate::sources::{Options, Source as _};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

mod fixtures;
mod hostile;
mod plan;
mod synthetic;

/// Where the queues lie.
const QUEUE: &str = "queue";

/// A fixture.
fn fixture(name: &str) -> Sample {
    Sample::fixture_at(&Qmail, name, QUEUE)
}

/// A queue that is split in three, with these files.
fn of(files: &[(&str, &[u8])]) -> Sample {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join(QUEUE);
    for part in 0..3 {
        for split in super::split::SPLIT {
            lay_out(&root, &[&format!("{split}/{part}")], &[]);
        }
    }
    lay_out(&root, &["pid", "intd", "todo", "bounce"], files);
    again(folder)
}

/// The same queue, read anew.
fn again(folder: TempDir) -> Sample {
    open(folder, &Options { now: Time::now().plus(60), ..Options::default() })
}

fn open(folder: TempDir, options: &Options) -> Sample {
    Sample::open_at(&Qmail, folder, QUEUE, options)
}
