//! The running courierd whose queue this is, and how to ask for the listing.

use super::place::{FOLDERS, USUAL};
use crate::evidence::{Live, Time};
use crate::read::disk::Root;
use crate::read::process::{self, Files};
use crate::sources::LiveListing;
use std::path::{Path, PathBuf};

/// Where the listing tool is installed: by packages, and by the source as it is.
const PROGRAMS: [&str; 3] = ["/usr/bin/mailq", "/usr/lib/courier/bin/mailq", "/usr/local/bin/mailq"];
/// Where `courier` is.
const COURIER: [&str; 3] = ["/usr/sbin/courier", "/usr/lib/courier/sbin/courier", "/usr/local/sbin/courier"];
/// Where `cancelmsg` is.
const CANCEL: [&str; 3] =
    ["/usr/bin/cancelmsg", "/usr/lib/courier/bin/cancelmsg", "/usr/local/bin/cancelmsg"];
/// Where its sendmail(1) is.
const SENDMAIL: [&str; 3] =
    ["/usr/sbin/sendmail", "/usr/lib/courier/bin/sendmail", "/usr/local/bin/sendmail"];
/// What courierd holds open as long as it runs.
const HELD: [&str; 2] = ["tmp/courierd.lock", "tmp/trigger"];
/// Folders of one kind that are looked at for the last activity.
const MAX_FOLDERS: usize = 1_000;

/// courierd, which holds its lock and its trigger open (`courierd.C`). Its working directory says nothing.
pub fn scheduler(root: &Root) -> Option<Live> {
    let files: Files = HELD
        .into_iter()
        .filter_map(|path| root.stat(Path::new(path)).ok())
        .map(|(_, stat)| (stat.device, stat.inode))
        .collect();
    process::holding(&files, &["courierd"])
}

/// The listing tool, if it is Courier's and reads this queue. Every mail system has a `mailq`; that of Courier takes on the
/// rights of the owner or the group of the queue. To anybody but root it shows only his own mail (`mailq.c`, `main`).
pub fn listing(root: &Root) -> Option<LiveListing> {
    let program = own(root, &PROGRAMS)?;
    process::is_root().then(|| LiveListing {
        program,
        arguments: vec!["-batch".to_owned()],
        format: super::listing::BATCH,
        risk: None,
    })
}

/// The first of these programs that takes on the rights of the owner or the group of the queue, where this is the queue
/// that Courier has on this system.
fn own(root: &Root, programs: &[&str]) -> Option<PathBuf> {
    let spool = std::fs::canonicalize(root.path()).ok()?;
    let usual = USUAL.into_iter().any(|path| std::fs::canonicalize(path).is_ok_and(|path| path == spool));
    let (_, owner) = root.stat(Path::new(".")).ok()?;
    let own = |program: &PathBuf| match process::set_ids(program) {
        (Some(user), _) if user != 0 => user == owner.uid,
        (_, Some(group)) => group == owner.gid,
        _ => false,
    };
    programs.iter().map(PathBuf::from).find(own).filter(|_| usual)
}

/// The programs by which Courier acts on a message, and takes one in.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    /// `courier`, which flushes. It has no rights of its own (`courier.c`): the listing tool has to be Courier's.
    pub courier: Option<PathBuf>,
    /// `cancelmsg`, which has those of the owner (`cancelmsg.c`).
    pub cancel: Option<PathBuf>,
    /// sendmail(1), which has those of the group (`sendmail.C`).
    pub sendmail: Option<PathBuf>,
}

impl Programs {
    /// Looks for them.
    pub fn of(root: &Root) -> Self {
        let courier = own(root, &PROGRAMS)
            .and_then(|_| COURIER.iter().map(PathBuf::from).find(|program| program.exists()))
            .filter(|_| process::is_root());
        Self { courier, cancel: own(root, &CANCEL), sendmail: own(root, &SENDMAIL) }
    }
}

/// The newest time that the kernel stamped on a folder of the queue.
pub fn last_activity(root: &Root, now: Time) -> Option<Time> {
    let below = |folder: &'static str| {
        let names = root.list(Path::new(folder)).into_iter().flatten().filter_map(Result::ok);
        names.take(MAX_FOLDERS).map(move |(name, _)| Path::new(folder).join(name))
    };
    let folders = FOLDERS.into_iter().flat_map(|folder| below(folder).chain([PathBuf::from(folder)]));
    root.newest_change(folders, now)
}
