//! Spools of nullmailer 2.2, and made-up ones. `fixtures/nullmailer/*/case.toml` says how the real ones were made.

use super::listing::FORMATS;
use super::*;
use crate::evidence::{ListingEntry, Sign, Text, TimeKind};
use crate::sources::samples::{Sample, expected, facts, file, lay_out, noise, recognises};
use std::fs::{File, FileTimes};
use std::path::Path;
use std::time::{Duration, SystemTime};

mod plan;

const FOLDERS: [&str; 3] = ["queue", "failed", "tmp"];
const WHOLE: &[u8] =
    b"a@b.example\nc@d.example\n\nReceived: (nullmailer pid 1 invoked by uid 0);\n\tx\n\nbody\n";

#[test]
fn a_healthy_queue_has_no_signs() {
    let sample = Sample::fixture(&Nullmailer, "deferred");
    assert_eq!(sample.signs(), expected(&[]));
    assert_eq!(sample.messages().count(), 12);
    for message in sample.messages() {
        assert_eq!(message.envelope.sender, Some(Text::from("sender@lab.test")));
        assert!(!message.envelope.recipients.is_empty());
        assert!(message.time(TimeKind::IdTime).is_some());
        assert_eq!(
            message.time(TimeKind::LastAttempt),
            None,
            "a file that was copied was read by the copier"
        );
    }
}

#[test]
fn every_ghost_of_a_real_spool_has_its_sign() {
    let sample = Sample::fixture(&Nullmailer, "ghosts");
    let mut signs = sample.signs();
    let held: Vec<String> = signs.keys().filter(|place| place.starts_with("failed/")).cloned().collect();
    assert_eq!(held.len(), 3);
    for place in held {
        assert_eq!(signs.remove(&place).unwrap(), ["Held"]);
    }
    let rest = expected(&[
        ("queue/.1795505945.3431", &["ForeignName"]),
        ("queue/1795505945.3419", &["OwnerOrMode"]),
        ("tmp/2827", &["Unfinished", "OwnedByProcess"]),
    ]);
    assert_eq!(signs, rest);
    let half = sample.message("tmp/2827");
    assert_eq!(half.header("Subject"), Some(&Text::from("half")));
    assert!(facts(half).contains("the sender, 1 recipient"), "{}", facts(half));
    assert!(half.signs.iter().any(|signed| signed.sign == Sign::OwnedByProcess { pid: 2827 }));
    let renamed = sample.message("queue/x1795505945.3425.bak");
    assert!(renamed.signs.is_empty(), "such a name is listed and tried");
}

#[test]
fn the_listing_shows_time_size_sender_and_recipients() {
    let text = file(&Nullmailer, "ghosts/listing.txt");
    let format = &FORMATS[0];
    assert!((format.looks_like)(&text));
    let mut entries: Vec<ListingEntry> = Vec::new();
    let end = (format.parse)(&mut &text[..], &mut |entry| entries.push(entry)).unwrap();
    assert!(end.misread.is_empty() && end.cut.is_none());
    assert_eq!(entries.len(), 5);
    let unreadable = entries.iter().find(|entry| entry.sender.is_none()).unwrap();
    assert_eq!((unreadable.size, unreadable.recipients.len()), (Some(642), 0));
    assert!(entries.iter().filter(|entry| entry.recipients.len() == 1).count() == 4);
    assert!(!(format.looks_like)(b"Mail queue is empty\n"));
    let (mut other, mut count) = (&b"Cannot open queue directory.\n"[..], 0);
    let end = (format.parse)(&mut other, &mut |_| count += 1).unwrap();
    assert!(end.cut.is_some() && count == 0);
}

#[test]
fn the_access_time_is_that_of_the_last_attempt() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &FOLDERS, &[("queue/1795480088.147", WHOLE)]);
    let path = folder.path().join("queue/1795480088.147");
    let (now, times) = (SystemTime::now(), FileTimes::new());
    let read = now + Duration::from_mins(1);
    File::open(&path).unwrap().set_times(times.set_modified(now).set_accessed(read)).unwrap();
    let sample = Sample::open(&Nullmailer, folder, &Options::default());
    let message = sample.message("queue/1795480088.147");
    let attempt = message.times.iter().find(|timed| timed.kind == TimeKind::LastAttempt).unwrap();
    assert!(attempt.original().starts_with("atime "), "{}", attempt.original());
    assert_eq!(attempt.at.since(message.time(TimeKind::Created).unwrap()), 60);
}

#[test]
fn a_spool_that_lacks_a_part_says_so() {
    let sample = Sample::of(&Nullmailer, &["queue", "tmp"], &[("queue/1.2", WHOLE)]);
    assert!(sample.facts().contains("there is no folder `failed`"), "{}", sample.facts());
    assert!(sample.facts().contains("there is no FIFO `trigger`"));
    assert!(sample.facts().contains("queuelifetime is not configured: lifetime of a message is 604800 s"));
}

#[test]
fn a_spool_is_recognised_by_its_folders_or_its_fifo() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &["queue", "tmp"], &[]);
    assert!(!recognises(&Nullmailer, folder.path()), "many programs have such folders");
    lay_out(folder.path(), &["failed"], &[]);
    assert!(recognises(&Nullmailer, folder.path()));
}

#[cfg(unix)]
#[test]
fn a_fifo_is_named_and_never_opened() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &["queue"], &[("queue/1.2", WHOLE)]);
    for fifo in ["trigger", "queue/3.4"] {
        crate::sources::samples::mkfifo(&folder.path().join(fifo));
    }
    assert!(recognises(&Nullmailer, folder.path()));
    let sample = Sample::open(&Nullmailer, folder, &Options::default());
    assert_eq!((sample.messages().count(), sample.damages().len()), (1, 1));
}

#[cfg(unix)]
#[test]
fn a_name_that_was_left_over_in_tmp_is_no_unfinished_message() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &FOLDERS, &[("queue/1.2", WHOLE)]);
    std::fs::hard_link(folder.path().join("queue/1.2"), folder.path().join("tmp/2")).unwrap();
    let sample = Sample::open(&Nullmailer, folder, &Options::default());
    assert_eq!(sample.signs(), expected(&[("tmp/2", &["SecondCopy"])]));
}

#[test]
fn what_is_cut_at_any_byte_of_its_envelope_is_corrupt_or_empty() {
    let content = 25;
    for cut in 0..WHOLE.len() {
        let sample = Sample::of(&Nullmailer, &FOLDERS, &[("queue/1.2", &WHOLE[..cut])]);
        let signs = sample.signs();
        let wanted: &[&str] = match cut {
            0 => &["EmptyFile"],
            _ if cut <= content => &["Corrupt"],
            _ => &[],
        };
        assert_eq!(signs.get("queue/1.2").map_or(&[][..], |names| names), wanted, "cut at {cut}");
    }
}

#[test]
fn random_bytes_are_survived_and_a_huge_envelope_is_bounded() {
    for seed in 0..200 {
        let bytes = noise(seed, 500);
        let sample = Sample::of(&Nullmailer, &FOLDERS, &[("queue/1.2", &bytes), ("tmp/3", &bytes)]);
        assert_eq!(sample.messages().count(), 2);
        assert!(!sample.message("queue/1.2").signs.is_empty(), "seed {seed} passes for mail");
    }
    let mut many = b"a@b.example\n".to_vec();
    many.extend(b"c@d.example\n".repeat(300_000));
    let sample = Sample::of(&Nullmailer, &FOLDERS, &[("queue/1.2", &many)]);
    let message = sample.message("queue/1.2");
    assert_eq!(message.envelope.recipients.len(), 1_000);
    assert!(message.envelope.recipient_count.unwrap() > 80_000);
    assert!(Path::new(&sample.folder.path().join("queue/1.2")).exists());
}
