//! What is proposed for each ghost of the real spools, and what is written as its content.

use super::*;
use crate::evidence::Text;
use crate::plan::{Given, Proposal, Refusal, Verb};
use crate::sources::opensmtpd::plan::Host;
use crate::sources::opensmtpd::reader::Reader;
use crate::sources::samples::{offline, told};
use crate::sources::{Extent, Remedies};

const SMTPCTL: &str = "/usr/sbin/smtpctl";

/// The remedies where smtpd runs on this spool.
fn running(case: &Sample) -> Remedies {
    let reader = Reader::of(&case.opened.root);
    let sendmail = Some("/usr/sbin/sendmail".to_owned());
    Host { smtpctl: Some(SMTPCTL.to_owned()), runs: true, reader, sendmail }.remedies()
}

/// The remedies where smtpd is down.
fn stopped(case: &Sample) -> Remedies {
    Host { smtpctl: None, runs: false, reader: Reader::of(&case.opened.root), sendmail: None }.remedies()
}

fn proposed(case: &Sample, place: &str, verb: Verb, rule: &str, listed: bool) -> Result<Proposal, Refusal> {
    case.proposed(&running(case), place, (verb, &[rule], Some(listed)), &Given::default())
}

fn tells(case: &Sample, place: &str, verb: Verb, rule: &str, listed: bool) -> Vec<String> {
    told(&proposed(case, place, verb, rule, listed).unwrap())
}

fn refused(case: &Sample, place: &str, verb: Verb, rule: &str, listed: bool) -> Refusal {
    proposed(case, place, verb, rule, listed).unwrap_err()
}

#[test]
fn smtpd_tries_resumes_and_discovers_by_its_own_commands() {
    let case = fixture("ghosts");
    let place = "queue/28/28284cd4/message";
    let scheduled = proposed(&case, place, Verb::Requeue, "overdue", true).unwrap();
    assert_eq!(told(&scheduled), [format!("{SMTPCTL} schedule 28284cd4")]);
    let crate::plan::Way::Native { commands } = scheduled.way else { panic!() };
    assert_eq!(commands[0].expect.as_deref(), Some("3 envelopes scheduled"), "its exit code tells nothing");
    let resumed = tells(&case, place, Verb::Requeue, "held", true);
    assert_eq!(resumed, [format!("{SMTPCTL} resume envelope 28284cd4")]);
    let discovered = proposed(&case, place, Verb::Requeue, "unindexed", false).unwrap();
    assert_eq!(told(&discovered), [format!("{SMTPCTL} discover 28284cd4")]);
    let crate::plan::Way::Native { commands } = discovered.way else { panic!() };
    assert_eq!(commands[0].expect.as_deref(), Some("3 envelopes discovered"));
}

#[test]
fn what_smtpd_could_not_open_is_put_right_and_discovered() {
    let case = fixture("ghosts");
    let rule = "wrong-owner-or-mode";
    let envelope = tells(&case, "queue/17/17ef4469/17ef446952831646", Verb::Requeue, rule, false);
    let discover = format!("{SMTPCTL} discover 17ef4469");
    assert_eq!(envelope, ["chown 101:None queue/17/17ef4469/17ef446952831646", &discover]);
    let mode = tells(&case, "queue/b9/b9e5a4f0/b9e5a4f0eb20ad09", Verb::Requeue, rule, false);
    assert_eq!(mode[0], "chmod 600 queue/b9/b9e5a4f0/b9e5a4f0eb20ad09");
    let folder = tells(&case, "queue/19/1959ba86/message", Verb::Requeue, rule, false);
    let owner = |path: &str| format!("chown 101:None queue/19/{path}");
    let files = ["1959ba86/1959ba86498894b7", "1959ba86/message", "1959ba86"].map(owner);
    assert_eq!(folder[..3], files, "files first, the folder last");
    let listed = proposed(&case, "queue/17/17ef4469/17ef446952831646", Verb::Requeue, rule, true).unwrap();
    assert_eq!(told(&listed).len(), 1, "what smtpd knows in part it does not discover");
    assert!(listed.warnings[0].contains("next start"));
}

#[test]
fn a_misfiled_message_goes_to_its_bucket() {
    let case = fixture("ghosts");
    let steps = tells(&case, "queue/zz/6b89b653/message", Verb::Requeue, "misfiled", false);
    let last = ["mv queue/zz/6b89b653 queue/6b/6b89b653".to_owned(), format!("{SMTPCTL} discover 6b89b653")];
    assert!(steps.ends_with(&last), "{steps:?}");
    assert!(steps.iter().any(|step| step.starts_with("mkdir 700 101:")), "{steps:?}");
}

#[test]
fn nothing_that_smtpd_may_hold_in_memory_is_taken_away() {
    let case = fixture("ghosts");
    let place = "queue/28/28284cd4/message";
    let refusal = refused(&case, place, Verb::Ndr, "overdue", true);
    assert!(refusal.reason.contains("memory") && refusal.hint.contains("--offline"), "{refusal:?}");
    let unseen = tells(&case, place, Verb::Ndr, "unindexed", false);
    assert_eq!(unseen[0], "queue/28/28284cd4/message", "of several envelopes the content goes first");
    assert_eq!(unseen.len(), 5);
    assert!(unseen[4].starts_with("sender@lab.test -> multi4@grey.test ") || unseen[4].contains("multi4"));
    let both = case.proposed(&running(&case), place, (Verb::Requeue, &[], None), &offline()).unwrap_err();
    assert!(both.reason.contains("smtpd runs"));
}

#[test]
fn a_spool_without_smtpd_is_handed_over_only_when_it_is_offline() {
    let case = fixture("deferred");
    let message = case.messages().find(|message| message.envelope.recipients.len() == 1).unwrap();
    let place = message.place.path.lossy().into_owned();
    let ask = (Verb::Requeue, &[][..], None);
    assert!(case.proposed(&stopped(&case), &place, ask, &Given::default()).is_err());
    let parts = told(&case.proposed(&stopped(&case), &place, ask, &offline()).unwrap());
    assert_eq!(parts[1], place, "the content goes behind the single envelope");
    let three = case.messages().find(|message| message.envelope.recipients.len() == 3).unwrap();
    let place = three.place.path.lossy().into_owned();
    assert_eq!(told(&case.proposed(&stopped(&case), &place, ask, &offline()).unwrap()).len(), 5);
}

#[test]
fn content_without_envelopes_goes_to_whom_the_operator_names() {
    let case = fixture("ghosts");
    let (place, rule) = ("queue/d7/d7665b62/message", "body-without-envelope");
    let refusal = refused(&case, place, Verb::Requeue, rule, false);
    assert!(refusal.hint.contains("--to") && refusal.hint.contains("d7665b62"), "{}", refusal.hint);
    let given = Given {
        sender: Some(Text::from("a@lab.test")),
        recipients: vec![Text::from("b@lab.test")],
        offline: false,
    };
    let ask = |listed| case.proposed(&running(&case), place, (Verb::Requeue, &[rule], Some(listed)), &given);
    assert_eq!(told(&ask(false).unwrap()), [place, "a@lab.test -> b@lab.test"]);
    assert!(ask(true).unwrap_err().reason.contains("memory"), "smtpd lists it, and tries it");
}

#[test]
fn envelopes_without_content_are_returned_once_smtpd_does_not_hold_them() {
    let case = fixture("ghosts");
    let (place, rule) = ("queue/dc/dc43b58d/dc43b58db873cce0", "envelope-without-body");
    assert!(refused(&case, place, Verb::Requeue, rule, true).reason.contains("content is missing"));
    assert!(refused(&case, place, Verb::Ndr, rule, true).reason.contains("memory"));
    let returned = case.proposed(&stopped(&case), place, (Verb::Ndr, &[rule], None), &offline()).unwrap();
    assert_eq!(told(&returned)[0], place);
    assert!(case.content(place, Extent::Header).unwrap_err().reason.contains("no content"));
}

#[test]
fn what_was_handed_in_while_smtpd_was_down_is_taken_by_its_arguments() {
    let case = fixture("offline");
    let place = "offline/1795479218.XXXXL8MzMc";
    let proposal = proposed(&case, place, Verb::Requeue, "unclaimed", false).unwrap();
    assert_eq!(told(&proposal), [place, "a@lab.test -> off3@grey.test"]);
    assert!(proposal.warnings[0].contains("exit code 75"));
    assert_eq!(case.content(place, Extent::Whole).unwrap(), b"Subject: off\n\nx\n");
    assert_eq!(case.content(place, Extent::Header).unwrap(), b"Subject: off\n\n");
    let down =
        case.proposed(&stopped(&case), place, (Verb::Requeue, &["unclaimed"], None), &Given::default());
    assert!(down.unwrap_err().hint.contains("start smtpd"));
    let cut = of(&[("offline/1795479218.XXXX", b"-i|-f|a@b|c@d\nSubject: cut")]);
    assert!(proposed(&cut, "offline/1795479218.XXXX", Verb::Requeue, "unclaimed", false).is_err());
}

#[test]
fn what_is_not_certain_is_refused_with_the_reason() {
    let (ghosts, half) = (fixture("ghosts"), fixture("half"));
    for (case, place, rule) in [
        (&ghosts, "queue/57/578ca4f1/578ca4f1f5ec0636", "corrupt"),
        (&ghosts, "queue/2f/2fbde200/2fbde200240f218c", "corrupt"),
        (&ghosts, "queue/ee/ee940105/ee940105cee96027", "empty-file"),
        (&half, "temporary/5a3ebe9e", "unfinished"),
    ] {
        for verb in [Verb::Requeue, Verb::Ndr] {
            let refusal =
                case.proposed(&stopped(case), place, (verb, &[rule], None), &offline()).unwrap_err();
            assert!(!refusal.hint.is_empty(), "{place}");
            let blind = case.proposed(&stopped(case), place, (verb, &[], None), &offline());
            assert!(blind.is_err(), "{place}: the files tell without the rule, too");
        }
    }
    assert!(half.content("temporary/5a3ebe9e", Extent::Whole).unwrap_err().reason.contains("never finished"));
}

#[test]
fn an_envelope_in_the_folder_of_another_message_does_not_take_its_content() {
    let other = "queue/44/44444444";
    let (stray, content) = (format!("{other}/{ENVELOPE}"), format!("{other}/message"));
    let own = format!("{other}/4444444400000001");
    let case = of(&[(&stray, &envelope()), (&content, b"Subject: other\n\nx\n"), (&own, &envelope())]);
    let refusal = case.proposed(&stopped(&case), &stray, (Verb::Requeue, &["misfiled"], None), &offline());
    assert!(refusal.unwrap_err().reason.contains("another's"));
}

#[test]
fn a_coded_content_is_said_to_be_so_and_a_plain_one_is_written_as_it_is() {
    let case = fixture("deferred");
    let place = case.messages().next().unwrap().place.path.lossy().into_owned();
    let bytes = file(&OpenSmtpd, &format!("deferred/tree/{place}"));
    assert_eq!(case.content(&place, Extent::Whole).unwrap(), bytes);
    let (path, envelope_path) = (format!("queue/32/{ID}/message"), format!("queue/32/{ID}/{ENVELOPE}"));
    let coded = of(&[(&path, &[0x1f, 0x8b, 8, 0]), (&envelope_path, &envelope())]);
    assert!(coded.content(&path, Extent::Whole).unwrap_err().reason.contains("gzip"));
}

#[test]
fn sendmail_of_smtpd_is_called_as_it_wants_it() {
    let case = fixture("deferred");
    let submission = running(&case).submission.unwrap();
    assert_eq!(
        (submission.arguments.join(" ").as_str(), submission.null_sender.as_deref().unwrap_or("none")),
        ("-i", "")
    );
    assert!(!submission.dsn, "smtpd refuses the parameters unless it is told to take them");
    assert!(stopped(&case).submission.is_none(), "it would keep the mail and say that it failed");
}

#[test]
fn what_sendmail_would_recode_is_said_and_smtp_keeps_it() {
    let message = format!("queue/32/{ID}/message");
    let long = format!("From: a@lab.test\nDate: today\n\n{}\n", "x".repeat(1_200));
    let rule = "body-without-envelope";
    let given = Given {
        sender: Some(Text::from("a@lab.test")),
        recipients: vec![Text::from("b@lab.test")],
        offline: false,
    };
    let case = of(&[(&message, long.as_bytes())]);
    let ask = (Verb::Requeue, &[rule][..], Some(false));
    let proposal = case.proposed(&running(&case), &message, ask, &given).unwrap();
    let warning = proposal.warnings.last().unwrap();
    assert!(warning.contains("recoded") && warning.contains("--via smtp://"), "{warning}");
}
