//! What is seen in the spools that Postfix left behind.

use super::*;
use crate::evidence::{At, Confidence, RecipientState, Text, TimeKind};
use crate::sources::postfix::{name, queue_id};

#[test]
fn a_healthy_spool_shows_no_sign_at_all() {
    let case = fixture("deferred");
    assert_eq!(case.messages().count(), 12);
    assert_eq!(case.signs(), BTreeMap::new());
    assert_eq!(case.passed(), 12, "their logs");
    for message in case.messages() {
        assert_eq!(message.envelope.sender, Some(Text::from("sender@lab.test")));
        assert!(message.envelope.recipients.iter().all(|r| r.state == RecipientState::Pending));
        let (arrived, next) = (message.arrived().unwrap(), message.time(TimeKind::NextAttempt).unwrap());
        assert!((600..700).contains(&next.since(arrived)), "the back-off was 600 seconds");
    }
    let recipients: usize = case.messages().map(|message| message.envelope.recipients.len()).sum();
    assert_eq!(recipients, 9 + 3 * 3, "three of them have three recipients");
    assert_eq!(case.opened.instance.last_activity.unwrap().rfc3339(), "2026-11-24T00:46:49.637039181Z");
}

#[test]
fn the_inode_in_a_queue_id_is_the_one_of_the_file() {
    let names = std::fs::read_to_string(fixture_path(&Postfix, "deferred").join("all-names.tsv")).unwrap();
    assert_eq!(names.lines().count(), 200);
    for (inode, name) in names.lines().map(|line| line.split_once('\t').unwrap()) {
        assert_eq!(queue_id::decode(name.as_bytes()).unwrap().inode.to_string(), inode, "{name}");
    }
    assert!(matches!(name::judge(b"3B367B0C773"), name::Name::Id(_)));
}

#[test]
fn held_mail_unclaimed_mail_and_what_a_killed_postdrop_left() {
    let case = fixture("hold-half-maildrop");
    let signs = case.signs();
    let of = |folder: &str, sign: &str| {
        signs.iter().filter(|(path, signs)| path.starts_with(folder) && **signs == [sign]).count()
    };
    assert_eq!(of("hold/", "Held"), 11);
    assert_eq!(of("maildrop/", "Unclaimed"), 5);
    assert_eq!(signs["maildrop/B594FB0C7D2"], ["Unfinished"]);
    assert_eq!(signs.len(), 17, "and nothing else");

    let half = case.message("maildrop/B594FB0C7D2");
    assert_eq!(half.envelope.recipients[0].address, Text::from("pd@grey.test"));
    assert_eq!(half.header("subject"), Some(&Text::from("killed postdrop")));
    let facts: Vec<&str> = half.signs[0].facts.iter().map(|fact| fact.text.as_str()).collect();
    assert!(facts[0].starts_with("mode 0644"), "{facts:?}");
    assert!(facts[2].starts_with("can still be read: the sender, 1 recipient, 16300 bytes"), "{facts:?}");

    let held = case.message("hold/EBD9BB0C6E2");
    assert!(held.envelope.recipients[0].reason.as_ref().unwrap().lossy().contains("451 4.7.1 Greylisted"));
    assert_eq!(held.size, Some(481), "as postqueue shows it");
    assert_eq!(case.message("maildrop/B5220B0C82E").size, Some(303), "as postqueue shows it");
}

#[test]
fn a_message_whose_cleanup_was_killed_is_unfinished_and_tells_whose_it_was() {
    let case = fixture("half-incoming");
    let half = case.message("incoming/1B6F7B0C7D2");
    assert_eq!(names(half), ["Unfinished"]);
    assert_eq!(half.envelope.sender, Some(Text::from("half@lab.test")));
    assert_eq!(half.ids.message_id, Some(Text::from("<20261124004651.1B6F7B0C7D2@lab.test>")));
    assert!(half.attributes.contains(&("client_address".into(), Text::from("127.0.0.1"))));
    assert!(half.time(TimeKind::NextAttempt).is_none(), "nobody will try it");
    assert_eq!(case.messages().filter(|message| !message.signs.is_empty()).count(), 1);
}

#[test]
fn a_restored_spool_has_names_of_other_inodes_and_nothing_worse() {
    let case = fixture("restored");
    assert_eq!(case.messages().count(), 12);
    assert!(case.messages().all(|message| names(message) == ["NameInode"]));
    assert_eq!(case.opened.instance.queues, ["deferred", "defer"]);
}

#[test]
fn damage_is_named_to_the_byte_with_what_can_still_be_saved() {
    let case = fixture("corrupt");
    let cut = case.message("corrupt/E9E42B0E030");
    assert_eq!(cut.signs[0].sign, Sign::Corrupt { offset: 563 });
    assert_eq!(cut.signs[0].facts[1].locus.at, At::Bytes(563, 582));
    assert!(cut.signs[0].facts[2].text.contains("ends at byte 1161, but it ends at byte 582"));
    assert!(cut.signs[0].facts[3].text.contains("3 of 3 recipients, 150 bytes of content, which end within"));

    let bent = case.message("corrupt/E065DB0E032");
    assert_eq!(bent.signs[0].sign, Sign::Corrupt { offset: 186 });
    assert!(bent.signs[0].facts[1].text.contains("found no `=`"));
    assert!(bent.signs[0].facts[2].text.contains("483 bytes of content with the whole header"));
    assert_eq!(bent.envelope.recipients.len(), 3);
    assert!(bent.envelope.recipients.iter().all(|recipient| recipient.reason.is_some()));
}

#[test]
fn wrong_owner_mode_and_name_are_told_apart() {
    let case = fixture("corrupt");
    let signs = case.signs();
    assert_eq!(signs["deferred/2/226CCB0E068"], ["OwnerOrMode"], "mode 0600");
    assert_eq!(signs["deferred/3/3A36DB0E025"], ["OwnerOrMode"], "mode 0644, owner root");
    assert_eq!(signs["deferred/2/2C71BB0E064"], ["SecondCopy"], "two links: only a possibility");
    assert_eq!(signs["deferred/E649CB0E031.bak"], ["ForeignName"]);
    assert_eq!(signs["defer/E/E649CB0E031"], ["SideFileAlone"]);
    assert_eq!(signs.len(), 10, "two corrupt, one unfinished and two held ones besides: {signs:?}");

    let renamed = case.message("deferred/E649CB0E031.bak");
    let log = case.message("defer/E/E649CB0E031");
    assert_eq!(renamed.ids.native, log.ids.native, "so that the two can be brought together");
    assert!(renamed.time(TimeKind::NextAttempt).is_none());
    assert_eq!(case.message("deferred/2/2C71BB0E064").signs[0].confidence, Confidence::Possible);
}

#[test]
fn a_clock_400_days_ahead_shows_in_the_time_of_the_next_attempt() {
    let case = fixture("future");
    let clock = Time::parse("2026-11-24T00:49:11Z").unwrap();
    let ahead: Vec<_> = case
        .messages()
        .filter(|message| {
            message.time(TimeKind::NextAttempt).is_some_and(|next| next.since(clock) > 399 * 86_400)
        })
        .collect();
    assert_eq!(ahead.len(), 5);
    assert!(ahead.iter().all(|message| message.signs.is_empty()), "it is for a rule, which has the clock");
    assert!(case.opened.instance.last_activity.unwrap() <= clock);
}

#[test]
fn a_log_without_its_message_names_who_was_to_get_it() {
    let case = fixture("future");
    let log = case.message("defer/3/3723AB0E01F");
    assert_eq!(names(log), ["SideFileAlone"]);
    assert_eq!(log.signs[0].confidence, Confidence::Certain);
    assert_eq!(log.envelope.recipients[0].address, Text::from("grey30@grey.test"));
    assert!(log.signs[0].facts[1].text.contains("451 4.7.1 Greylisted"));
}

#[test]
fn where_queue_folders_are_missing_a_lone_log_proves_little() {
    let case = fixture("restored");
    let lone = case.folder.path().join("var/spool/postfix/defer/0/0AAAAB0C6E1");
    std::fs::copy(fixture_path(&Postfix, "future/tree/defer/3/3723AB0E01F"), lone).unwrap();
    let path = Path::new("defer/0/0AAAAB0C6E1");
    let mut seen = Vec::new();
    let unit = Unit { root: &case.opened.root, path, kind: EntryKind::Regular, lean: false };
    (case.opened.read)(unit, &mut |record| {
        seen.push(record);
        ControlFlow::Continue(())
    });
    let [Record::Message(log)] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(log.signs[0].confidence, Confidence::Possible);
    assert!(log.signs[0].facts[1].text.contains("no folder maildrop, incoming, active, hold"));
}

#[test]
fn a_second_instance_is_whole_but_plain_postqueue_does_not_read_it() {
    let case = fixture("second-instance");
    assert_eq!(case.messages().count(), 3);
    assert_eq!(case.signs(), BTreeMap::new());
    assert_eq!(case.opened.instance.label, "postfix-out");
    let blind = case.opened.instance.listing_blind_spot.as_ref().unwrap();
    assert!(blind.contains("postqueue -c"), "{blind}");
    assert!(fixture("deferred").opened.instance.listing_blind_spot.is_none());
}

#[test]
fn a_name_of_one_letter_stops_the_queue_and_its_listing() {
    let case = fixture("one-letter");
    let signs = case.signs();
    assert_eq!(signs.keys().collect::<Vec<_>>(), ["deferred/x"]);
    assert_eq!(signs["deferred/x"], ["BlocksQueue", "ForeignName"]);
    let blocker = case.message("deferred/x");
    assert_eq!(
        blocker.envelope.sender,
        Some(Text::from("sender@lab.test")),
        "so that it can be told whose it is"
    );
}
