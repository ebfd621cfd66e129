//! The running qmail-send whose queue this is, and how to ask qmail for its listing.

use super::split::SPLIT;
use crate::evidence::{Fact, Live, Locus, Time};
use crate::plan::Submission;
use crate::read::disk::{EntryKind, Root};
use crate::read::process;
use crate::sources::LiveListing;
use std::path::{Path, PathBuf};

/// Where `qmail-qread` is installed when it is not in the `bin` of its home.
const ELSEWHERE: [&str; 4] = ["/var/qmail/bin", "/usr/sbin", "/usr/bin", "/usr/local/bin"];
/// The program is less than 100 KiB.
const MAX_PROGRAM_BYTES: usize = 4 << 20;
/// Folders of which the times are looked at.
const MAX_FOLDERS: u64 = 1_024;

/// qmail-send, which works in its queue (`qmail-send.c`, `main`: `chdir("queue")`).
pub fn sender(root: &Root) -> Option<Live> {
    process::working_in(root.identity().ok()?, "qmail-send")
}

/// The listing tool, if it lists this very queue. It takes no arguments: its home is compiled in (`auto_qmail`), so that
/// the home must stand in the program itself. The one of a container lies in the container's tree, but names a path that
/// is another queue on this machine.
pub fn listing(queue: &Path) -> Option<LiveListing> {
    let resolved = std::fs::canonicalize(queue).ok()?;
    let beside = resolved.parent().map(|home| home.join("bin"));
    let folders = beside.into_iter().chain(ELSEWHERE.iter().map(PathBuf::from));
    let program =
        folders.map(|folder| folder.join("qmail-qread")).find(|program| lists(program, &resolved))?;
    Some(LiveListing { program, arguments: Vec::new(), format: super::listing::QREAD, risk: None })
}

/// How mail is handed in, if it is to this very queue: by the `sendmail` beside the listing tool, which sees to it that no
/// recipient is read as an option (`sendmail.c`: `qmail-inject -a -f SENDER --`). An empty sender is the null sender
/// (qmail-inject(8), `-f`).
pub fn submission(queue: &Path) -> Option<Submission> {
    let program = listing(queue)?.program.with_file_name("sendmail");
    let resolved = std::fs::canonicalize(&program).ok()?;
    // In a folder of programs of all kinds `sendmail` may be that of any mail system.
    let own = resolved.parent()?.join("qmail-inject").exists();
    own.then(|| Submission {
        program: program.display().to_string(),
        arguments: Vec::new(),
        null_sender: Some(String::new()),
        envelope_on_top: false,
        dsn: false,
    })
}

fn lists(program: &Path, queue: &Path) -> bool {
    let read = || {
        let program = std::fs::canonicalize(program).ok()?;
        let folder = Root::open(program.parent()?).ok()?;
        folder.open_file(Path::new(program.file_name()?)).ok()?.head(MAX_PROGRAM_BYTES).ok()
    };
    let Some(bytes) = read() else { return false };
    homes(&bytes)
        .any(|home| std::fs::canonicalize(Path::new(home).join("queue")).is_ok_and(|path| path == queue))
}

/// Absolute paths in a program, each ended by a NUL.
fn homes(bytes: &[u8]) -> impl Iterator<Item = &str> {
    const LONGEST: usize = 1_024;
    bytes
        .split(|byte| *byte == 0)
        .filter(|text| text.first() == Some(&b'/') && text.len() <= LONGEST)
        .filter_map(|text| std::str::from_utf8(text).ok())
}

/// The newest time that the kernel stamped on a folder of the queue: a file came or went then.
pub fn last_activity(root: &Root, folders: u64, now: Time) -> Option<Time> {
    let flat = [".", "todo", "intd", "pid", "bounce"].into_iter().map(PathBuf::from);
    let numbered = SPLIT.into_iter().flat_map(|folder| {
        (0..folders.min(MAX_FOLDERS)).map(move |part| Path::new(folder).join(part.to_string()))
    });
    root.newest_change(flat.chain(numbered), now)
}

/// What is wrong with the trigger by which qmail-queue wakes qmail-send; it is looked at, never opened.
pub fn trigger(root: &Root) -> Option<Fact> {
    const WRITE_BY_OTHERS: u32 = 0o002;
    root.stat(Path::new("lock")).ok()?;
    let path = Path::new("lock/trigger");
    let fault = match root.stat(path) {
        Ok((EntryKind::Special, stat)) if stat.mode & WRITE_BY_OTHERS != 0 || stat.mode == 0 => return None,
        Ok((EntryKind::Special, stat)) => {
            format!("has mode {:04o}, so that qmail-queue may not write to it", stat.mode)
        }
        Ok((kind, _)) => format!("is {}, not a FIFO", kind.describe()),
        Err(_) => "is missing".to_owned(),
    };
    let text = format!("`lock/trigger` {fault}: qmail-send sees new mail only every 25 minutes");
    Some(Fact::new(text, Locus::metadata("lock/trigger")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_counts_only_if_its_home_is_that_of_this_queue() {
        let home = tempfile::tempdir().unwrap();
        let home = std::fs::canonicalize(home.path()).unwrap();
        let queue = home.join("queue");
        std::fs::create_dir_all(&queue).unwrap();
        std::fs::create_dir_all(home.join("bin")).unwrap();
        let program = home.join("bin/qmail-qread");
        let compiled =
            |path: &str| [b"\x7fELF\0\0queue\0".as_slice(), path.as_bytes(), b"\0mess/\0"].concat();
        std::fs::write(&program, compiled("/var/qmail-of-a-container")).unwrap();
        assert!(listing(&queue).is_none());
        std::fs::write(&program, compiled(home.to_str().unwrap())).unwrap();
        assert_eq!(listing(&queue).unwrap().program, program);
    }
}
