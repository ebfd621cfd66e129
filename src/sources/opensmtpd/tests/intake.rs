//! Mail that is on its way in: `incoming`, `temporary`, `offline`, and what is to be purged.

use super::*;
use crate::evidence::{DamageKind, Text};

const HALF: &[u8] = b"Subject: half\n\nhalf a mess";

#[test]
fn a_message_that_is_being_received_is_reported_once_wherever_its_files_lie() {
    let envelope = envelope();
    let both = of(&[("incoming/3252b9b1/3252b9b1cdfe3647", &envelope), ("temporary/3252b9b1", HALF)]);
    assert_eq!((both.messages().count(), both.passed()), (1, 1));
    assert_eq!(names(both.message("temporary/3252b9b1")), ["Unfinished"]);

    let committing =
        of(&[("incoming/3252b9b1/3252b9b1cdfe3647", &envelope), ("incoming/3252b9b1/message", HALF)]);
    assert_eq!((committing.messages().count(), committing.passed()), (1, 1));
    assert!(
        facts(committing.message("incoming/3252b9b1/message"))
            .contains("just before it put it into the queue")
    );

    let no_content = of(&[
        ("incoming/3252b9b1/3252b9b1cdfe3647", &envelope),
        ("incoming/3252b9b1/3252b9b1cdfe3648", &envelope),
    ]);
    assert_eq!((no_content.messages().count(), no_content.passed()), (1, 1));
    let message = no_content.message("incoming/3252b9b1/3252b9b1cdfe3647");
    assert_eq!(message.envelope.recipients.len(), 2);
    assert!(facts(message).contains("envelopes without content"));

    let compressing = of(&[("temporary/3252b9b1", HALF), ("temporary/3252b9b1.comp", b"\x1f\x8b")]);
    assert_eq!((compressing.messages().count(), compressing.passed()), (1, 1));
    let compressed = of(&[("temporary/3252b9b1.comp", b"\x1f\x8b")]);
    assert_eq!(compressed.message("temporary/3252b9b1.comp").ids.native, Some(Text::from(ID)));
}

#[test]
fn an_envelope_that_is_being_rewritten_and_what_is_to_be_purged_are_no_messages() {
    let envelope = envelope();
    let case = of(&[("incoming/envelope.tmp", &envelope), ("purge/1603370887/3252b9b1/message", HALF)]);
    assert_eq!((case.messages().count(), case.passed()), (0, 2));
    let facts = &case.opened.instance.facts;
    assert!(facts.iter().any(|fact| fact.text.starts_with("1 entry lies in `purge`")), "{facts:?}");
}

#[test]
fn what_smtpd_leaves_lying_in_offline() {
    let whole: &[u8] = b"-f|a@b.test|c@d.test\nSubject: x\n\nx\n";
    let case = of(&[
        ("offline/1795479218.whole", whole),
        ("offline/1795479218.empty", b""),
        ("offline/1795479218.begun", b"-f|a@b.test|c@d"),
        ("offline/deeper/1795479218.x", whole),
        ("offline/1795479218.many", b"-t\nTo: c@d.test\n\nx\n"),
    ]);
    let of = |path: &str| names(case.message(path)).join(" ");
    assert_eq!(of("offline/1795479218.whole"), "Unclaimed");
    assert_eq!(of("offline/1795479218.empty"), "EmptyFile");
    assert_eq!(of("offline/1795479218.begun"), "Unfinished");
    assert_eq!(of("offline/deeper/1795479218.x"), "Misfiled");
    let many = case.message("offline/1795479218.many");
    assert_eq!(
        (many.envelope.recipients.len(), many.envelope.recipient_count),
        (0, None),
        "the header says it"
    );
    assert_eq!(many.header("To"), Some(&Text::from("c@d.test")));
}

#[test]
fn offline_mail_of_another_group_or_with_two_names_is_skipped_in_silence() {
    let folder = spool(&[("offline/1.x", b"-f|a@b|c@d\n\nx\n"), ("offline/2.x", b"-f|a@b|c@d\n\nx\n")]);
    let line = |gid: u32, links: u32, kind: &str, path: &str| {
        format!("7\t0600\t0:{gid}\t{links}\t1\t1795479218.0\t{kind}\t{path}\n")
    };
    let lines =
        [line(102, 2, "d", "offline"), line(0, 1, "f", "offline/1.x"), line(102, 2, "f", "offline/2.x")];
    let options = with_manifest(folder.path(), &lines.concat());
    let case = Sample::open(&OpenSmtpd, folder, &options);
    for (path, said) in [("offline/1.x", "its group is 0"), ("offline/2.x", "it has 2 names")] {
        assert_eq!(names(case.message(path)), ["OwnerOrMode"]);
        assert!(facts(case.message(path)).contains(said));
    }
}

#[cfg(unix)]
#[test]
fn links_and_special_files_are_damage_and_never_opened() {
    let folder = spool(&[("queue/32/3252b9b1/3252b9b1cdfe3647", &envelope())]);
    let root = folder.path().to_owned();
    for path in ["queue/32/3252b9b1/message", "offline/1795479218.fifo", "temporary/a0000000"] {
        crate::sources::samples::mkfifo(&root.join(path));
    }
    std::os::unix::fs::symlink("/etc/passwd", root.join("queue/32/3252b9b1/3252b9b100000001")).unwrap();
    let case = Sample::open(&OpenSmtpd, folder, &Options::default());
    assert_eq!(case.messages().count(), 0);
    assert_eq!(case.damages().len(), 4);
    assert!(case.damages().iter().all(|damage| damage.kind == DamageKind::NotRegular));
    assert!(case.folder.path().exists());
}
