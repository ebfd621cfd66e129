//! What is proposed for the messages that the fixtures hold, and what is left alone.

use super::*;
use crate::plan::{Change, Given, Lock, Notify, Outgoing, Proposal, Refusal, Ret, Verb, Way};
use crate::sources::exim::generation::Generation;
use crate::sources::exim::message::Spool;
use crate::sources::exim::owner::Owner;
use crate::sources::exim::plan::Planner;
use crate::sources::exim::queues;
use crate::sources::{Ask, Extent};
use std::sync::Arc;

const PROGRAM: &str = "/usr/sbin/exim4";

/// Asks about a message of a spool whose Exim is the one of this machine.
fn ask_live(case: &Sample, place: &str, verb: Verb, rules: &[&str]) -> Result<Proposal, Refusal> {
    let (message, root, instance) = (case.message(place), &case.opened.root, &case.opened.instance);
    let last_activity = instance.last_activity;
    let spool = Spool {
        blind_to: &[],
        bare: false,
        within: None,
        owner: Owner::of(root, Path::new("input")),
        generation: Generation::new(queues::find(root), false, last_activity),
        deep: false,
        live: true,
        last_activity,
    };
    let planner = Planner { spool: Arc::new(spool), program: Some(PROGRAM.into()) };
    let given = Given::default();
    let now = Time::from_unix(1_795_482_900);
    planner.propose(&Ask { verb, rules, listed: None, message, instance, root, given: &given, now })
}

fn live(case: &Sample, place: &str, rules: &[&str]) -> Result<Proposal, Refusal> {
    ask_live(case, place, Verb::Requeue, rules)
}

fn ndr(case: &Sample, place: &str, rules: &[&str]) -> Result<Proposal, Refusal> {
    ask_live(case, place, Verb::Ndr, rules)
}

/// Asks about a message of a copy.
fn offline(case: &Sample, message: &Message, given: Given) -> Result<Proposal, Refusal> {
    let (instance, root, given) =
        (&case.opened.instance, &case.opened.root, &Given { offline: true, ..given });
    let now = Time::from_unix(1_795_482_900);
    let ask = Ask { verb: Verb::Requeue, rules: &[], listed: None, message, instance, root, given, now };
    (case.opened.remedies.propose)(&ask)
}

fn commands(proposal: &Proposal) -> Vec<String> {
    let (Way::Native { commands } | Way::Repair { then: commands, .. }) = &proposal.way else {
        return Vec::new();
    };
    assert!(commands.iter().all(|command| command.program == PROGRAM));
    commands.iter().map(|command| command.arguments.join(" ")).collect()
}

/// Renames of a repair, `from > to`.
fn renames(proposal: &Proposal) -> Vec<String> {
    let Way::Repair { changes, .. } = &proposal.way else { panic!("{proposal:?}") };
    let shown = |change: &Change| match change {
        Change::Rename { from, to } => Some(format!("{} > {}", from.lossy(), to.lossy())),
        _ => None,
    };
    changes.iter().filter_map(shown).collect()
}

fn handed_over(proposal: &Proposal) -> (Vec<String>, &Outgoing) {
    let Way::HandOver { parts, outgoing } = &proposal.way else { panic!("{proposal:?}") };
    (parts.iter().map(|part| part.lossy().into_owned()).collect(), outgoing)
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
fn a_frozen_message_is_thawed_and_delivered_by_exim_itself() {
    let case = fixture("frozen-halves-named");
    let place = "input/1xVf5d-00003b-19-H";
    let proposal = live(&case, place, &["held"]).unwrap();
    assert_eq!(commands(&proposal), ["-M 1xVf5d-00003b-19"]);
    let Way::Native { commands: native } = &proposal.way else { panic!("{proposal:?}") };
    assert_eq!(native[0].what, "thaws it and has it delivered now");
    assert_eq!(native[0].undo, "exim -Mf 1xVf5d-00003b-19");
    assert_eq!(proposal.lock, None, "Exim locks it itself");
    assert_eq!(commands(&ndr(&case, place, &["held"]).unwrap()), ["-Mg 1xVf5d-00003b-19"]);
}

#[test]
fn mail_of_a_named_queue_is_moved_to_the_one_that_is_run() {
    let case = fixture("frozen-halves-named");
    let place = "quarantine/input/1xVf5t-0000cg-2j-H";
    let proposal = live(&case, place, &["other-queue"]).unwrap();
    assert_eq!(commands(&proposal), ["-qGquarantine -MG  1xVf5t-0000cg-2j", "-M 1xVf5t-0000cg-2j"]);
    assert_eq!(commands(&ndr(&case, place, &[]).unwrap()), ["-qGquarantine -Mg 1xVf5t-0000cg-2j"]);

    // `spool_move_message` leaves the journal behind, and with it the knowledge of who has the message.
    let journal = case.folder.path().join(SPOOL).join("quarantine/input/1xVf5t-0000cg-2j-J");
    std::fs::write(journal, "someone@ok.test\n").unwrap();
    let proposal = live(&case, place, &["other-queue"]).unwrap();
    assert_eq!(commands(&proposal), ["-qGquarantine -M 1xVf5t-0000cg-2j"]);
    assert!(proposal.warnings[0].contains("its journal"));
}

#[test]
fn exim_takes_a_journal_over_itself_and_a_copy_is_sent_to_those_who_are_left() {
    let case = fixture("half-journal");
    let place = "input/1xVf64-0000hA-2Y-H";
    assert_eq!(commands(&live(&case, place, &["delivery-journal-left"]).unwrap()), ["-M 1xVf64-0000hA-2Y"]);

    let proposal = offline(&case, case.message(place), Given::default()).unwrap();
    let (parts, outgoing) = handed_over(&proposal);
    let files = ["-H", "-J", "-D"].map(|end| format!("input/1xVf64-0000hA-2Y{end}"));
    assert_eq!(parts, files, "the envelope first, and the log stays");
    assert_eq!(addresses(outgoing), ["j2@slow.test", "j3@grey.test"]);
    assert_eq!(outgoing.delivered, [Text::from("j1@ok.test")]);
    assert_eq!(outgoing.sender, Some("a@lab.test".into()));
    assert_eq!(proposal.lock, Some(Lock::Fcntl { path: "input/1xVf64-0000hA-2Y-D".into() }));

    let journal = case.folder.path().join(SPOOL).join("input/1xVf64-0000hA-2Y-J");
    std::fs::write(&journal, "j1@ok.test\nchild-of-an-alias@ok.test\n").unwrap();
    let refusal = offline(&case, case.message(place), Given::default()).unwrap_err();
    assert!(refusal.reason.contains("not known whether"), "{}", refusal.reason);
}

#[test]
fn a_message_is_byte_for_byte_what_exim_would_send() {
    let case = fixture("deferred");
    let place = "input/1xVf5d-00002O-0X-H";
    let header = "Received: from root by lab.test with local (Exim 4.96)\n\
                  \t(envelope-from <sender@lab.test>)\n\
                  \tid 1xVf5d-00002O-0X\n\
                  \tfor grey1@grey.test;\n\
                  \tTue, 24 Nov 2026 01:12:57 +0000\n\
                  From: sender@lab.test\n\
                  To: grey1@grey.test\n\
                  Subject: grey 1 of 150\n\
                  X-Lab: grey-1\n\
                  Message-Id: <E1xVf5d-00002O-0X@lab.test>\n\
                  Date: Tue, 24 Nov 2026 01:12:57 +0000\n\n";
    assert_eq!(content(&case, place, Extent::Header).unwrap(), header);
    // As the lab handed it in.
    let body = format!("body {}\nline two\n.dot line\n", "x".repeat(214));
    assert_eq!(content(&case, place, Extent::Whole).unwrap(), format!("{header}{body}"));
}

#[test]
fn what_exim_does_not_see_gets_its_name_back_with_the_envelope_last() {
    let case = fixture("foreign-names-future");
    let bak = live(&case, "input/1xVf5e-00008O-0F-H.bak", &["foreign-name"]).unwrap();
    let expected =
        ["D", "H"].map(|half| format!("input/1xVf5e-00008O-0F-{half}.bak > input/1xVf5e-00008O-0F-{half}"));
    assert_eq!(renames(&bak), expected);
    assert_eq!(commands(&bak), ["-M 1xVf5e-00008O-0F"]);
    assert_eq!(bak.lock, Some(Lock::Fcntl { path: "input/1xVf5e-00008O-0F-D.bak".into() }));

    let old = live(&case, "input/old/1xVf5e-00008H-0A-H", &["foreign-name"]).unwrap();
    assert_eq!(renames(&old)[1], "input/old/1xVf5e-00008H-0A-H > input/1xVf5e-00008H-0A-H");
    let wrong_letter = live(&case, "input/x/1xVf5e-000087-07-H", &["misfiled"]).unwrap();
    assert_eq!(renames(&wrong_letter)[0], "input/x/1xVf5e-000087-07-D > input/1xVf5e-000087-07-D");
    let making = live(&case, "input/hdr.1xVf5e-00008X-0J", &["foreign-name"]).unwrap();
    assert_eq!(
        renames(&making),
        ["input/hdr.1xVf5e-00008X-0J > input/1xVf5e-00008X-0J-H"],
        "it was accepted: it has a log"
    );

    let root = case.folder.path().join(SPOOL);
    std::fs::write(root.join("input/1xVf5e-00008O-0F-J"), "").unwrap();
    std::fs::write(root.join("input/1xVf5e-00008H-0A-D"), "1xVf5e-00008H-0A-D\n").unwrap();
    let bak = live(&case, "input/1xVf5e-00008O-0F-H.bak", &["foreign-name"]).unwrap();
    assert_eq!(renames(&bak).len(), 2, "its journal has its name already");
    let taken = reason(live(&case, "input/old/1xVf5e-00008H-0A-H", &["foreign-name"]));
    assert!(taken.contains("`input/1xVf5e-00008H-0A-D`"), "{taken}");
    std::fs::remove_file(root.join("msglog/1xVf5e-00008X-0J")).unwrap();
    assert!(reason(live(&case, "input/hdr.1xVf5e-00008X-0J", &[])).contains("never finished"));
}

#[test]
fn an_envelope_file_that_alone_was_renamed_meets_its_body_again_and_never_that_of_another() {
    let header = envelope("s@a.test", "-body_linecount 1\nXX\n1\nr@b.test");
    let place = "input/1xVf5d-00002O-0X-H.bak";
    let case = of(&[
        (place, header.as_slice()),
        ("input/1xVf5d-00002O-0X-D", b"1xVf5d-00002O-0X-D\nbody\n"),
        ("msglog/1xVf5d-00002O-0X", b"2026-11-24 01:12:57 Received from s@a.test\n"),
    ]);
    let proposal = live(&case, place, &["foreign-name"]).unwrap();
    assert_eq!(renames(&proposal), [format!("{place} > {PLACE}")]);
    assert_eq!(proposal.warnings, [""; 0]);
    assert!(content(&case, place, Extent::Whole).unwrap().ends_with("\n\nbody\n"));

    std::fs::write(case.folder.path().join(SPOOL).join(PLACE), &header).unwrap();
    assert!(reason(live(&case, place, &["foreign-name"])).contains("another envelope file"));
    assert!(reason(offline(&case, case.message(place), Given::default())).contains("another envelope file"));
}

#[test]
fn mail_is_handed_in_to_exim_itself() {
    let spool = Spool {
        blind_to: &[],
        bare: false,
        within: None,
        owner: Owner {
            ids: None,
            fact: crate::evidence::Fact::new("test", crate::evidence::Locus::whole(".")),
        },
        generation: Generation::default(),
        deep: false,
        live: false,
        last_activity: None,
    };
    let remedies = crate::sources::exim::plan::remedies(Arc::new(spool), Some(PROGRAM.into()));
    let submission = remedies.submission.unwrap();
    assert_eq!(
        (submission.program.as_str(), submission.null_sender.as_deref().unwrap_or("none")),
        (PROGRAM, "<>")
    );
    assert_eq!(
        (submission.arguments, submission.dsn),
        (vec!["-i".to_owned(), "-G".to_owned()], false),
        "it adds no header fields, and `-R` would run the queue"
    );
    assert!(fixture("deferred").opened.remedies.submission.is_none(), "a copy takes no mail");
}

#[test]
fn an_id_that_this_exim_does_not_read_is_handed_over() {
    let case = fixture("foreign-names-future");
    let proposal = live(&case, "input/1xVf5e-0000000007x-0002-H", &["foreign-name"]).unwrap();
    let (parts, outgoing) = handed_over(&proposal);
    assert_eq!(parts, ["H", "D"].map(|half| format!("input/1xVf5e-0000000007x-0002-{half}")));
    assert_eq!(outgoing.recipients.len(), 1);
    let future = live(&case, "input/1zqfjX-0000kd-2w-H", &["future-time"]).unwrap();
    assert_eq!(commands(&future), ["-M 1zqfjX-0000kd-2w"]);
}

#[test]
fn files_of_another_owner_are_given_to_the_user_of_exim() {
    let case = fixture("frozen-halves-named");
    let (uid, gid) = Owner::of(&case.opened.root, Path::new("input")).ids.unwrap();
    let proposal = live(&case, "input/1xVf5d-00005m-2C-H", &["wrong-owner-or-mode"]).unwrap();
    let Way::Repair { changes, .. } = &proposal.way else { panic!("{proposal:?}") };
    let expected: Vec<_> = ["input/1xVf5d-00005m-2C-D", "input/1xVf5d-00005m-2C-H"]
        .into_iter()
        .flat_map(|path| {
            let path = Text::from(path);
            [Change::Owner { path: path.clone(), uid, gid: Some(gid) }, Change::Mode { path, mode: 0o640 }]
        })
        .collect();
    assert_eq!(*changes, expected);
    assert_eq!(commands(&proposal), ["-M 1xVf5d-00005m-2C"]);
}

#[test]
fn a_half_is_never_requeued_and_one_with_an_envelope_can_be_returned() {
    let halves = fixture("frozen-halves-named");
    let place = "input/1xVf5d-00005D-1u-H";
    let lost = live(&halves, place, &["envelope-without-body"]).unwrap_err();
    assert!(lost.reason.contains("its body is lost") && lost.hint.contains("ask the sender"), "{lost:?}");
    let returned = ndr(&halves, place, &["envelope-without-body"]).unwrap();
    assert_eq!(handed_over(&returned).0, [place]);
    assert!(returned.warnings[0].contains("its header only"));
    assert!(content(&halves, place, Extent::Whole).is_err());
    assert!(content(&halves, place, Extent::Header).unwrap().ends_with("+0000\n\n"));

    let body = fixture("lone-body");
    let refusal = live(&body, "input/1xVf5d-000053-1q-D", &["body-without-envelope"]).unwrap_err();
    assert!(refusal.reason.contains("is no message even if it is known to whom"), "{}", refusal.reason);
    assert!(refusal.hint.contains("export:"));
    let given =
        Given { recipients: vec!["r@b.test".into()], sender: Some("s@a.test".into()), ..Given::default() };
    assert!(offline(&body, body.message("input/1xVf5d-000053-1q-D"), given).is_err());
    assert!(content(&body, "input/1xVf5d-000053-1q-D", Extent::Header).is_err());
    let killed = fixture("killed-receive");
    assert!(reason(live(&killed, "input/1xVf5y-0000fm-0G-D", &[])).contains("never told"));
}

#[test]
fn a_damaged_envelope_file_is_refused_with_the_byte_at_which_it_breaks() {
    let case = fixture("frozen-halves-named");
    for place in ["input/1xVf5d-00005L-1z-H", "input/1xVf5d-00005d-28-H"] {
        let refusal = live(&case, place, &["corrupt"]).unwrap_err();
        assert!(refusal.reason.contains("damaged at byte"), "{}", refusal.reason);
        assert!(refusal.hint.contains("export:"));
        assert!(reason(ndr(&case, place, &["corrupt"])).contains("damaged at byte"));
        assert!(content(&case, place, Extent::Header).is_err());
    }
}

const ID: &str = "1xVf5d-00002O-0X";

/// An envelope file with these lines between the time of reception and the header.
fn envelope(sender: &str, lines: &str) -> Vec<u8> {
    let field = |kind: char, text: &str| format!("{:03}{kind} {text}", text.len());
    let header = [
        field('F', "From: a@b.test (A Sender)\n"),
        field(' ', "Date: Tue, 24 Nov 2026 01:12:57 +0000\n"),
        field('*', "Bcc: x@y.test\n"),
    ];
    format!("{ID}-H\nroot 0 0\n<{sender}>\n1795482777 0\n{lines}\n\n{}", header.concat()).into_bytes()
}

fn spool(header: &[u8], body: &[u8]) -> Sample {
    of(&[(&format!("input/{ID}-H"), header), (&format!("input/{ID}-D"), body)])
}

const PLACE: &str = "input/1xVf5d-00002O-0X-H";

#[test]
fn what_the_sender_asked_for_is_kept_and_deleted_header_fields_are_not_sent() {
    let lines = "-body_linecount 1\n-dsn_envid QQ+2B1\n-dsn_ret 2\n-smtputf8\nNN done@b.test\n3\n\
                 done@B.test\na@b.test rfc822;x+2Dy@c.test 19,24  0,-1#3\nplain@b.test";
    let header = envelope("s@a.test", lines);
    let case = spool(&header, b"1xVf5d-00002O-0X-D\nbody\n");
    let proposal = offline(&case, case.message(PLACE), Given::default()).unwrap();
    let outgoing = handed_over(&proposal).1;
    assert_eq!(addresses(outgoing), ["a@b.test", "plain@b.test"]);
    assert_eq!(outgoing.delivered, [Text::from("done@B.test")]);
    assert_eq!(outgoing.envid, Some("QQ+1".into()));
    assert_eq!((outgoing.ret, outgoing.smtputf8), (Some(Ret::Hdrs), true));
    assert_eq!(outgoing.recipients[0].orcpt, Some("rfc822;x-y@c.test".into()));
    let asked = Notify { failure: true, delay: true, ..Notify::default() };
    assert_eq!((outgoing.recipients[0].notify, outgoing.recipients[1].notify), (asked, Notify::default()));
    assert!(
        proposal.warnings.iter().any(|warning| warning.contains("--via smtp://localhost")),
        "the command of Exim takes no NOTIFY: {:?}",
        proposal.warnings
    );
    let text = content(&case, PLACE, Extent::Whole).unwrap();
    assert_eq!(text, "From: a@b.test (A Sender)\nDate: Tue, 24 Nov 2026 01:12:57 +0000\n\nbody\n");
}

#[test]
fn a_body_in_the_form_of_the_wire_gets_a_header_with_the_same_line_ends() {
    let header = envelope("s@a.test", "-spool_file_wireformat\nXX\n1\nr@b.test");
    let case = spool(&header, b"1xVf5d-00002O-0X-D\none\r\ntwo\r\n");
    let text = content(&case, PLACE, Extent::Whole).unwrap();
    assert_eq!(
        text,
        "From: a@b.test (A Sender)\r\nDate: Tue, 24 Nov 2026 01:12:57 +0000\r\n\r\none\r\ntwo\r\n"
    );
}

#[test]
fn nobody_is_told_of_a_report_that_fails_and_nothing_pretended_is_sent() {
    let body = b"1xVf5d-00002O-0X-D\nbody\n";
    let null = spool(&envelope("", "XX\n1\nr@b.test"), body);
    assert!(reason(ndr(&null, PLACE, &["held"])).contains("null sender"), "`exim -Mg` would discard it");
    assert_eq!(commands(&live(&null, PLACE, &["overdue"]).unwrap()), ["-M 1xVf5d-00002O-0X"]);
    let never = spool(&envelope("s@a.test", "XX\n1\nr@b.test  0,2  0,-1#3"), body);
    assert!(reason(ndr(&never, PLACE, &[])).contains("asked not to be told"));
    let pretended = spool(&envelope("s@a.test", "-N\nXX\n1\nr@b.test"), body);
    assert!(reason(live(&pretended, PLACE, &[])).contains("only pretends"));
    let done = spool(&envelope("s@a.test", "NN r@b.test\n1\nr@b.test"), body);
    assert!(reason(offline(&done, done.message(PLACE), Given::default())).contains("has it already"));
    // The length of the original recipient is wrong by one, as damage may leave it.
    let shifted = envelope("s@a.test", "XX\n1\na@b.test rfc822;x@y.test 14,8  0,-1#3");
    let shifted = spool(&shifted, body);
    assert!(reason(offline(&shifted, shifted.message(PLACE), Given::default())).contains("no address"));
    let alias = spool(&envelope("s@a.test", "NN child@b.test\n1\nalias@b.test"), body);
    assert!(reason(offline(&alias, alias.message(PLACE), Given::default())).contains("not known whether"));
}

#[test]
fn a_message_in_finput_goes_back_to_where_it_is_seen() {
    let header = envelope("s@a.test", "-frozen 1795482783\nXX\n1\nr@b.test");
    let case = of(&[
        ("Finput/1xVf5d-00002O-0X-H", &header),
        ("Finput/1xVf5d-00002O-0X-D", b"1xVf5d-00002O-0X-D\nbody\n"),
    ]);
    let proposal = live(&case, "Finput/1xVf5d-00002O-0X-H", &["other-queue", "held"]).unwrap();
    let expected = ["D", "H"].map(|half| format!("Finput/{ID}-{half} > input/{ID}-{half}"));
    assert_eq!(renames(&proposal), expected);
    assert_eq!(commands(&proposal), ["-M 1xVf5d-00002O-0X"]);
}

#[test]
fn a_whole_message_under_a_foreign_name_goes_to_whom_the_operator_says() {
    let mail = b"From: a@b.test\nDate: Tue, 24 Nov 2026 01:12:57 +0000\nSubject: x\n\nbody\n";
    let case = of(&[("input/message.eml", mail)]);
    let message = case.message("input/message.eml");
    assert!(offline(&case, message, Given::default()).unwrap_err().hint.contains("--to"));
    let given = Given { recipients: vec!["r@b.test".into()], sender: Some("".into()), ..Given::default() };
    let proposal = offline(&case, message, given).unwrap();
    assert_eq!(addresses(handed_over(&proposal).1), ["r@b.test"]);
    assert_eq!(content(&case, "input/message.eml", Extent::Whole).unwrap().as_bytes(), mail);
    assert!(content(&case, "input/message.eml", Extent::Header).unwrap().ends_with("Subject: x\n\n"));
}

#[test]
fn an_envelope_or_a_body_cut_at_any_byte_is_never_sent_to_fewer_or_in_part() {
    let lines = "-body_linecount 2\nXX\n3\na@b.test\nb@b.test\nc@b.test";
    let (header, body) = (envelope("s@a.test", lines), b"1xVf5d-00002O-0X-D\nline one\nline two\n");
    let place = |number: usize, half: char| format!("input/1xVf5d-{number:06}-0X-{half}");
    let renamed = |bytes: &[u8], number: usize| {
        let mut bytes = bytes.to_vec();
        let id = format!("1xVf5d-{number:06}-0X");
        let end = id.len().min(bytes.len());
        bytes[..end].copy_from_slice(&id.as_bytes()[..end]);
        bytes
    };
    let mut files = Vec::new();
    for length in 0..header.len() {
        files.push((place(length, 'H'), renamed(&header[..length], length)));
        files.push((place(length, 'D'), renamed(body, length)));
    }
    for length in 0..body.len() {
        let number = header.len() + length;
        files.push((place(number, 'H'), renamed(&header, number)));
        files.push((place(number, 'D'), renamed(&body[..length], number)));
    }
    let case = of(&files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect::<Vec<_>>());
    let mut sent = Vec::new();
    for (number, length) in (0..header.len()).chain(0..body.len()).enumerate() {
        let message = case.message(&place(number, 'H'));
        let Ok(proposal) = offline(&case, message, Given::default()) else { continue };
        assert_eq!(addresses(handed_over(&proposal).1), ["a@b.test", "b@b.test", "c@b.test"]);
        let text = content(&case, &place(number, 'H'), Extent::Whole).unwrap();
        assert!(text.ends_with("\n\nline one\nline two\n"), "{text}");
        let fields_lost = !text.contains("Date:");
        assert_eq!(
            fields_lost,
            proposal.warnings.iter().any(|warning| warning.contains("lacks From or Date"))
        );
        sent.push(length);
    }
    // Between two fields nothing shows that the file is cut, to Exim neither.
    assert_eq!(sent.len(), 2, "{sent:?} of {}", header.len());
}

#[test]
fn damage_and_noise_never_stop_the_planner() {
    let healthy = file(&Exim, "deferred/tree/input/1xVf5d-00002O-0X-H");
    let mut random = Random::new(3);
    let mut files = Vec::new();
    for round in 0..600 {
        let bytes = if round % 3 == 0 { random.bytes(600) } else { random.overwritten(&healthy) };
        files.push((format!("input/1xVf5d-{round:06}-0X-H"), bytes));
    }
    let case = of(&files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect::<Vec<_>>());
    for message in case.messages() {
        let _ = offline(&case, message, Given::default());
        let _ = content(&case, &message.place.path.lossy(), Extent::Header);
        let _ = ndr(&case, &message.place.path.lossy(), &[]);
    }
}
