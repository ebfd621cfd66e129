//! The backscatter gate on what the sources really record of real messages.

use ghostq::act::ndr::gate;
use ghostq::evidence::{Message, Record, Text, Time};
use ghostq::plan::{Given, Outgoing};
use ghostq::read::disk::EntryKind;
use ghostq::sources::{self, Detected, Options, Unit};
use std::ops::ControlFlow;

/// Every message of a fixture, as its source reads it, and the file in which it lies.
fn messages(source: &str, case: &str) -> Vec<(Message, Vec<u8>)> {
    let folder = crate::support::restore(&format!("{source}/{case}"));
    let detected = Detected { root: folder.path().to_owned(), why: "test".into(), config: None, variant: "" };
    let options = Options { now: Time::parse("2026-11-25T00:00:00Z").unwrap(), ..Options::default() };
    let opened = sources::by_name(source).unwrap().open(&detected, &options).unwrap();
    let mut found = Vec::new();
    for path in crate::support::paths_below(folder.path()).iter().filter(|path| path.is_file()) {
        let below = path.strip_prefix(folder.path()).unwrap();
        let unit = Unit { root: &opened.root, path: below, kind: EntryKind::Regular, lean: false };
        (opened.read)(unit, &mut |record| {
            if let Record::Message(message) = record {
                found.push((*message, std::fs::read(path).unwrap()));
            }
            ControlFlow::Continue(())
        });
    }
    found
}

/// What the gate says of each message that has a sender and somebody who waits for it.
fn reasons(source: &str, case: &str) -> Vec<String> {
    let mut said = Vec::new();
    for (message, file) in messages(source, case) {
        let Ok(outgoing) = Outgoing::of(&message.envelope, &Given::default()) else { continue };
        if outgoing.sender.as_ref().is_none_or(Text::is_empty) || outgoing.recipients.is_empty() {
            continue;
        }
        let verdict = gate::judge(&gate::Case {
            source,
            host: "lab.test",
            sender: outgoing.sender.as_ref(),
            sender_is_local: None,
            // What qmail-queue says of its caller stands in the message itself; the others keep a record.
            header: if source == "qmail" { &file } else { b"" },
            attributes: &message.attributes,
            recipients: &outgoing.recipients,
            age: None,
            bounce_lifetime: None,
            allow_backscatter: false,
            ndr_to: None,
        });
        let allowed = if verdict.allowed { "yes" } else { "no" };
        said.push(format!("{allowed}: {}", verdict.reasons.join("; ")));
    }
    said
}

#[test]
fn mail_that_was_written_on_the_host_may_be_returned() {
    for (source, case) in [
        ("postfix", "deferred"),
        ("postfix", "half-incoming"),
        ("exim", "deferred"),
        ("sendmail", "deferred"),
        ("opensmtpd", "deferred"),
        ("opensmtpd", "offline"),
        ("qmail", "deferred"),
        ("courier", "deferred"),
        ("nullmailer", "deferred"),
        ("dma", "deferred"),
    ] {
        let said = reasons(source, case);
        assert!(said.len() >= 3, "{source}/{case}: {said:?}");
        assert!(
            said.iter().all(|said| said == "yes: handed in by a program of this host"),
            "{source}/{case}: {said:?}"
        );
    }
}

#[test]
fn mail_whose_record_is_lost_or_that_a_filter_put_away_may_not() {
    let has = |source, case, expected: &str| {
        let said = reasons(source, case);
        assert!(said.iter().any(|said| said == expected), "{source}/{case}: {said:?}");
    };
    has("exim", "lone-body", "no: nothing shows that its sender is not forged");
    has("sendmail", "quarantine-lost-bad", "no: it is marked as spam or unwanted (quarantine of a filter)");
}
