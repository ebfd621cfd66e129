//! Queues of Courier 1.0.16, and made-up ones. `fixtures/courier/*/case.toml` says how the real ones were made.

use super::listing::FORMATS;
use super::*;
use crate::evidence::{ListingEntry, RecipientState, Sign, Text, TimeKind};
use crate::sources::samples::{Sample, expected, facts, file, lay_out, noise, recognises};
use std::path::Path;

mod plan;

const CONTROL: &[u8] = b"sa@b.example\nfdns; localhost\ne\nt\nM0000000000000065.000000006B04D9F0.00000326\n\
                         rone@d.example\nR\nN\nrtwo@d.example\nR\nN\nE1796084848\nA1795480048\n";
const DATA: &[u8] = b"Subject: whole\n\nbody\n";

/// A queue with one message, with the two names of its control file.
fn queue(control: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &["msgq/179548", "tmp"], &[("msgs/1/C101", control), ("msgs/1/D101", DATA)]);
    link(folder.path(), "msgs/1/C101", "msgq/179548/C101.1795480048");
    folder
}

fn link(root: &Path, from: &str, to: &str) {
    std::fs::hard_link(root.join(from), root.join(to)).unwrap();
}

fn read(folder: tempfile::TempDir) -> Sample {
    Sample::open(&Courier, folder, &Options::default())
}

#[test]
fn a_healthy_queue_has_no_signs_and_one_message_for_each_pair() {
    let sample = Sample::fixture(&Courier, "deferred");
    assert_eq!(sample.signs_on_a_copy(), expected(&[]));
    assert_eq!(sample.messages().count(), 12);
    for message in sample.messages() {
        assert_eq!(message.parts.len(), 3, "control file, data file and the name in msgq");
        assert_eq!(message.envelope.sender, Some(Text::from("sender@lab.test")));
        assert!(message.time(TimeKind::Arrival).is_some() && message.time(TimeKind::NextAttempt).is_some());
        assert!(message.signs.is_empty(), "the manifest has the inodes of the original");
    }
}

#[test]
fn every_ghost_of_a_real_queue_has_its_sign() {
    let sample = Sample::fixture(&Courier, "ghosts");
    let signs = expected(&[
        ("msgs/0/D10890600", &["EnvelopeLost"]),
        ("msgs/10/C10890610", &["BodyLost"]),
        ("msgs/10/C10890710", &["PartMissing"]),
        ("msgs/13/C10890513", &["OwnerOrMode"]),
        ("tmp/179548/1795480083.1610.lab.test", &["Unfinished", "OwnedByProcess"]),
    ]);
    assert_eq!(sample.signs_on_a_copy(), signs);
    let half = sample.message("tmp/179548/1795480083.1610.lab.test");
    assert_eq!(half.parts.len(), 2, "its data file belongs to it");
    assert_eq!(half.envelope.recipients[0].address, Text::from("half@grey.test"));
    assert_eq!(half.header("Subject"), Some(&Text::from("half")));
    assert!(sample.message("msgs/10/C10890710").signs.iter().any(|signed| signed.sign == Sign::PartMissing));
}

#[test]
fn recipients_that_are_done_are_told_from_those_that_wait() {
    let sample = Sample::fixture(&Courier, "delivered");
    let several = sample.messages().find(|message| message.envelope.recipients.len() == 3).unwrap();
    let states: Vec<_> = several.envelope.recipients.iter().map(|recipient| recipient.state).collect();
    assert_eq!(states, [RecipientState::Done, RecipientState::Pending, RecipientState::Done]);
    assert!(several.time(TimeKind::LastAttempt) < several.time(TimeKind::NextAttempt));
    assert_eq!(several.envelope.recipients[1].reason, Some(Text::from("4.7.1 come again")));
    let waiting = sample.messages().filter(|message| message.queue == "tmp");
    let unclaimed =
        waiting.filter(|message| message.signs.iter().any(|signed| signed.sign == Sign::Unclaimed));
    assert_eq!(unclaimed.count(), 2, "handed in while courierd was down");
}

#[test]
fn both_listings_show_the_same_messages() {
    let text = file(&Courier, "deferred/listing.txt");
    let read = |text: &[u8]| {
        let mut entries: Vec<ListingEntry> = Vec::new();
        let end = (FORMATS[0].parse)(&mut &text[..], &mut |entry| entries.push(entry)).unwrap();
        (entries, end)
    };
    assert!((FORMATS[0].looks_like)(&text));
    let at = memchr::memmem::find(&text, b"## mailq\n").unwrap();
    let (batch, table) = text.split_at(at);
    assert!((FORMATS[1].looks_like)(table) && !(FORMATS[0].looks_like)(table));
    let ((rows, end), (lines, other)) = (read(table), read(batch));
    assert_eq!((rows.len(), end.declared, end.cut, end.misread.len()), (12, Some(12), None, 0));
    assert_eq!((lines.len(), other.declared, other.cut, other.misread.len()), (12, Some(12), None, 0));
    for row in &rows {
        let line = lines.iter().find(|line| line.native == row.native).unwrap();
        assert_eq!((&line.sender, line.size, &line.recipients), (&row.sender, row.size, &row.recipients));
    }
    assert!(rows.iter().any(|row| row.recipients.len() == 3));
    assert_eq!(read(&text).0.len(), 24);
    assert!(read(&table[..table.len() / 2]).1.cut.unwrap().contains("is missing"));
    let fewer = String::from_utf8(table.to_vec()).unwrap().replace("  12 messages.", "  13 messages.");
    assert!(read(fewer.as_bytes()).1.cut.unwrap().contains("states 13 messages and shows 12"));
    assert_eq!(
        read(b"messages: 0\n").1,
        crate::evidence::ListingEnd { declared: Some(0), ..Default::default() }
    );
}

#[test]
fn a_control_file_needs_exactly_two_names() {
    assert_eq!(read(queue(CONTROL)).signs_on_a_copy(), expected(&[]));

    let lost = queue(CONTROL);
    std::fs::remove_file(lost.path().join("msgq/179548/C101.1795480048")).unwrap();
    assert_eq!(read(lost).signs_on_a_copy(), expected(&[("msgs/1/C101", &["PartMissing"])]));

    let three = queue(CONTROL);
    link(three.path(), "msgs/1/C101", "third");
    let sample = read(three);
    assert!(facts(sample.message("msgs/1/C101")).contains("3 names"));
}

#[test]
fn a_copy_without_hard_links_is_told_from_a_queue_that_lost_one() {
    let copied = queue(CONTROL);
    let name = copied.path().join("msgq/179548/C101.1795480048");
    std::fs::remove_file(&name).unwrap();
    std::fs::copy(copied.path().join("msgs/1/C101"), &name).unwrap();
    let sample = read(copied);
    assert_eq!(sample.signs_on_a_copy(), expected(&[]), "all links are lost: that is the copy's doing");
    assert!(sample.facts().contains("the copy lost them"), "{}", sample.facts());

    let one = queue(CONTROL);
    lay_out(
        one.path(),
        &[],
        &[("msgs/2/C102", CONTROL), ("msgs/2/D102", DATA), ("msgq/179548/C102.1795480048", CONTROL)],
    );
    let sample = read(one);
    assert_eq!(sample.signs_on_a_copy(), expected(&[("msgs/2/C102", &["PartMissing"])]));
}

#[test]
fn the_envelope_of_a_lost_control_file_is_read_from_its_other_name() {
    let lost = queue(CONTROL);
    std::fs::remove_file(lost.path().join("msgs/1/C101")).unwrap();
    let sample = read(lost);
    assert_eq!(sample.signs_on_a_copy(), expected(&[("msgs/1/D101", &["EnvelopeLost"])]));
    let message = sample.message("msgs/1/D101");
    assert_eq!(message.envelope.recipients.len(), 2);
    assert!(facts(message).contains("until courierd starts and removes it"), "{}", facts(message));
    assert_eq!(message.header("Subject"), Some(&Text::from("whole")));
}

#[test]
fn what_a_delivered_message_leaves_in_msgq_is_a_remnant_and_a_misfiled_one_is_none() {
    let gone = queue(CONTROL);
    std::fs::remove_dir_all(gone.path().join("msgs/1")).unwrap();
    assert_eq!(
        read(gone).signs_on_a_copy(),
        expected(&[("msgq/179548/C101.1795480048", &["SideFileAlone"])])
    );

    let moved = queue(CONTROL);
    std::fs::rename(moved.path().join("msgs/1"), moved.path().join("msgs/7")).unwrap();
    assert_eq!(read(moved).signs_on_a_copy(), expected(&[("msgs/7/C101", &["Misfiled"])]));
}

#[test]
fn what_was_handed_in_waits_in_tmp() {
    let folder = queue(CONTROL);
    let files: [(&str, &[u8]); 9] = [
        ("tmp/179548/C201", CONTROL),
        ("tmp/179548/D201", DATA),
        ("tmp/179548/C301.1", CONTROL),
        ("tmp/179548/C301.2", CONTROL),
        ("tmp/179548/D301.1", DATA),
        ("tmp/179548/D301.2", DATA),
        ("tmp/179548/D401", DATA),
        ("tmp/courierd.lock", b""),
        ("tmp/broken/old", b"x"),
    ];
    lay_out(folder.path(), &[], &files);
    let signs = expected(&[
        ("tmp/179548/C201", &["Unclaimed"]),
        ("tmp/179548/C301.1", &["Unfinished"]),
        ("tmp/179548/C301.2", &["Unfinished"]),
        ("tmp/179548/D401", &["Unfinished"]),
    ]);
    assert_eq!(read(folder).signs_on_a_copy(), signs);
}

#[test]
fn a_control_file_is_whole_or_damaged_at_every_byte() {
    let expiry = memchr::memmem::find(CONTROL, b"\nA").unwrap() + 1;
    for cut in 0..CONTROL.len() {
        let sample = read(queue(&CONTROL[..cut]));
        let names = sample.signs_on_a_copy().remove("msgs/1/C101").unwrap_or_default();
        assert_eq!(names.contains(&"Corrupt".to_owned()), cut != expiry, "cut at {cut}: {names:?}");
    }
    for seed in 0..200 {
        let sample = read(queue(&noise(seed, 400)));
        assert_eq!(sample.messages().count(), 1);
        assert!(sample.signs_on_a_copy()["msgs/1/C101"].contains(&"Corrupt".to_owned()), "seed {seed}");
    }
    let many = [CONTROL, &b"rx@d.example\n".repeat(100_000)[..], &b"A1\n".repeat(100_000)[..]].concat();
    let sample = read(queue(&many));
    let message = sample.message("msgs/1/C101");
    assert_eq!(message.envelope.recipients.len(), 1_000);
    assert_eq!(message.envelope.recipient_count, Some(100_002));
}

#[test]
fn a_queue_is_recognised_by_two_folders() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &["msgs", "tmp"], &[]);
    assert!(!recognises(&Courier, folder.path()));
    lay_out(folder.path(), &["msgq"], &[]);
    assert!(recognises(&Courier, folder.path()));
}

#[cfg(unix)]
#[test]
fn the_trigger_is_passed_over_and_other_fifos_are_named() {
    let folder = queue(CONTROL);
    for fifo in ["tmp/trigger", "msgs/1/C1"] {
        crate::sources::samples::mkfifo(&folder.path().join(fifo));
    }
    let sample = read(folder);
    assert_eq!((sample.messages().count(), sample.damages().len()), (1, 1));
}
