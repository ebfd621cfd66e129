//! What is proposed for the ghosts of nullmailer, and what is written of their content.

use super::*;
use crate::plan::{Given, Verb};
use crate::sources::Extent;
use crate::sources::proposals::*;
use crate::sources::samples::Random;

/// A spool with these files, its folders, and the FIFO.
#[cfg(unix)]
fn spool(files: &[(&str, &[u8])]) -> Sample {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &FOLDERS, files);
    crate::sources::samples::mkfifo(&folder.path().join("trigger"));
    Sample::open(&Nullmailer, folder, &Options::default())
}

fn below_the_envelope(bytes: &[u8]) -> &[u8] {
    let at = memchr::memmem::find(bytes, b"\n\n").unwrap();
    &bytes[at + 2..]
}

#[test]
fn the_content_is_what_follows_the_envelope() {
    let sample = Sample::fixture(&Nullmailer, "ghosts");
    for place in ["failed/1795505922.2109", "queue/.1795505945.3431", "queue/x1795505945.3425.bak"] {
        let whole = file(&Nullmailer, &format!("ghosts/tree/{place}"));
        let written = content(&sample, place, Extent::Whole).unwrap();
        assert_eq!(written, below_the_envelope(&whole), "{place}");
        assert!(written.starts_with(b"Received: (nullmailer pid "));
        let header = content(&sample, place, Extent::Header).unwrap();
        assert!(written.starts_with(&header) && header.ends_with(b"\n\n"));
    }
    let cut = content(&sample, "tmp/2827", Extent::Whole).unwrap_err();
    assert!(cut.reason.contains("last line has no end"), "{cut:?}");
}

#[cfg(unix)]
#[test]
fn what_was_set_aside_is_put_back_with_a_new_lifetime_under_a_free_name() {
    let sample = spool(&[("failed/1.2", WHOLE)]);
    let proposal = propose(&sample, Verb::Requeue, "failed/1.2", &["held"], &nothing()).unwrap();
    assert_eq!(changes(&proposal), ["time failed/1.2", "rename failed/1.2 queue/1.2", "wake trigger"]);
    assert!(proposal.warnings.iter().any(|warning| warning.contains("tells the sender")));
    let taken = spool(&[("failed/1.2", WHOLE), ("queue/1.2", WHOLE), ("failed/1.2.1", WHOLE)]);
    let proposal = propose(&taken, Verb::Requeue, "failed/1.2", &["held"], &nothing()).unwrap();
    assert_eq!(changes(&proposal)[1], "rename failed/1.2 queue/1.2.2");
    let told = propose(&taken, Verb::Ndr, "failed/1.2", &["held"], &nothing()).unwrap_err();
    assert!(told.reason.contains("itself returns"));
}

#[cfg(unix)]
#[test]
fn a_name_with_a_dot_loses_it() {
    let sample = spool(&[("queue/..1.2", WHOLE), ("queue/...", WHOLE), ("failed/1.2", WHOLE)]);
    let proposal = propose(&sample, Verb::Requeue, "queue/..1.2", &["foreign-name"], &nothing()).unwrap();
    assert_eq!(
        changes(&proposal),
        ["rename queue/..1.2 queue/1.2.1", "wake trigger"],
        "a later failure would replace what is in `failed`"
    );
    let proposal = propose(&sample, Verb::Requeue, "queue/...", &["foreign-name"], &nothing()).unwrap();
    assert_eq!(changes(&proposal)[0], "rename queue/... queue/1795521600.0");
}

#[test]
fn the_real_ghosts_get_what_helps_them() {
    let sample = Sample::fixture(&Nullmailer, "ghosts");
    let requeue = |place: &str, rules: &[&str]| propose(&sample, Verb::Requeue, place, rules, &nothing());
    let dotted = requeue("queue/.1795505945.3431", &["foreign-name"]).unwrap();
    assert_eq!(changes(&dotted), ["rename queue/.1795505945.3431 queue/1795505945.3431"]);
    assert!(dotted.warnings.iter().any(|warning| warning.contains("no FIFO")), "git keeps none");
    let owner = requeue("queue/1795505945.3419", &["wrong-owner-or-mode"]).unwrap();
    assert_eq!(changes(&owner), ["owner queue/1795505945.3419 8:Some(0)", "mode queue/1795505945.3419 600"]);
    let half = requeue("tmp/2827", &["unfinished", "owner-gone"]).unwrap_err();
    assert!(half.reason.contains("not told that it was accepted") && half.hint.contains("cp -a"), "{half:?}");
}

#[test]
fn a_spool_without_a_mail_system_is_emptied_by_hand_and_nobody_is_left_out() {
    let sample = Sample::fixture(&Nullmailer, "ghosts");
    let place = "failed/1795505922.2109";
    let proposal = propose(&sample, Verb::Requeue, place, &["held"], &offline()).unwrap();
    let (parts, outgoing) = handed_over(&proposal);
    assert_eq!(parts, [place]);
    assert_eq!(outgoing.sender, Some(Text::from("sender@lab.test")));
    assert_eq!(recipients(outgoing), ["multi17@grey.test", "extra@dead.test", "extra2@grey.test"]);
    let mut many = b"a@b.example\n".to_vec();
    many.extend(
        (0..60_000).flat_map(|number| format!("r{number}@a-rather-long-name.example\n").into_bytes()),
    );
    many.extend_from_slice(b"\nReceived: x\n\nbody\n");
    let sample = Sample::of(&Nullmailer, &FOLDERS, &[("queue/1.2", &many)]);
    let proposal = propose(&sample, Verb::Requeue, "queue/1.2", &[], &offline()).unwrap();
    assert_eq!(handed_over(&proposal).1.recipients.len(), 60_000, "a scan keeps a thousand");
}

#[test]
fn what_would_be_lost_or_sent_twice_is_refused() {
    let sample =
        Sample::of(&Nullmailer, &FOLDERS, &[("queue/1.2", b""), ("queue/3.4", WHOLE), ("queue/5.6", WHOLE)]);
    let requeue = |place: &str, rules: &[&str]| propose(&sample, Verb::Requeue, place, rules, &offline());
    let empty = requeue("queue/1.2", &["empty-file"]).unwrap_err();
    assert!(empty.reason.contains("takes such a file for sent, and deletes it"), "{empty:?}");
    assert!(requeue("queue/3.4", &["duplicate-message"]).is_err());
    std::fs::hard_link(sample.folder.path().join("queue/5.6"), sample.folder.path().join("tmp/7")).unwrap();
    assert!(requeue("queue/5.6", &[]).unwrap_err().reason.contains("2 names"));
}

#[test]
fn an_address_with_a_comma_stays_one_address() {
    let comma = b"a@b.example\nx,victim@d.example\n\nReceived: x\n\nbody\n";
    let sample = Sample::of(&Nullmailer, &FOLDERS, &[("queue/.1.2", comma)]);
    let proposal = propose(&sample, Verb::Ndr, "queue/.1.2", &["foreign-name"], &nothing()).unwrap();
    assert_eq!(recipients(handed_over(&proposal).1), ["x,victim@d.example"]);
}

#[test]
fn what_nullmailer_cannot_see_may_be_returned_and_of_a_bounce_somebody_else_be_told() {
    let bounce = b"\nroot@d.example\n\nReceived: x\n\nbody\n";
    let sample = Sample::of(
        &Nullmailer,
        &FOLDERS,
        &[("queue/.1.2", WHOLE), ("queue/.3.4", bounce), ("failed/5.6", bounce)],
    );
    let proposal = propose(&sample, Verb::Ndr, "queue/.1.2", &["foreign-name"], &nothing()).unwrap();
    assert_eq!(handed_over(&proposal).0, ["queue/.1.2"]);
    // Who is told of one with the null sender is decided by `--ndr-to`, without which the gate refuses it.
    let proposal = propose(&sample, Verb::Ndr, "queue/.3.4", &["foreign-name"], &nothing()).unwrap();
    assert_eq!(handed_over(&proposal).1.sender, Some(Text::default()));
    let set_aside = propose(&sample, Verb::Ndr, "failed/5.6", &["held"], &nothing()).unwrap();
    assert_eq!(handed_over(&set_aside).0, ["failed/5.6"], "nullmailer-send never looks there");
}

/// A body that ends between two lines cannot be told from a whole one; everything else can.
#[test]
fn a_file_cut_at_any_byte_is_refused_or_has_all_recipients() {
    let body_at = memchr::memmem::rfind(WHOLE, b"\n\n").unwrap() + 2;
    for cut in 0..WHOLE.len() {
        let sample = Sample::of(&Nullmailer, &FOLDERS, &[("queue/1.2", &WHOLE[..cut])]);
        let requeue = |given: &Given| propose(&sample, Verb::Requeue, "queue/1.2", &["expired"], given);
        assert_eq!(requeue(&offline()).is_ok(), cut == body_at, "cut at {cut}");
        assert_eq!(
            requeue(&nothing()).is_ok(),
            cut == body_at,
            "what is cut off is not woken up either: {cut}"
        );
    }
}

#[test]
fn any_bytes_are_survived() {
    let mut random = Random::new(7);
    for _ in 0..300 {
        let bytes = random.overwritten(WHOLE);
        let sample = Sample::of(&Nullmailer, &FOLDERS, &[("queue/1.2", &bytes), ("queue/.3", &noise(1, 99))]);
        for message in sample.messages() {
            for verb in [Verb::Requeue, Verb::Ndr] {
                let given = Given { offline: true, ..named() };
                let _proposed = propose_for(&sample, message, verb, &[], &given);
            }
        }
    }
}
