//! What is proposed for each ghost of the real queues, and what is written as its content.

use super::*;
use crate::plan::{Given, Proposal, Refusal, Verb, Way};
use crate::sources::courier::live::Programs;
use crate::sources::courier::plan::Host;
use crate::sources::samples::{offline, told};
use crate::sources::{Extent, Remedies};

/// The remedies where courierd runs on this queue.
fn running() -> Remedies {
    let programs = Programs {
        courier: Some("/usr/sbin/courier".into()),
        cancel: Some("/usr/bin/cancelmsg".into()),
        sendmail: Some("/usr/sbin/sendmail".into()),
    };
    Host { programs, runs: true, owner: Some((100, 101)) }.remedies()
}

/// The remedies where it does not.
fn stopped() -> Remedies {
    Host { owner: Some((100, 101)), ..Host::default() }.remedies()
}

fn proposed(case: &Sample, place: &str, verb: Verb, rule: &str) -> Result<Proposal, Refusal> {
    case.proposed(&running(), place, (verb, &[rule], Some(true)), &Given::default())
}

fn tells(case: &Sample, place: &str, verb: Verb, rule: &str) -> Vec<String> {
    told(&proposed(case, place, verb, rule).unwrap())
}

#[test]
fn courierd_tries_and_returns_by_its_own_commands() {
    let case = Sample::fixture(&Courier, "delivered");
    let place = "msgs/21/C1360121";
    let id = "000000000014C0F9.000000006B054606.000000C2";
    for rule in ["overdue", "expired", "future-time", "name-inode-mismatch"] {
        assert_eq!(tells(&case, place, Verb::Requeue, rule), [format!("/usr/sbin/courier flush {id}")]);
    }
    assert_eq!(tells(&case, place, Verb::Ndr, "overdue"), [format!("/usr/bin/cancelmsg {id}")]);
    let submission = running().submission.unwrap();
    assert_eq!((submission.null_sender.as_deref().unwrap_or("none"), submission.dsn), ("", true));
}

#[test]
fn a_lost_link_is_made_anew_where_courierd_looks_for_it() {
    let case = Sample::fixture(&Courier, "ghosts");
    let steps = tells(&case, "msgs/10/C10890710", Verb::Requeue, "missing-part");
    assert_eq!(steps.len(), 1, "the folder is there: {steps:?}");
    let planned = file(&Courier, "ghosts/tree/msgs/10/C10890710");
    let planned = String::from_utf8(planned).unwrap();
    let planned = planned.lines().rev().find_map(|line| line.strip_prefix('A')).unwrap();
    assert_eq!(steps[0], format!("ln msgs/10/C10890710 msgq/{}/C10890710.{planned}", &planned[..6]));
    let proposal = proposed(&case, "msgs/10/C10890710", Verb::Ndr, "missing-part").unwrap();
    assert!(told(&proposal)[1].starts_with("/usr/bin/cancelmsg 0000000000A62DD6."));
    assert!(proposal.warnings[0].contains("started next"), "this one was restored, and has another inode");
}

#[cfg(unix)]
#[test]
fn a_message_that_got_its_link_back_is_tried_at_once_if_its_number_is_its_inode() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = tempfile::tempdir().unwrap();
    lay_out(folder.path(), &["msgs", "msgq", "tmp"], &[("new", CONTROL)]);
    let inode = std::fs::metadata(folder.path().join("new")).unwrap().ino();
    let (control, data) =
        (format!("msgs/{}/C{inode}", inode % 100), format!("msgs/{}/D{inode}", inode % 100));
    lay_out(folder.path(), &[], &[(&data, DATA)]);
    std::fs::rename(folder.path().join("new"), folder.path().join(&control)).unwrap();
    let steps = tells(&read(folder), &control, Verb::Requeue, "missing-part");
    assert_eq!(steps[0], "mkdir 755 100:101 msgq/179548");
    assert_eq!(steps[1], format!("ln {control} msgq/179548/C{inode}.1795480048"));
    assert!(steps[2].starts_with("/usr/sbin/courier flush "), "{steps:?}");
}

#[test]
fn a_name_that_is_no_link_stands_in_the_way_of_one() {
    let folder = queue(CONTROL);
    let name = folder.path().join("msgq/179548/C101.1795480048");
    std::fs::remove_file(&name).unwrap();
    std::fs::write(&name, CONTROL).unwrap();
    let refusal = proposed(&read(folder), "msgs/1/C101", Verb::Requeue, "missing-part").unwrap_err();
    assert!(
        refusal.reason.contains("a file of its own") && refusal.hint.contains("stop courierd"),
        "{refusal:?}"
    );
}

#[test]
fn files_of_root_are_given_back_to_courier() {
    let case = Sample::fixture(&Courier, "ghosts");
    let steps = tells(&case, "msgs/13/C10890513", Verb::Requeue, "wrong-owner-or-mode");
    let expected = [
        "chown 100:Some(101) msgs/13/D10890513",
        "chmod 660 msgs/13/D10890513",
        "chown 100:Some(101) msgq/179548/C10890513.1795480046",
        "chmod 660 msgq/179548/C10890513.1795480046",
        "chown 100:Some(101) msgs/13/C10890513",
        "chmod 660 msgs/13/C10890513",
    ];
    assert_eq!(
        steps, expected,
        "each name of the control file is in the plan, or it would be taken for a stranger's"
    );
}

#[test]
fn a_queue_is_handed_over_only_offline_and_the_name_in_msgq_goes_first() {
    let case = Sample::fixture(&Courier, "delivered");
    let (place, ask) = ("msgs/21/C1360121", (Verb::Requeue, &["overdue"][..], None));
    assert!(case.proposed(&stopped(), place, ask, &Given::default()).unwrap_err().hint.contains("--offline"));
    assert!(case.proposed(&running(), place, ask, &offline()).unwrap_err().reason.contains("courierd runs"));
    let proposal = case.proposed(&stopped(), place, ask, &offline()).unwrap();
    let parts = ["msgq/179550/C1360121.1795508018", place, "msgs/21/D1360121"];
    assert_eq!(told(&proposal)[..3], parts);
    let Way::HandOver { outgoing, .. } = proposal.way else { panic!() };
    assert_eq!(outgoing.recipients[0].address, Text::from("labuser-def@lab.test"));
    assert_eq!((outgoing.recipients.len(), outgoing.delivered.len()), (1, 2), "one got it, one was given up");
}

#[test]
fn a_second_name_that_is_not_found_is_not_left_behind_to_remove_the_data_file() {
    let folder = queue(CONTROL);
    let name = |time: &str| folder.path().join(format!("msgq/179548/C101.{time}"));
    std::fs::rename(name("1795480048"), name("1795480049")).unwrap();
    let refusal = read(folder).proposed(&stopped(), "msgs/1/C101", (Verb::Requeue, &[], None), &offline());
    assert!(refusal.unwrap_err().hint.contains("samefile"));
}

#[test]
fn a_data_file_alone_goes_to_whom_the_operator_names_or_the_other_name_tells() {
    let case = Sample::fixture(&Courier, "ghosts");
    let (place, rule) = ("msgs/0/D10890600", "body-without-envelope");
    assert!(proposed(&case, place, Verb::Requeue, rule).unwrap_err().hint.contains("--to"));
    let (sender, recipients) = (Some(Text::from("a@b")), vec![Text::from("c@d")]);
    let given = Given { sender, recipients, offline: false };
    let named = case.proposed(&running(), place, (Verb::Requeue, &[rule], Some(false)), &given).unwrap();
    assert_eq!(told(&named), [place, "a@b -> c@d"]);
    assert!(named.warnings.iter().any(|warning| warning.contains("`From` anew")), "{:?}", named.warnings);

    let lost = queue(CONTROL);
    std::fs::remove_file(lost.path().join("msgs/1/C101")).unwrap();
    let steps = tells(&read(lost), "msgs/1/D101", Verb::Requeue, rule);
    assert_eq!(
        steps,
        ["msgq/179548/C101.1795480048", "msgs/1/D101", "sa@b.example -> one two"].map(|step| {
            step.replace("sa@b.example -> one two", "a@b.example -> one@d.example two@d.example")
        })
    );
}

#[test]
fn a_control_file_alone_is_only_good_for_a_report() {
    let case = Sample::fixture(&Courier, "ghosts");
    let (place, rule) = ("msgs/10/C10890610", "envelope-without-body");
    assert!(proposed(&case, place, Verb::Requeue, rule).unwrap_err().reason.contains("nothing to send"));
    assert!(proposed(&case, place, Verb::Ndr, rule).unwrap_err().reason.contains("memory"));
    let returned = case.proposed(&stopped(), place, (Verb::Ndr, &[rule], None), &offline()).unwrap();
    let told = told(&returned);
    assert!(told[0].starts_with("msgq/179548/C10890610.") && told[1] == place, "{told:?}");
    assert!(case.content(place, Extent::Header).unwrap_err().reason.contains("data file is missing"));
}

#[test]
fn what_was_handed_in_is_left_to_courierd() {
    let case = Sample::fixture(&Courier, "delivered");
    let place = "tmp/179550/C1360034";
    assert!(proposed(&case, place, Verb::Requeue, "unclaimed").unwrap_err().reason.contains("by itself"));
    let ask = (Verb::Requeue, &["unclaimed"][..], None);
    let refusal = case.proposed(&stopped(), place, ask, &Given::default()).unwrap_err();
    assert!(refusal.reason.contains("48 hours"));
    let parts = told(&case.proposed(&stopped(), place, ask, &offline()).unwrap());
    assert_eq!(parts[..2], [place, "tmp/179550/D1360034"]);
}

#[test]
fn what_is_not_certain_is_refused_with_the_reason() {
    let case = Sample::fixture(&Courier, "ghosts");
    let half = "tmp/179548/1795480083.1610.lab.test";
    for rule in ["unfinished", "owner-gone", "empty-file", "corrupt", "foreign-name", "duplicate-message"] {
        let refusal =
            case.proposed(&stopped(), half, (Verb::Requeue, &[rule], None), &offline()).unwrap_err();
        assert!(!refusal.hint.is_empty(), "{rule}");
    }
    assert!(
        case.proposed(&stopped(), half, (Verb::Ndr, &[], None), &offline()).is_err(),
        "its name tells, too"
    );
    assert!(case.content(half, Extent::Whole).unwrap_err().reason.contains("did not finish"));
}

#[test]
fn the_content_is_the_data_file_as_it_is() {
    let case = Sample::fixture(&Courier, "delivered");
    let data = file(&Courier, "delivered/tree/msgs/21/D1360121");
    assert_eq!(case.content("msgs/21/C1360121", Extent::Whole).unwrap(), data);
    let header = case.content("msgs/21/C1360121", Extent::Header).unwrap();
    assert!(data.starts_with(&header) && header.ends_with(b"\n\n") && header.len() < data.len());
}

#[test]
fn a_control_file_cut_anywhere_never_goes_out_to_fewer() {
    let case = read(queue(CONTROL));
    let proposed = || case.proposed(&stopped(), "msgs/1/C101", (Verb::Requeue, &[], None), &offline());
    assert!(proposed().is_ok());
    // The file is cut after it was scanned: what counts is what is there when something is done.
    for cut in 0..CONTROL.len() {
        std::fs::write(case.folder.path().join("msgs/1/C101"), &CONTROL[..cut]).unwrap();
        assert!(proposed().is_err(), "cut at {cut}");
        assert_eq!(case.content("msgs/1/C101", Extent::Whole).unwrap(), DATA, "the data file is whole");
    }
}
