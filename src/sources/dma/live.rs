//! A dma at work in this spool, and how to ask for the listing.

use super::place::{DEFAULT, Name, judge};
use crate::evidence::{Live, Text, Time};
use crate::read::disk::Root;
use crate::read::process::{self, Files};
use crate::sources::LiveListing;
use std::path::{Path, PathBuf};

/// Where dma is installed.
const PROGRAMS: [&str; 3] = ["/usr/sbin/dma", "/usr/libexec/dma", "/usr/local/libexec/dma"];
/// The names under which it runs: its own, and those of the links to it.
const NAMES: [&str; 2] = ["dma", "sendmail"];
/// Q files that are looked for in open files of processes.
const MAX_FILES: usize = 10_000;

/// The longest running process that works at a message of this spool: while it tries, and while it waits to try again, it
/// holds the Q file open and locked (`spool.c`, `acquirespool`).
pub fn worker(root: &Root) -> Option<Live> {
    let names = root.list(Path::new(".")).ok()?.filter_map(Result::ok);
    let queued = |name: &Path| matches!(judge(Text::from_path(name).bytes()), Name::Envelope(_));
    let files: Files = names
        .filter(|(name, _)| queued(name))
        .take(MAX_FILES)
        .filter_map(|(name, _)| root.stat(&name).ok())
        .map(|(_, stat)| (stat.device, stat.inode))
        .collect();
    process::holding(&files, &NAMES)
}

/// The listing, if it is the one of this spool: dma lists what `SPOOLDIR` names, by default this place.
pub fn listing(spool: &Path) -> Option<LiveListing> {
    let resolved = |path: &Path| std::fs::canonicalize(path).ok();
    if resolved(spool)? != resolved(Path::new(DEFAULT))? {
        return None;
    }
    let program = PROGRAMS.iter().map(PathBuf::from).find(|program| program.exists())?;
    Some(LiveListing {
        program,
        arguments: vec!["-bp".to_owned()],
        format: super::listing::MAILQ,
        risk: None,
    })
}

/// The newest time that the kernel stamped on the spool folder.
pub fn last_activity(root: &Root, now: Time) -> Option<Time> {
    root.newest_change([PathBuf::from(".")], now)
}
