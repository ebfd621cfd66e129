//! Spools of dma 0.13, and made-up ones. `fixtures/dma/*/case.toml` says how the real ones were made.

use super::listing::FORMATS;
use super::*;
use crate::evidence::{ListingEntry, Sign, Text, TimeKind};
use crate::sources::samples::{Sample, expected, facts, file, lay_out, noise, recognises};

mod plan;

const Q: &[u8] = b"ID: 1a.2b\nSender: a@b.example\nRecipient: c@d.example\n";
const M: &[u8] = b"Subject: whole\n\nbody\n";

#[test]
fn a_healthy_spool_has_no_signs_and_one_message_for_each_recipient() {
    let sample = Sample::fixture(&Dma, "deferred");
    assert_eq!(sample.signs(), expected(&[]));
    assert_eq!(sample.messages().count(), 12);
    for message in sample.messages() {
        assert_eq!(message.envelope.recipients.len(), 1);
        assert_eq!(message.parts.len(), 2);
        assert!(message.time(TimeKind::Created).is_some());
    }
}

#[test]
fn every_ghost_of_a_real_spool_has_its_sign() {
    let sample = Sample::fixture(&Dma, "ghosts");
    let signs = expected(&[
        ("M13e035.564a54e2af40", &["EnvelopeLost"]),
        ("Q13e180.55ddc1748f40", &["BodyLost"]),
        ("Q13e820.56369f2e2f40", &["Corrupt"]),
        ("Q13e9a0.561a686d4f40", &["Corrupt"]),
        ("Q13ea5b.55a35168af40", &["OwnerOrMode"]),
        ("tmp_XXXXtLUEW1", &["Unfinished"]),
    ]);
    assert_eq!(sample.signs(), signs);
    let cut = sample.message("Q13e9a0.561a686d4f40");
    assert_eq!(cut.ids.native, Some(Text::from("13e9a0.561a686d4f40")), "the name still has the whole ID");
    assert!(facts(cut).contains("the content is there, 572 bytes"), "{}", facts(cut));
    assert!(sample.message("M13e035.564a54e2af40").header("Subject").is_some());
}

#[test]
fn the_listing_shows_id_sender_and_recipient() {
    let format = &FORMATS[0];
    let read = |text: &[u8]| {
        let mut entries: Vec<ListingEntry> = Vec::new();
        let end = (format.parse)(&mut &text[..], &mut |entry| entries.push(entry)).unwrap();
        (entries, end)
    };
    let text = file(&Dma, "deferred/listing.txt");
    assert!((format.looks_like)(&text));
    let (entries, end) = read(&text);
    assert_eq!((entries.len(), end.cut, end.misread.len()), (12, None, 0));
    assert!(entries.iter().all(|entry| entry.native.is_some() && entry.recipients.len() == 1));
    let (entries, end) = read(&text[..text.len() - 20]);
    assert_eq!(entries.len(), 12);
    assert!(end.cut.unwrap().contains("breaks off"));
    let (entries, end) = read(b"Mail queue is empty\n");
    assert_eq!((entries.len(), end.declared, end.cut), (0, Some(0), None));
}

#[test]
fn a_line_without_its_end_would_go_to_a_wrong_address() {
    let sample = Sample::of(&Dma, &[], &[("Q1a.2b", &Q[..Q.len() - 1]), ("M1a.2b", M)]);
    let message = sample.message("Q1a.2b");
    assert!(facts(message).contains("takes its last character off and reads `Recipient: c@d.exampl`"));
    assert_eq!(message.header("Subject"), Some(&Text::from("whole")));
}

#[test]
fn an_envelope_is_whole_or_damaged_at_every_byte() {
    for cut in 0..Q.len() {
        let sample = Sample::of(&Dma, &[], &[("Q1a.2b", &Q[..cut]), ("M1a.2b", M)]);
        assert_eq!(sample.signs(), expected(&[("Q1a.2b", &["Corrupt"])]), "cut at {cut}");
    }
    for seed in 0..200 {
        let bytes = noise(seed, 400);
        let sample = Sample::of(&Dma, &[], &[("Q1a.2b", &bytes), ("M1a.2b", &bytes), ("tmp_x", &bytes)]);
        assert_eq!(sample.messages().count(), 2);
        assert!(matches!(sample.message("Q1a.2b").signs[0].sign, Sign::Corrupt { .. }), "seed {seed}");
    }
}

#[test]
fn what_is_no_message_is_passed_over_and_other_names_are_named() {
    let files: [(&str, &[u8]); 5] =
        [("Q1a.2b", Q), ("M1a.2b", b""), ("flush", b""), (".keep", b""), ("Qold.bak", b"")];
    let sample = Sample::of(&Dma, &[], &files);
    let signs = expected(&[("Q1a.2b", &["EmptyFile"]), ("Qold.bak", &["Corrupt", "BodyLost"])]);
    assert_eq!(sample.signs(), signs);
    let sample = Sample::of(&Dma, &[], &[("backup.M1a.2b", M)]);
    assert_eq!(sample.signs(), expected(&[("backup.M1a.2b", &["ForeignName"])]));
}

#[test]
fn a_spool_is_recognised_by_the_names_in_it() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &[], &[("Quarterly.txt", b"x"), ("Makefile", b"x")]);
    assert!(!recognises(&Dma, folder.path()));
    lay_out(folder.path(), &[], &[("M1a.2b", M)]);
    assert!(recognises(&Dma, folder.path()));
}

#[cfg(unix)]
#[test]
fn a_link_or_fifo_is_named_and_never_followed() {
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &[], &[("Q1a.2b", Q), ("M1a.2b", M)]);
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("M3c.4d")).unwrap();
    crate::sources::samples::mkfifo(&folder.path().join("Q5e.6f"));
    let sample = Sample::open(&Dma, folder, &Options::default());
    assert_eq!((sample.messages().count(), sample.damages().len()), (1, 2));
}
