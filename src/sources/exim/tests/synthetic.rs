//! What no spool of the lab has: other versions, other places, rare lines.

use super::*;
use crate::evidence::At;

const ID: &str = "1xVf5d-00002O-0X";
const NEW: &str = "1xVf5e-0000000007x-0200";

/// An envelope with these optional lines, this tree and these recipients.
fn envelope(id: &str, options: &str, tree: &str, recipients: &[&str]) -> Vec<u8> {
    let count = recipients.len();
    let all: String = recipients.iter().flat_map(|recipient| [*recipient, "\n"]).collect();
    let field = |kind: char, text: &str| format!("{:03}{kind} {text}", text.len());
    let received = field('P', "Received: from x by y (Exim 4.96)\n");
    let message_id = field('I', "Message-Id: <x@lab.test>\n");
    format!(
        "{id}-H\nroot 0 0\n<s@a.test>\n1795482777 0\n-received_time_usec .169076\n{options}{tree}{count}\n{all}\n\
         {received}{message_id}"
    )
    .into_bytes()
}

fn body(id: &str) -> Vec<u8> {
    format!("{id}-D\none\ntwo\n").into_bytes()
}

fn whole<'a>(header: &'a str, data: &'a str, envelope: &'a [u8], body: &'a [u8]) -> Sample {
    of(&[(header, envelope), (data, body)])
}

fn plain() -> Vec<u8> {
    envelope(ID, "", "XX\n", &["r@b.test"])
}

#[test]
fn a_spool_may_be_flat_or_split_or_both() {
    for folder in ["input", "input/d"] {
        let (header, data) = (format!("{folder}/{ID}-H"), format!("{folder}/{ID}-D"));
        assert_eq!(whole(&header, &data, &plain(), &body(ID)).signs(), BTreeMap::new(), "{folder}");
    }
    let apart = whole("input/1xVf5d-00002O-0X-H", "input/d/1xVf5d-00002O-0X-D", &plain(), &body(ID));
    assert_eq!(apart.signs(), BTreeMap::new(), "Exim looks for each file in both places");
    let wrong = whole("input/e/1xVf5d-00002O-0X-H", "input/e/1xVf5d-00002O-0X-D", &plain(), &body(ID));
    assert_eq!(wrong.signs_of("input/e/1xVf5d-00002O-0X-H"), ["Misfiled"]);
}

#[test]
fn an_envelope_with_every_kind_of_line_is_read() {
    let value = "two\nlines\0x";
    let options = format!(
        "--helo_name client.test\n-host_address [192.0.2.7]:4711\n-host_auth plain\n--(mysql)auth_id o'hara\n\
         --auth_sender joe@a.test\n-aclm spam {}\n{value}\n-acl 10 3\nabc\n-tls_peerdn x\n-unknown_option\n",
        value.len()
    );
    let tree = "YN done@b.test\nNY a@b.test\nNN z@b.test\n";
    let recipients = ["r@b.test rfc822;r@c.test 15,8 e@c.test 8,-1#3", "done@b.test", "z@b.test 0"];
    let envelope = envelope(ID, &options, tree, &recipients);
    let case = whole("input/1xVf5d-00002O-0X-H", "input/1xVf5d-00002O-0X-D", &envelope, &body(ID));
    assert_eq!(case.signs(), BTreeMap::new());
    let message = case.messages().next().unwrap();
    assert_eq!(state(message, "r@b.test"), RecipientState::Pending);
    assert_eq!(state(message, "done@b.test"), RecipientState::Done);
    assert_eq!(state(message, "z@b.test"), RecipientState::Done);
    for (name, value) in [
        ("auth_id", "o'hara"),
        ("auth_sender", "joe@a.test"),
        ("host_auth", "plain"),
        ("host_address", "[192.0.2.7]:4711"),
        ("helo_name", "client.test"),
        ("orcpt", "rfc822;r@c.test"),
        ("errors_to", "e@c.test"),
    ] {
        assert!(
            message.attributes.contains(&(name.into(), value.into())),
            "{name}: {:?}",
            message.attributes
        );
    }
}

#[test]
fn more_recipients_than_exim_reads_are_a_format_error_and_are_counted() {
    let all: Vec<String> = (0..16_385).map(|number| format!("r{number}@b.test")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let too_many = envelope(ID, "", "XX\n", &all);
    let case = whole("input/1xVf5d-00002O-0X-H", "input/1xVf5d-00002O-0X-D", &too_many, &body(ID));
    let message = case.messages().next().unwrap();
    assert_eq!(names(message), ["Corrupt"]);
    assert!(facts(message).contains("no more than 16384"));
    assert_eq!(message.envelope.recipient_count, Some(16_385));
    let just = envelope(ID, "", "XX\n", &all[..16_384]);
    let case = whole("input/1xVf5d-00002O-0X-H", "input/1xVf5d-00002O-0X-D", &just, &body(ID));
    assert_eq!(case.signs(), BTreeMap::new());
}

#[test]
fn long_ids_are_foreign_only_where_an_older_exim_has_been_at_work_since() {
    let new = envelope(NEW, "", "XX\n", &["r@b.test"]);
    let files = |other: &'static str| {
        let old = envelope(other, "", "XX\n", &["r@b.test"]);
        of(&[
            (&format!("input/{NEW}-H"), &new),
            (&format!("input/{NEW}-D"), &body(NEW)),
            (&format!("input/{other}-H"), &old),
            (&format!("input/{other}-D"), &body(other)),
        ])
    };
    assert_eq!(
        files("1xVf5d-00002O-0X").signs(),
        BTreeMap::new(),
        "an old ID that was there before the upgrade"
    );
    assert_eq!(files("1xVf5f-00002O-0X").signs_of(&format!("input/{NEW}-H")), ["ForeignName"]);
    let alone = whole(&format!("input/{NEW}-H"), &format!("input/{NEW}-D"), &new, &body(NEW));
    assert_eq!(alone.signs(), BTreeMap::new());
}

#[test]
fn named_queues_may_be_named_with_slashes_and_frozen_messages_moved_away() {
    let case = of(&[
        ("held/by/input/1xVf5d-00002O-0X-H", &plain()),
        ("held/by/input/1xVf5d-00002O-0X-D", &body(ID)),
        (
            "Finput/1xVf5e-00002O-0X-H",
            &envelope("1xVf5e-00002O-0X", "-frozen 1795482800\n", "XX\n", &["r@b.test"]),
        ),
        ("Finput/1xVf5e-00002O-0X-D", &body("1xVf5e-00002O-0X")),
        ("Fmsglog/1xVf5e-00002O-0X", b"2026-11-24 01:12:57 Received from s@a.test\n"),
        ("db/input/1xVf5d-00002O-0X-D", &body(ID)),
    ]);
    let named = case.message("held/by/input/1xVf5d-00002O-0X-H");
    assert_eq!((named.queue.as_str(), names(named)), ("held/by", vec!["OtherQueue".into()]));
    let frozen = case.message("Finput/1xVf5e-00002O-0X-H");
    assert_eq!((frozen.queue.as_str(), names(frozen)), ("Finput", vec!["Held".into(), "OtherQueue".into()]));
    assert_eq!(case.signs().len(), 2);
}

#[test]
fn what_a_delivery_leaves_when_it_is_stopped_at_its_very_end_is_told_as_that() {
    let header = whole("input/1xVf5d-00002O-0X-H", "input/1xVf5d-00002O-0X-J", &plain(), b"r@b.test\n");
    let message = header.messages().next().unwrap();
    assert_eq!(names(message), ["BodyLost", "JournalLeft"]);
    assert!(facts(message).contains("removed a message that it had delivered"));
    let journal = of(&[("input/1xVf5d-00002O-0X-J", b"r@b.test\n")]);
    let message = journal.messages().next().unwrap();
    assert_eq!(names(message), ["SideFileAlone"]);
    assert_eq!(state(message, "r@b.test"), RecipientState::Done);
}

#[test]
fn each_broken_message_is_reported_once() {
    let making = of(&[
        ("input/hdr.1xVf5d-00002O-0X", &plain()),
        ("input/1xVf5d-00002O-0X-D", &body(ID)),
        ("input/1xVf5d-00002O-0X-J", b"r@b.test\n"),
        ("msglog/1xVf5d-00002O-0X", b"2026-11-24 01:12:57 Received from s@a.test\n"),
    ]);
    assert_eq!(making.signs().keys().collect::<Vec<_>>(), ["input/hdr.1xVf5d-00002O-0X"]);
    let rewritten = of(&[
        ("input/1xVf5d-00002O-0X-H", &plain()),
        ("input/hdr.1xVf5d-00002O-0X", b"half of"),
        ("input/1xVf5d-00002O-0X-D", &body(ID)),
        ("input/1xVf5d-00002O-0X-4711-K", b"signed"),
    ]);
    assert_eq!(rewritten.signs(), BTreeMap::new(), "an envelope that was being replaced still stands");
}

#[test]
fn files_under_other_names_are_known_by_their_first_line() {
    let case = of(&[
        ("input/saved-by-me", &plain()),
        ("input/notes.txt", b"call the postmaster\n"),
        ("input/mail.eml", b"Received: from x\nFrom: a@b.test\nDate: Tue, 24 Nov 2026 01:12:57 +0000\n\nx\n"),
        ("msglog/README", b"x"),
    ]);
    assert_eq!(case.signs_of("input/saved-by-me"), ["ForeignName"]);
    assert_eq!(case.message("input/saved-by-me").ids.native, Some(ID.into()));
    assert_eq!(case.message("input/saved-by-me").signs[0].confidence, Confidence::Certain);
    assert_eq!(case.message("input/mail.eml").signs[0].confidence, Confidence::Possible);
    assert_eq!(case.messages().count(), 2);
}

#[test]
fn a_body_that_lost_bytes_shows_by_its_size_or_by_its_lines() {
    let counted = envelope(ID, "-body_linecount 2\n", "XX\n", &["r@b.test"]);
    let spool = |data: &[u8], deep: bool| {
        let options = Options { deep, now: Time::now(), ..Options::default() };
        let files = [("input/1xVf5d-00002O-0X-H", &counted[..]), ("input/1xVf5d-00002O-0X-D", data)];
        with_options(&files, &options).signs_of("input/1xVf5d-00002O-0X-H")
    };
    assert_eq!(spool(&body(ID), true), [""; 0]);
    assert_eq!(spool(b"1xVf5d-00002O-0X-D\none\ntw", false), [""; 0]);
    assert_eq!(spool(b"1xVf5d-00002O-0X-D\none\ntw", true), ["Corrupt"]);
    assert_eq!(spool(b"", false), ["Corrupt"]);
}

#[test]
fn an_envelope_of_another_message_names_both() {
    let case =
        whole("input/1xVf5e-00002O-0X-H", "input/1xVf5e-00002O-0X-D", &plain(), &body("1xVf5e-00002O-0X"));
    let message = case.messages().next().unwrap();
    assert_eq!(names(message), ["Corrupt"]);
    assert!(facts(message).contains("found `1xVf5d-00002O-0X-H`: it is of another message"));
    assert_eq!(message.signs[0].facts[1].locus.at, At::Bytes(0, 19));
}

#[test]
fn a_folder_of_messages_alone_and_one_queue_of_a_spool_are_read_as_well() {
    let case = of(&[
        ("input/d/1xVf5d-00002O-0X-H", &plain()),
        ("quarantine/input/1xVf5e-00002O-0X-H", &envelope("1xVf5e-00002O-0X", "", "XX\n", &["r@b.test"])),
        ("quarantine/input/1xVf5e-00002O-0X-D", &body("1xVf5e-00002O-0X")),
        ("quarantine/msglog/x", b""),
    ]);
    let spool = case.folder.path().join(SPOOL);
    let read = |root: &Path| {
        let detected = detect(&Exim, root, false).unwrap();
        let opened = Exim.open(&detected, &Options::default()).unwrap();
        let found = records(&opened).into_iter().filter_map(|record| match record {
            Record::Message(message) => Some((message.queue.clone(), names(&message))),
            _ => None,
        });
        found.collect::<Vec<_>>()
    };
    assert_eq!(read(&spool.join("input")), [("input".into(), vec!["BodyLost".into()])]);
    assert_eq!(read(&spool.join("quarantine")), [("quarantine".into(), vec!["OtherQueue".into()])]);
}

#[test]
fn only_what_looks_like_exim_is_taken_for_it() {
    let folder = TempDir::new().unwrap();
    let make = |path: &str| std::fs::create_dir_all(folder.path().join(path)).unwrap();
    make("a/input");
    make("a/output");
    assert!(detect(&Exim, &folder.path().join("a"), false).is_none(), "many programs have a folder `input`");
    assert!(detect(&Exim, &folder.path().join("a"), true).is_some(), "the operator said so");
    make("b/input");
    make("b/msglog");
    assert!(detect(&Exim, &folder.path().join("b"), false).is_some(), "an empty spool");
    make("c/input/d");
    std::fs::write(folder.path().join("c/input/d/1xVf5d-00002O-0X-H"), b"").unwrap();
    assert!(detect(&Exim, &folder.path().join("c"), false).is_some(), "one without logs");
    make("e");
    std::fs::write(folder.path().join("e/letter-H"), b"").unwrap();
    std::fs::write(folder.path().join("e/letter-sender-to-H"), b"").unwrap();
    assert!(detect(&Exim, &folder.path().join("e"), false).is_none());
}

#[test]
fn every_rule_that_can_fire_on_exim_has_one_treatment_with_a_source() {
    let mut rules: Vec<&str> = Exim.treatments().iter().map(|treatment| treatment.rule).collect();
    rules.sort_unstable();
    assert_eq!(
        rules,
        [
            "body-without-envelope",
            "corrupt",
            "delivery-journal-left",
            "duplicate-message",
            "empty-file",
            "envelope-without-body",
            "expired",
            "foreign-name",
            "future-time",
            "held",
            "listed-not-on-disk",
            "misfiled",
            "orphan-side-file",
            "other-queue",
            "unlisted",
            "wrong-owner-or-mode",
        ]
    );
    for treatment in Exim.treatments() {
        assert!(treatment.source.contains(".c"), "{}", treatment.rule);
        assert!(!treatment.remedies.is_empty(), "{}", treatment.rule);
    }
}

fn states(case: &Sample, path: &str) -> Vec<RecipientState> {
    case.message(path).envelope.recipients.iter().map(|recipient| recipient.state).collect()
}

const HEADER: &str = "input/1xVf5d-00002O-0X-H";
const DATA: &str = "input/1xVf5d-00002O-0X-D";
const JOURNAL: &str = "input/1xVf5d-00002O-0X-J";

#[test]
fn the_journal_of_a_message_counts_wherever_it_was_left() {
    use RecipientState::{Done, Pending};
    let envelope = envelope(ID, "", "XX\n", &["a@X.test", "b@x.test"]);
    for (header, data) in [
        ("input/1xVf5d-00002O-0X-H.bak", "input/1xVf5d-00002O-0X-D.bak"),
        ("input/old/1xVf5d-00002O-0X-H", "input/old/1xVf5d-00002O-0X-D"),
        ("input/d/1xVf5d-00002O-0X-H", "input/d/1xVf5d-00002O-0X-D"),
        (HEADER, DATA),
    ] {
        for journal in [JOURNAL, "input/d/1xVf5d-00002O-0X-J"] {
            let case = of(&[(header, &envelope), (data, &body(ID)), (journal, b"a@x.test\n")]);
            assert_eq!(states(&case, header), [Done, Pending], "{header} {journal}");
        }
    }
}

#[test]
fn a_damaged_envelope_still_has_its_tree_and_its_journal() {
    use RecipientState::{Done, Pending};
    let envelope = envelope(ID, "", "NN a@x.test\n", &["a@x.test", "b@x.test", "c@x.test"]);
    let end = memchr::memmem::find(&envelope, b"\n3\n").unwrap();
    let log = b"2026-11-24 01:13:24 Received from s@a.test P=local S=9 for a@X.test b@x.test c@x.test\n";
    let case = of(&[
        (HEADER, &envelope[..=end]),
        (DATA, &body(ID)),
        (JOURNAL, b"b@x.test\n"),
        ("msglog/1xVf5d-00002O-0X", log),
    ]);
    assert_eq!(states(&case, HEADER), [Done, Done, Pending]);
}

#[test]
fn a_journal_that_names_others_or_is_damaged_leaves_nobody_pending() {
    use RecipientState::{Done, Unknown};
    let envelope = envelope(ID, "", "XX\n", &["a@x.test", "b@x.test"]);
    let long = [vec![b'z'; 70_000], b"\n".to_vec()].concat();
    for rest in [&b"child@y.test\n"[..], b"\0\0\0\0\n", b"b@x.te", &long] {
        let journal = [b"a@x.test\n", rest].concat();
        let case = of(&[(HEADER, &envelope), (DATA, &body(ID)), (JOURNAL, &journal)]);
        assert_eq!(states(&case, HEADER), [Done, Unknown]);
        assert!(!facts(case.message(HEADER)).contains("none was finished"));
    }
}

#[test]
fn a_body_with_a_long_journal_is_read_in_no_time() {
    let journal = (0..10_000).map(|number| format!("u{number}@x.test\n")).collect::<Vec<_>>().concat();
    let log = b"2026-11-24 01:13:24 Received from s@a.test P=local S=9 for u9999@X.test\n";
    let case = of(&[(DATA, &body(ID)), (JOURNAL, journal.as_bytes()), ("msglog/1xVf5d-00002O-0X", log)]);
    let states = states(&case, DATA);
    assert_eq!(states.len(), 10_000);
    assert!(states.iter().all(|state| *state == RecipientState::Done));
}
