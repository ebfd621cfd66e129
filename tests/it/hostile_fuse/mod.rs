//! A spool on a disk that fails: at opening, at looking, while reading, while listing; and one that lies.
//!
//! Whatever goes wrong with one file is said with its name and makes the exit code 3, and what is well is found as ever.

mod server;

use crate::support::{Ran, command, is_root, left_out, restore, text};
use fuser::{Errno, FileType};
use server::{Fault, Served, serve};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// No scan of these spools takes longer, on however busy a machine.
const HANGS: Duration = Duration::from_mins(1);

/// Runs ghostq until it ends, or for so long at most; with the most memory that it had, in KiB.
fn bounded(words: &[&str], most: Duration) -> (Ran, u64) {
    let folder = tempfile::tempdir().unwrap();
    let [out, err] = ["out", "err"].map(|name| folder.path().join(name));
    let mut child = command()
        .args(words)
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let (begun, mut peak) = (Instant::now(), 0);
    let code = loop {
        let now = std::fs::read_to_string(&status).unwrap_or_default();
        let line = now.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status.code().unwrap_or(-1);
        }
        if begun.elapsed() > most {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it hangs: {words:?}: {}", std::fs::read_to_string(&err).unwrap());
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let read = |path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let ran = Ran { code, out: read(&out), err: read(&err) };
    assert!(!ran.err.contains("panicked") && !ran.out.contains("fault of ghostq"), "{}{}", ran.out, ran.err);
    (ran, peak)
}

fn scan(served: &Served) -> Ran {
    let spool = served.folder.path().to_str().unwrap();
    let words = ["scan", spool, "--deep", "--format", "json", "--as-of", "2026-11-25T00:00:00Z"];
    bounded(&words, HANGS).0
}

/// Of each message where it is, and what is wrong with it.
type Found = BTreeSet<(String, String)>;

/// What is said of the messages.
fn found(ran: &Ran) -> Found {
    let document = ran.document();
    let findings = document["findings"].as_array().unwrap();
    findings.iter().map(|one| (text(&one["message"]["place"]["path"]), text(&one["rule"]))).collect()
}

/// A spool of Postfix and one of Exim, each with a message that is well and one that is not, and the folder of both.
const SPOOLS: &[(&str, &[&str], &str)] = &[
    ("postfix/corrupt", &["deferred/1/1861AB0E0E9", "deferred/2/226CCB0E068"], "deferred/2"),
    ("exim/frozen-halves-named", &["input/1xVf5d-00002U-0c-H", "input/1xVf5d-00003b-19-H"], "input"),
];

/// Scans a spool with each of these faults, after a scan without. `judge`: the path, the fault, what is found without it, the scan
/// with it.
fn each(spool: &Path, faults: &[(&str, Fault)], judge: &dyn Fn(&str, Fault, &Found, &Ran)) {
    let healthy = match serve(spool, &[]) {
        Ok(served) => found(&scan(&served)),
        Err(error) => return left_out(&format!("no file system can be mounted here: {error}")),
    };
    assert!(healthy.len() > 5, "{healthy:?}");
    for (path, fault) in faults {
        let served = serve(spool, &[(path, *fault)]).unwrap();
        judge(path, *fault, &healthy, &scan(&served));
    }
}

/// Whether two paths are of one message: Exim keeps it in several files.
fn same_message(one: &str, other: &str) -> bool {
    let of = |path: &str| path.rsplit('/').next().unwrap().trim_end_matches(['H', 'D']).to_owned();
    of(one) == of(other)
}

/// What is well is found as ever, and the fault is told with the name of the file: exit code 3.
fn is_named(path: &str, fault: Fault, healthy: &Found, ran: &Ran, reason: &str) {
    let about = |place: &str| same_message(place, path) || Path::new(place).parent() == Some(Path::new(path));
    assert_eq!(ran.code, 3, "{path} {fault:?}: {}{}", ran.out, ran.err);
    let document = ran.document();
    assert!(document["damage_count"].as_u64() > Some(0), "{path} {fault:?}: {document:#}");
    let damage = document["damage"].as_array().unwrap();
    let named =
        damage.iter().any(|one| about(&text(&one["locus"]["path"])) || text(&one["locus"]["path"]) == path);
    assert!(named, "{path} {fault:?} is not named: {damage:#?}");
    assert!(ran.err.contains(reason), "{path} {fault:?}: {}", ran.err);
    let others =
        |found: &Found| -> BTreeSet<_> { found.iter().filter(|(place, _)| !about(place)).cloned().collect() };
    assert_eq!(others(&found(ran)), others(healthy), "{path} {fault:?}: {}", ran.err);
}

#[test]
fn a_file_that_fails_is_named_and_all_others_are_found() {
    if !is_root() {
        return left_out("only root mounts");
    }
    for (case, messages, _) in SPOOLS {
        let spool = restore(case);
        for message in *messages {
            let faults = [
                (Fault::Opened(Errno::EIO), "input/output error"),
                (Fault::Opened(Errno::EACCES), "permission denied"),
                (Fault::Opened(Errno::ESTALE), "stale"),
                (Fault::LookedUp(Errno::EIO), "input/output error"),
                (Fault::LookedAt(Errno::EIO), "input/output error"),
                (Fault::LookedAt(Errno::ESTALE), "stale"),
                (Fault::ReadFrom(0, Errno::EIO), "input/output error"),
                (Fault::ReadFrom(100, Errno::EIO), "input/output error"),
                (Fault::ReadAfter(1, Errno::EACCES), "permission denied"),
                (Fault::ReadFrom(0, Errno::ESTALE), "stale"),
            ];
            let on_message: Vec<_> = faults.iter().map(|(fault, _)| (*message, *fault)).collect();
            let reasons: Cell<usize> = Cell::default();
            each(spool.path(), &on_message, &|path, fault, healthy, ran| {
                let number = reasons.replace(reasons.get() + 1);
                is_named(path, fault, healthy, ran, faults[number].1);
            });
        }
    }
}

#[test]
fn a_folder_that_fails_is_named_and_what_lies_elsewhere_is_found() {
    if !is_root() {
        return left_out("only root mounts");
    }
    for (case, _, folder) in SPOOLS {
        let spool = restore(case);
        let errors = [Errno::EIO, Errno::EACCES, Errno::ESTALE];
        let of = |errno| {
            [
                Fault::Opened(errno),
                Fault::LookedUp(errno),
                Fault::ListedFor(0, errno),
                Fault::ListedFor(1, errno),
            ]
        };
        let faults: Vec<_> = errors.into_iter().flat_map(of).map(|fault| (*folder, fault)).collect();
        each(spool.path(), &faults, &|path, fault, healthy, ran| {
            assert_eq!(ran.code, 3, "{case} {path} {fault:?}: {}{}", ran.out, ran.err);
            assert!(ran.err.contains(path), "{case} {path} {fault:?}: {}", ran.err);
            let outside = |found: &Found| -> BTreeSet<_> {
                let outside = |place: &str| Path::new(place).parent() != Some(Path::new(path));
                found.iter().filter(|(place, _)| outside(place)).cloned().collect()
            };
            let now = found(ran);
            assert_eq!(outside(&now), outside(healthy), "{case} {path} {fault:?}: {}", ran.err);
            assert!(now.is_subset(healthy), "{case} {path} {fault:?} makes ghosts: {now:#?}");
        });
    }
}

#[test]
fn a_file_that_goes_away_before_it_is_opened_is_no_ghost_and_makes_none() {
    if !is_root() {
        return left_out("only root mounts");
    }
    let spool = restore("postfix/corrupt");
    for message in SPOOLS[0].1 {
        each(spool.path(), &[(message, Fault::LookedUp(Errno::ENOENT))], &|path, _, healthy, ran| {
            assert!(matches!(ran.code, 1 | 3), "{}", ran.err);
            // Of a message that is gone its log may be left, which is then alone indeed.
            let others = |found: &Found| -> BTreeSet<_> {
                found.iter().filter(|(place, _)| !same_message(place, path)).cloned().collect()
            };
            let now = found(ran);
            assert!(!now.iter().any(|(place, _)| place == path), "{path}: {now:#?}");
            assert_eq!(others(&now), others(healthy), "{}", ran.err);
        });
    }
}

#[test]
fn a_disk_that_lies_about_sizes_kinds_and_numbers_neither_stops_a_scan_nor_hides_a_ghost() {
    if !is_root() {
        return left_out("only root mounts");
    }
    for (case, messages, folder) in SPOOLS {
        let spool = restore(case);
        let most = u64::try_from(i64::MAX).unwrap();
        let of_files = [
            Fault::SaidToHave(most),
            Fault::SaidToHave(0),
            Fault::Holds(0),
            Fault::Holds(50),
            Fault::Holds(64 << 20),
            Fault::OtherEachTime,
            Fault::Numbered(0),
            Fault::Numbered(1),
        ];
        let of_folders = [Fault::ListedTimes(3), Fault::ListedAs(FileType::RegularFile), Fault::Numbered(0)];
        let mut faults: Vec<(&str, Fault)> = Vec::new();
        faults.extend(messages.iter().flat_map(|path| of_files.map(|fault| (*path, fault))));
        faults.extend(of_folders.map(|fault| (*folder, fault)));
        each(spool.path(), &faults, &|path, fault, healthy, ran| {
            assert!(matches!(ran.code, 1 | 3), "{path} {fault:?}: {}: {}", ran.code, ran.err);
            let rest = |found: &Found| -> BTreeSet<_> {
                found.iter().filter(|(place, _)| !same_message(place, path)).cloned().collect()
            };
            assert_eq!(rest(&found(ran)), rest(healthy), "{path} {fault:?}: {}", ran.err);
        });
    }
}

#[test]
fn bytes_that_come_in_small_pieces_are_the_same_message() {
    if !is_root() {
        return left_out("only root mounts");
    }
    for (case, messages, _) in SPOOLS {
        let spool = restore(case);
        let faults = [(messages[0], Fault::InPieces(1)), (messages[1], Fault::InPieces(7))];
        each(spool.path(), &faults, &|path, _, healthy, ran| {
            assert_eq!((ran.code, &found(ran)), (1, healthy), "{path}: {}", ran.err);
        });
    }
}

/// A spool of nullmailer with so many messages that nobody wrote, all well. Of each sixteen bytes stay.
fn invented(count: u64, most: Duration, kib: u64) {
    if !is_root() {
        return left_out("only root mounts");
    }
    let spool = tempfile::tempdir().unwrap();
    for folder in ["queue", "tmp", "failed"] {
        std::fs::create_dir(spool.path().join(folder)).unwrap();
    }
    std::fs::write(spool.path().join("queue/.1.1"), "a@a.example\nb@b.example\n\nSubject: a ghost\n\nx\n")
        .unwrap();
    let served = match serve(spool.path(), &[("queue", Fault::Invents(count))]) {
        Ok(served) => served,
        Err(error) => return left_out(&format!("no file system can be mounted here: {error}")),
    };
    let path = served.folder.path().to_str().unwrap();
    let begun = Instant::now();
    let (ran, peak) = bounded(&["scan", path, "--format", "json", "--threads", "2"], most);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let document = ran.document();
    assert_eq!(document["sources"][0]["messages"], count + 1, "all of them were read: {}", ran.err);
    assert_eq!(document["findings"].as_array().unwrap().len(), 1, "{}", ran.err);
    eprintln!("{count} names: {:?}, {peak} KiB at most", begun.elapsed());
    assert!(peak < kib, "{peak} KiB");
}

#[test]
fn a_hundred_thousand_names_in_one_folder_are_read_in_little_memory() {
    invented(100_000, Duration::from_mins(5), 128 << 10);
}

/// Slow: `cargo test --test it -- --ignored ten_million`.
#[test]
#[ignore = "it takes minutes"]
fn ten_million_names_in_one_folder_are_read_in_little_memory() {
    invented(10_000_000, Duration::from_hours(2), 256 << 10);
}
