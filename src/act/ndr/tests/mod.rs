//! Reports are read back here with mail-parser, and by foreign programs in `tests/judges/`.

mod samples;

pub use samples::notice;

use super::*;
use crate::read::mime;
use samples::{Sample, all};
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn report(change: impl FnOnce(&mut Notice)) -> String {
    let mut sample = all().remove(0);
    change(&mut sample.notice);
    text(&sample.report())
}

fn named(name: &str) -> Sample {
    all().into_iter().find(|sample| sample.name == name).unwrap()
}

/// Writes every sample where the judges want them (`GHOSTQ_JUDGES_DIR`), or into a folder that goes away.
#[test]
fn every_report_is_written_as_a_file_for_the_judges() {
    let folder = tempfile::tempdir().unwrap();
    let folder =
        std::env::var_os("GHOSTQ_JUDGES_DIR").map_or_else(|| folder.path().to_owned(), PathBuf::from);
    let samples = all();
    assert!(samples.len() >= 12);
    for sample in &samples {
        fs::write(folder.join(format!("{}.eml", sample.name)), sample.report()).unwrap();
        let expected = serde_json::to_vec_pretty(&sample.expected()).unwrap();
        fs::write(folder.join(format!("{}.json", sample.name)), expected).unwrap();
    }
}

#[test]
fn every_report_has_the_parts_of_rfc_3464_and_returns_the_original_byte_for_byte() {
    for sample in all() {
        let report = sample.report();
        let parts = mime::parts(&report);
        let kinds: Vec<_> = parts.iter().map(|part| part.kind.as_str()).collect();
        let international = sample.notice.is_international();
        let status = if international { "message/global-delivery-status" } else { "message/delivery-status" };
        assert_eq!(kinds[..3], ["multipart/report", "text/plain", status], "{}", sample.name);
        assert!(parts.iter().all(|part| !part.is_broken), "{}", sample.name);
        assert!(parts[2].encoding == "7bit" || international, "{}", sample.name);
        for part in &parts[1..] {
            assert_eq!(
                part.encoding == "8bit",
                !part.raw.is_ascii() || (international && part.kind == status)
            );
        }
        let eight_bit = parts[1..].iter().any(|part| part.encoding == "8bit");
        assert_eq!(parts[0].encoding, if eight_bit { "8bit" } else { "7bit" }, "{}", sample.name);
        let returned = sample.returned();
        assert_eq!(parts.len(), if returned.is_some() { 4 } else { 3 }, "{}: {kinds:?}", sample.name);
        if let Some(returned) = returned {
            let kind = if sample.notice.ret == Ret::Full { "message/rfc822" } else { "text/rfc822-headers" };
            assert_eq!(parts[3].kind, kind);
            assert!(parts[3].raw.starts_with(&returned), "{}", sample.name);
            assert!(parts[3].raw[returned.len()..].trim_ascii().is_empty(), "{}", sample.name);
        }
    }
}

#[test]
fn the_header_of_a_report_says_what_it_is() {
    let report = report(|_| ());
    let headers = mime::headers(report.as_bytes());
    assert_eq!(headers.from, Some("Mail Delivery System <MAILER-DAEMON@mail.contoso.example>".into()));
    assert_eq!(headers.to, Some("anna@contoso.example".into()));
    for (name, value) in [
        ("Auto-Submitted", "auto-replied"),
        ("In-Reply-To", "<1@contoso.example>"),
        ("References", "<1@contoso.example>"),
        ("Message-ID", "<0123.ghostq@mail.contoso.example>"),
        ("Date", "Tue, 24 Nov 2026 06:46:48 +0000"),
        ("X-Ghostq-Returned", "postfix 4F1B6F7B0C7D"),
        ("MIME-Version", "1.0"),
    ] {
        assert_eq!(headers.raw(name).map(|value| text(value.bytes())), Some(value.to_owned()), "{name}");
    }
    assert_eq!(headers.stray_at, None);
}

#[test]
fn a_person_can_understand_it() {
    let report = report(|notice| notice.last_attempt = None);
    let unfolded = report.split_whitespace().collect::<Vec<_>>().join(" ");
    let since = Time::parse("2026-11-17T05:00:00Z").unwrap();
    for said in [
        "A message with your address as its sender was found on mail.contoso.example, held by postfix",
        "invisible to its queue listing since 2026-11-17 05:00:00 UTC",
        &format!("({} local time)", since.local()),
        "The mail system had no permission to open it.",
        "<bob@fabrikam.example>: mail system failure, the message could not be processed (5.3.0)",
        "nothing is on its way to these recipients any more",
        "please send it again",
        "Queue ID: 4F1B6F7B0C7D",
        "<postmaster@mail.contoso.example>",
    ] {
        assert!(unfolded.contains(said), "{said}\n{report}");
    }
    assert!(!report.contains("Last tried"), "nothing is said that is not known");
}

#[test]
fn what_is_not_known_is_not_said() {
    let report = text(&named("empty-diagnostic").report());
    for absent in
        ["invisible", " since ", "Came in", "Arrival-Date", "Last-Attempt-Date", "Original-Envelope-Id"]
    {
        assert!(!report.contains(absent), "{absent}\n{report}");
    }
    let listed = report_of("to-the-postmaster");
    assert!(!listed.contains("invisible to its queue listing"));
    assert!(listed.contains("To: postmaster@contoso.example\n"));
    assert!(listed.contains("A message without a sender"));
    assert!(listed.contains("Its sender was not told."));
}

fn report_of(name: &str) -> String {
    text(&named(name).report())
}

#[test]
fn the_status_part_holds_what_the_sender_asked_to_get_back() {
    let report = report_of("orcpt-and-envid");
    for field in [
        "Reporting-MTA: dns; mail.contoso.example\nOriginal-Envelope-Id: QQ+314=159 x\n",
        "Arrival-Date: Sun, 15 Nov 2026 06:46:48 +0000\n",
        "\n\nOriginal-Recipient: rfc822; bob+sales@fabrikam.example\n\
         Final-Recipient: rfc822; bob@internal.fabrikam.example\nAction: failed\nStatus: 5.3.0\n\
         Diagnostic-Code: X-ghostq; 5.3.0 mail system failure, the message could not be\n processed\n\
         Last-Attempt-Date: Mon, 16 Nov 2026 00:00:00 +0000\n",
    ] {
        assert!(report.contains(field), "{field}\n{report}");
    }
}

#[test]
fn a_temporary_answer_is_told_beside_the_final_status() {
    let report = report_of("several-recipients");
    assert!(
        report
            .contains("Status: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 <bob@fabrikam.example>: no such user")
    );
    assert!(report.contains("Status: 5.4.7\nDiagnostic-Code: X-ghostq; 5.4.7 delivery time expired"));
    assert!(report.contains("X-Ghostq-Last-Answer: 451 4.7.1 Greylisted, try again later\n"));
    assert_eq!(report.matches("Action: failed\n").count(), 3);
}

#[test]
fn hostile_text_adds_no_field_and_no_part() {
    let sample = named("hostile-text");
    let bytes = sample.report();
    let report = text(&bytes);
    for name in ["Bcc", "X-Evil", "Action: delivered"] {
        assert!(report.lines().all(|line| !line.starts_with(name)), "{name}\n{report}");
    }
    assert!(bytes.iter().all(|byte| matches!(byte, b'\n' | b'\t' | b' '..) && *byte != 0x7f));
    assert!(report.contains("Original-Envelope-Id: a+0D+0AAction:+20delivered\n"), "{report}");
    assert!(mime::headers(&bytes).raw("In-Reply-To").is_none());
    assert_eq!(mime::parts(&bytes).len(), 4);
    assert!(!report.contains('\u{202e}'));
}

#[test]
fn no_line_of_a_report_is_too_long_for_smtp() {
    let huge = "x".repeat(20_000);
    let report = report(|notice| {
        notice.recipients = vec![Failed {
            address: Text::from(format!("{huge}@b.example")),
            orcpt: Some(format!("rfc822;{huge}").into()),
            diagnostic: Some(format!("550 5.1.1 {huge}").into()),
            reason: Some(huge.clone()),
            status: None,
        }];
        notice.envid = Some(huge.clone().into());
        notice.queue_id = huge.clone().into();
        notice.host.clone_from(&huge);
        notice.source.clone_from(&huge);
        notice.original_id = Some(format!("<{huge}@a>").into());
    });
    let longest = report.lines().map(str::len).max().unwrap();
    assert!(longest <= 998, "{longest}");
}

#[test]
fn the_body_stays_here_unless_it_was_asked_for() {
    assert!(!report_of("body-behind-the-header").contains("secret body"));
    let mut sample = named("body-behind-the-header");
    sample.notice.ret = Ret::Full;
    assert!(text(&sample.report()).contains("secret body"));
}

#[test]
fn the_line_ends_are_those_of_the_original() {
    let report = report_of("windows-line-ends");
    assert_eq!(report.matches('\n').count(), report.matches("\r\n").count());
    assert!(!report_of("one-recipient").contains('\r'));
}

#[test]
fn no_line_of_the_original_ends_its_part() {
    let mut sample = named("whole-message");
    let first = text(&sample.report());
    let (_, rest) = first.split_once("boundary=\"").unwrap();
    let boundary = rest.split('"').next().unwrap().to_owned();
    let padding = "x".repeat((64 << 10) - 20);
    let content = format!("Subject: x\n\n{padding}\n--{boundary}--\nbehind it\n");
    sample.original = Some(content.clone().into_bytes());
    let report = sample.report();
    let parts = mime::parts(&report);
    assert_eq!(parts.len(), 4);
    assert!(text(&parts[3].raw).starts_with(&content));
}

#[test]
fn a_report_that_cannot_be_right_is_not_written() {
    let fails = |change: fn(&mut Notice)| {
        let mut notice = notice();
        change(&mut notice);
        let mut out = Vec::new();
        let error = compose(&notice, None, &mut out).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        assert!(out.is_empty());
    };
    fails(|notice| notice.recipients.clear());
    fails(|notice| notice.addressee = Text::default());
    fails(|notice| notice.addressee = "a@b\r\nBcc: c@d".into());
    fails(|notice| notice.now = Time::from_unix(i64::MAX));
}

#[test]
fn a_report_goes_out_from_nobody_and_asks_for_no_report() {
    let outgoing = envelope(&notice());
    assert_eq!(outgoing.sender, Some(Text::default()));
    assert_eq!(outgoing.recipients.len(), 1);
    assert_eq!(outgoing.recipients[0].address, "anna@contoso.example".into());
    assert_eq!(outgoing.recipients[0].notify.parameter().as_deref(), Some("NEVER"));
    assert!(!outgoing.smtputf8);
    assert!(envelope(&named("non-ascii-address").notice).smtputf8);
}

#[test]
fn bytes_that_are_no_characters_do_not_make_a_report_international() {
    let mut sample = named("one-recipient");
    sample.notice.recipients[0].address = Text::new(b"b\xe9b\xc3\xa9@fabrikam.example");
    let parts = mime::parts(&sample.report());
    assert_eq!(parts[2].kind, "message/delivery-status");
    assert!(parts[2].raw.is_ascii());
    assert!(text(&parts[2].raw).contains("Final-Recipient: rfc822; b\\xE9b?@fabrikam.example"));
}

#[test]
fn every_cause_is_final_and_said_in_sentences() {
    for cause in cause::ALL.iter().chain([&cause::OTHER]) {
        assert!(cause.status.starts_with("5."), "{cause:?}");
        assert!(cause.what.ends_with('.') && !cause.reason.ends_with('.'), "{cause:?}");
    }
    assert_eq!(cause::of("unlisted").status, "5.4.7");
    assert_eq!(cause::of("corrupt").status, "5.6.0");
    assert_eq!(cause::of("no such rule"), &cause::OTHER);
}

#[test]
fn a_slow_reader_gives_the_same_report() {
    struct Slow(Cursor<Vec<u8>>);
    impl std::io::Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = buffer.len().min(1);
            self.0.read(&mut buffer[..length])
        }
    }
    impl std::io::Seek for Slow {
        fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
            self.0.seek(to)
        }
    }
    for name in ["windows-line-ends", "whole-message", "body-behind-the-header"] {
        let sample = named(name);
        let mut content = Slow(Cursor::new(sample.original.clone().unwrap()));
        let mut out = Vec::new();
        compose(&sample.notice, Some(Original { content: &mut content }), &mut out).unwrap();
        assert_eq!(out, sample.report(), "{name}");
    }
}

#[test]
fn no_two_messages_get_the_same_name() {
    let now = Time::from_unix(0);
    let names: std::collections::BTreeSet<_> = (0..1_000).map(|_| unique_id("a.example", now)).collect();
    assert_eq!(names.len(), 1_000);
    assert!(names.iter().all(|name| name.starts_with('<') && name.ends_with(".ghostq@a.example>")));
}
