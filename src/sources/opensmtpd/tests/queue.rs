//! Messages of the queue, made by hand after one that smtpd made.

use super::*;
use crate::evidence::{Confidence, Epoch, EpochOrigin, Fact, Locus, RecipientState, Text, TimeKind};

const CONTENT: &[u8] = b"Received: from x\nSubject: by hand\nMessage-ID: <a@b>\n\nbody\n";

fn in_folder(folder: &str, files: &[(&str, &[u8])]) -> Sample {
    let paths: Vec<_> = files.iter().map(|(name, bytes)| (format!("{folder}/{name}"), *bytes)).collect();
    let files: Vec<_> = paths.iter().map(|(path, bytes)| (path.as_str(), *bytes)).collect();
    of(&files)
}

#[test]
fn several_envelopes_without_content_are_one_finding() {
    let envelope = envelope();
    let names_of = ["3252b9b100000001", "3252b9b100000002", "3252b9b1cdfe3647"];
    let case = in_folder("queue/32/3252b9b1", &names_of.map(|name| (name, envelope.as_slice())));
    assert_eq!(case.messages().count(), 1);
    assert_eq!(case.passed(), 2);
    let lost = case.message("queue/32/3252b9b1/3252b9b100000001");
    assert_eq!(names(lost), ["BodyLost"]);
    assert_eq!(lost.envelope.recipients.len(), 3);
    assert_eq!(lost.ids.native, Some(Text::from(ID)));
}

#[test]
fn one_damaged_envelope_of_three_is_said_to_be_one_of_three() {
    let envelope = envelope();
    let case = in_folder(
        "queue/32/3252b9b1",
        &[
            ("message", CONTENT),
            ("3252b9b100000001", &envelope),
            ("3252b9b100000002", &envelope[..100]),
            (ENVELOPE, &envelope),
        ],
    );
    assert_eq!((case.messages().count(), case.passed()), (1, 3));
    let message = case.message("queue/32/3252b9b1/3252b9b100000002");
    assert_eq!(names(message), ["Corrupt"]);
    assert!(facts(message).contains("2 of its 3 envelopes are whole"));
    assert_eq!(message.envelope.recipient_count, Some(3), "of which two could be read");
    assert_eq!(message.ids.message_id, Some(Text::from("<a@b>")));
    assert_eq!(message.parts[0].locus.path, message.place.path, "what is looked at a second time");
}

#[test]
fn what_smtpd_would_not_accept_is_corrupt() {
    let judged = |bytes: &[u8]| {
        let case = in_folder("queue/32/3252b9b1", &[("message", CONTENT), (ENVELOPE, bytes)]);
        let signed = case.messages().next().unwrap().signs.first().cloned();
        signed.map(|signed| (signed.confidence, signed.facts[0].text.clone()))
    };
    assert_eq!(judged(&envelope()), None);
    assert_eq!(judged(&envelope_with("sender", "@")), None, "the null sender");
    assert_eq!(judged(&envelope_with("flags", "authenticated bounce internal")), None);
    for (field, value, confidence, said) in [
        ("version", "three", Confidence::Certain, "expected a number as version"),
        ("ctime", "soon", Confidence::Certain, "`ctime` has a value"),
        ("retry", "70000", Confidence::Certain, "`retry` has a value"),
        ("type", "lmtp", Confidence::Certain, "`type` has a value"),
        ("flags", "authenticated,haunted", Confidence::Certain, "`flags` has a value"),
        ("helo", "", Confidence::Certain, "the field `helo` is empty"),
        ("rcpt", "", Confidence::Likely, "the field `rcpt` is empty"),
    ] {
        let (found, text) = judged(&envelope_with(field, value)).unwrap();
        assert_eq!(found, confidence, "{field}: {value}");
        assert!(text.contains(said), "{text}");
    }
    let mut newer = envelope();
    newer.extend_from_slice(b"mda-relay: x\n");
    assert!(judged(&newer).unwrap().1.contains("there is no field `mda-relay`"));
    let mut blank = envelope();
    blank.extend_from_slice(b"\n");
    assert_eq!(judged(&blank).unwrap().0, Confidence::Certain);
}

#[test]
fn envelopes_of_an_old_version_are_damage_only_among_new_ones() {
    let old = b"version: 2\ntag: \ntype: mta\nsender: a@b.test\nrcpt: c@d.test\ndest: c@d.test\nctime: 1500000000\n\
        expire: 345600\nretry: 0\nmta-relay: smtp://x\n";
    let folder = "queue/32/3252b9b1/";
    let (content, envelope_path) = (format!("{folder}message"), format!("{folder}{ENVELOPE}"));
    let alone = of(&[(&content, CONTENT), (&envelope_path, old)]);
    assert_eq!(alone.signs(), BTreeMap::new(), "an smtpd before 6.4 reads it");
    assert_eq!(alone.messages().next().unwrap().envelope.sender, Some(Text::from("a@b.test")));
    assert!(alone.opened.instance.facts.iter().any(|fact| fact.text.contains("version 1 or 2")));

    let new = envelope();
    let mixed = of(&[
        (&content, CONTENT),
        (&envelope_path, old),
        ("queue/a0/a0000000/message", CONTENT),
        ("queue/a0/a0000000/a000000000000001", &new),
    ]);
    let message = mixed.message(&envelope_path);
    assert_eq!(names(message), ["Corrupt"]);
    assert_eq!(message.signs[0].confidence, Confidence::Likely);
}

#[test]
fn a_bounce_is_not_to_be_sent_to_the_recipient_that_failed() {
    let bounce = envelope_with("type", "bounce");
    let case = in_folder("queue/32/3252b9b1", &[("message", CONTENT), (ENVELOPE, &bounce)]);
    let message = case.messages().next().unwrap();
    assert_eq!(message.envelope.recipients[0].state, RecipientState::Done);
}

#[test]
fn a_lifetime_of_its_own_says_when_it_expires() {
    let envelope = envelope_with("ttl", "3600");
    let case = in_folder("queue/32/3252b9b1", &[("message", CONTENT), (ENVELOPE, &envelope)]);
    let message = case.messages().next().unwrap();
    let arrived = message.time(TimeKind::Arrival).unwrap();
    assert_eq!(message.time(TimeKind::Expires), Some(arrived.plus(3_600)));
}

#[test]
fn a_message_in_any_other_place_than_its_own_is_misfiled() {
    let envelope = envelope();
    for folder in [
        "queue/zz/3252b9b1",
        "queue/321/3252b9b1",
        "queue/3252b9b1",
        "queue/old/32/3252b9b1",
        "queue/32/3252B9B1",
        "queue/32/3252b9b1.bak",
    ] {
        let case = in_folder(folder, &[("message", CONTENT), (ENVELOPE, &envelope)]);
        assert_eq!((case.messages().count(), case.passed()), (1, 1), "{folder}");
        let message = case.message(&format!("{folder}/message"));
        let expected = Text::from("queue/32/3252b9b1/message");
        assert_eq!(message.signs[0].sign, Sign::Misfiled { expected }, "{folder}");
        assert_eq!(message.ids.native, Some(Text::from(ID)), "{folder}");
    }
    let nameless = in_folder("queue/32/restored", &[("message", CONTENT)]);
    assert_eq!(names(nameless.message("queue/32/restored/message")), ["ForeignName", "EnvelopeLost"]);
}

#[test]
fn an_envelope_in_the_folder_of_another_message_is_misfiled_by_itself() {
    let envelope = envelope();
    let other = "a0000000cdfe3647";
    let case =
        in_folder("queue/32/3252b9b1", &[("message", CONTENT), (ENVELOPE, &envelope), (other, &envelope)]);
    assert_eq!((case.messages().count(), case.passed()), (2, 1));
    let stray = case.message(&format!("queue/32/3252b9b1/{other}"));
    assert_eq!(stray.ids.native, Some(Text::from("a0000000")));
    assert_eq!(names(stray), ["Misfiled"]);
    assert!(case.message("queue/32/3252b9b1/message").signs.is_empty());
}

#[test]
fn names_that_are_none_of_smtpds() {
    let envelope = envelope();
    let case = of(&[
        ("queue/32/3252b9b1/message", CONTENT),
        ("queue/32/3252b9b1/3252b9b1cdfe3647.bak", &envelope),
        ("queue/a0/a0000000/message", CONTENT),
        ("queue/a0/a0000000/a000000000000001", &envelope),
        ("queue/a0/a0000000/message~", CONTENT),
        ("queue/a0/.nfs0001", CONTENT),
        ("queue/core", b"\x7fELF"),
    ]);
    let renamed = case.message("queue/32/3252b9b1/3252b9b1cdfe3647.bak");
    assert_eq!(names(renamed), ["ForeignName"]);
    assert_eq!(renamed.envelope.recipients[0].address, Text::from("grey18@grey.test"));
    let left = case.message("queue/32/3252b9b1/message");
    assert_eq!(names(left), ["EnvelopeLost"]);
    assert!(facts(left).contains("1 file of another name lies beside it"));
    assert_eq!(names(case.message("queue/a0/a0000000/message~")), ["ForeignName"]);
    assert!(case.message("queue/a0/a0000000/message").signs.is_empty());
    assert_eq!(case.message("queue/core").signs[0].confidence, Confidence::Likely);
    assert_eq!(case.messages().count(), 5);
}

#[test]
fn what_old_versions_set_aside_is_reported_once_a_message() {
    let envelope = envelope();
    let case = of(&[
        ("corrupt/3252b9b1/message", CONTENT),
        ("corrupt/3252b9b1/3252b9b1cdfe3647", &envelope),
        ("corrupt/a0000000.1/a000000000000001", &envelope),
    ]);
    assert_eq!(case.messages().count(), 2);
    let whole = case.message("corrupt/3252b9b1/message");
    assert_eq!((names(whole).as_slice(), whole.queue.as_str()), (&["Corrupt".to_owned()][..], "corrupt"));
    assert_eq!(whole.envelope.recipients.len(), 1);
    assert_eq!(names(case.message("corrupt/a0000000.1/a000000000000001")), ["Corrupt"]);
}

#[test]
fn an_empty_content_would_be_sent_as_an_empty_message() {
    let case = in_folder("queue/32/3252b9b1", &[("message", b""), (ENVELOPE, &envelope())]);
    let message = case.message("queue/32/3252b9b1/message");
    assert_eq!(names(message), ["EmptyFile"]);
    assert!(facts(message).contains("an empty message would be sent"));
}

fn set_time(folder: &TempDir, path: &str, seconds: i64) {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(seconds).unwrap());
    let file = std::fs::File::options().write(true).open(folder.path().join(path)).unwrap();
    file.set_modified(time).unwrap();
}

#[test]
fn an_envelope_that_is_newer_than_the_start_of_smtpd_may_not_be_in_its_index() {
    let path = "queue/32/3252b9b1/3252b9b1cdfe3647";
    let open = |modified: i64, since: Option<i64>| {
        let folder = spool(&[(path, &envelope()), ("queue/32/3252b9b1/message", CONTENT)]);
        set_time(&folder, path, modified);
        let fact = Fact::new("the operator said so", Locus::whole("."));
        let epoch = |since| Epoch {
            stamp: None,
            since: Some(Time::from_unix(since)),
            origin: EpochOrigin::Given,
            witnesses: 1,
            fact,
        };
        let epochs = since.map(epoch).into_iter().collect();
        Sample::open(&OpenSmtpd, folder, &Options { epochs, now: Time::now(), ..Options::default() })
    };
    let late = open(2_000, Some(1_000));
    let message = late.message(path);
    assert_eq!(names(message), ["AfterIndex"]);
    assert_eq!(message.signs[0].confidence, Confidence::Possible, "what smtpd took in itself looks the same");
    assert!(facts(message).contains("the operator said so"));
    assert_eq!(open(1_000, Some(2_000)).signs(), BTreeMap::new());
    assert_eq!(open(1_000, None).signs(), BTreeMap::new(), "it is not known since when smtpd runs");
    let future = Time::now().plus(400 * 86_400).seconds;
    let ahead = open(future, None);
    assert!(facts(ahead.message(path)).contains("after everything that happened in this spool"));
}

#[test]
fn a_newer_version_is_not_guessed_at() {
    let newer = envelope_with("version", "4");
    let case = in_folder("queue/32/3252b9b1", &[("message", CONTENT), (ENVELOPE, &newer)]);
    let message = case.messages().next().unwrap();
    assert!(message.signs.is_empty() && message.envelope.recipients.is_empty());
    assert_eq!(case.damages().len(), 1, "{:?}", case.records);
}
