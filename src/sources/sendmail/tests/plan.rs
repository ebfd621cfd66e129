//! What is proposed for each ghost of the real spools, and what is written as its content.

use super::*;
use crate::evidence::Text;
use crate::plan::{Given, Lock, Proposal, Refusal, Verb, Way};
use crate::sources::samples::{offline, told};
use crate::sources::sendmail::plan::Host;
use crate::sources::{Extent, Remedies};
use std::path::PathBuf;

const SENDMAIL: &str = "/usr/sbin/sendmail";

/// The remedies where sendmail runs on this spool.
fn running(client: bool) -> Remedies {
    Host { program: Some(SENDMAIL.to_owned()), runs: true, client, folders: vec![PathBuf::new()] }.remedies()
}

/// What is proposed where sendmail runs, under one rule.
fn proposed(case: &Sample, place: &str, verb: Verb, rule: &str) -> Result<Proposal, Refusal> {
    case.proposed(&running(false), place, (verb, &[rule], None), &Given::default())
}

fn tells(case: &Sample, place: &str, verb: Verb, rule: &str) -> Vec<String> {
    told(&proposed(case, place, verb, rule).unwrap())
}

fn refused(case: &Sample, place: &str, verb: Verb, rule: &str) -> String {
    proposed(case, place, verb, rule).unwrap_err().reason
}

#[test]
fn a_message_that_is_listed_is_tried_or_returned_by_sendmail_itself() {
    let case = fixture("deferred", "");
    let place = format!("qf{ID}");
    for rule in ["overdue", "future-time", "expired"] {
        assert_eq!(tells(&case, &place, Verb::Requeue, rule), [format!("{SENDMAIL} -qI{ID}")], "{rule}");
    }
    let returned = tells(&case, &place, Verb::Ndr, "overdue");
    assert_eq!(
        returned,
        [format!("{SENDMAIL} -OTimeout.queuereturn=now -OTimeout.queuereturn.dsn=5d -qI{ID}")]
    );
}

#[test]
fn an_id_that_is_part_of_another_is_not_used_to_return_or_release() {
    let (qf, df) = (format!("qf{ID}"), format!("df{ID}"));
    let longer = format!("qf{ID}5");
    let case = of(&[(&qf, &healthy()), (&df, b"x\n"), (&longer, &healthy())]);
    assert!(refused(&case, &qf, Verb::Ndr, "overdue").contains("part of the name of another"));
    assert!(proposed(&case, &qf, Verb::Requeue, "overdue").is_ok(), "an attempt too many does no harm");
}

#[test]
fn a_quarantined_message_is_released_and_tried_and_never_returned_through_a_queue_run() {
    let case = fixture("quarantine-lost-bad", "");
    let (place, id) = ("hf6AO0BIHD000231", "6AO0BIHD000231");
    let release = [format!("{SENDMAIL} -Q -qI{id} -qQ"), format!("{SENDMAIL} -qI{id}")];
    assert_eq!(tells(&case, place, Verb::Requeue, "held"), release);
    let proposal = proposed(&case, place, Verb::Ndr, "held").unwrap();
    assert_eq!(told(&proposal), [place, "df6AO0BIHD000231", "sender@lab.test -> grey11@grey.test"]);
    assert_eq!(proposal.lock, Some(Lock::Flock { path: Text::from(place) }));
}

#[test]
fn a_message_that_was_set_aside_for_its_mode_gets_mode_and_name_back() {
    let case = fixture("quarantine-lost-bad", "");
    let (place, id) = ("Qf6AO0BIhH000255", "6AO0BIhH000255");
    let proposal = proposed(&case, place, Verb::Requeue, "wrong-owner-or-mode").unwrap();
    let steps = [format!("chmod 600 {place}"), format!("mv {place} qf{id}"), format!("{SENDMAIL} -qI{id}")];
    assert_eq!(told(&proposal), steps);
    assert!(proposal.warnings[0].contains("others could write"));
    assert_eq!(tells(&case, place, Verb::Ndr, "wrong-owner-or-mode")[..2], [place, "df6AO0BIhH000255"]);
}

#[test]
fn nothing_that_others_may_have_written_is_trusted_to_run_a_program() {
    let (lost, loose, df) = (format!("Qf{ID}"), format!("qf{ID}"), format!("df{ID}"));
    let program = with("RPFD:multi2@grey.test", "Croot:root\nRPFD:|/bin/sh");
    let case = of(&[(&lost, &program), (&df, b"x\n")]);
    assert!(refused(&case, &lost, Verb::Requeue, "wrong-owner-or-mode").contains("a program"));
    assert!(refused(&case, &lost, Verb::Ndr, "wrong-owner-or-mode").contains("a program"));
    let case = of(&[(&loose, &program), (&df, b"x\n")]);
    assert!(refused(&case, &loose, Verb::Requeue, "wrong-owner-or-mode").contains("a program"));
    let both = of(&[(&lost, &healthy()), (&loose, &healthy()), (&df, b"x\n")]);
    assert!(refused(&both, &lost, Verb::Requeue, "wrong-owner-or-mode").contains("another control file"));
}

#[test]
fn a_control_file_that_a_group_may_write_is_made_private_before_a_queue_run_sets_it_aside() {
    let (qf, df) = (format!("qf{ID}"), format!("df{ID}"));
    let case = of(&[(&qf, &healthy()), (&df, b"x\n")]);
    let steps = [format!("chmod 600 {qf}"), format!("{SENDMAIL} -qI{ID}")];
    assert_eq!(tells(&case, &qf, Verb::Requeue, "wrong-owner-or-mode"), steps);
}

#[test]
fn a_message_without_its_data_file_is_not_sent_empty_and_its_sender_can_be_told() {
    let case = fixture("several-queues", "var/spool/mqueue");
    let place = "q2/qf/qf6AO7vO9d000181";
    assert!(refused(&case, place, Verb::Requeue, "envelope-without-body").contains("no body"));
    let returned = tells(&case, place, Verb::Ndr, "envelope-without-body");
    assert_eq!((returned.len(), returned[0].as_str()), (2, place), "the control file, and to whom");
    assert!(case.content(place, Extent::Whole).unwrap_err().reason.contains("no body"));
    let header = String::from_utf8(case.content(place, Extent::Header).unwrap()).unwrap();
    assert!(header.contains("\nSubject: ") && header.ends_with("\n\n"), "{header}");
}

#[test]
fn a_message_where_no_queue_run_looks_is_handed_over_under_its_lock() {
    let case = fixture("several-queues", "var/spool/mqueue");
    for (place, rule) in [
        ("old/qf6AO7vO1x000185", "other-queue"),
        ("qf6AO7vO4v000195", "other-queue"),
        ("q1/qf6AO7vOD5000165", "held"),
    ] {
        let proposal = proposed(&case, place, Verb::Requeue, rule).unwrap();
        let parts = told(&proposal);
        assert_eq!((parts.len(), parts[0].as_str()), (3, place), "{rule}");
        assert_eq!(parts[1], place.replace("qf6", "df6"), "the data file last");
        assert_eq!(proposal.lock.unwrap().path(), &Text::from(place));
    }
}

#[test]
fn the_queue_of_the_submission_program_is_run_by_it() {
    let case = fixture("several-queues", "var/spool/mqueue-client");
    let requeued = case.proposed(
        &running(true),
        "qf6AO7vTMo000288",
        (Verb::Requeue, &["other-queue"], Some(false)),
        &Given::default(),
    );
    assert_eq!(told(&requeued.unwrap()), [format!("{SENDMAIL} -Ac -qI6AO7vTMo000288")]);
    let submission = running(true).submission.unwrap();
    assert_eq!(
        (submission.arguments.join(" ").as_str(), submission.null_sender.as_deref().unwrap_or("none")),
        ("-Ac -i -G", "<>")
    );
    assert_eq!(running(false).submission.unwrap().arguments, ["-Am", "-i", "-G"]);
}

#[test]
fn what_is_not_certain_is_refused_with_the_reason() {
    let bad = fixture("quarantine-lost-bad", "");
    let several = fixture("several-queues", "var/spool/mqueue");
    for (case, place, rule, reason) in [
        (&bad, "df6AO0BIvt000239", "body-without-envelope", "no header fields"),
        (&bad, "qf6AO0BIAB000288", "empty-file", "no bytes"),
        (&bad, "qf6AO0BIIj000279", "corrupt", "the line `.` that ends a control file is missing"),
        (&several, "q2/qf/qf6AO7vOx2000226", "queue-blocker", "the sender is not known"),
        (&several, "q2/qf/tf6AO7vOZ0000230", "unfinished", "not finished"),
        (&several, "q1/qf6AO7vOE1000211", "delivery-journal-left", "an attempt was killed"),
        (&several, "q1/qf6AO7vOBZ000191.bak", "duplicate-message", "a copy"),
        (&several, "q2/qf/qf6AO7vOc3000161.before-upgrade", "foreign-name", "old copy"),
        (&several, "q1/Qf6AO7vODZ000215", "corrupt", "version 9"),
        (&several, "q1/qf6AO7vOWn000176", "corrupt", "begin with `@`"),
        (&several, "q2/xf/xf6AO0BfS6002202", "orphan-side-file", "no message"),
    ] {
        for verb in [Verb::Requeue, Verb::Ndr] {
            let refused = case.proposed(&running(false), place, (verb, &[rule], None), &offline());
            let refusal = refused.unwrap_err();
            assert!(refusal.reason.contains(reason), "{place}: {}", refusal.reason);
            assert!(!refusal.hint.is_empty(), "{place}");
        }
    }
    assert!(
        bad.content("df6AO0BIvt000239", Extent::Whole).unwrap_err().reason.contains("a body without one")
    );
    for extent in [Extent::Whole, Extent::Header] {
        assert!(bad.content("qf6AO0BIIj000279", extent).is_err(), "what is cut off is not known");
    }
}

#[test]
fn without_a_sendmail_of_its_own_nothing_is_done_to_a_spool_unless_it_is_offline() {
    let case = fixture("deferred", "");
    let place = format!("qf{ID}");
    let none = &case.opened.remedies;
    assert!(none.submission.is_none());
    let refusal = case.proposed(none, &place, (Verb::Requeue, &[], None), &Given::default()).unwrap_err();
    assert!(refusal.hint.contains("--offline"), "{}", refusal.hint);
    let proposal = case.proposed(none, &place, (Verb::Requeue, &[], None), &offline()).unwrap();
    let Way::HandOver { parts, outgoing } = &proposal.way else { panic!() };
    let held = fixture("quarantine-lost-bad", "");
    let copy = held.proposed(
        &held.opened.remedies,
        "hf6AO0BIHD000231",
        (Verb::Requeue, &["held"], None),
        &Given::default(),
    );
    assert!(copy.unwrap_err().reason.contains("may be a copy"), "the original is still there, perhaps");
    assert_eq!(parts[..], [Text::from(place), Text::from(format!("df{ID}"))]);
    assert_eq!(outgoing.recipients.len(), 3);
    assert!(outgoing.recipients.iter().all(|one| one.reason.as_ref().unwrap().lossy().contains("451")));
}

#[test]
fn a_message_that_is_tried_meanwhile_is_left_alone() {
    let (qf, df) = (format!("qf{ID}"), format!("df{ID}"));
    let case = of(&[(&qf, &healthy()), (&df, b"x\n")]);
    assert!(proposed(&case, &qf, Verb::Requeue, "overdue").is_ok());
    std::fs::write(case.folder.path().join(SPOOL).join(format!("tf{ID}")), b"V8\n").unwrap();
    assert!(refused(&case, &qf, Verb::Requeue, "overdue").contains("an attempt rewrites"));
}

#[cfg(unix)]
#[test]
fn a_control_file_with_a_second_name_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let (qf, df) = (format!("{SPOOL}/qf{ID}"), format!("{SPOOL}/df{ID}"));
    lay_out(folder.path(), &[], &[(&qf, &healthy()), (&df, b"x\n")]);
    set_mode(&folder.path().join(&qf), 0o600);
    std::fs::hard_link(folder.path().join(&qf), folder.path().join("other")).unwrap();
    let case = open(folder, &Options::default());
    assert!(refused(&case, &format!("qf{ID}"), Verb::Requeue, "overdue").contains("2 names"));
}

#[test]
fn the_content_is_the_header_of_the_control_file_and_the_data_file_as_it_is() {
    let case = fixture("deferred", "");
    let content = case.content(&format!("qf{ID}"), Extent::Whole).unwrap();
    let body = file(&Sendmail, &format!("deferred/tree/df{ID}"));
    let header = content.strip_suffix(&body[..]).unwrap();
    let header = String::from_utf8(header.to_vec()).unwrap();
    assert!(header.starts_with("Received: (from root@localhost)\n\tby lab.test"), "{header}");
    assert!(!header.contains("Return-Path") && !header.contains('?'), "{header}");
    assert!(header.contains("\nMessage-Id: <") && header.ends_with("\n\n"), "{header}");
    assert_eq!(case.content(&format!("qf{ID}"), Extent::Header).unwrap(), header.as_bytes());
}

#[test]
fn a_control_file_cut_anywhere_never_goes_out_with_less() {
    let (qf, df) = (format!("qf{ID}"), format!("df{ID}"));
    let whole = healthy();
    let case = of(&[(&qf, &whole), (&df, b"body\n")]);
    let proposed = || case.proposed(&running(false), &qf, (Verb::Requeue, &[], None), &offline());
    let content = || case.content(&qf, Extent::Whole);
    let (proposal, bytes) = (proposed(), content());
    assert!(proposal.is_ok() && bytes.is_ok());
    // The file is cut after it was scanned: what counts is what is there when something is done.
    for cut in 0..whole.len() {
        std::fs::write(case.folder.path().join(SPOOL).join(&qf), &whole[..cut]).unwrap();
        let (again, written) = (proposed(), content());
        assert!(again.is_err() || again == proposal, "cut at {cut}");
        assert!(written.is_err() || written == bytes, "cut at {cut}");
    }
}
