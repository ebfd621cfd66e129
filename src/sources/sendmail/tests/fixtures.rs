//! What is seen in the spools that sendmail left behind.

use super::*;
use crate::evidence::{At, Confidence, PartKind, RecipientState, Text, TimeKind};

#[test]
fn a_healthy_spool_shows_no_sign_at_all() {
    let case = fixture("deferred", "");
    assert_eq!(case.messages().count(), 12);
    assert_eq!(case.records.len(), 24, "their data files");
    assert_eq!(case.signs(), BTreeMap::new());
    for message in case.messages() {
        assert_eq!(message.envelope.sender, Some(Text::from("sender@lab.test")));
        let kinds: Vec<_> = message.parts.iter().map(|part| part.kind).collect();
        assert_eq!(kinds, [PartKind::Envelope, PartKind::Content]);
        assert_eq!(message.size, message.parts[1].size, "as the listing shows it");
        let made = message.time(TimeKind::IdTime).unwrap();
        assert!(message.arrived().unwrap().since(made).abs() <= 1);
        assert!(message.time(TimeKind::LastAttempt).unwrap() >= message.arrived().unwrap());
    }
    let many = case.message(&format!("qf{ID}"));
    assert_eq!(many.envelope.recipients.len(), 3);
    for recipient in &many.envelope.recipients {
        assert_eq!(recipient.state, RecipientState::Pending, "who has it is not in a control file any more");
        assert!(recipient.reason.as_ref().unwrap().lossy().contains("451 4.7.1 Greylisted"));
    }
    assert!(many.attributes.contains(&("client".into(), Text::from("root@localhost"))));
    assert!(many.attributes.contains(&("auth_sender".into(), Text::from("sender@lab.test"))));
    assert_eq!(case.opened.instance.last_activity.unwrap().rfc3339(), "2026-11-24T00:11:26.661771526Z");
}

#[test]
fn what_a_quarantine_a_bad_mode_and_lost_halves_leave_is_told_apart() {
    let case = fixture("quarantine-lost-bad", "");
    let expected = [
        ("Qf6AO0BIhH000255", "OwnerOrMode"),
        ("df6AO0BIvt000239", "EnvelopeLost"),
        ("hf6AO0BIHD000231", "Held"),
        ("qf6AO0BIAB000288", "EmptyFile"),
        ("qf6AO0BIIj000279", "Corrupt"),
    ];
    let found = case.signs();
    let found: Vec<_> = found.iter().map(|(path, signs)| (path.as_str(), signs.join(" "))).collect();
    assert_eq!(found, expected.map(|(path, sign)| (path, sign.to_owned())));

    let lost = case.message("Qf6AO0BIhH000255");
    assert_eq!((lost.queue.as_str(), lost.signs[0].confidence), ("lost", Confidence::Certain));
    assert!(lost.signs[0].facts[0].text.starts_with("mode 0666"));
    assert_eq!(lost.header("subject"), Some(&Text::from("grey 14 of 150")));
    let held = case.message("hf6AO0BIHD000231");
    assert_eq!(held.queue, "quarantined");
    assert_eq!(held.signs[0].facts[0].text, "it is quarantined: labtest");
    let cut = case.message("qf6AO0BIIj000279");
    assert_eq!(cut.signs[0].sign, Sign::Corrupt { offset: 200 });
    assert!(cut.signs[0].facts[1].text.contains("neither sent nor returned"));
    let empty = case.message("qf6AO0BIAB000288");
    assert_eq!(empty.signs[0].facts[1].text, "its body is there, 360 bytes");
    let body = case.message("df6AO0BIvt000239");
    assert_eq!(body.ids.native, Some(Text::from("6AO0BIvt000239")));
    assert_eq!(body.signs[0].confidence, Confidence::Likely, "a copy taken seconds after it was written");
    assert_eq!(case.opened.instance.unlisted_queues, ["quarantined", "lost"]);
}

#[test]
fn several_queue_folders_with_and_without_subfolders_are_one_spool() {
    let case = fixture("several-queues", "var/spool/mqueue");
    let instance = &case.opened.instance;
    assert_eq!(instance.queues, ["mqueue", "old", "q1", "q2", "quarantined", "lost"]);
    let signs = case.signs();
    for (path, expected) in [
        ("old/qf6AO7vO1x000185", "OtherQueue"),
        ("qf6AO7vO4v000195", "OtherQueue"),
        ("q1/qf6AO7vOBZ000191.bak", "BodyLost SecondCopy"),
        ("q2/qf/qf6AO7vOc3000161.before-upgrade", "ForeignName"),
        ("q2/qf/qf6AO7vOx2000226", "Corrupt BlocksQueue"),
        ("q1/qf6AO7vOD5000165", "Held"),
        ("q1/Qf6AO7vODZ000215", "Corrupt"),
        ("q1/qf6AO7vOE1000211", "JournalLeft"),
        ("q2/qf/qf6AO7vO9d000181", "BodyLost"),
        ("q2/qf/tf6AO7vOZ0000230", "Unfinished"),
        ("q1/qf6AO7vOWn000176", "Corrupt"),
        ("q2/df/df6AO7vWnx000371", "EnvelopeLost"),
        ("q2/xf/xf6AO0BfS6002202", "SideFileAlone"),
    ] {
        assert_eq!(signs[path].join(" "), expected, "{path}");
    }
    assert_eq!(signs.len(), 13, "and nothing else: {signs:?}");

    let blocker = sign(case.message("q2/qf/qf6AO7vOx2000226"), "BlocksQueue");
    assert!(blocker.facts[0].text.contains("every queue run dies on it"));
    let unknown = case.message("q1/qf6AO7vOWn000176");
    assert_eq!(unknown.signs[0].facts[0].locus.at, At::Bytes(129, 134));
    let early = case.message("q1/qf6AO7vOD5000165");
    assert_eq!((early.queue.as_str(), early.signs[0].confidence), ("q1", Confidence::Certain));
    let renamed = case.message("q2/qf/qf6AO7vOc3000161.before-upgrade");
    assert_eq!(renamed.ids.native, Some(Text::from("6AO7vOc3000161")));
    assert_eq!(renamed.parts.len(), 2, "its data file is not reported by itself");
}

#[test]
fn the_queue_of_the_submission_program_is_a_blind_spot_of_the_listing() {
    let case = fixture("several-queues", "var/spool/mqueue-client");
    assert_eq!(case.messages().count(), 3);
    assert_eq!(case.signs(), BTreeMap::new(), "0660 is what it should be there");
    assert!(case.opened.instance.listing_blind_spot.as_ref().unwrap().contains("mailq -Ac"));
    let server = fixture("several-queues", "var/spool/mqueue");
    assert!(server.opened.instance.listing_blind_spot.is_none());
}
