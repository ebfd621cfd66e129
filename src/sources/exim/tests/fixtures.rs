//! What is seen in the spools that Exim left behind.

use super::*;

#[test]
fn a_healthy_spool_shows_no_sign_at_all() {
    for deep in [false, true] {
        let case = fixture_with("deferred", deep);
        assert_eq!(case.messages().count(), 14);
        assert_eq!(case.signs(), BTreeMap::new());
        let others = case.passed();
        assert_eq!(others, 28, "their bodies and logs");
        for message in case.messages() {
            assert_eq!(message.envelope.sender, Some(Text::from("sender@lab.test")));
            assert!(message.envelope.recipients.iter().all(|r| r.state == RecipientState::Pending));
            assert_eq!(message.arrived().unwrap().seconds, message.time(TimeKind::IdTime).unwrap().seconds);
        }
    }
}

#[test]
fn a_message_has_all_that_its_envelope_says() {
    let case = fixture("deferred");
    let message = case.message("input/1xVf5d-00002O-0X-H");
    assert_eq!(message.ids.native, Some("1xVf5d-00002O-0X".into()));
    assert_eq!(message.ids.message_id, Some("<E1xVf5d-00002O-0X@lab.test>".into()));
    assert_eq!(message.size, Some(564), "as the listing shows it");
    assert_eq!(message.arrived().unwrap().rfc3339(), "2026-11-24T01:12:57.169076Z");
    assert!(message.attributes.contains(&("ident".into(), "root".into())));
    assert_eq!(message.parts.len(), 2, "envelope and body");
    let three = case.messages().find(|message| message.envelope.recipients.len() == 3).unwrap();
    assert!(three.envelope.recipients.iter().any(|r| r.address == Text::from("extra@dead.test")));
}

#[test]
fn a_body_alone_is_told_from_one_whose_reception_was_broken_off() {
    let removed = fixture("lone-body");
    let body = removed.message("input/1xVf5d-000053-1q-D");
    assert_eq!(names(body), ["EnvelopeLost"]);
    assert_eq!(body.signs[0].confidence, Confidence::Certain);
    assert!(facts(body).contains("it was accepted, and had an envelope"));
    assert_eq!(body.envelope.sender, Some("sender@lab.test".into()), "from its log");
    assert!(body.envelope.recipients[0].reason.as_ref().unwrap().lossy().contains("451 4.7.1"));
    assert_eq!(removed.signs().len(), 2, "and one that is frozen: {:?}", removed.signs());

    let killed = fixture("killed-receive");
    let body = killed.message("input/1xVf5y-0000fm-0G-D");
    assert_eq!(names(body), ["EnvelopeLost"]);
    assert_eq!(body.signs[0].confidence, Confidence::Likely, "it may have been in the making");
    assert!(facts(body).contains("perhaps the sender was never told"));
    assert_eq!(killed.signs().len(), 1, "and nothing else: {:?}", killed.signs());
}

#[test]
fn frozen_halved_damaged_and_unreadable_messages_are_told_apart() {
    let case = fixture("frozen-halves-named");
    let expected = [
        ("input/1xVf5d-00003b-19-H", "Held"),
        ("input/1xVf5d-00005D-1u-H", "BodyLost"),
        ("input/1xVf5d-00005L-1z-H", "Corrupt"),
        ("input/1xVf5d-00005d-28-H", "Corrupt"),
        ("input/1xVf5d-00005m-2C-H", "OwnerOrMode"),
        ("input/1xVf5d-00005w-2G-H", "OwnerOrMode"),
        ("quarantine/input/1xVf5t-0000cg-2j-H", "OtherQueue"),
        ("quarantine/input/1xVf5u-0000cl-0B-H", "OtherQueue"),
        ("quarantine/input/1xVf5u-0000cq-0r-H", "OtherQueue"),
    ];
    let expected = expected.map(|(path, sign)| (path.to_owned(), vec![sign.to_owned()]));
    assert_eq!(case.signs(), BTreeMap::from(expected));

    assert!(facts(case.message("input/1xVf5d-00003b-19-H")).contains("frozen since 2026-11-24T01:13:0"));
    let cut = case.message("input/1xVf5d-00005L-1z-H");
    assert!(facts(cut).contains("the sender, 0 of 1 recipients, 0 bytes of header, the body (182 bytes"));
    let noise = case.message("input/1xVf5d-00005d-28-H");
    assert_eq!(noise.envelope.recipients[0].address, "grey24@grey.test".into(), "from its log");
    let named = case.message("quarantine/input/1xVf5t-0000cg-2j-H");
    assert_eq!(named.queue, "quarantine");
    assert_eq!(case.opened.instance.queues, ["input", "quarantine"]);
}

#[test]
fn a_journal_says_who_must_not_get_it_again() {
    let case = fixture("half-journal");
    let message = case.message("input/1xVf64-0000hA-2Y-H");
    assert_eq!(names(message), ["JournalLeft"]);
    assert_eq!(state(message, "j1@ok.test"), RecipientState::Done);
    assert_eq!(state(message, "j2@slow.test"), RecipientState::Pending);
    assert_eq!(message.parts.len(), 4, "envelope, journal, body, log");
}

#[test]
fn names_and_folders_that_exim_passes_over_are_told_from_those_that_it_lists() {
    let case = fixture("foreign-names-future");
    let of = |path: &str| case.signs_of(path);
    assert_eq!(of("input/1xVf5e-0000000007x-0002-H"), ["ForeignName"]);
    assert_eq!(case.message("input/1xVf5e-0000000007x-0002-H").signs[0].confidence, Confidence::Likely);
    assert_eq!(of("input/old/1xVf5e-00008H-0A-H"), ["ForeignName"]);
    assert_eq!(of("input/1xVf5e-00008O-0F-H.bak"), ["ForeignName"]);
    assert_eq!(of("input/hdr.1xVf5e-00008X-0J"), ["ForeignName"]);
    assert_eq!(of("input/x/1xVf5e-000087-07-H"), ["Misfiled"]);
    assert_eq!(of("input/1xVf64-0000hA-2Y-H"), ["JournalLeft"]);
    assert_eq!(of("input/1zqfjX-0000kd-2w-H"), [""; 0], "the future is for a rule, which has the clock");
    assert_eq!(
        case.message("input/1zqfjX-0000kd-2w-H").arrived().unwrap().rfc3339(),
        "2027-12-29T01:13:31.914737Z"
    );
    assert_eq!(
        of("msglog/1xVf5e-00007x-02"),
        ["SideFileAlone"],
        "the ID in its name is that before the renaming"
    );
    let own = |path: &&String| !path.starts_with("quarantine") && !path.starts_with("msglog");
    assert_eq!(case.signs().keys().filter(own).count(), 6, "{:?}", case.signs());
    let bak = case.message("input/1xVf5e-00008O-0F-H.bak");
    assert_eq!(bak.parts.len(), 3, "its body has the same tail, and its log the ID");
    assert_eq!(bak.envelope.recipients[0].address, "grey43@grey.test".into());
}
