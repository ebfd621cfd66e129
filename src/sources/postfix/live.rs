//! The running Postfix whose spool this is, and how to ask it for its listing.

use super::main_cf;
use super::settings::{Settings, is_same};
use crate::evidence::{Live, Time};
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

/// The file that the master keeps locked while it runs, and into which it writes its number when it starts
/// (`master/master.c`, `master_main`: `open_lock`; `postfix status` asks for the same lock).
const LOCK: &str = "pid/master.pid";

/// The master process, which has its spool as working directory (`master/master.c`). Users other than root may not look
/// at that, but everybody may see who holds the lock.
pub fn master(root: &Root) -> Option<Live> {
    process::working_in(root.identity().ok()?, "master").or_else(|| {
        // A manifest gives the copy of the lock file the inode of the original, which may be locked on this very host.
        if root.has_manifest() {
            return None;
        }
        let (_, lock) = root.stat(Path::new(LOCK)).ok()?;
        process::locking((lock.device, lock.inode), "master", lock.modified)
    })
}

/// Whether the listing may be asked for: always of a running Postfix; of one that is down at home, `postqueue` reads the
/// spool itself, but only for root (`postqueue/postqueue.c`, `show_queue`). Of a copy there is nobody to ask.
pub fn may_be_asked(live: Option<Live>, at_home: bool, is_root: bool) -> bool {
    live.is_some() || at_home && is_root
}

/// The commands of the Postfix of this machine whose spool this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    /// The folder of `postqueue` and `postsuper`.
    pub folder: PathBuf,
    /// The configuration folder that they are told of.
    pub config: Option<String>,
    /// Its `sendmail` command, if there is one.
    pub sendmail: Option<PathBuf>,
}

impl Tools {
    /// Arguments that name the instance, with these behind them.
    pub fn arguments(&self, flag: &str, more: &[&str]) -> Vec<String> {
        let instance = self.config.iter().flat_map(|config| [flag.to_owned(), config.clone()]);
        instance.chain(more.iter().map(|more| (*more).to_owned())).collect()
    }

    /// A command in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The commands, if the live instance can be named to them. A spool of a container has its `main.cf` too, but that one
/// names a path which on this machine is another spool, so that the path must be the same.
pub fn tools(settings: &Settings, spool: &Path) -> Option<Tools> {
    let program = PROGRAMS.iter().map(PathBuf::from).find(|program| program.exists())?;
    let config = settings.config.as_ref();
    let queue_directory = match config {
        Some(config) => config.queue_directory(),
        None => main_cf::default("queue_directory").map(PathBuf::from),
    };
    if !is_same(&queue_directory?, spool) {
        return None;
    }
    let folder = program.parent()?.to_owned();
    let stated = config.and_then(|config| config.main_cf.value("sendmail_path")).map(PathBuf::from);
    // Where several mail systems are installed, `sendmail` may be a link to the command of another one; Red Hat calls that of
    // Postfix `sendmail.postfix` then.
    let candidates = stated.into_iter().chain(["sendmail.postfix", "sendmail"].map(|name| folder.join(name)));
    let own = |path: &PathBuf| {
        let name = std::fs::canonicalize(path).ok().and_then(|path| Some(path.file_name()?.to_owned()));
        path.is_absolute() && name.is_some_and(|name| name == "sendmail" || name == "sendmail.postfix")
    };
    let sendmail = candidates.into_iter().find(own);
    let config = match config {
        Some(config) => Some(config.folder.to_str()?.to_owned()),
        None => None,
    };
    Some(Tools { folder, config, sendmail })
}

/// The listing tool.
pub fn listing(tools: &Tools) -> LiveListing {
    let arguments = tools.arguments("-c", &["-j"]);
    LiveListing { program: tools.path("postqueue"), arguments, format: super::listing::JSON, risk: None }
}

/// The newest time that the kernel stamped on a folder of the spool: a file came, went or was renamed then. The times of
/// files do not count, since Postfix sets them to the next attempt.
pub fn last_activity(root: &Root, now: Time) -> Option<Time> {
    let letters = || "0123456789ABCDEF".chars();
    let hashed = ["deferred", "defer"]
        .into_iter()
        .flat_map(|queue| letters().map(move |letter| Path::new(queue).join(letter.to_string())));
    let folders = BUSY_FOLDERS.into_iter().map(PathBuf::from).chain(hashed);
    root.newest_change(folders, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::manifest::Manifest;

    #[test]
    fn a_postfix_that_is_down_is_asked_by_root_only_and_a_copy_by_nobody() {
        let live = Some(Live { pid: 1, since: Time::from_unix(0) });
        assert!(may_be_asked(live, false, false));
        assert!(may_be_asked(None, true, true));
        assert!(!may_be_asked(None, true, false), "postqueue would fail: the mail system is down");
        assert!(!may_be_asked(None, false, true));
    }

    /// Its working directory is not the spool, as where it may not be seen.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_master_is_known_by_its_lock_where_its_working_directory_is_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pid")).unwrap();
        let lock = folder.path().join(LOCK);
        std::fs::write(&lock, "").unwrap();
        let root = Root::open(folder.path()).unwrap();
        assert_eq!(master(&root), None, "a lock file alone is what a copy has too");

        let program = folder.path().join("master");
        std::fs::copy("/bin/sleep", &program).unwrap();
        let mut holder = std::process::Command::new("flock")
            .arg("--no-fork")
            .args([&lock, &program])
            .arg("30")
            .current_dir("/")
            .spawn()
            .unwrap();
        let waited = std::time::Instant::now();
        let mut seen = None;
        while seen.is_none() && waited.elapsed().as_secs() < 20 {
            seen = master(&root);
        }
        let copy = tempfile::tempdir().unwrap();
        std::fs::create_dir(copy.path().join("pid")).unwrap();
        std::fs::write(copy.path().join(LOCK), "").unwrap();
        let inode = root.stat(Path::new(LOCK)).unwrap().1.inode;
        let manifest = copy.path().join("manifest.tsv");
        std::fs::write(&manifest, format!("{inode}\t0600\t0:0\t1\t1\t1795481209.0\tf\t{LOCK}\n")).unwrap();
        let manifest = Some(std::sync::Arc::new(Manifest::read(&manifest).unwrap()));
        let seen_of_copy = master(&Root::open(copy.path()).unwrap().with_manifest(manifest));
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert_eq!(seen_of_copy, None, "the lock is that of the original");
        assert_eq!(seen.map(|live| live.pid), Some(holder.id()));
        assert!(Time::now().since(seen.unwrap().since).abs() < 60);
    }
}
