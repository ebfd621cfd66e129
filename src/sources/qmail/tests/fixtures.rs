//! What real queues say.

use super::*;
use crate::evidence::{Confidence, RecipientState, Text, TimeKind};

#[test]
fn a_deferred_queue_is_healthy() {
    let case = fixture("deferred");
    assert_eq!(case.signs_on_a_copy(), BTreeMap::new());
    assert!(case.messages().all(|message| message.signs.is_empty()), "every name is its inode");
    assert_eq!(case.messages().count(), 23);
    assert_eq!(case.passed(), 46, "info and remote of each");
    let message = case.messages().find(|message| message.envelope.recipients.len() == 3).unwrap();
    assert_eq!(message.envelope.sender, Some(Text::from("sender@lab.test")));
    assert!(message.envelope.recipients.iter().all(|recipient| recipient.state == RecipientState::Pending));
    assert_eq!(message.parts.len(), 3);
    assert!(message.time(TimeKind::Arrival).is_some());
    // qmail-send ran: it had not yet written the next attempt to the file.
    assert_eq!(message.time(TimeKind::NextAttempt), None);
    let facts: Vec<_> = case.opened.instance.facts.iter().map(|fact| fact.text.as_str()).collect();
    assert!(facts.iter().any(|fact| fact.starts_with("conf-split is 23")), "{facts:?}");
    assert!(facts.iter().any(|fact| fact.contains("runs as the owner of `info`, uid 1006")), "{facts:?}");
    assert_eq!(case.opened.instance.limits.queue_lifetime, Some(604_800));
}

#[test]
fn each_ghost_of_a_real_queue_has_its_sign_and_nothing_else_has_one() {
    let case = fixture("ghosts");
    let expected = [
        ("mess/0/11463706", "EnvelopeLost"),
        ("info/0/11463821", "BodyLost"),
        ("mess/0/11464143", "OwnerOrMode"),
        ("mess/1/11464212", "Misfiled"),
        ("mess/13/11460614", "Unfinished"),
    ];
    let expected = expected.map(|(place, sign)| (place.to_owned(), vec![sign.to_owned()]));
    assert_eq!(case.signs_on_a_copy(), BTreeMap::from(expected));
    let expected = Sign::Misfiled { expected: Text::from("mess/0/11464212") };
    let misfiled = sign(case.message("mess/1/11464212"), "Misfiled");
    assert_eq!((&misfiled.sign, misfiled.confidence), (&expected, Confidence::Certain));
    assert_eq!(sign(case.message("mess/13/11460614"), "Unfinished").confidence, Confidence::Likely);
    let lost = case.message("mess/0/11463706");
    assert_eq!(lost.envelope.sender, None, "it stood in `info`");
    assert_eq!(lost.envelope.recipients.len(), 1, "`remote` is still there");
    assert!(lost.header("Subject").is_some());
    assert!(lost.times.iter().any(|timed| timed.kind == TimeKind::Submitted));
}

#[test]
fn a_restored_queue_has_other_inodes_than_names() {
    let case = fixture("ghosts");
    let restored = case.messages().filter(|message| !message.signs.is_empty()).count();
    // The two that came in after the restore have their own, and one has no file in `mess`.
    assert_eq!(restored, case.messages().count() - 1);
    let sign = sign(case.message("mess/0/11463706"), "NameInode");
    assert_eq!(sign.sign, Sign::NameInode { named: 11_463_706, actual: 11_493_503 });
    assert!(case.message("mess/22/11462486").signs.is_empty());
}

#[test]
fn every_state_of_a_stopped_queue_is_told() {
    let case = fixture("states");
    let signs = case.signs_on_a_copy();
    let expected: [(&str, &[&str]); 13] = [
        ("info/3/1110282", &["BodyLost"]),
        ("mess/12/1108658", &["Corrupt", "Unclaimed"]),
        ("mess/2/1108648", &["Unclaimed"]),
        ("mess/3/1109592.bak", &["ForeignName"]),
        ("mess/3/1110236", &["Unfinished"]),
        ("mess/3/1110420", &["OwnerOrMode"]),
        ("mess/3/1110466", &["EnvelopeLost"]),
        ("mess/3/1110949", &["Corrupt"]),
        ("mess/3/1111110", &["Corrupt"]),
        ("mess/4/1111731", &["Misfiled"]),
        ("mess/7/1112885", &["Unfinished"]),
        ("pid/4194000.1795480000.1", &["Unfinished", "OwnedByProcess"]),
        ("remote/8/1110770", &["SideFileAlone"]),
    ];
    for (place, names) in expected {
        assert_eq!(signs.get(place).map(Vec::as_slice).unwrap_or_default(), names, "{place}");
    }
    assert_eq!(signs.len(), expected.len(), "{signs:?}");
    assert_eq!(case.message("mess/12/1108658").envelope.sender, Some(Text::default()), "the null sender");
    let begun = &case.message("mess/7/1112885").envelope;
    assert_eq!(begun.sender, None, "qmail-queue had it in its buffer when it was killed");
}

#[test]
fn rejected_recipients_are_done_with_and_keep_the_reason() {
    let case = fixture("states");
    let recipients = &case.message("mess/0/1108646").envelope.recipients;
    let of =
        |address: &str| recipients.iter().find(|recipient| recipient.address == Text::from(address)).unwrap();
    assert_eq!(recipients.len(), 3);
    assert_eq!(of("later@grey.test").state, RecipientState::Pending);
    for address in ["no@rej.test", "never@rej.test"] {
        assert_eq!(of(address).state, RecipientState::Done);
        assert!(of(address).reason.as_ref().unwrap().lossy().contains("550 5.1.1"), "{address}");
    }
}

#[test]
fn a_stopped_qmail_send_has_left_its_next_attempts_in_the_files() {
    let case = fixture("states");
    let both = case.message("mess/20/1108689");
    assert_eq!(both.envelope.recipients.len(), 2, "one in `local`, one in `remote`");
    let attempts: Vec<_> =
        both.times.iter().filter(|timed| timed.kind == TimeKind::NextAttempt).map(|timed| timed.at).collect();
    // 10² s and 20² s after a first attempt in the same second: `nextretry`.
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0].since(attempts[1]), 300);
    let ahead = case.message("mess/16/1111169").time(TimeKind::NextAttempt).unwrap();
    assert!(ahead > Time::parse("2027-12-01").unwrap());
}
