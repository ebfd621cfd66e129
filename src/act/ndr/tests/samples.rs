//! Reports of every shape, with what a reader has to find in them.

use super::super::{Failed, Notice, cause, compose, report::Original};
use crate::evidence::{Text, Time};
use crate::plan::Ret;
use serde_json::json;
use std::io::Cursor;

/// One report and what it was made from.
pub struct Sample {
    /// A file name without its ending.
    pub name: &'static str,
    /// What it says.
    pub notice: Notice,
    /// The original as it was stored.
    pub original: Option<Vec<u8>>,
}

/// A notice to a user whose mail was found unlisted.
pub fn notice() -> Notice {
    Notice {
        host: "mail.contoso.example".into(),
        message_id: "<0123.ghostq@mail.contoso.example>".into(),
        now: Time::parse("2026-11-24T06:46:48Z").unwrap(),
        addressee: "anna@contoso.example".into(),
        sender: "anna@contoso.example".into(),
        queue_id: "4F1B6F7B0C7D".into(),
        source: "postfix".into(),
        unlisted: Some(true),
        since: Time::parse("2026-11-17T05:00:00Z"),
        envid: None,
        arrival: Time::parse("2026-11-15T06:46:48Z"),
        last_attempt: Time::parse("2026-11-16T00:00:00Z"),
        recipients: vec![failed("bob@fabrikam.example", None)],
        cause: cause::of("wrong-owner-or-mode"),
        original_id: Some("<1@contoso.example>".into()),
        ret: Ret::Hdrs,
    }
}

fn failed(address: &str, diagnostic: Option<&str>) -> Failed {
    Failed { address: address.into(), diagnostic: diagnostic.map(Text::from), ..Failed::default() }
}

const HEADER: &str = "Received: from mx.contoso.example (mx.contoso.example [192.0.2.7])\n\
    \tby mail.contoso.example (Postfix) with ESMTPS id 4F1B6F7B0C7D\n\
    \tfor <bob@fabrikam.example>; Sun, 15 Nov 2026 06:46:48 +0000 (UTC)\n\
    From: Anna <anna@contoso.example>\nTo: bob@fabrikam.example\nSubject: Offer\n\
    Date: Sun, 15 Nov 2026 07:46:40 +0100\nMessage-ID: <1@contoso.example>\n\n";

const NESTED: &[u8] = b"From: Anna <anna@contoso.example>\nTo: bob@fabrikam.example\nSubject: two parts\n\
    Message-ID: <1@contoso.example>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"inner\"\n\
    Content-Transfer-Encoding: 8bit\n\n--inner\nContent-Type: text/plain; charset=iso-8859-1\n\
    Content-Transfer-Encoding: 8bit\n\ncaf\xe9 \xa4\n.\nFrom here on\n--inner\nContent-Type: message/rfc822\n\n\
    Subject: inside\n\nquoted\n--inner--\n";

fn sample(name: &'static str, original: impl Into<Vec<u8>>, change: impl FnOnce(&mut Notice)) -> Sample {
    let mut notice = notice();
    change(&mut notice);
    Sample { name, notice, original: Some(original.into()) }
}

fn of_recipients() -> Vec<Sample> {
    let (local, domain) = ("sales.".repeat(6), "label-of-a-name.".repeat(8));
    let long = format!("a.long.local.part.of.{local}dept@{domain}fabrikam.example");
    let mut samples = vec![
        sample("one-recipient", HEADER, |_| ()),
        sample("several-recipients", HEADER, |notice| {
            notice.recipients = vec![
                failed("bob@fabrikam.example", Some("550 5.1.1 <bob@fabrikam.example>: no such user here")),
                failed("carol@fabrikam.example", Some("451 4.7.1 Greylisted, try again later")),
                failed("dave@fourthcoffee.example", None),
            ];
            notice.cause = cause::of("older-than-epoch");
        }),
        sample("long-address", HEADER, |notice| notice.recipients = vec![failed(&long, None)]),
        sample("quoted-local-part", HEADER, |notice| {
            notice.recipients = vec![failed("\"bob..smith,jr\"@fabrikam.example", None)];
            notice.addressee = "\"anna b\"@contoso.example".into();
            notice.sender = notice.addressee.clone();
        }),
        sample("blank-in-an-address", HEADER, |notice| {
            notice.recipients = vec![failed("\"bob  smith\"@fabrikam.example", None)];
        }),
        sample("orcpt-and-envid", HEADER, |notice| {
            notice.envid = Some("QQ+314=159 x".into());
            notice.recipients = vec![Failed {
                orcpt: Some("rfc822;bob+sales@fabrikam.example".into()),
                ..failed("bob@internal.fabrikam.example", None)
            }];
        }),
        sample("several-lines-of-answer", HEADER, |notice| {
            let answer =
                "550-5.7.1 We do not like you.\r\n550-5.7.1 See https://fabrikam.example/why\n550 5.7.1 Bye";
            notice.recipients = vec![failed("bob@fabrikam.example", Some(answer))];
        }),
        sample("empty-diagnostic", HEADER, |notice| {
            notice.recipients = vec![failed("bob@fabrikam.example", Some(" \r\n"))];
            notice.cause = cause::of("corrupt");
            (notice.arrival, notice.last_attempt, notice.since, notice.unlisted) = (None, None, None, None);
        }),
    ];
    samples.push(sample("hostile-text", HEADER, |notice| {
        let answer =
            b"550 5.1.1 no\r\nBcc: all@world.example\r\n\r\n--ghostq\0\x1b[31m caf\xe9 \xe2\x80\xae".to_vec();
        notice.recipients =
            vec![Failed { diagnostic: Some(Text::new(answer)), ..failed("bob@fabrikam.example", None) }];
        notice.queue_id = "4F1B\r\nX-Evil: yes".into();
        notice.envid = Some("a\r\nAction: delivered".into());
        notice.original_id = Some("<1@contoso.example>\r\nBcc: all@world.example".into());
    }));
    samples.push(sample("non-ascii-address", HEADER, |notice| {
        notice.recipients = vec![failed("böb@fabrikam.example", None)];
    }));
    samples
}

fn of_originals() -> Vec<Sample> {
    let eight_bit = HEADER.replace("Subject: Offer", "Subject: Angebot für café");
    let mut latin = HEADER.as_bytes().to_vec();
    latin.splice(0..0, *b"X-Note: caf\xe9\n");
    let folded = HEADER.replace(
        "Subject: Offer\n",
        &format!("Subject: Offer\nReferences:{}\n", "\n <ref@contoso.example>".repeat(40)),
    );
    let without_id = HEADER.replace("Message-ID: <1@contoso.example>\n", "");
    let no_id = |notice: &mut Notice| notice.original_id = None;
    vec![
        sample("utf8-header", eight_bit, |_| ()),
        sample("latin1-header", latin, |_| ()),
        sample("folded-header", folded, |_| ()),
        sample("whole-message", NESTED, |notice| notice.ret = Ret::Full),
        sample("windows-line-ends", HEADER.replace('\n', "\r\n"), |notice| notice.source = "exchange".into()),
        sample("no-message-id", without_id, no_id),
        sample("no-header", "\nonly a body\n", no_id),
        Sample { original: None, ..sample("no-original", "", no_id) },
        sample("body-behind-the-header", format!("{HEADER}secret body\n"), |_| ()),
        sample("to-the-postmaster", HEADER, |notice| {
            notice.addressee = "postmaster@contoso.example".into();
            notice.sender = Text::default();
            notice.cause = cause::of("held");
            notice.unlisted = Some(false);
        }),
    ]
}

/// All of them.
pub fn all() -> Vec<Sample> {
    [of_recipients(), of_originals()].into_iter().flatten().collect()
}

impl Sample {
    /// The report.
    pub fn report(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut content = self.original.clone().map(Cursor::new);
        let original = content.as_mut().map(|content| Original { content });
        compose(&self.notice, original, &mut out).unwrap();
        out
    }

    /// What has to come back of the original: its bytes.
    pub fn returned(&self) -> Option<Vec<u8>> {
        let original = self.original.clone()?;
        if self.notice.ret == Ret::Full {
            return Some(original);
        }
        let text = String::from_utf8_lossy(&original);
        if text.starts_with('\n') {
            return None;
        }
        let end = original.windows(2).position(|two| two == b"\n\n").map(|at| at + 2);
        let end = end.or_else(|| original.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4));
        Some(original[..end.unwrap()].to_vec())
    }

    /// The enhanced status code that each recipient has to have.
    fn status(&self, failed: &Failed) -> String {
        let answer = failed.diagnostic.as_ref().map(Text::lossy).unwrap_or_default();
        let own = answer.strip_prefix("550").map(|rest| rest.trim_start_matches([' ', '-']));
        own.and_then(|rest| rest.split(' ').next()).unwrap_or(self.notice.cause.status).to_owned()
    }

    /// What foreign readers have to find.
    pub fn expected(&self) -> serde_json::Value {
        let notice = &self.notice;
        let recipients: Vec<_> = notice
            .recipients
            .iter()
            .map(|failed| {
                let original = failed.orcpt.as_ref().map(|orcpt| orcpt.lossy().replace("rfc822;", ""));
                json!({"address": failed.address.lossy(), "original": original, "status": self.status(failed)})
            })
            .collect();
        // Seen with Sisimai 4.25.15, BounceParser 1.543 and flufl.bounce 6.0.0.
        let unread_by: &[&str] = match self.name {
            "non-ascii-address" => &["sisimai", "bounceparser", "flufl"],
            "blank-in-an-address" => &["sisimai"],
            _ => &[],
        };
        let envid = notice.envid.as_ref().map(Text::lossy);
        let returned = self.returned();
        let has_id =
            returned.as_ref().is_some_and(|bytes| String::from_utf8_lossy(bytes).contains("Message-ID:"));
        json!({
            "to": notice.addressee.lossy(),
            "recipients": recipients,
            "message_id": has_id.then_some("<1@contoso.example>"),
            "envid": envid.map(|envid| envid.replace("\r\n", "+0D+0A").replace(": ", ":+20")),
            "permanent": true,
            "unread_by": unread_by,
            "international": notice.is_international(),
            "returned": returned.map(|_| if notice.ret == Ret::Full { "message" } else { "header" }),
        })
    }
}
