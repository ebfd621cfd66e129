//! What is seen in the spools that OpenSMTPD left behind.

use super::*;
use crate::evidence::{At, Confidence, PartKind, RecipientState, Text, TimeKind};

#[test]
fn a_healthy_spool_shows_no_sign_at_all_and_one_record_a_message() {
    let case = fixture("deferred");
    assert_eq!(case.messages().count(), 12);
    assert_eq!(case.signs(), BTreeMap::new());
    assert_eq!(case.passed(), 9 + 3 * 3, "their envelopes");
    assert!(case.damages().is_empty());
    for message in case.messages() {
        assert_eq!(message.envelope.sender, Some(Text::from("sender@lab.test")));
        assert!(message.envelope.recipients.iter().all(|r| r.state == RecipientState::Pending));
        assert_eq!(message.parts[0].kind, PartKind::Content);
        assert_eq!(message.parts.len(), 1 + message.envelope.recipients.len());
        assert_eq!(message.arrived().unwrap().rfc3339().get(..16), Some("2026-11-24T00:12"));
        assert!(message.attributes.contains(&("flags".into(), Text::from("authenticated"))));
        assert!(message.time(TimeKind::Expires).is_none(), "a ttl of 0 leaves it to the configuration");
    }
    let three = case.messages().filter(|message| message.envelope.recipients.len() == 3).count();
    assert_eq!(three, 3);
    assert_eq!(case.opened.instance.queues, ["queue", "incoming", "temporary", "offline", "purge"]);
    assert!(case.opened.instance.last_activity.unwrap().rfc3339().as_str() > "2026-11-24T00:12:40Z");
}

#[test]
fn why_a_recipient_waits_stands_with_that_recipient() {
    let case = fixture("ghosts");
    let reasons: Vec<_> = case.messages().flat_map(|message| &message.envelope.recipients).collect();
    assert!(reasons.iter().any(|recipient| {
        recipient.address == Text::from("grey18@grey.test")
            && recipient.reason == Some(Text::from("451 4.7.1 Greylisted, try again later"))
    }));
    assert!(reasons.iter().any(|recipient| recipient.reason.is_none()), "some were never tried");
}

#[test]
fn every_ghost_that_was_made_shows_its_sign_and_nothing_else_does() {
    let case = fixture("ghosts");
    let expected: BTreeMap<String, Vec<String>> = [
        ("queue/d7/d7665b62/message", "EnvelopeLost"),
        ("queue/dc/dc43b58d/dc43b58db873cce0", "BodyLost"),
        ("queue/57/578ca4f1/578ca4f1f5ec0636", "Corrupt"),
        ("queue/2f/2fbde200/2fbde200240f218c", "Corrupt"),
        ("queue/ee/ee940105/ee940105cee96027", "EmptyFile"),
        ("queue/17/17ef4469/17ef446952831646", "OwnerOrMode"),
        ("queue/19/1959ba86/message", "OwnerOrMode"),
        ("queue/b9/b9e5a4f0/b9e5a4f0eb20ad09", "OwnerOrMode"),
        ("queue/zz/6b89b653/message", "Misfiled"),
    ]
    .into_iter()
    .map(|(path, sign)| (path.to_owned(), vec![sign.to_owned()]))
    .collect();
    assert_eq!(case.signs(), expected);
    assert_eq!(
        case.messages().count(),
        11 + 12,
        "what is suspended, or was discovered, looks healthy on disk"
    );
}

#[test]
fn damage_is_named_to_the_byte_with_what_can_still_be_saved() {
    let case = fixture("ghosts");
    let cut = case.message("queue/57/578ca4f1/578ca4f1f5ec0636");
    assert_eq!(cut.signs[0].sign, Sign::Corrupt { offset: 57 });
    assert_eq!(cut.signs[0].facts[0].locus.at, At::Bytes(57, 60));
    assert!(facts(cut).contains("cut off within it"));
    assert!(facts(cut).contains("no sender, no recipient, 843 bytes of content"));
    assert_eq!(cut.header("Subject"), Some(&Text::from("grey 12 of 150")), "the content says whose it was");
    assert!(facts(case.message("queue/2f/2fbde200/2fbde200240f218c")).contains("NUL byte"));
}

#[test]
fn whom_the_files_must_belong_to_the_folder_of_the_queue_says() {
    let case = fixture("ghosts");
    let of = |path| facts(case.message(path));
    let envelope = of("queue/17/17ef4469/17ef446952831646");
    assert!(envelope.contains("mode 0600, uid 0: uid 101 cannot read `queue/17/"), "{envelope}");
    assert!(of("queue/b9/b9e5a4f0/b9e5a4f0eb20ad09").contains("mode 0000"));
    let folder = of("queue/19/1959ba86/message");
    assert!(folder.contains("mode 0700, uid 1000: uid 101 cannot look into `queue/19/1959ba86`"), "{folder}");
    assert!(folder.contains("cannot read `queue/19/1959ba86/message`"), "the content as well: {folder}");
    let message = case.message("queue/b9/b9e5a4f0/b9e5a4f0eb20ad09");
    assert_eq!(message.envelope.recipients[0].address, Text::from("grey17@grey.test"), "ghostq may read it");
}

#[test]
fn a_message_whose_smtpd_was_killed_is_one_unfinished_message_of_two_folders() {
    let case = fixture("half");
    let half = case.message("temporary/5a3ebe9e");
    assert_eq!(names(half), ["Unfinished"]);
    assert_eq!(half.ids.native, Some(Text::from("5a3ebe9e")));
    assert_eq!(half.envelope.sender, Some(Text::from("half@lab.test")));
    assert_eq!(half.envelope.recipients[0].address, Text::from("half@grey.test"));
    assert_eq!(half.parts[1].locus.path, Text::from("incoming/5a3ebe9e/5a3ebe9e11e530d7"));
    assert_eq!(case.signs().len(), 1);
}

#[test]
fn mail_that_was_handed_in_while_smtpd_was_down_tells_from_whom_and_to_whom() {
    let case = fixture("offline");
    let offline: Vec<_> = case.messages().filter(|message| message.queue == "offline").collect();
    assert_eq!(offline.len(), 3);
    for message in &offline {
        assert_eq!(names(message), ["Unclaimed"]);
        assert_eq!(message.signs[0].confidence, Confidence::Certain);
        assert_eq!(message.envelope.sender, Some(Text::from("a@lab.test")));
        assert_eq!(message.header("Subject"), Some(&Text::from("off")));
        assert_eq!(message.arrived(), Some(Time::from_unix(1_795_479_218)), "as its name says");
    }
    assert!(case.opened.instance.unlisted_queues.contains(&"offline"), "no listing of smtpd shows it");
}
