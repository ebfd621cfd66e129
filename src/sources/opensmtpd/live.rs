//! The running smtpd whose spool this is, and how to ask it for its listing.

use super::place::{FOLDERS, SPOOL};
use crate::evidence::{Epoch, EpochOrigin, Fact, Live, Locus, Time};
use crate::read::disk::Root;
use crate::read::process;
use crate::sources::LiveListing;
use std::path::{Path, PathBuf};

/// Where smtpctl is installed.
const PROGRAMS: [&str; 3] = ["/usr/sbin/smtpctl", "/usr/local/sbin/smtpctl", "/usr/bin/smtpctl"];

/// The queue process, which has the spool as its root and its working folder (`queue.c`, `queue`: `chroot(PATH_SPOOL)`,
/// `chdir("/")`); of the processes of smtpd it is the only one. Observed on 6.8.0p2.
pub fn queue_process(root: &Root) -> Option<Live> {
    process::working_in(root.identity().ok()?, "smtpd")
}

/// The life of smtpd that this process began. It is the process that reads the queue, within some milliseconds of its
/// start.
pub fn epoch(live: &Live) -> Epoch {
    let text = format!("smtpd, queue process {}, runs since {}", live.pid, live.since.rfc3339());
    Epoch {
        stamp: None,
        since: Some(live.since),
        origin: EpochOrigin::Process,
        fact: Fact::new(text, Locus::whole(format!("/proc/{}", live.pid))),
    }
}

/// The listing tool. It asks the smtpd of this very system, whose spool is compiled in: a spool of a container, which looks
/// the same from outside, is not the one that it speaks of.
pub fn listing(root: &Root) -> Option<LiveListing> {
    let program = PROGRAMS.iter().map(PathBuf::from).find(|program| program.exists())?;
    let own = Root::open(Path::new(SPOOL)).ok()?.identity().ok()?;
    (own == root.identity().ok()?).then(|| LiveListing {
        program,
        arguments: ["show", "queue"].map(str::to_owned).to_vec(),
        format: super::listing::SHOW_QUEUE,
        risk: None,
    })
}

/// The newest time that the kernel stamped on a folder of the spool. Every change of an envelope passes through `incoming`.
pub fn last_activity(root: &Root, now: Time) -> Option<Time> {
    let modified = |path: &Path| root.stat(path).ok().map(|(_, stat)| stat.modified);
    let buckets = (0..=u8::MAX).map(|bucket| Path::new("queue").join(format!("{bucket:02x}")));
    let folders = FOLDERS.into_iter().map(PathBuf::from).chain(buckets);
    folders.filter_map(|folder| modified(&folder)).filter(|time| *time <= now).max()
}
