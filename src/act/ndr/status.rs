//! The second part of a report: `message/delivery-status` (RFC 3464 section 2).
//!
//! Status and Diagnostic-Code never contradict each other. Readers differ in which they believe: Sisimai takes a code that it
//! finds in the Diagnostic-Code over the Status. So an answer of a remote system stands there only if it was final; a temporary
//! one is told in a field of our own, and in the text.

use super::{Failed, Notice, field};
use crate::evidence::{Text, Time};

/// What is said about one recipient, the same in all parts.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    /// The enhanced status code, of class 5.
    pub status: String,
    /// The value of Diagnostic-Code, its type in front.
    diagnostic: String,
    /// The reason for people.
    pub reason: String,
    /// What was answered last, where that is not the reason.
    pub last_answer: Option<String>,
}

/// Says what is to be said about a recipient.
pub fn said(notice: &Notice, failed: &Failed) -> Said {
    let noted = failed.diagnostic.as_ref().filter(|text| !text.bytes().trim_ascii().is_empty());
    let given = failed.status.as_deref().filter(|status| enhanced(status) == Some(*status));
    let reply = noted.and_then(reply);
    if let Some(reply) = reply.as_deref().filter(|reply| reply.starts_with('5')) {
        let own = reply.get(4..).and_then(enhanced);
        // "Other undefined status" (RFC 3463 section 3.1): the remote system did not say more.
        let status = own.or(given).unwrap_or("5.0.0").to_owned();
        let reason = failed.reason.clone().unwrap_or_else(|| reply.to_owned());
        return Said {
            status,
            diagnostic: format!("smtp; {reply}"),
            reason: field::readable(&reason.into()),
            last_answer: None,
        };
    }
    let status = given.unwrap_or(notice.cause.status).to_owned();
    let reason = failed.reason.as_deref().map_or(notice.cause.reason, |reason| reason);
    let reason = Text::from(reason);
    // RFC 3464 section 2.3.6: a type that is not registered begins with `X-`.
    let diagnostic = format!("X-ghostq; {status} {}", field::ascii(&reason));
    Said { status, diagnostic, reason: field::readable(&reason), last_answer: noted.map(field::ascii) }
}

/// The SMTP reply in what was noted about an attempt, on one line. Postfix notes `host NAME[ADDRESS] said: REPLY (in reply to COMMAND)`
/// (`smtp/smtp_proto.c`, calls of `smtp_mesg_fail` and `smtp_rcpt_fail`).
fn reply(noted: &Text) -> Option<String> {
    let text = field::ascii(noted);
    let text = match text.split_once(" said: ") {
        Some((host, said)) if host.starts_with("host ") => {
            said.split_once(" (in reply to ").map_or(said, |(said, _)| said)
        }
        _ => &text,
    };
    let code = text.as_bytes().get(..3)?;
    let digits = matches!(code, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9']);
    let ends = text.as_bytes().get(3).is_none_or(|byte| matches!(byte, b' ' | b'-'));
    (digits && ends).then(|| text.to_owned())
}

/// The enhanced status code of class 5 with which a text begins (RFC 3463 section 2).
fn enhanced(text: &str) -> Option<&str> {
    let code = text.split(' ').next()?;
    let mut numbers = code.split('.');
    let class = numbers.next()?;
    let is_number =
        |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let rest: Vec<_> = numbers.collect();
    (class == "5" && rest.len() == 2 && rest.iter().all(|number| is_number(number))).then_some(code)
}

/// The fields: one block for the message, and one for each recipient.
pub fn fields(notice: &Notice) -> String {
    let mut block = field::folded("Reporting-MTA", &format!("dns; {}", field::host(&notice.host)));
    if let Some(envid) = &notice.envid {
        // RFC 3464 section 2.2.1 keeps it as the sender wrote it, so it is not in xtext (as in sendmail, `savemail.c`, `errbody`). What cannot
        // stand in a field goes back into the xtext in which it came.
        let plain = envid.bytes().iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
        let value = if plain { envid.lossy().into_owned() } else { field::xtext(envid) };
        block.push_str(&field::unfolded("Original-Envelope-Id", "", &short(&value)));
    }
    block.push_str(&date("Arrival-Date", notice.arrival));
    let queue_id = field::ascii(&notice.queue_id);
    if !queue_id.is_empty() {
        block.push_str(&field::folded("X-Ghostq-Queue-ID", &queue_id));
    }
    for failed in &notice.recipients {
        block.push('\n');
        block.push_str(&recipient(notice, failed));
    }
    block
}

fn recipient(notice: &Notice, failed: &Failed) -> String {
    let said = said(notice, failed);
    let is_international = notice.is_international();
    let shown = |address: &Text| {
        let shown = field::address(address);
        if is_international { shown } else { shown.replace(|c: char| !c.is_ascii(), "?") }
    };
    let mut block = String::new();
    if let Some((kind, address)) = failed.orcpt.as_ref().and_then(original) {
        block.push_str(&field::unfolded("Original-Recipient", &format!("{kind};"), &shown(&address)));
    }
    let address = shown(&failed.address);
    // RFC 6533 section 3: the type of an address that is not ASCII.
    let kind = if address.is_ascii() { "rfc822;" } else { "utf-8;" };
    block.push_str(&field::unfolded("Final-Recipient", kind, &address));
    block.push_str("Action: failed\n");
    block.push_str(&field::folded("Status", &said.status));
    block.push_str(&field::folded("Diagnostic-Code", &said.diagnostic));
    block.push_str(&date("Last-Attempt-Date", notice.last_attempt));
    if let Some(answer) = &said.last_answer {
        block.push_str(&field::folded("X-Ghostq-Last-Answer", answer));
    }
    block
}

/// Type and address of `ORCPT`: `rfc822;a@b.example`.
fn original(orcpt: &Text) -> Option<(String, Text)> {
    let bytes = orcpt.bytes();
    let semicolon = memchr::memchr(b';', bytes)?;
    let kind = std::str::from_utf8(bytes.get(..semicolon)?).ok()?.trim();
    let address = bytes.get(semicolon + 1..)?.trim_ascii();
    let is_atom = kind.len() <= 64 && kind.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    (is_atom && !kind.is_empty() && !address.is_empty()).then(|| (kind.to_owned(), Text::new(address)))
}

fn date(name: &str, time: Option<Time>) -> String {
    time.and_then(Time::rfc5322).map_or_else(String::new, |date| field::folded(name, &date))
}

fn short(value: &str) -> String {
    // RFC 3461 section 4.4 allows 100 characters.
    value.chars().take(400).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{cause, tests::notice};
    use super::*;

    fn about(diagnostic: &str) -> Said {
        let failed = Failed { diagnostic: Some(diagnostic.into()), ..Failed::default() };
        let mut notice = notice();
        notice.cause = cause::of("unlisted");
        said(&notice, &failed)
    }

    #[test]
    fn a_final_answer_is_the_status_and_the_reason() {
        let postfix =
            about("host mx.example[192.0.2.1] said: 550 5.1.1 no such user (in reply to RCPT TO command)");
        assert_eq!(postfix.status, "5.1.1");
        assert_eq!(postfix.diagnostic, "smtp; 550 5.1.1 no such user");
        assert_eq!(postfix.last_answer, None);
        assert_eq!(about("550 no such user").status, "5.0.0");
        assert_eq!(about("550-5.7.1 no\r\n550 5.7.1 never").diagnostic, "smtp; 550-5.7.1 no 550 5.7.1 never");
    }

    #[test]
    fn a_temporary_answer_contradicts_nothing() {
        for answer in
            ["451 4.7.1 Greylisted, try again later", "connect to mx.example: Connection refused", "5 apples"]
        {
            let said = about(answer);
            assert_eq!(said.status, "5.4.7");
            assert!(
                said.diagnostic.starts_with("X-ghostq; 5.4.7 delivery time expired"),
                "{}",
                said.diagnostic
            );
            assert_eq!(said.last_answer.as_deref(), Some(answer));
        }
        assert_eq!(about("550 4.7.1 what now").status, "5.0.0");
    }

    #[test]
    fn an_original_recipient_without_a_type_is_left_out() {
        assert_eq!(original(&"rfc822;a@b.example".into()), Some(("rfc822".to_owned(), "a@b.example".into())));
        for unfit in ["a@b.example", ";a@b.example", "rfc822;", "rfc 822;a@b", "x\r\nBcc: a;b"] {
            assert_eq!(original(&unfit.into()), None, "{unfit}");
        }
    }
}
