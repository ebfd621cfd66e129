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

/// How mail is handed in, if it is to this spool. `nullmailer-inject` itself, and not its `sendmail`: that hands the recipients
/// on without the `--` before them, so that one beginning with `-` would be an option (`src/sendmail.cc`, `cli_main`). `-e`
/// takes the recipients from the command line only. An empty `-f` is the null sender (`src/inject.cc`, `parse_args`). Both observed on 2.2.
pub fn submission(spool: &Path, owner: Option<u32>) -> Option<Submission> {
    let listing = listing(spool, owner)?;
    let program = listing.program.with_file_name("nullmailer-inject");
    program.exists().then(|| Submission {
        program: program.display().to_string(),
        arguments: vec!["-e".to_owned()],
        null_sender: String::new(),
        dsn: false,
    })
}

/// The newest time that the kernel stamped on a folder of the spool.
pub fn last_activity(root: &Root, now: Time) -> Option<Time> {
    root.newest_change(FOLDERS.map(PathBuf::from), now)
}
