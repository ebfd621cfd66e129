//! Races: somebody else renames, links, replaces, cuts and closes files while ghostq scans, and while it acts.
//!
//! Nothing outside of the spool is read or touched, nothing is lost, and nothing goes twice.

use crate::acting::{Desk, body_of};
use crate::support::{Ran, command, finish, ghostq, is_root, left_out, paths_below, restore};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What lies outside of the spool: nothing of it may be read, moved or given away.
pub const SECRET: &str = "root:secret-sender-5f0c";

/// Somebody who does the same thing again and again until he is dropped.
pub struct Meanwhile {
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<u64>>,
}

impl Meanwhile {
    pub fn again(mut act: impl FnMut(u64) + Send + 'static) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let mut rounds = 0;
            while !stop.load(Ordering::Relaxed) {
                act(rounds);
                rounds += 1;
            }
            rounds
        });
        Self { over, thread: Some(thread) }
    }

    /// Stops him, and says how often he did it.
    pub fn stop(mut self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

/// A folder that looks like a queue and is none of ours, with one file of every name that the spool has.
pub fn elsewhere(names: &[PathBuf]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in names {
        let name = path.file_name().unwrap();
        let target = folder.path().join(name);
        fs::write(&target, format!("{SECRET}@x.example\nvictim@x.example\n\nSubject: {SECRET}\n\nx\n"))
            .unwrap();
        fs::set_permissions(target, fs::Permissions::from_mode(0o600)).unwrap();
    }
    folder
}

/// Everything that would show that somebody read, wrote or gave away a file of a folder.
pub fn untouched(folder: &Path) -> Vec<String> {
    let of = |path: PathBuf| {
        let data = fs::symlink_metadata(&path).unwrap();
        // That it was listed shows in the access time of the folder, which the tests themselves move.
        let read = if data.is_file() { (data.atime(), data.atime_nsec()) } else { (0, 0) };
        let written = (data.mtime(), data.mtime_nsec(), data.size(), data.mode(), data.uid(), data.gid());
        format!("{} {} {written:?} {read:?} {}", path.display(), data.ino(), data.nlink())
    };
    paths_below(folder).into_iter().map(of).collect()
}

pub fn files_in(folder: &Path) -> Vec<PathBuf> {
    paths_below(folder)
        .into_iter()
        .filter(|path| fs::symlink_metadata(path).is_ok_and(|data| data.is_file()))
        .collect()
}

fn look(spool: &Path) -> Ran {
    ghostq([Path::new("scan"), spool, Path::new("--deep"), Path::new("--format"), Path::new("json")])
}

/// Scans again and again for a while; every report is whole, and none shows what lies elsewhere.
fn keep_scanning(spool: &Path, seconds: u64) -> BTreeMap<i32, u32> {
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut codes = BTreeMap::new();
    while Instant::now() < until || codes.values().sum::<u32>() < 5 {
        let begun = Instant::now();
        let ran = look(spool);
        assert!(begun.elapsed() < Duration::from_mins(1), "it hangs");
        assert!(matches!(ran.code, 0 | 1 | 3), "{}: {}", ran.code, ran.err);
        assert!(!ran.out.contains(SECRET), "it followed a link: {}", ran.out);
        assert!(
            !ran.out.contains("fault of ghostq") && !ran.err.contains("panicked"),
            "{}{}",
            ran.out,
            ran.err
        );
        let document = ran.document();
        let unread = document["damage_count"].as_u64().unwrap();
        assert_eq!(ran.code == 3, unread > 0 || document["complete"] == false, "{}: {}", ran.code, ran.err);
        *codes.entry(ran.code).or_default() += 1;
    }
    codes
}

#[test]
fn files_that_become_links_fifos_and_folders_while_they_are_scanned_lead_nowhere() {
    let spool = restore("postfix/deferred");
    let names = files_in(&spool.path().join("deferred"));
    let other = elsewhere(&names);
    let before = untouched(other.path());
    let victim = names[0].clone();
    let (target, aside) = (other.path().join(victim.file_name().unwrap()), victim.with_extension("aside"));
    let swaps = Meanwhile::again(move |round| {
        let _ = fs::rename(&victim, &aside);
        match round % 4 {
            0 => drop(symlink(&target, &victim)),
            1 => drop(fs::create_dir(&victim)),
            2 => drop(std::os::unix::net::UnixListener::bind(&victim)),
            _ => drop(fs::hard_link(&aside, &victim)),
        }
        std::thread::yield_now();
        let _ = fs::remove_file(&victim).or_else(|_| fs::remove_dir(&victim));
        fs::rename(&aside, &victim).unwrap();
    });
    let codes = keep_scanning(spool.path(), 3);
    let rounds = swaps.stop();
    assert_eq!(untouched(other.path()), before);
    eprintln!("{rounds} swaps; scans by exit code: {codes:?}");
    assert!(rounds > 20, "{rounds} swaps only");
}

#[test]
fn a_folder_that_becomes_a_link_while_it_is_scanned_leads_nowhere() {
    let spool = restore("postfix/deferred");
    let names = files_in(&spool.path().join("deferred"));
    let folder = names[0].parent().unwrap().to_owned();
    let other = elsewhere(&names);
    let before = untouched(other.path());
    let (target, aside) = (other.path().to_owned(), folder.with_file_name("aside"));
    let swaps = Meanwhile::again(move |_| {
        fs::rename(&folder, &aside).unwrap();
        symlink(&target, &folder).unwrap();
        std::thread::yield_now();
        fs::remove_file(&folder).unwrap();
        fs::rename(&aside, &folder).unwrap();
    });
    let codes = keep_scanning(spool.path(), 3);
    let rounds = swaps.stop();
    assert_eq!(untouched(other.path()), before);
    eprintln!("{rounds} swaps; scans by exit code: {codes:?}");
    assert!(rounds > 20, "{rounds} swaps only");
}

#[test]
fn files_that_grow_shrink_vanish_and_close_while_they_are_read_neither_hang_nor_panic() {
    let spool = restore("postfix/deferred");
    let names = files_in(&spool.path().join("deferred"));
    let whole: Vec<Vec<u8>> = names.iter().map(|path| fs::read(path).unwrap()).collect();
    let paths = names.clone();
    let changes = Meanwhile::again(move |round| {
        let at = usize::try_from(round).unwrap() % paths.len();
        let (path, bytes) = (&paths[at], &whole[at]);
        match round % 5 {
            0 => drop(fs::write(path, bytes.repeat(200))),
            1 => drop(fs::write(path, &bytes[..bytes.len() / 3])),
            2 => drop(fs::remove_file(path)),
            3 => drop(fs::set_permissions(path, fs::Permissions::from_mode(0o000))),
            _ => drop(fs::write(path, b"")),
        }
        std::thread::yield_now();
        fs::write(path, bytes).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    });
    let codes = keep_scanning(spool.path(), 3);
    eprintln!("{} changes; scans by exit code: {codes:?}", changes.stop());
}

/// Every message is in exactly one place at the end: with its recipient, in the spool (wherever the racer put it), or in the vault
/// with a word in the journal. Nothing came from elsewhere.
fn account(desk: &Desk, messages: usize, set_aside: &Path) {
    let letters = desk.letters();
    for (arguments, message) in &letters {
        assert!(!arguments.contains(SECRET) && !message.contains(SECRET), "it sent what lies elsewhere");
    }
    let state = desk.state();
    let kept: Vec<PathBuf> = [desk.spool.path(), set_aside, &state]
        .into_iter()
        .filter(|folder| folder.exists())
        .flat_map(files_in)
        .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with("part-"))
        .filter(|path| path.file_name().unwrap() != "message")
        .collect();
    let kept: Vec<String> =
        kept.iter().map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()).collect();
    for number in 0..messages {
        let recipient = format!("b{number}@b.example");
        let arrived: Vec<_> =
            letters.iter().filter(|(arguments, _)| arguments.ends_with(&format!(" {recipient}"))).collect();
        assert!(arrived.len() <= 1, "{recipient} got it {} times", arrived.len());
        if let [(_, message)] = arrived.as_slice() {
            assert_eq!(body_of(message), format!("body {number}\n.\nend\n"));
        }
        let body = format!("Subject: number {number}\n\nbody {number}\n.\nend\n");
        assert!(
            arrived.len() == 1 || kept.iter().any(|text| text.ends_with(&body)),
            "{recipient}'s message is lost"
        );
    }
}

/// Acts again and again while somebody interferes, then in peace.
fn act_under(desk: &Desk, rounds: usize, swaps: Meanwhile) -> u64 {
    for _ in 0..rounds {
        for ran in [desk.act("requeue --apply --max 500"), desk.journal("resume")] {
            assert!(matches!(ran.code, 0 | 2 | 3), "{}: {}{}", ran.code, ran.out, ran.err);
            assert!(!ran.err.contains("panicked"), "{}", ran.err);
        }
    }
    let swapped = swaps.stop();
    for _ in 0..2 {
        desk.journal("resume");
        desk.act("requeue --apply --max 500");
    }
    swapped
}

#[test]
fn messages_that_become_links_while_they_are_requeued_send_and_move_nothing_from_elsewhere() {
    const MESSAGES: usize = 24;
    let desk = Desk::of_ghosts(MESSAGES);
    let names = files_in(&desk.spool.path().join("queue"));
    let other = elsewhere(&names);
    let before = untouched(other.path());
    let aside = tempfile::tempdir().unwrap();
    let (target, away) = (other.path().to_owned(), aside.path().to_owned());
    let paths = names.clone();
    let swaps = Meanwhile::again(move |round| {
        let path = &paths[usize::try_from(round).unwrap() % paths.len()];
        let name = path.file_name().unwrap();
        if fs::rename(path, away.join(name)).is_err() {
            return;
        }
        drop(symlink(target.join(name), path));
        std::thread::yield_now();
        // What ghostq took away meanwhile was the link.
        if fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink()) {
            let _ = fs::remove_file(path);
        }
        drop(fs::hard_link(away.join(name), path).and_then(|()| fs::remove_file(away.join(name))));
    });
    let swapped = act_under(&desk, 6, swaps);
    assert_eq!(untouched(other.path()), before);
    account(&desk, MESSAGES, aside.path());
    eprintln!("{swapped} swaps; {} of {MESSAGES} went", desk.letters().len());
}

#[test]
fn a_queue_folder_that_becomes_a_link_while_it_is_acted_upon_leads_nowhere() {
    const MESSAGES: usize = 24;
    let desk = Desk::of_ghosts(MESSAGES);
    let queue = desk.spool.path().join("queue");
    let other = elsewhere(&files_in(&queue));
    let before = untouched(other.path());
    let (target, aside) = (other.path().to_owned(), desk.spool.path().join("aside"));
    let swaps = Meanwhile::again(move |_| {
        fs::rename(&queue, &aside).unwrap();
        symlink(&target, &queue).unwrap();
        std::thread::yield_now();
        fs::remove_file(&queue).unwrap();
        fs::rename(&aside, &queue).unwrap();
        std::thread::sleep(Duration::from_millis(2));
    });
    let swapped = act_under(&desk, 6, swaps);
    assert_eq!(untouched(other.path()), before);
    account(&desk, MESSAGES, &desk.spool.path().join("queue"));
    eprintln!("{swapped} swaps; {} of {MESSAGES} went", desk.letters().len());
}

#[test]
fn messages_that_are_renamed_and_rewritten_while_they_are_requeued_are_neither_lost_nor_doubled() {
    const MESSAGES: usize = 24;
    let desk = Desk::of_ghosts(MESSAGES);
    let names = files_in(&desk.spool.path().join("queue"));
    let aside = tempfile::tempdir().unwrap();
    let away = aside.path().to_owned();
    let swaps = Meanwhile::again(move |round| {
        let path = &names[usize::try_from(round).unwrap() % names.len()];
        let (name, other) = (path.file_name().unwrap(), path.with_extension("renamed"));
        match round % 3 {
            // The mail system at work: another name, and back.
            0 => {
                if fs::rename(path, &other).is_ok() {
                    std::thread::yield_now();
                    let _ = fs::rename(&other, path);
                }
            }
            // The same bytes in a new inode under the old name; where ghostq has taken the message away, nothing comes back.
            1 => {
                let copy = away.join(name);
                if fs::copy(path, &copy).is_ok() {
                    let _ = renameat_with(CWD, &copy, CWD, path, RenameFlags::EXCHANGE);
                    let _ = fs::remove_file(&copy);
                }
            }
            // A second name elsewhere, for a moment: its link count and change time move.
            _ => {
                if fs::hard_link(path, away.join(name)).is_ok() {
                    let _ = fs::remove_file(away.join(name));
                }
            }
        }
        std::thread::sleep(Duration::from_micros(300));
    });
    let swapped = act_under(&desk, 6, swaps);
    account(&desk, MESSAGES, aside.path());
    eprintln!("{swapped} changes; {} of {MESSAGES} went", desk.letters().len());
}

/// A process that ends with the test.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process that looks like the sender of nullmailer at work in this queue, whose user is 65534.
fn nullmailer_runs(desk: &Desk) -> Running {
    let program = desk.own.path().join("nullmailer-send");
    fs::copy("/bin/sleep", &program).unwrap();
    for folder in ["queue", "tmp", "failed"] {
        std::os::unix::fs::chown(desk.spool.path().join(folder), Some(65534), Some(65534)).unwrap();
    }
    let mut sender = std::process::Command::new(program);
    Running(sender.arg("600").current_dir(desk.spool.path().join("queue")).spawn().unwrap())
}

/// Who may write in a queue puts a link to a stranger's file under the name of a message, between the plan and the deed.
#[test]
fn what_a_link_names_is_never_given_away_nor_opened_to_others() {
    if !is_root() {
        return left_out("only root gives files away");
    }
    for link in ["symbolic", "hard"] {
        let desk = Desk::of_ghosts(8);
        let names = files_in(&desk.spool.path().join("queue"));
        let _sender = nullmailer_runs(&desk);
        let other = elsewhere(&names);
        let owners = |folder: &Path| -> Vec<_> {
            let of = |path: PathBuf| {
                let data = fs::symlink_metadata(&path).unwrap();
                (path, data.uid(), data.gid(), data.mode(), data.size())
            };
            files_in(folder).into_iter().map(of).collect()
        };
        let before = owners(other.path());
        let aside = tempfile::tempdir().unwrap();
        let (target, away) = (other.path().to_owned(), aside.path().to_owned());
        let journal = desk.state().join("journal.jsonl");
        let mut read = 0;
        // He watches the journal: between an intent and the deed there is the time that a disk needs.
        let swaps = Meanwhile::again(move |_| {
            let length = fs::metadata(&journal).map_or(0, |data| data.len());
            if length == read {
                return std::thread::yield_now();
            }
            read = length;
            let text = fs::read_to_string(&journal).unwrap_or_default();
            if !text.lines().last().is_some_and(|line| line.contains(r#""entry":"intent""#)) {
                return;
            }
            for path in &names {
                let name = path.file_name().unwrap();
                if fs::rename(path, away.join(name)).is_ok() {
                    let victim = target.join(name);
                    drop(if link == "hard" { fs::hard_link(victim, path) } else { symlink(victim, path) });
                }
            }
            std::thread::sleep(Duration::from_millis(20));
            for path in names.iter().filter(|path| away.join(path.file_name().unwrap()).exists()) {
                let _ = fs::remove_file(path);
                let _ = fs::rename(away.join(path.file_name().unwrap()), path);
            }
        });
        let spool = desk.spool.path().display().to_string();
        let words = ["requeue", "--apply", "--quiet", "--settle", "0", "--spool", &spool];
        let mut told = String::new();
        for _ in 0..10 {
            let ran = finish(command().args(words).env("GHOSTQ_STATE", desk.state()));
            assert!(!ran.err.contains("panicked"), "{}", ran.err);
            told += &ran.out;
            told += &desk.journal("undo --apply").out;
        }
        swaps.stop();
        account(&desk, 8, aside.path());
        // In peace they are repaired: they belong to the mail system then.
        finish(command().args(words).env("GHOSTQ_STATE", desk.state()));
        let repaired = files_in(&desk.spool.path().join("queue"));
        let ours = repaired.iter().filter(|path| fs::metadata(path).unwrap().uid() == 65534).count();
        assert_eq!(ours, 8, "{repaired:?} {told}");
        let links =
            files_in(other.path()).iter().filter(|path| fs::metadata(path).unwrap().nlink() > 1).count();
        assert_eq!(links, 0, "a name of a stranger's file was left over: {told}");
        assert_eq!(owners(other.path()), before, "{link} links");
        eprintln!("{link} links: {} repairs came through", told.matches(": done").count());
    }
}

#[test]
fn a_scan_beside_a_racer_writes_nothing_into_its_state_folder() {
    let desk = Desk::of_ghosts(3);
    let path = files_in(desk.spool.path())[0].clone();
    let swaps = Meanwhile::again(move |_| {
        let aside = path.with_extension("aside");
        if fs::rename(&path, &aside).is_ok() {
            fs::rename(&aside, &path).unwrap();
        }
    });
    for words in ["scan", "requeue", "ndr"] {
        let mut arguments = desk.words(words);
        if words == "scan" {
            arguments =
                vec!["scan".to_owned(), desk.spool.path().display().to_string(), "--quiet".to_owned()];
        }
        let ran = finish(command().args(arguments).env("GHOSTQ_STATE", desk.state()));
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
    }
    swaps.stop();
    assert!(!desk.state().exists());
}

/// Every call that can change a file names one below the spool or the state folder.
#[test]
fn acting_writes_into_the_spool_and_the_state_folder_and_nowhere_else() {
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return left_out("strace is not installed");
    }
    let desk = Desk::of_ghosts(3);
    let trace = tempfile::NamedTempFile::new().unwrap();
    let mut words = desk.words("requeue --apply --via sendmail:/bin/true");
    words.extend(["--state".to_owned(), desk.state().display().to_string()]);
    let output = std::process::Command::new("strace")
        .args(["-f", "-qq", "-y", "-s", "4096", "-e", "trace=%file,%desc", "-o"])
        .arg(trace.path())
        .arg(env!("CARGO_BIN_EXE_ghostq"))
        .args(words)
        .output()
        .unwrap();
    let calls = fs::read_to_string(trace.path()).unwrap();
    if calls.is_empty() {
        return left_out("strace may not trace here");
    }
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let (spool, state) = (desk.spool.path().display().to_string(), desk.state().display().to_string());
    let changing =
        ["rename", "unlink", "link", "symlink", "mkdir", "rmdir", "mknod", "chmod", "fchmod", "chown"];
    let changing =
        changing.into_iter().chain(["fchown", "lchown", "truncate", "ftruncate", "utime", "fallocate"]);
    let changing: Vec<&str> = changing.collect();
    let mut changes = 0;
    for call in calls.lines().filter(|line| !line.contains(" = -1 ")) {
        let name = call.split_whitespace().nth(1).unwrap_or_default().split('(').next().unwrap_or_default();
        let writes = ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| call.contains(flag));
        let opens = writes && name.starts_with("open");
        if !opens && !changing.iter().any(|change| name.starts_with(change)) {
            continue;
        }
        changes += 1;
        // The folders of the call, as strace shows those of descriptors, or what is named from the root on.
        let places: Vec<&str> = call
            .split(['<', '>', '"'])
            .filter(|word| word.starts_with('/'))
            .filter(|word| !word.starts_with("/proc/self/fd") && *word != "/dev/null")
            .collect();
        for place in places {
            // A relative name may be shown behind the folder in which the program was started.
            let cwd = std::env::current_dir().unwrap();
            let ours = place.starts_with(&spool) || place.starts_with(&state) || Path::new(place) == cwd;
            assert!(ours, "{place}: {call}");
        }
    }
    assert!(changes > 10, "the trace saw the changes");
}
