//! The running sendmail whose spool this is, and how to ask it for its listing.

use super::settings::{Settings, configs_below};
use crate::evidence::{Live, Time};
use crate::read::disk::Root;
use crate::read::process;
use crate::sources::LiveListing;
use std::path::{Path, PathBuf};

/// Where sendmail is installed.
const PROGRAMS: [&str; 3] = ["/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/local/sbin/sendmail"];
/// What the process is called: by its plain name, and by those of Debian and of the submission program's runner.
const PROCESSES: [&str; 4] = ["sendmail", "sendmail-mta", "sendmail-msp", "sm-mta"];
/// What may come of asking it.
const RISK: &str = "as root it can rename a queue file that it finds unsafe (`loseqfile`)";

/// The process that works in this spool: sendmail changes to its queue folder at start (`sendmail/main.c`).
pub fn owner(root: &Root, settings: &Settings) -> Option<Live> {
    let working = |root: &Root| {
        let folder = root.identity().ok()?;
        PROCESSES.iter().filter_map(|name| process::working_in(folder, name)).min_by_key(|live| live.since)
    };
    working(root).or_else(|| {
        // Nobody need run in the queue of the submission program: it is served from time to time, while the daemon runs
        // in the queue beside it.
        let tree = settings.tree.as_ref().filter(|_| settings.client)?;
        let configs = configs_below(tree);
        let server = configs.iter().find(|config| !config.client)?.base()?;
        let server = tree.join(server.strip_prefix("/").ok()?);
        working(&Root::open(&server).ok()?)
    })
}

/// The sendmail of this machine, if its configuration names this spool.
pub fn program(settings: &Settings) -> Option<PathBuf> {
    if !settings.names_this_spool || settings.tree.as_deref() != Some(Path::new("/")) {
        return None;
    }
    PROGRAMS.iter().map(PathBuf::from).find(|program| program.exists())
}

/// The listing, if the configuration of this machine names this spool.
pub fn listing(settings: &Settings) -> Option<LiveListing> {
    let program = program(settings)?;
    let arguments: &[&str] = if settings.client { &["-bp", "-Ac"] } else { &["-bp"] };
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    Some(LiveListing { program, arguments, format: super::listing::NAME, risk: Some(RISK) })
}

/// The newest time that the kernel stamped on a queue folder: a file came, went or was renamed then.
pub fn last_activity(root: &Root, folders: &[PathBuf], now: Time) -> Option<Time> {
    let folders = folders.iter().flat_map(|folder| [folder.clone(), folder.join("qf"), folder.join("df")]);
    root.newest_change(folders, now)
}
