//! The running nullmailer-send whose spool this is, and how to ask for the listing.

use super::place::{DEFAULT, FOLDERS};
use crate::evidence::{Live, Time};
use crate::plan::Submission;
use crate::read::disk::Root;
use crate::read::process;
use crate::sources::LiveListing;
use std::path::{Path, PathBuf};

/// The listing tool and the spool that is compiled into it.
const TOOLS: [(&str, &str); 2] =
    [("/usr/bin/mailq", DEFAULT), ("/usr/local/bin/mailq", "/usr/local/var/spool/nullmailer")];

/// The sender, which has `queue` as its working directory (`src/send.cc`, `main`).
pub fn sender(root: &Root) -> Option<Live> {
    let (_, queue) = root.stat(Path::new("queue")).ok()?;
    process::working_in((queue.device, queue.inode), "nullmailer-send")
}

/// The listing tool, if it is nullmailer's and reads this spool. Every mail system has a `mailq`; that of nullmailer takes on
/// the rights of the owner of `queue` (`src/Makefile.am`, `install-exec-hook`), which those of others do not.
pub fn listing(spool: &Path, owner: Option<u32>) -> Option<LiveListing> {
    let spool = std::fs::canonicalize(spool).ok()?;
    let owner = owner?;
    TOOLS.into_iter().find_map(|(program, place)| {
        let program = PathBuf::from(program);
        let own = process::set_ids(&program).0 == Some(owner)
            && std::fs::canonicalize(place).is_ok_and(|place| place == spool);
        own.then(|| LiveListing { program, arguments: Vec::new(), format: super::listing::MAILQ, risk: None })
    })
}

/// How mail is handed in, if it is to this spool: `nullmailer-queue`, which takes envelope and message as they are and adds a
/// `Received` field (`nullmailer-queue(8)`). Its `sendmail` and `nullmailer-inject` would rewrite address fields, drop `Bcc`, and
/// take a comma for the end of an address (`src/inject.cc`).
pub fn submission(spool: &Path, owner: Option<u32>) -> Option<Submission> {
    let listing = listing(spool, owner)?;
    let beside = listing.program.parent()?;
    let folders = [beside.to_owned(), beside.with_file_name("sbin"), beside.with_file_name("libexec")];
    let program =
        folders.into_iter().map(|folder| folder.join("nullmailer-queue")).find(|program| program.exists())?;
    Some(Submission {
        program: program.display().to_string(),
        arguments: Vec::new(),
        null_sender: Some(String::new()),
        dsn: false,
        envelope_on_top: true,
    })
}

/// The newest time that the kernel stamped on a folder of the spool.
pub fn last_activity(root: &Root, now: Time) -> Option<Time> {
    root.newest_change(FOLDERS.map(PathBuf::from), now)
}
