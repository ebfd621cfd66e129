//! Messages that are small on the disk and large to whoever understands them; and what is no message, under the name of one.

use crate::acting::Desk;
use crate::hostile::{desk_of, scan_within, survives};
use crate::support::*;
use rustix::fs::{Mode, OFlags, mkdirat, openat};
use std::fs::File;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;

#[test]
fn trace_fields_without_end_are_survived() {
    let desk = desk_of(|file| {
        for number in 0..250_000 {
            writeln!(file, "Received: by a{number}; Thu, 26 Nov 2026 05:00:00 +0000").unwrap();
        }
        file.write_all(b"From: a@a.example\n\nbody\n").unwrap();
    });
    survives(&desk, "250,000 trace fields");
}

#[test]
fn parameters_in_pieces_without_end_are_survived() {
    let desk = desk_of(|file| {
        file.write_all(b"From: a@a.example\nContent-Type: multipart/mixed; boundary*0=b").unwrap();
        for number in 1..100_000 {
            write!(file, ";\n boundary*{number}*=utf-8''%e2%80%ae").unwrap();
        }
        for number in (0..100_000).rev() {
            write!(file, ";\n name*{}*=%ff%00", u64::MAX - number).unwrap();
        }
        file.write_all(b"\nSubject: ").unwrap();
        for _ in 0..100_000 {
            file.write_all(b"=?utf-8?q?=e2=80?=\n =?iso-2022-jp?b?GyRC?=\n ").unwrap();
        }
        file.write_all(b"\nTo: ").unwrap();
        file.write_all(b"(".repeat(100_000).as_slice()).unwrap();
        file.write_all(b"group:".repeat(100_000).as_slice()).unwrap();
        file.write_all(b"\n\n--b\n\nbody\n").unwrap();
    });
    survives(&desk, "parameters, words and comments");
    let desk = desk_of(|file| {
        file.write_all(b"From: a@a.example\nSubject: ").unwrap();
        for _ in 0..500_000 {
            file.write_all(b"=?utf-8?q?x?=\n ").unwrap();
        }
        file.write_all(b"\n\nbody\n").unwrap();
    });
    let ran = scan_within(600_000, desk.spool.path(), &["--deep"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let spool = desk.spool.path().display().to_string();
    let shown = ghostq(["show", "1700000000.1", "--spool", &spool]);
    assert!(matches!(shown.code, 0..=3) && !shown.err.contains("panicked"), "{}", shown.err);
    assert!(shown.out.len() < 1 << 20, "{} bytes are shown of one message", shown.out.len());
}

/// A queue with two ghosts, and beside them what is no message: nothing of that is opened, moved or sent.
#[test]
fn what_is_no_message_stays_where_it_is_while_others_go() {
    let desk = Desk::of_ghosts(2);
    let queue = desk.spool.path().join("queue");
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "s@a.example\nr@b.example\n\nSubject: secret\n\nx\n").unwrap();
    std::os::unix::fs::symlink(secret.path(), queue.join(".1700000005.1")).unwrap();
    let fifo = queue.join(".1700000005.2");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(queue.join(".1700000005.3")).unwrap();
    std::fs::create_dir(queue.join(".1700000005.4")).unwrap();
    let device = queue.join(".1700000005.5");
    if is_root() {
        std::process::Command::new("mknod").arg(&device).args(["c", "9", "0"]).status().unwrap();
    }
    let names = || {
        paths_below(&queue).into_iter().filter(|path| path.to_string_lossy().contains(".1700000005.")).count()
    };
    let before = names();
    for command in ["requeue --apply", "ndr --apply"] {
        let ran = desk.act(command);
        assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("1700000005.1") && ran.err.contains("symbolic link"), "{}", ran.err);
    }
    assert_eq!((desk.letters().len(), names()), (2, before));
    assert!(desk.letters().iter().all(|(_, letter)| !letter.contains("secret")));
    let path: &Path = secret.path();
    assert!(path.exists());
}

/// The path of the spool is longer than the system takes; whoever stands beside it can name it.
#[test]
fn a_spool_below_a_path_that_is_too_long_is_scanned_and_acted_upon_from_within() {
    let top = tempfile::tempdir().unwrap();
    let mut folder = OwnedFd::from(File::open(top.path()).unwrap());
    let name = "N".repeat(250);
    for _ in 0..18 {
        mkdirat(&folder, &name, Mode::RWXU).unwrap();
        folder = openat(&folder, &name, OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    let desk = Desk::of_ghosts(1);
    let within = format!("/proc/self/fd/{}", folder.as_raw_fd());
    assert!(Path::new(&within).canonicalize().is_err(), "no path leads there");
    copy_tree(desk.spool.path(), &Path::new(&within).join("spool"));
    let run = |words: &[String]| {
        finish(command().args(words).current_dir(&within).env("GHOSTQ_STATE", desk.state()))
    };
    let ran = run(&["scan", "spool", "--format", "json"].map(str::to_owned));
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert_eq!(ran.document()["findings"].as_array().unwrap().len(), 1);
    let ran = run(&desk.words("requeue --apply --spool spool"));
    assert!(!ran.err.contains("panicked") && matches!(ran.code, 0 | 2 | 3), "{}{}", ran.out, ran.err);
    let stays = std::fs::read_dir(Path::new(&within).join("spool/queue")).unwrap().count();
    assert_eq!(desk.letters().len() + stays, 1, "it went, or it stays: {}{}", ran.out, ran.err);
    assert!(ran.code == 0 || stays == 1, "{}{}", ran.out, ran.err);
    eprintln!("acting ended with {}: {}{}", ran.code, ran.out, ran.err);
    let removed = std::process::Command::new("rm").arg("-rf").arg(top.path().join(&name)).status();
    assert!(removed.unwrap().success());
}
