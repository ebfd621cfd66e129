//! Races while messages of Postfix and Exim are acted upon: each is several files, in folders that are hashed or split.
//!
//! Nothing outside of the spool is read or touched, nothing is lost, and nothing is sent that is left to be sent.

use crate::acting::Desk;
use crate::hostile_races::{Meanwhile, SECRET, elsewhere, files_in, untouched};
use crate::support::{is_root, left_out};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Spools with the folders in which messages are, and whose files they are known by.
const SPOOLS: &[(&str, &[&str], &str)] = &[
    ("postfix/corrupt", &["deferred", "corrupt", "hold"], ""),
    ("exim/frozen-halves-named", &["input", "quarantine/input"], "-H"),
];

/// The message ID in a queue file or letter.
fn message_id(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let at = text.to_ascii_lowercase().find("message-id: <")?;
    text.get(at + 12..)?.split_inclusive('>').next().map(str::to_owned)
}

/// The files in which a folder has a message to be sent, by the ID of the message.
fn messages_in(spool: &Path, ending: &str) -> Vec<(String, PathBuf)> {
    let files = files_in(spool).into_iter().filter(|path| path.to_string_lossy().ends_with(ending));
    files.filter_map(|path| Some((message_id(&fs::read(&path).ok()?)?, path))).collect()
}

/// Whoever interferes with one file: `path`, a folder beside the spool on the same file system, what a link shall lead to, a number.
type Interferes = fn(&Path, &Path, &Path, u64);

/// A link in place of the file, symbolic or hard, and back: unless it was taken away meanwhile.
fn links(path: &Path, away: &Path, target: &Path, round: u64) {
    let aside = away.join(path.file_name().unwrap());
    if fs::rename(path, &aside).is_err() {
        return;
    }
    drop(if round.is_multiple_of(2) { symlink(target, path) } else { fs::hard_link(target, path) });
    std::thread::yield_now();
    let _ = fs::remove_file(path);
    drop(fs::hard_link(&aside, path).and_then(|()| fs::remove_file(&aside)));
}

/// Another name for a moment, the same bytes in a new inode, a second name.
fn renames(path: &Path, away: &Path, _: &Path, round: u64) {
    let aside = away.join(path.file_name().unwrap());
    match round % 3 {
        0 => {
            let other = path.with_extension("renamed");
            if fs::rename(path, &other).is_ok() {
                std::thread::yield_now();
                let _ = fs::rename(&other, path);
            }
        }
        1 => {
            if fs::copy(path, &aside).is_ok() {
                let _ = renameat_with(CWD, &aside, CWD, path, RenameFlags::EXCHANGE);
                let _ = fs::remove_file(&aside);
            }
        }
        _ => {
            if fs::hard_link(path, &aside).is_ok() {
                let _ = fs::remove_file(&aside);
            }
        }
    }
    std::thread::sleep(Duration::from_micros(300));
}

/// The folder of the file becomes a link that leads out, and back.
fn folders(path: &Path, away: &Path, target: &Path, _: u64) {
    let (folder, aside) = (path.parent().unwrap(), away.join("folder"));
    if fs::rename(folder, &aside).is_err() {
        return;
    }
    symlink(target.parent().unwrap(), folder).unwrap();
    std::thread::yield_now();
    fs::remove_file(folder).unwrap();
    fs::rename(&aside, folder).unwrap();
    std::thread::sleep(Duration::from_millis(2));
}

/// Acts again and again while somebody interferes, then in peace, and accounts for each message.
fn act_among(command: &str, interferes: Interferes) {
    if !is_root() {
        return left_out("only root can lay out a spool with its owners");
    }
    for (case, queues, ending) in SPOOLS {
        let desk = Desk::with(case);
        let spool = desk.spool.path().to_owned();
        let names: Vec<_> = queues.iter().flat_map(|queue| files_in(&spool.join(queue))).collect();
        let before = messages_in(&spool, ending);
        let only = |id: &str| before.iter().filter(|(other, _)| other == id).count() == 1;
        let planned = desk.act(&format!("{command} --format json")).document();
        let jobs = planned["jobs"].as_array().unwrap().len();
        assert!(jobs > 1, "{case}: there is something to do: {planned:#}");
        let (other, aside) = (elsewhere(&names), tempfile::tempdir().unwrap());
        let (target, away) = (other.path().to_owned(), aside.path().to_owned());
        let there = untouched(other.path());
        let paths = names.clone();
        let swaps = Meanwhile::again(move |round| {
            let path = &paths[usize::try_from(round).unwrap() % paths.len()];
            interferes(path, &away, &target.join(path.file_name().unwrap()), round);
        });
        for _ in 0..3 {
            for ran in [desk.act(&format!("{command} --apply --max 500")), desk.journal("resume")] {
                assert!(matches!(ran.code, 0 | 2 | 3), "{}: {}{}", ran.code, ran.out, ran.err);
                assert!(!ran.err.contains("panicked"), "{}", ran.err);
            }
        }
        let swapped = swaps.stop();
        desk.journal("resume");
        let ran = desk.act(&format!("{command} --apply --max 500"));
        assert!(!ran.err.contains("panicked"), "{}", ran.err);

        let still = |path: &Path| -> Vec<String> {
            untouched(path).into_iter().map(|line| line.split(" (").next().unwrap().to_owned()).collect()
        };
        let kept: Vec<String> =
            there.iter().map(|line| line.split(" (").next().unwrap().to_owned()).collect();
        assert_eq!(still(other.path()), kept, "{case}: what lies elsewhere is as it was");
        let letters = desk.letters();
        assert!(letters.iter().all(|(_, letter)| !letter.contains(SECRET)), "it sent what lies elsewhere");
        let left = messages_in(&spool, ending);
        let vault = messages_in(&desk.state(), "");
        let held = messages_in(aside.path(), "");
        for (id, path) in before.iter().filter(|(id, _)| only(id)) {
            let sent = letters.iter().filter(|(_, letter)| letter.contains(id.as_str())).count();
            let stays = left.iter().any(|(other, _)| other == id);
            assert!(sent <= 1, "{case}: {} went {sent} times", path.display());
            assert!(sent == 0 || !stays, "{case}: {} was sent, and is there to be sent", path.display());
            let known = sent + usize::from(stays) > 0
                || [&vault, &held].iter().any(|all| all.iter().any(|(o, _)| o == id));
            assert!(known, "{case}: {} is lost", path.display());
        }
        eprintln!("{case}: {swapped} changes; {} letters for {} jobs", letters.len(), jobs);
    }
}

#[test]
fn files_that_become_links_while_they_are_requeued_send_and_move_nothing_from_elsewhere() {
    act_among("requeue", links);
}

#[test]
fn files_that_are_renamed_and_rewritten_while_they_are_requeued_go_once_or_stay() {
    act_among("requeue", renames);
}

#[test]
fn folders_that_become_links_while_messages_are_requeued_lead_nowhere() {
    act_among("requeue", folders);
}

#[test]
fn files_that_become_links_while_they_are_returned_go_once_or_stay() {
    act_among("ndr", links);
}
