//! Real spools of sendmail 8.17.1, opened through the door that a scan uses. `fixtures/sendmail/*/case.toml` says how each
//! was made.

use super::Sendmail;
use crate::evidence::{Sign, Time};
use crate::sources::Options;
use crate::sources::samples::{
    Random, Sample, copy, detect, file, fixture_options, fixture_path, lay_out, names, set_mode, sign,
};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;

mod configuration;
mod fixtures;
mod hostile;
mod plan;
mod synthetic;

/// Where the made-up spools lie.
const SPOOL: &str = "var/spool/mqueue";

/// A fixture; `spool` is its place below the tree.
fn fixture(name: &str, spool: &str) -> Sample {
    let folder = TempDir::new().unwrap();
    copy(&fixture_path(&Sendmail, name).join("tree"), folder.path());
    Sample::open_at(&Sendmail, folder, spool, &fixture_options(&Sendmail, name))
}

/// A spool of these files below `var/spool/mqueue`, or wherever their paths lead if they begin with `/`.
fn of(files: &[(&str, &[u8])]) -> Sample {
    let folder = TempDir::new().unwrap();
    lay_out(folder.path(), &[SPOOL], &[]);
    for (path, bytes) in files {
        let path = match path.strip_prefix('/') {
            Some(absolute) => absolute.to_owned(),
            None => format!("{SPOOL}/{path}"),
        };
        lay_out(folder.path(), &[], &[(&path, bytes)]);
        set_mode(&folder.path().join(path), 0o600);
    }
    open(folder, &Options { now: Time::now(), ..Options::default() })
}

fn open(folder: TempDir, options: &Options) -> Sample {
    Sample::open_at(&Sendmail, folder, SPOOL, options)
}

/// The ID of a healthy message with three recipients.
const ID: &str = "6AO0BPC1001602";

/// Its control file.
fn healthy() -> Vec<u8> {
    file(&Sendmail, &format!("deferred/tree/qf{ID}"))
}

/// A line of it replaced.
fn with(from: &str, to: &str) -> Vec<u8> {
    let bytes = healthy();
    let at = memchr::memmem::find(&bytes, from.as_bytes()).unwrap();
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}
