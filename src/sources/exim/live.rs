//! The running Exim whose spool this is, and how to ask it for its listing.

use super::settings;
use crate::evidence::{Live, Time};
use crate::read::disk::Root;
use crate::read::process;
use crate::sources::LiveListing;
use std::path::{Path, PathBuf};

/// Names of Exim's program, and where distributions put it.
const PROGRAMS: [(&str, &[&str]); 2] = [
    ("exim4", &["/usr/sbin/exim4"]),
    ("exim", &["/usr/sbin/exim", "/usr/local/sbin/exim", "/usr/exim/bin/exim"]),
];
/// Spools that Exim uses unless it is told otherwise, with the program, and the configuration that goes with them.
const DEFAULTS: [(&str, &str, &str); 4] = [
    ("/var/spool/exim4", "/usr/sbin/exim4", "/etc/exim4"),
    ("/var/spool/exim", "/usr/sbin/exim", "/etc/exim"),
    ("/var/spool/exim", "/usr/sbin/exim", "/etc/exim.conf"),
    ("/var/spool/exim", "/usr/local/sbin/exim", "/usr/local/etc/exim"),
];

/// The oldest process of Exim that has this spool as its working directory: the daemon, if it runs. Exim changes to its spool
/// before it does anything (`exim.c`, `Uchdir(spool_directory)`); observed on 4.96.
pub fn daemon(root: &Root) -> Option<Live> {
    let folder = root.identity().ok()?;
    let found = PROGRAMS.iter().filter_map(|(name, _)| process::working_in(folder, name));
    found.min_by_key(|live| live.since)
}

/// The program of the Exim whose spool this is. That is known if a process of Exim works in it, sees the same file
/// system as ghostq (in a container the same path is another spool), and was not given a configuration of its own
/// (`-C`, `-D`). Where none runs, the spool of the distribution is taken for the one of its Exim.
pub fn program(spool: &Path, live: Option<&Live>) -> Option<PathBuf> {
    match live {
        Some(live) => program_of(live),
        None => default_program(spool),
    }
}

/// The listing tool. `exim -bp` only reads; when the spool is not split it also removes empty folders of one letter, as
/// every queue run does (`queue.c`, `queue_get_spool_list`).
pub fn listing(program: PathBuf) -> LiveListing {
    LiveListing { program, arguments: vec!["-bp".to_owned()], format: super::listing::BP, risk: None }
}

fn program_of(live: &Live) -> Option<PathBuf> {
    if process::shares_root(live.pid) != Some(true) {
        return None;
    }
    let arguments = process::arguments(live.pid)?;
    if arguments.iter().skip(1).any(|argument| argument.starts_with(b"-C") || argument.starts_with(b"-D")) {
        return None;
    }
    let called = arguments.first()?.rsplit(|byte| *byte == b'/').next()?;
    let (_, paths) = PROGRAMS.iter().find(|(name, _)| name.as_bytes() == called)?;
    paths.iter().map(PathBuf::from).find(|path| path.exists())
}

fn default_program(spool: &Path) -> Option<PathBuf> {
    let spool = spool.canonicalize().ok()?;
    if settings::tree_of(&spool).as_deref() != Some(Path::new("/")) {
        return None;
    }
    let found = DEFAULTS.iter().find(|(folder, program, config)| {
        spool == Path::new(folder) && Path::new(program).exists() && Path::new(config).exists()
    });
    found.map(|(_, program, _)| PathBuf::from(program))
}

/// The newest time that the kernel stamped on a folder of the spool: a file came, went or was renamed then.
pub fn last_activity(root: &Root, tops: &[PathBuf], now: Time) -> Option<Time> {
    let letters = || ('0'..='9').chain('A'..='Z').chain('a'..='z').map(String::from);
    let split = tops.iter().flat_map(|top| letters().map(move |letter| top.join(letter)));
    let folders = tops.iter().cloned().chain(std::iter::once(PathBuf::from("db"))).chain(split);
    root.newest_change(folders, now)
}
