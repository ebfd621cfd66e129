//! The running smtpd whose spool this is, and how to ask it for its listing.

use super::place::{FOLDERS, SPOOL};
use crate::evidence::{Live, Time};
use crate::read::disk::Root;
use crate::read::process;
use crate::sources::LiveListing;
use std::path::{Path, PathBuf};

/// Where smtpctl is installed.
const PROGRAMS: [&str; 3] = ["/usr/sbin/smtpctl", "/usr/local/sbin/smtpctl", "/usr/bin/smtpctl"];

/// Where its sendmail(1) is.
const SENDMAIL: [&str; 3] = ["/usr/sbin/sendmail", "/usr/local/sbin/sendmail", "/usr/lib/sendmail"];

/// Why its listing proves nothing shortly after its start.
pub const LOADING: &str = "smtpd started so short a time ago that it may not have read all of its queue, and what it has not \
                           read it does not list";
/// smtpd reads its queue an envelope a tick of a timer (`queue.c`, `queue_timeout`): 260 a second on 6.8.0p2 under Linux, no
/// more than 100 a second where the clock of the kernel ticks that often. Twice that time is given for each message.
const MILLISECONDS_A_MESSAGE: u64 = 20;
/// The time that it is given whatever the size of its queue.
const SECONDS_TO_START: u64 = 30;
/// Messages that are counted to know how long it may take.
const MAX_COUNTED: u64 = 1_000_000;

/// The queue process, which has the spool as its root and its working folder (`queue.c`, `queue`: `chroot(PATH_SPOOL)`,
/// `chdir("/")`); of the processes of smtpd it is the only one. Observed on 6.8.0p2.
pub fn queue_process(root: &Root) -> Option<Live> {
    process::working_in(root.identity().ok()?, "smtpd")
}

/// The listing tool. It asks the smtpd of this very system, whose spool is compiled in: a spool of a container, which looks
/// the same from outside, is not the one that it speaks of.
pub fn listing(root: &Root, loading: bool) -> Option<LiveListing> {
    Some(LiveListing {
        program: program(root)?,
        arguments: ["show", "queue"].map(str::to_owned).to_vec(),
        format: super::listing::SHOW_QUEUE,
        risk: loading.then_some(LOADING),
    })
}

/// smtpctl, if this is the spool of the smtpd that it speaks to.
pub fn program(root: &Root) -> Option<PathBuf> {
    let program = PROGRAMS.iter().map(PathBuf::from).find(|program| program.exists())?;
    let own = Root::open(Path::new(SPOOL)).ok()?.identity().ok()?;
    (own == root.identity().ok()?).then_some(program)
}

/// The sendmail(1) that is smtpctl under another name (`smtpctl.c`, `sendmail_compat`), and not that of another mail system.
pub fn sendmail(smtpctl: &Path) -> Option<PathBuf> {
    let same = |program: &PathBuf| {
        let (one, other) = (std::fs::canonicalize(program).ok()?, std::fs::canonicalize(smtpctl).ok()?);
        (one == other).then_some(())
    };
    SENDMAIL.iter().map(PathBuf::from).find(|program| same(program).is_some())
}

/// Whether smtpd may not yet have come to the end of its queue: until then it does not list what it has not read.
pub fn may_be_loading(root: &Root, live: &Live, now: Time) -> bool {
    let runs = u64::try_from(now.since(live.since)).unwrap_or(0);
    let enough = |messages: u64| SECONDS_TO_START + messages * MILLISECONDS_A_MESSAGE / 1_000;
    // Counting is spared where the answer is known without.
    runs < enough(MAX_COUNTED) && (runs < enough(0) || runs < enough(count(root)))
}

fn count(root: &Root) -> u64 {
    let folders = |folder: &Path| -> Vec<PathBuf> {
        let entries = root.list(folder).into_iter().flatten().filter_map(Result::ok);
        entries.map(|(name, _)| name).take(usize::from(u16::MAX)).collect()
    };
    let queue = Path::new("queue");
    let mut count = 0;
    for bucket in folders(queue) {
        let entries = root.list(&queue.join(bucket)).into_iter().flatten();
        count += entries.take(usize::from(u16::MAX)).count() as u64;
        if count >= MAX_COUNTED {
            break;
        }
    }
    count
}

/// The newest time that the kernel stamped on a folder of the spool. Every change of an envelope passes through `incoming`.
pub fn last_activity(root: &Root, now: Time) -> Option<Time> {
    let buckets = (0..=u8::MAX).map(|bucket| Path::new("queue").join(format!("{bucket:02x}")));
    let folders = FOLDERS.into_iter().map(PathBuf::from).chain(buckets);
    root.newest_change(folders, now)
}
