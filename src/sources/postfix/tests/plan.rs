//! What is proposed for the messages that the fixtures hold, and what is left alone.

use super::*;
use crate::evidence::{Fact, Live, Locus, Message, Text};
use crate::plan::{Change, Given, Lock, Notify, Outgoing, Proposal, Refusal, Ret, Verb, Way};
use crate::sources::postfix::layout::Layout;
use crate::sources::postfix::live::Tools;
use crate::sources::postfix::message::Spool;
use crate::sources::postfix::owner::Owner;
use crate::sources::postfix::plan::Planner;
use crate::sources::{Ask, Extent};
use std::sync::{Arc, OnceLock};

const NOW: i64 = 1_795_481_351;

/// Asks about a message of a spool whose Postfix runs on this machine, with commands of which `postsuper` has this in it.
fn ask_live(
    case: &Sample,
    place: &str,
    verb: Verb,
    rules: &[&str],
    postsuper: &str,
) -> Result<Proposal, Refusal> {
    let commands = TempDir::new().unwrap();
    for (name, text) in [("postqueue", ""), ("postsuper", postsuper)] {
        std::fs::write(commands.path().join(name), text).unwrap();
    }
    let tools =
        Tools { folder: commands.path().into(), config: Some("/etc/postfix-out".into()), sendmail: None };
    let owner = Owner { uid: Some(100), fact: Fact::new("test", Locus::whole(".")) };
    let layout = Layout::new("deferred, defer", 1);
    let spool = Spool { layout, owner, deep: false, missing: Vec::new(), hash_folders: Vec::new() };
    let copies = vec!["always_bcc"];
    let planner = Planner { spool: Arc::new(spool), tools: Some(tools), copies, expires: OnceLock::new() };
    let mut instance = case.opened.instance.clone();
    instance.live = Some(Live { pid: 1, since: Time::from_unix(0) });
    let (message, root) = (case.message(place), &case.opened.root);
    let given = Given::default();
    let now = Time::from_unix(NOW);
    planner.propose(&Ask {
        verb,
        rules,
        listed: None,
        message,
        instance: &instance,
        root,
        given: &given,
        now,
    })
}

fn live(case: &Sample, place: &str, rules: &[&str]) -> Result<Proposal, Refusal> {
    ask_live(case, place, Verb::Requeue, rules, "-f queue_id")
}

fn ndr(case: &Sample, place: &str, rules: &[&str]) -> Result<Proposal, Refusal> {
    ask_live(case, place, Verb::Ndr, rules, "-f queue_id")
}

/// Asks about a message of a copy.
fn offline(case: &Sample, message: &Message, given: Given) -> Result<Proposal, Refusal> {
    let (instance, root, given) =
        (&case.opened.instance, &case.opened.root, &Given { offline: true, ..given });
    let now = Time::from_unix(NOW);
    let ask = Ask { verb: Verb::Requeue, rules: &[], listed: None, message, instance, root, given, now };
    (case.opened.remedies.propose)(&ask)
}

/// The commands without the folder that they are in.
fn commands(proposal: &Proposal) -> Vec<String> {
    let (Way::Native { commands } | Way::Repair { then: commands, .. }) = &proposal.way else {
        return Vec::new();
    };
    let shown = |command: &crate::plan::Command| {
        let name = Path::new(&command.program).file_name().unwrap().to_string_lossy().into_owned();
        format!("{name} {}", command.arguments.join(" "))
    };
    commands.iter().map(shown).collect()
}

fn changes(proposal: &Proposal) -> &[Change] {
    let Way::Repair { changes, .. } = &proposal.way else { panic!("{proposal:?}") };
    changes
}

fn handed_over(proposal: &Proposal) -> (&[Text], &Outgoing) {
    let Way::HandOver { parts, outgoing } = &proposal.way else { panic!("{proposal:?}") };
    (parts, outgoing)
}

fn addresses(outgoing: &Outgoing) -> Vec<String> {
    outgoing.recipients.iter().map(|recipient| recipient.address.lossy().into_owned()).collect()
}

fn content(case: &Sample, place: &str, extent: Extent) -> Result<String, Refusal> {
    let mut out = Vec::new();
    (case.opened.remedies.content)(&case.opened.root, case.message(place), extent, &mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn reason(result: Result<Proposal, Refusal>) -> String {
    result.unwrap_err().reason
}

#[test]
fn a_held_message_is_released_by_postfix_itself() {
    let case = fixture("hold-half-maildrop");
    let proposal = live(&case, "hold/EBD9BB0C6E2", &["held"]).unwrap();
    let expected =
        ["postsuper -c /etc/postfix-out -H EBD9BB0C6E2 hold", "postqueue -c /etc/postfix-out -i EBD9BB0C6E2"];
    assert_eq!(commands(&proposal), expected, "of its own instance, and of no other queue than hold");
    assert_eq!(proposal.lock, None, "Postfix locks it itself");
}

#[test]
fn a_message_from_the_future_is_tried_now_and_returned_by_a_postfix_that_can() {
    let case = fixture("future");
    let place = "deferred/0/0E6DAB0C8D2";
    let proposal = live(&case, place, &["future-time"]).unwrap();
    assert_eq!(commands(&proposal), ["postqueue -c /etc/postfix-out -i 0E6DAB0C8D2"]);

    let proposal = ndr(&case, place, &["future-time"]).unwrap();
    assert_eq!(commands(&proposal)[0], "postsuper -c /etc/postfix-out -f 0E6DAB0C8D2 deferred");
    assert!(proposal.warnings[0].contains("once more"), "{:?}", proposal.warnings);
    let old = ask_live(&case, place, Verb::Ndr, &["future-time"], "-d queue_id").unwrap();
    assert_eq!(handed_over(&old).0, [Text::from(place)], "before 3.5 there is no `-f`");
}

#[test]
fn a_wrong_owner_is_set_right_before_the_mode_that_makes_it_ready() {
    let case = fixture("corrupt");
    let path = || Text::from("deferred/3/3A36DB0E025");
    let proposal = live(&case, "deferred/3/3A36DB0E025", &["wrong-owner-or-mode"]).unwrap();
    let expected =
        [Change::Owner { path: path(), uid: 100, gid: None }, Change::Mode { path: path(), mode: 0o700 }];
    assert_eq!(changes(&proposal), expected);
    assert_eq!(commands(&proposal), ["postqueue -c /etc/postfix-out -i 3A36DB0E025"]);
    assert_eq!(proposal.lock, Some(Lock::Flock { path: path() }));

    let proposal = live(&case, "deferred/2/226CCB0E068", &["wrong-owner-or-mode"]).unwrap();
    let path = Text::from("deferred/2/226CCB0E068");
    assert_eq!(changes(&proposal), [Change::Mode { path, mode: 0o700 }]);
}

#[test]
fn a_queue_blocker_is_cured_also_where_the_queue_manager_left_it() {
    let bytes = healthy();
    let case = of(&[("active/D840DB0E078", &bytes)]);
    let lines = "1\t0700\t1000:1000\t1\t9\t1795481209.0\tf\tactive/D840DB0E078\n\
                 2\t0755\t100:0\t2\t4096\t1795481209.0\td\tdeferred\n";
    let options = with_manifest(case.folder.path(), lines);
    let case = open(case.folder, &options);
    let proposal = live(&case, "active/D840DB0E078", &["queue-blocker"]).unwrap();
    assert_eq!(
        changes(&proposal),
        [Change::Owner { path: "active/D840DB0E078".into(), uid: 100, gid: None }]
    );
}

#[test]
fn mail_is_handed_in_to_the_same_instance_as_mail_that_was_submitted_before() {
    let folder = TempDir::new().unwrap();
    let sendmail = Some(folder.path().join("sendmail"));
    let tools = Tools { folder: folder.path().into(), config: Some("/etc/postfix-out".into()), sendmail };
    let owner = Owner { uid: Some(100), fact: Fact::new("test", Locus::whole(".")) };
    let layout = Layout::default();
    let spool = Spool { layout, owner, deep: false, missing: Vec::new(), hash_folders: Vec::new() };
    let settings = crate::sources::postfix::settings::Settings::default();
    let remedies = crate::sources::postfix::plan::remedies(Arc::new(spool), Some(tools), &settings);
    let submission = remedies.submission.unwrap();
    assert_eq!(submission.arguments, ["-C", "/etc/postfix-out", "-i", "-G"]);
    assert!(submission.dsn && submission.program.ends_with("/sendmail"));
    assert!(fixture("deferred").opened.remedies.submission.is_none(), "a copy takes no mail");
}

#[test]
fn a_renamed_file_gets_its_name_back_while_that_is_free() {
    let case = fixture("corrupt");
    let place = "deferred/E649CB0E031.bak";
    let proposal = live(&case, place, &["foreign-name"]).unwrap();
    let (from, to) = (Text::from(place), Text::from("deferred/E/E649CB0E031"));
    let folder = Change::Folder { path: "deferred/E".into(), uid: 100, gid: 0, mode: 0o700 };
    assert_eq!(changes(&proposal), [folder, Change::Rename { from, to }]);

    let taken = case.folder.path().join(SPOOL).join("hold/E649CB0E031");
    std::fs::write(taken, healthy()).unwrap();
    assert!(reason(live(&case, place, &["foreign-name"])).contains("`hold/E649CB0E031`"));
}

#[test]
fn a_copy_under_a_foreign_name_is_handed_over_with_a_warning() {
    let bytes = healthy();
    let case = of(&[("deferred/E649CB0E031.bak", &bytes)]);
    let proposal = live(&case, "deferred/E649CB0E031.bak", &["foreign-name"]).unwrap();
    let (parts, outgoing) = handed_over(&proposal);
    assert_eq!(parts, [Text::from("deferred/E649CB0E031.bak")]);
    assert_eq!(addresses(outgoing), ["multi19@grey.test", "extra@dead.test", "extra2@grey.test"]);
    assert!(proposal.warnings[0].contains("the original may have been delivered"));
    assert!(proposal.warnings[1].contains("always_bcc"), "{:?}", proposal.warnings);
}

#[test]
fn a_misfiled_message_is_moved_to_where_postfix_looks_for_it() {
    let bytes = healthy();
    let case = of(&[("deferred/D840DB0E078", &bytes), ("deferred/3/3B367B0C773", &bytes)]);
    let proposal = live(&case, "deferred/D840DB0E078", &["misfiled"]).unwrap();
    let renamed = changes(&proposal).last().unwrap();
    let (from, to) = (Text::from("deferred/D840DB0E078"), Text::from("deferred/D/D840DB0E078"));
    assert_eq!(*renamed, Change::Rename { from, to });
    assert!(changes(&proposal).iter().any(|change| matches!(change, Change::Folder { .. })));
    assert_eq!(commands(&proposal), ["postqueue -c /etc/postfix-out -i D840DB0E078"]);
}

#[test]
fn a_damaged_file_is_handed_over_only_if_nothing_of_the_message_is_missing() {
    let case = fixture("corrupt");
    let proposal = live(&case, "corrupt/E065DB0E032", &["corrupt"]).unwrap();
    let (parts, outgoing) = handed_over(&proposal);
    assert_eq!(parts, [Text::from("corrupt/E065DB0E032")], "its defer log stays");
    assert_eq!(outgoing.recipients.len(), 3);
    assert!(outgoing.recipients[0].reason.as_ref().unwrap().lossy().contains("451 4.7.1"));
    assert_eq!(outgoing.sender, Some("sender@lab.test".into()));
    assert!(proposal.warnings[0].contains("compare sender and recipients"));
    assert!(content(&case, "corrupt/E065DB0E032", Extent::Whole).unwrap().ends_with("line two\n.dot line\n"));

    let cut = live(&case, "corrupt/E9E42B0E030", &["corrupt"]).unwrap_err();
    assert!(cut.reason.contains("damaged at byte 563"), "{}", cut.reason);
    assert!(cut.hint.contains("export:"), "{}", cut.hint);
    assert!(content(&case, "corrupt/E9E42B0E030", Extent::Whole).is_err());
    assert!(content(&case, "corrupt/E9E42B0E030", Extent::Header).is_err(), "it ends within the header");
}

#[test]
fn what_was_set_aside_as_damaged_and_is_whole_is_not_called_damaged() {
    let bytes = healthy();
    let case = of(&[("corrupt/D840DB0E078", &bytes)]);
    let proposal = live(&case, "corrupt/D840DB0E078", &["corrupt"]).unwrap();
    assert!(proposal.warnings[0].contains("no damage was found in it"), "{:?}", proposal.warnings);
    assert!(!proposal.warnings.iter().any(|warning| warning.contains("the file is damaged")));
}

#[test]
fn a_renamed_file_that_is_returned_is_not_called_a_copy() {
    let case = fixture("corrupt");
    let proposal = ndr(&case, "deferred/E649CB0E031.bak", &["foreign-name"]).unwrap();
    assert_eq!(proposal.warnings, Vec::<String>::new());
    let bytes = healthy();
    let copied = of(&[("deferred/E649CB0E031.bak", &bytes)]);
    let proposal = ndr(&copied, "deferred/E649CB0E031.bak", &["foreign-name"]).unwrap();
    assert!(proposal.warnings[0].contains("it is a copy"), "{:?}", proposal.warnings);
}

#[test]
fn unfinished_mail_is_never_sent_since_its_client_sends_it_again() {
    let case = fixture("half-incoming");
    let refusal = live(&case, "incoming/1B6F7B0C7D2", &["unfinished"]).unwrap_err();
    assert!(refusal.reason.contains("the client was not told that it was accepted"));
    assert!(refusal.hint.contains("saves a copy"));
    let case = fixture("hold-half-maildrop");
    assert!(reason(live(&case, "maildrop/B594FB0C7D2", &["unfinished"])).contains("never finished"));
    assert!(reason(ndr(&case, "maildrop/B594FB0C7D2", &["unfinished"])).contains("never finished"));
}

#[test]
fn unclaimed_mail_comes_with_an_explanation_and_is_byte_for_byte_what_was_handed_in() {
    let case = fixture("hold-half-maildrop");
    let proposal = live(&case, "maildrop/B5220B0C82E", &["unclaimed"]).unwrap();
    assert_eq!(addresses(handed_over(&proposal).1), ["maildrop2@grey.test"]);
    assert!(proposal.warnings[0].contains("ends in the same maildrop"));
    // As `tests/lab` hands mail in.
    let injected = format!(
        "From: sender@lab.test\nTo: maildrop2@grey.test\nSubject: maildrop 2 of 5\nX-Lab: maildrop-2\n\nbody {}\nline two\n.dot line\n",
        "x".repeat(88)
    );
    assert_eq!(content(&case, "maildrop/B5220B0C82E", Extent::Whole).unwrap(), injected);
    let header = content(&case, "maildrop/B5220B0C82E", Extent::Header).unwrap();
    assert_eq!(header, injected[..=injected.find("\n\n").unwrap() + 1]);
}

#[test]
fn a_queued_message_is_what_was_handed_in_with_the_header_fields_that_postfix_added() {
    let case = fixture("deferred");
    let text = content(&case, "deferred/5/553A4B0C77B", Extent::Whole).unwrap();
    let (received, rest) = text.split_at(text.find("From: ").unwrap());
    assert!(received.starts_with("Received: by lab.test (Postfix, from userid 0)\n\tid "), "{received}");
    assert!(rest.starts_with(
        "From: sender@lab.test\nTo: multi1@grey.test\nSubject: multi 1 of 20\nX-Lab: multi-1\nMessage-Id: <"
    ));
    let body = format!("\n\nbody {}\nline two\n.dot line\n", "x".repeat(243));
    assert_eq!(&rest[rest.find("\n\n").unwrap()..], body);
}

#[test]
fn what_cannot_be_sent_is_refused_with_a_way_out() {
    let corrupt = fixture("corrupt");
    assert!(reason(live(&corrupt, "deferred/2/2C71BB0E064", &[])).contains("more than one name"));
    assert!(
        reason(live(&corrupt, "defer/E/E649CB0E031", &["orphan-side-file"]))
            .contains("a log without its message")
    );
    let restored = fixture("restored");
    let renamed = live(&restored, "deferred/0/06F38B0C729", &["name-inode-mismatch"]).unwrap_err();
    assert!(renamed.hint.contains("postsuper -s"));
    let one_letter = fixture("one-letter");
    assert!(
        live(&one_letter, "deferred/x", &["queue-blocker"])
            .unwrap_err()
            .hint
            .contains("move it out of the spool")
    );
    let healthy_one = "deferred/0/00732B0C728";
    assert!(reason(live(&one_letter, healthy_one, &["duplicate-message"])).contains("both would be sent"));
    assert!(reason(live(&one_letter, healthy_one, &["listed-not-on-disk"])).contains("nothing on disk"));

    let bytes = healthy();
    let case = of(&[("active/D840DB0E078", &bytes), ("deferred/D/D840DB0E079", b"")]);
    let lines = "1\t0700\t100:102\t1\t9\t1795481209.0\tf\tactive/D840DB0E078\n";
    let options = with_manifest(case.folder.path(), lines);
    let case = open(case.folder, &options);
    assert!(reason(live(&case, "active/D840DB0E078", &["overdue"])).contains("delivering it now"));
    assert!(reason(live(&case, "deferred/D/D840DB0E079", &["empty-file"])).contains("no bytes"));
}

#[test]
fn of_a_copy_nothing_is_asked_or_repaired_and_everything_is_handed_over() {
    let case = fixture("hold-half-maildrop");
    let held = case.message("hold/EBD9BB0C6E2");
    let (instance, root, given) = (&case.opened.instance, &case.opened.root, &Given::default());
    let now = Time::from_unix(NOW);
    let ask = Ask {
        verb: Verb::Requeue,
        rules: &["held"],
        listed: None,
        message: held,
        instance,
        root,
        given,
        now,
    };
    assert!((case.opened.remedies.propose)(&ask).unwrap_err().hint.contains("--offline"));
    let proposal = offline(&case, held, Given::default()).unwrap();
    assert_eq!(handed_over(&proposal).0, [Text::from("hold/EBD9BB0C6E2")]);
}

/// A record of a queue file.
fn record(kind: u8, data: &str) -> Vec<u8> {
    [&[kind, u8::try_from(data.len()).unwrap()], data.as_bytes()].concat()
}

/// A queue file with these records before its content.
fn queue_file(
    recipients: usize,
    envelope: &[(u8, &str)],
    content: &[(u8, &str)],
    after: &[(u8, &str)],
) -> Vec<u8> {
    let join = |records: &[(u8, &str)]| {
        records.iter().flat_map(|(kind, data)| record(*kind, data)).collect::<Vec<u8>>()
    };
    let (envelope, content) = (join(envelope), join(content));
    let start = 2 + 95 + envelope.len() + 2;
    let length = content.len();
    let size = format!("{length:>15} {start:>15} {recipients:>15} {0:>15} {length:>15} {1:>15}", 0, 1);
    let mut bytes = record(b'C', &size);
    bytes.extend(envelope);
    bytes.extend(record(b'M', ""));
    bytes.extend(content);
    bytes.extend(record(b'X', ""));
    bytes.extend(join(after));
    bytes.extend(record(b'E', ""));
    bytes
}

#[test]
fn who_has_it_is_left_out_and_what_the_sender_asked_for_is_kept() {
    let bytes = queue_file(
        4,
        &[
            (b'T', "1795481208 0"),
            (b'A', "envelope_id=QQ+1"),
            (b'A', "ret_flags=2"),
            (b'S', "s@a.test"),
            (b'D', "done@b.test"),
            (b'A', "dsn_orig_rcpt=rfc822;first@b.test"),
            (b'A', "notify_flags=12"),
            (b'R', "alias@b.test"),
            (b'R', "plain@b.test"),
        ],
        &[(b'N', "Subject: x"), (b'w', "deleted"), (b'N', ""), (b'L', "a long "), (b'N', "line")],
        &[(b'R', "extracted@b.test")],
    );
    let case = of(&[("corrupt/D840DB0E078", &bytes)]);
    let proposal = offline(&case, case.message("corrupt/D840DB0E078"), Given::default()).unwrap();
    let outgoing = handed_over(&proposal).1;
    assert_eq!(addresses(outgoing), ["alias@b.test", "plain@b.test", "extracted@b.test"]);
    assert_eq!(outgoing.delivered, [Text::from("done@b.test")]);
    assert_eq!((outgoing.ret, outgoing.smtputf8), (Some(Ret::Hdrs), true));
    assert_eq!(outgoing.envid, Some("QQ+1".into()));
    assert_eq!(outgoing.recipients[0].orcpt, Some("rfc822;first@b.test".into()));
    let asked = Notify { failure: true, delay: true, ..Notify::default() };
    assert_eq!((outgoing.recipients[0].notify, outgoing.recipients[1].notify), (asked, Notify::default()));
    assert_eq!(content(&case, "corrupt/D840DB0E078", Extent::Whole).unwrap(), "Subject: x\n\na long line\n");
}

#[test]
fn a_header_that_a_milter_changed_is_followed_to_where_it_went_and_back() {
    let tail = |target: usize| format!("{target:>15}");
    let plain = |target: &str| {
        queue_file(
            1,
            &[(b'T', "1 0"), (b'S', "s@a.test"), (b'R', "r@b.test")],
            &[(b'p', target), (b'N', ""), (b'N', "body")],
            &[],
        )
    };
    let mut bytes = plain(&tail(0));
    let at = bytes.len();
    bytes = plain(&tail(at));
    let back = memchr::memmem::find(&bytes, b"N\0N").unwrap();
    bytes.extend(record(b'N', "Subject: added"));
    bytes.extend(record(b'p', &tail(back)));
    let case = of(&[("corrupt/D840DB0E078", &bytes)]);
    let text = content(&case, "corrupt/D840DB0E078", Extent::Whole).unwrap();
    assert_eq!(text, "Subject: added\n\nbody\n");
    let mut circle = plain(&tail(at));
    circle.extend(record(b'N', "round and round"));
    circle.extend(record(b'p', &tail(at)));
    let case = of(&[("corrupt/D840DB0E078", &circle)]);
    assert!(content(&case, "corrupt/D840DB0E078", Extent::Whole).unwrap_err().reason.contains("circles"));
}

#[test]
fn a_report_goes_to_a_sender_who_wants_it_and_to_no_other() {
    let message = |sender: &str, notify: &str| {
        let envelope = [(b'T', "1 0"), (b'S', sender), (b'A', notify), (b'R', "r@b.test")];
        queue_file(1, &envelope, &[(b'N', "Subject: x"), (b'N', "")], &[])
    };
    let (null, never) = (message("", "x=y"), message("s@a.test", "notify_flags=1"));
    let cut = queue_file(
        1,
        &[(b'T', "1 0"), (b'S', "s@a.test"), (b'R', "r@b.test")],
        &[(b'N', "A: b"), (b'N', ""), (b'N', "body")],
        &[],
    );
    let cut = &cut[..cut.len() - 6];
    let case =
        of(&[("corrupt/D840DB0E078", &null), ("corrupt/D840DB0E079", &never), ("corrupt/D840DB0E07A", cut)]);
    assert!(reason(ndr(&case, "corrupt/D840DB0E078", &[])).contains("null sender"));
    assert!(reason(ndr(&case, "corrupt/D840DB0E079", &[])).contains("asked not to be told"));
    let long = [&b"S\xff\x1f"[..], &[b'a'; 4095]].concat();
    let sender = memchr::memmem::find(&never, b"S\x08s@a.test").unwrap();
    let mut bytes = never.clone();
    bytes.splice(sender..sender + 10, long);
    let bent =
        of(&[("corrupt/D840DB0E078", &bytes), ("corrupt/D840DB0E079", &message("s\x07@a.test", "x=y"))]);
    for place in ["corrupt/D840DB0E078", "corrupt/D840DB0E079"] {
        assert!(reason(ndr(&bent, place, &[])).contains("its sender is no address"), "{place}");
    }
    let returned = ndr(&case, "corrupt/D840DB0E07A", &["corrupt"]).unwrap();
    assert_eq!(addresses(handed_over(&returned).1), ["r@b.test"], "its body is cut off, its header is not");
    assert!(live(&case, "corrupt/D840DB0E07A", &["corrupt"]).is_err());
}

#[test]
fn an_address_is_quoted_again_so_that_it_stays_one_address() {
    let envelope = [
        (b'T', "1 0"),
        (b'S', "a, b@a.test"),
        (b'R', "x \"y\"@b.test"),
        (b'R', "plain+tag.x@b.test"),
        (b'R', "dot.@b.test"),
        (b'R', "jörg@b.test"),
    ];
    let bytes = queue_file(4, &envelope, &[(b'N', "A: b"), (b'N', "")], &[]);
    let case = of(&[("corrupt/D840DB0E078", &bytes)]);
    let proposal = offline(&case, case.message("corrupt/D840DB0E078"), Given::default()).unwrap();
    let outgoing = handed_over(&proposal).1;
    let expected = [r#""x \"y\""@b.test"#, "plain+tag.x@b.test", r#""dot."@b.test"#, "jörg@b.test"];
    assert_eq!(addresses(outgoing), expected);
    assert_eq!(outgoing.sender, Some(r#""a, b"@a.test"#.into()));
}

#[test]
fn where_postfix_would_send_it_elsewhere_or_does_not_look_the_plan_says_so() {
    let instance = fixture("second-instance");
    let proposal = live(&instance, "deferred/8/8CC21B10049", &["other-queue"]).unwrap();
    assert_eq!(commands(&proposal), ["postqueue -c /etc/postfix-out -i 8CC21B10049"]);

    let envelope = [(b'T', "1 0"), (b'S', "s@a.test"), (b'>', "else@b.test"), (b'R', "r@b.test")];
    let redirected = queue_file(1, &envelope, &[(b'N', "A: b"), (b'N', "")], &[]);
    let bytes = healthy();
    let case = of(&[
        ("corrupt/D840DB0E078", &redirected),
        ("saved/D840DB0E079", &bytes),
        ("incoming/D840DB0E07A", &bytes),
    ]);
    assert!(reason(live(&case, "corrupt/D840DB0E078", &["corrupt"])).contains("REDIRECT"));
    let saved = live(&case, "saved/D840DB0E079", &["other-queue"]).unwrap();
    assert_eq!(handed_over(&saved).0, [Text::from("saved/D840DB0E079")]);
    let lines = "1\t0700\t100:102\t1\t9\t1795481209.0\tf\tincoming/D840DB0E07A\n";
    let options = with_manifest(case.folder.path(), lines);
    let case = open(case.folder, &options);
    let unlisted = live(&case, "incoming/D840DB0E07A", &["unlisted"]).unwrap();
    assert_eq!(handed_over(&unlisted).1.recipients.len(), 3);
    assert!(unlisted.lock.is_some());
}

/// A spool with each of these files in `corrupt`.
fn of_all(files: &[Vec<u8>]) -> Sample {
    let names: Vec<String> = (0..files.len()).map(|number| format!("corrupt/D840D{number:06X}")).collect();
    of(&names.iter().zip(files).map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect::<Vec<_>>())
}

#[test]
fn a_file_cut_at_any_byte_is_never_sent_to_fewer_or_in_part() {
    let bytes = healthy();
    let cut: Vec<_> = (0..bytes.len()).map(|length| bytes[..length].to_vec()).collect();
    let case = of_all(&cut);
    assert_eq!(case.messages().count(), cut.len());
    for message in case.messages() {
        assert!(offline(&case, message, Given::default()).is_err(), "{:?}", message.place);
        assert!(content(&case, &message.place.path.lossy(), Extent::Whole).is_err(), "{:?}", message.place);
    }
}

#[test]
fn where_the_envelope_is_lost_and_the_message_is_not_the_operator_says_to_whom_it_goes() {
    let mut bytes = healthy();
    let at = memchr::memmem::find(&bytes, b"R\x0fextra@dead.test").unwrap();
    bytes[at] = b'F';
    let case = of(&[("corrupt/D840DB0E078", &bytes)]);
    let message = case.message("corrupt/D840DB0E078");
    let refusal = offline(&case, message, Given::default()).unwrap_err();
    assert!(refusal.reason.contains("only 2 of its 3 recipients"), "{}", refusal.reason);
    let given = Given { recipients: vec!["new@b.test".into()], ..Given::default() };
    let proposal = offline(&case, message, given).unwrap();
    assert_eq!(addresses(handed_over(&proposal).1), ["new@b.test"]);
    assert!(proposal.warnings.iter().any(|warning| warning.contains("whoever has it already")));
}

#[test]
fn damage_and_noise_never_add_a_recipient_or_stop_the_planner() {
    let healthy = healthy();
    let mut random = Random::new(3);
    let made = |round| if round % 3 == 0 { random.bytes(600) } else { random.overwritten(&healthy) };
    let case = of_all(&(0..900).map(made).collect::<Vec<_>>());
    for message in case.messages() {
        if let Ok(proposal) = offline(&case, message, Given::default()) {
            let outgoing = handed_over(&proposal).1;
            assert_eq!(outgoing.recipients.len() + outgoing.delivered.len(), 3);
        }
        let _ = content(&case, &message.place.path.lossy(), Extent::Header);
    }
}
