//! The backscatter gate: whether a report may go out at all.
//!
//! Most mail with a sender that nobody checked has a forged one, and a report on it is spam to a bystander. So a report goes to the
//! sender only if something vouches for him: the mail system's own record (he authenticated himself, or the mail was written on
//! this host), his domain is one of this host's, or a check of SPF, DKIM or DMARC that nobody else can have put into the header.

use super::origin::{self, Origin};
use super::{field, vouch};
use crate::evidence::{Attribute, Duration, Text, format_duration};
use crate::plan::OutgoingRecipient;
use crate::read::mime;

/// What the gate looks at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The mail system that holds the message: `postfix`.
    pub source: &'a str,
    /// The name of this host.
    pub host: &'a str,
    /// The envelope sender without angle brackets; empty is the null sender, `None` is unknown.
    pub sender: Option<&'a Text>,
    /// Whether the domain of the sender is one for which this host takes mail in, if that is known.
    pub sender_is_local: Option<bool>,
    /// The header of the message as it is stored.
    pub header: &'a [u8],
    /// What the source read from the mail system's own record of it: `Message::attributes`.
    pub attributes: &'a [Attribute],
    /// The recipients who do not have it.
    pub recipients: &'a [OutgoingRecipient],
    /// How long ago it came in, in seconds, if that is known.
    pub age: Option<Duration>,
    /// The age at which the mail system gives up a report, in seconds, if that is known.
    pub bounce_lifetime: Option<Duration>,
    /// `--allow-backscatter`.
    pub allow_backscatter: bool,
    /// `--ndr-to`: who gets the report in place of the sender.
    pub ndr_to: Option<&'a Text>,
}

/// What the gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether a report may go out.
    pub allowed: bool,
    /// Why, or why not: short, lower-case, without a full stop, safe to print.
    pub reasons: Vec<String>,
}

impl Verdict {
    fn no(reason: impl Into<String>) -> Self {
        Self { allowed: false, reasons: vec![reason.into()] }
    }
}

/// The recipients of whose failure the sender wants to hear (RFC 3461 section 4.1). The others are not named in a report to him.
pub fn reported(recipients: &[OutgoingRecipient]) -> impl Iterator<Item = &OutgoingRecipient> {
    recipients.iter().filter(|recipient| recipient.notify.wants_failure())
}

/// Decides.
pub fn judge(case: &Case<'_>) -> Verdict {
    if case.recipients.is_empty() {
        return Verdict::no("nobody waits for it, so there is no failure to report");
    }
    // A notice to the postmaster is no report to the sender: what forbids that one does not forbid this one, and what a notice about a
    // notice would be cannot come to pass, since it is sent from nobody. Postfix does the same (bounce(8), class `2bounce`).
    if let Some(to) = case.ndr_to {
        return match field::mailbox(to) {
            Some(to) => {
                Verdict { allowed: true, reasons: vec![format!("it goes to {to}, not to the sender")] }
            }
            None => Verdict::no("the address of `--ndr-to` cannot stand in a header"),
        };
    }
    let Some(sender) = case.sender else {
        return Verdict::no("its envelope sender is not known");
    };
    if let Some(never) = never(case, sender) {
        return Verdict::no(never);
    }
    weigh(case, sender)
}

/// What no option opens: RFC 5321 section 4.5.5 and 6.1, RFC 3461 section 4.1, RFC 3834.
fn never(case: &Case<'_>, sender: &Text) -> Option<String> {
    if sender.is_empty() || sender.bytes() == b"<>" {
        return Some("it has the null sender, as a report has, and nobody to return it to".to_owned());
    }
    if field::mailbox(sender).is_none() {
        return Some("its envelope sender cannot stand in a header".to_owned());
    }
    // The mail system's own names: RFC 2142 and RFC 3834 section 2 for the first, `double_bounce_sender` of postconf(5) for the second.
    let local = sender.lossy().split('@').next().unwrap_or_default().to_ascii_lowercase();
    if matches!(local.as_str(), "mailer-daemon" | "double-bounce") {
        return Some("its sender is a mail system, so that it is a report itself".to_owned());
    }
    if reported(case.recipients).next().is_none() {
        return Some("suppressed by the sender (NOTIFY)".to_owned());
    }
    vouch::is_automatic(&mime::headers(case.header)).map(str::to_owned)
}

fn weigh(case: &Case<'_>, sender: &Text) -> Verdict {
    let headers = mime::headers(case.header);
    let own = own_user(case, &headers);
    let vouched = own.clone().or_else(|| vouch::vouched(&headers, case.host, sender));
    let mut against = Vec::new();
    if vouched.is_none() {
        against.push("nothing shows that its sender is not forged".to_owned());
    }
    // To the users of this host an old message is still theirs. Elsewhere nobody waits for a report any more when the mail system
    // itself would have thrown it away.
    if let (None, Some(age), Some(lifetime)) = (&own, case.age, case.bounce_lifetime)
        && age > lifetime
    {
        let [age, lifetime] = [age, lifetime].map(format_duration);
        against.push(format!("it is {age} old, and reports are given up after {lifetime}"));
    }
    if let Some(mark) = vouch::spam_mark(&headers, case.attributes) {
        against.push(format!("it is marked as spam or unwanted ({})", field::ascii(&mark.into())));
    }
    let mut notes: Vec<String> = vouched.into_iter().collect();
    let silent = case.recipients.len() - reported(case.recipients).count();
    if silent > 0 {
        notes.push(format!("{silent} recipients are left out: suppressed by the sender (NOTIFY)"));
    }
    if vouch::is_list(&headers) {
        notes.push("it is mail of a list, which gets the report".to_owned());
    }
    let allowed = against.is_empty() || case.allow_backscatter;
    if allowed && !against.is_empty() {
        against.push("allowed by `--allow-backscatter`".to_owned());
    }
    if allowed {
        against.append(&mut notes);
    }
    Verdict { allowed, reasons: against }
}

/// Why the sender is one of this host's own, if he is.
fn own_user(case: &Case<'_>, headers: &mime::Headers) -> Option<String> {
    match origin::of(case.source, case.attributes, headers) {
        Origin::User(user) if user.is_empty() => Some("handed in by an authenticated user".to_owned()),
        Origin::User(user) => Some(format!("handed in by the user {}", field::ascii(&user))),
        Origin::Local => Some("handed in by a program of this host".to_owned()),
        Origin::Unknown => {
            (case.sender_is_local == Some(true)).then(|| "its sender is in a domain of this host".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Notify;

    const SENDER: &str = "joe@a.example";
    const FROM_AFAR: &str = "Received: from mx (mx [192.0.2.7]) by mail.contoso.example; x\n";

    struct Mail {
        sender: Option<Text>,
        header: String,
        attributes: Vec<Attribute>,
        recipients: Vec<OutgoingRecipient>,
        age: Option<i64>,
        allow: bool,
        ndr_to: Option<Text>,
        local: Option<bool>,
    }

    fn mail(header: &str) -> Mail {
        Mail {
            sender: Some(SENDER.into()),
            header: format!("{header}Subject: x\n\n"),
            attributes: Vec::new(),
            recipients: vec![OutgoingRecipient { address: "b@b.example".into(), ..Default::default() }],
            age: None,
            allow: false,
            ndr_to: None,
            local: None,
        }
    }

    fn judged(mail: &Mail) -> Verdict {
        judge(&Case {
            source: "postfix",
            host: "mail.contoso.example",
            sender: mail.sender.as_ref(),
            sender_is_local: mail.local,
            header: mail.header.as_bytes(),
            attributes: &mail.attributes,
            recipients: &mail.recipients,
            age: mail.age,
            bounce_lifetime: Some(5 * 86_400),
            allow_backscatter: mail.allow,
            ndr_to: mail.ndr_to.as_ref(),
        })
    }

    fn by_user(header: &str) -> Mail {
        Mail { attributes: vec![("sasl_username".into(), "joe".into())], ..mail(header) }
    }

    #[test]
    fn a_sender_for_whom_nothing_speaks_gets_no_report() {
        let mut unverified = mail(FROM_AFAR);
        let verdict = judged(&unverified);
        assert!(!verdict.allowed);
        assert_eq!(verdict.reasons, ["nothing shows that its sender is not forged"]);
        unverified.allow = true;
        let verdict = judged(&unverified);
        assert!(verdict.allowed);
        assert_eq!(verdict.reasons.last().unwrap(), "allowed by `--allow-backscatter`");
    }

    #[test]
    fn users_of_this_host_get_their_report_however_late() {
        let mut known = by_user(FROM_AFAR);
        known.age = Some(30 * 86_400);
        assert_eq!(
            judged(&known),
            Verdict { allowed: true, reasons: vec!["handed in by the user joe".into()] }
        );
        assert!(judged(&Mail { local: Some(true), ..mail(FROM_AFAR) }).allowed);
        assert!(!judged(&Mail { local: Some(false), ..mail(FROM_AFAR) }).allowed);
    }

    #[test]
    fn a_check_above_the_topmost_received_vouches_and_one_below_does_not() {
        let passed = "Authentication-Results: mail.contoso.example;\n spf=pass smtp.mailfrom=joe@a.example\n";
        let trusted = mail(&format!("{passed}{FROM_AFAR}"));
        assert_eq!(judged(&trusted).reasons, ["SPF passed at mail.contoso.example"]);
        assert!(!judged(&mail(&format!("{FROM_AFAR}{passed}"))).allowed, "came with the message");
        assert!(!judged(&mail(passed)).allowed, "no server of ours has added anything yet");
        for other in [
            "Authentication-Results: mx.evil.example; spf=pass smtp.mailfrom=joe@a.example\n",
            "Authentication-Results: example; spf=pass smtp.mailfrom=joe@a.example\n",
            "Authentication-Results: contoso.example; spf=pass smtp.mailfrom=joe@evil.example\n",
            "Authentication-Results: contoso.example; dkim=pass header.d=evil.example\n",
            "Authentication-Results: contoso.example; spf=fail (spf=pass smtp.mailfrom=a.example)\n",
            "Authentication-Results: contoso.example; dkim=none (; dkim=pass header.d=a.example)\n",
            "Authentication-Results: contoso.example; dkim=fail reason=\"\\\"; dkim=pass header.d=a.example\"\n",
            "Authentication-Results: contoso.example; none\n",
        ] {
            assert!(!judged(&mail(&format!("{other}{FROM_AFAR}"))).allowed, "{other}");
        }
        for good in ["dkim=pass (2048 bits) header.d=A.example", "dmarc=pass header.from=a.example"] {
            let field = format!("Authentication-Results: contoso.example 1; arc=none; {good}\n{FROM_AFAR}");
            assert!(judged(&mail(&field)).allowed, "{good}");
            let late = Mail { age: Some(9 * 86_400), ..mail(&field) };
            assert_eq!(judged(&late).reasons, ["it is 9d 0h old, and reports are given up after 5d 0h"]);
        }
    }

    #[test]
    fn spam_is_not_returned_even_to_known_senders() {
        for mark in [
            "X-Spam-Flag: YES\n",
            "X-Spam-Status: Yes, score=12.3\n",
            "Precedence: junk\n",
            "X-MS-Exchange-Organization-SCL: 6\n",
            "X-Forefront-Antispam-Report: CIP:1;SFV:SPM;\n",
        ] {
            let mut spam = by_user(mark);
            assert!(!judged(&spam).allowed, "{mark}");
            spam.allow = true;
            assert!(judged(&spam).allowed, "{mark}");
        }
        for clean in
            ["X-Spam-Flag: NO\n", "X-Spam-Status: No, score=-1\n", "X-MS-Exchange-Organization-SCL: 1\n"]
        {
            assert!(judged(&by_user(clean)).allowed, "{clean}");
        }
    }

    #[test]
    fn no_option_opens_the_gate_for_reports_and_automatic_mail() {
        let never = |mut mail: Mail| {
            mail.allow = true;
            let verdict = judged(&mail);
            assert!(!verdict.allowed, "{}", mail.header);
            assert_eq!(verdict.reasons.len(), 1);
            verdict.reasons.concat()
        };
        assert!(never(Mail { sender: Some(Text::default()), ..by_user("") }).contains("null sender"));
        assert!(
            never(Mail { sender: Some("MAILER-DAEMON@b".into()), ..by_user("") }).contains("mail system")
        );
        assert!(never(Mail { sender: None, ..by_user("") }).contains("not known"));
        assert!(never(Mail { sender: Some("a@b>, <c@d".into()), ..by_user("") }).contains("cannot stand"));
        for header in [
            "Auto-Submitted: auto-replied (vacation)\n",
            "Auto-Submitted: auto-generated; owner-email=\"a@b\"\n",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=x\n",
            "Return-Path: <>\n",
            "Auto-Submitted: no\nAuto-Submitted: auto-notified\n",
            "X-Auto-Response-Suppress: DR, NDR\n",
        ] {
            never(by_user(header));
        }
        assert!(judged(&by_user("Auto-Submitted: no\nX-Auto-Response-Suppress: OOF\n")).allowed);
    }

    #[test]
    fn who_asked_for_no_report_gets_none() {
        let quiet =
            |notify| OutgoingRecipient { address: "q@b.example".into(), notify, ..Default::default() };
        let never = Notify { never: true, ..Notify::default() };
        let delay = Notify { delay: true, ..Notify::default() };
        let mut silent = by_user("");
        silent.recipients = vec![quiet(never), quiet(delay)];
        silent.allow = true;
        assert_eq!(judged(&silent), Verdict::no("suppressed by the sender (NOTIFY)"));
        silent.recipients.push(quiet(Notify { failure: true, ..Notify::default() }));
        let verdict = judged(&silent);
        assert!(verdict.allowed);
        assert!(verdict.reasons.iter().any(|reason| reason.starts_with("2 recipients are left out")));
        assert_eq!(reported(&silent.recipients).count(), 1);
    }

    #[test]
    fn a_notice_to_the_postmaster_needs_no_verified_sender() {
        let mut other = mail("X-Spam-Flag: YES\n");
        other.sender = None;
        other.ndr_to = Some("postmaster@contoso.example".into());
        let verdict = judged(&other);
        assert_eq!(verdict.reasons, ["it goes to postmaster@contoso.example, not to the sender"]);
        assert!(verdict.allowed);
        other.ndr_to = Some("a@b\r\nBcc: c@d".into());
        assert!(!judged(&other).allowed);
    }

    #[test]
    fn lists_are_told_of_failures() {
        let list = by_user("List-Id: <l.a.example>\n");
        assert!(judged(&list).reasons.iter().any(|reason| reason.contains("mail of a list")));
    }
}
