//! The running Postfix whose spool this is, and how to ask it for its listing.

use super::main_cf;
use super::settings::Settings;
use crate::evidence::{Epoch, EpochOrigin, Fact, Live, Locus, Time};
use crate::read::disk::Root;
use crate::read::process;
use crate::sources::LiveListing;
use std::path::{Path, PathBuf};

/// Where `postqueue` is installed (`command_directory`).
const PROGRAMS: [&str; 3] = ["/usr/sbin/postqueue", "/usr/bin/postqueue", "/usr/local/sbin/postqueue"];
/// Folders whose times the kernel sets when Postfix makes, moves or removes something in them.
const BUSY_FOLDERS: [&str; 11] = [
    "incoming", "active", "deferred", "maildrop", "hold", "corrupt", "defer", "bounce", "public", "private",
    "pid",
];

/// The master process, which has its spool as working directory (`master/master.c`).
pub fn master(root: &Root) -> Option<Live> {
    process::working_in(root.identity().ok()?, "master")
}

/// The life of the mail system that this process began.
pub fn epoch(live: &Live) -> Epoch {
    let text = format!("master, process {}, runs since {}", live.pid, live.since.rfc3339());
    Epoch {
        stamp: None,
        since: Some(live.since),
        origin: EpochOrigin::Process,
        witnesses: 1,
        fact: Fact::new(text, Locus::whole(format!("/proc/{}", live.pid))),
    }
}

/// The listing tool, if the live instance can be named to it. A spool of a container has its `main.cf` too, but that one
/// names a path which on this machine is another spool, so that the path must be the same.
pub fn listing(settings: &Settings, spool: &Path) -> Option<LiveListing> {
    let program = PROGRAMS.iter().map(PathBuf::from).find(|program| program.exists())?;
    let resolved = |path: &Path| std::fs::canonicalize(path).ok();
    let config = settings.config.as_ref();
    let queue_directory = match config {
        Some(config) => config.queue_directory(),
        None => main_cf::default("queue_directory").map(PathBuf::from),
    };
    if resolved(&queue_directory?)? != resolved(spool)? {
        return None;
    }
    let mut arguments = match config {
        Some(config) => vec!["-c".to_owned(), config.folder.to_str()?.to_owned()],
        None => Vec::new(),
    };
    arguments.push("-j".to_owned());
    Some(LiveListing { program, arguments, format: super::listing::JSON, risk: None })
}

/// The newest time that the kernel stamped on a folder of the spool: a file came, went or was renamed then. The times of
/// files do not count, since Postfix sets them to the next attempt.
pub fn last_activity(root: &Root, now: Time) -> Option<Time> {
    let modified = |path: &Path| root.stat(path).ok().map(|(_, stat)| stat.modified);
    let letters = || "0123456789ABCDEF".chars();
    let hashed = ["deferred", "defer"]
        .into_iter()
        .flat_map(|queue| letters().map(move |letter| Path::new(queue).join(letter.to_string())));
    let folders = BUSY_FOLDERS.into_iter().map(PathBuf::from).chain(hashed);
    folders.filter_map(|folder| modified(&folder)).filter(|time| *time <= now).max()
}
