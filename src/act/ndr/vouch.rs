//! What the header says that vouches for the sender or speaks against a report.
//!
//! A header is written by strangers. What speaks against a report is believed whoever wrote it; what vouches for the sender is
//! believed only where the sender of the message cannot have put it.

use super::field;
use crate::evidence::{Attribute, Text};
use crate::read::mime::{Field, Headers};

/// Why there is never a report on this message, if its header says so.
pub fn is_automatic(headers: &Headers) -> Option<&'static str> {
    let any = |name: &'static str, fits: &dyn Fn(&str) -> bool| {
        headers.all(name).any(|field| fits(field.value.lossy().trim().to_ascii_lowercase().as_str()))
    };
    // RFC 3834 section 5: anything but `no`, with parameters or a comment behind it.
    let is_automatic = |value: &str| {
        let word = value.split([';', ' ', '(']).next().unwrap_or_default();
        !word.is_empty() && word != "no"
    };
    if any("Auto-Submitted", &is_automatic) {
        return Some("a program sent it by itself (Auto-Submitted), and such mail is not answered");
    }
    let is_report =
        |kind: &str| kind.starts_with("multipart/report") || kind.starts_with("message/delivery-status");
    if any("Content-Type", &is_report) {
        return Some("it is itself a report, and reports are not reported on");
    }
    if any("Return-Path", &|path| path == "<>") {
        return Some("its Return-Path is empty, as that of a report");
    }
    // [MS-OXCMAIL] section 2.1.3.2.20: `NDR` and `All` ask for no
    // non-delivery report.
    let suppresses = |value: &str| value.split([',', ';']).any(|word| matches!(word.trim(), "ndr" | "all"));
    if any("X-Auto-Response-Suppress", &suppresses) {
        return Some("suppressed by the sender (X-Auto-Response-Suppress)");
    }
    None
}

/// What marks the message as spam.
pub fn spam_mark(headers: &Headers, attributes: &[Attribute]) -> Option<String> {
    let begins = |name: &str, words: &[&str]| {
        headers.all(name).any(|field| {
            let value = field.value.lossy().trim().to_ascii_lowercase();
            words.iter().any(|word| value.starts_with(word))
        })
    };
    // SpamAssassin, rspamd and Exim's filter, amavis, Sieve's spamtest, Exchange (EOP), Barracuda, DSPAM.
    let marks: [(&str, &[&str]); 8] = [
        ("X-Spam-Flag", &["yes", "true"]),
        ("X-Spam-Status", &["yes"]),
        ("X-Spam", &["yes", "true"]),
        ("X-Rspamd-Action", &["reject", "add header", "rewrite subject"]),
        ("X-Barracuda-Spam-Flag", &["yes"]),
        ("X-DSPAM-Result", &["spam", "blacklisted", "blocklisted", "virus"]),
        ("X-Virus-Status", &["infected", "yes"]),
        ("Precedence", &["junk"]),
    ];
    if let Some((name, _)) = marks.iter().find(|(name, words)| begins(name, words)) {
        return Some((*name).to_owned());
    }
    let junk = |field: &&Field| {
        let name = field.name.lossy().to_ascii_lowercase();
        let value = field.value.lossy().to_ascii_lowercase();
        match name.as_str() {
            "x-forefront-antispam-report" => value.contains("sfv:spm") || value.contains("cat:spm"),
            // Spam confidence level; from 5 on Exchange treats it as junk, -1 is trusted.
            "x-ms-exchange-organization-scl" => value.trim().parse::<i32>().is_ok_and(|level| level >= 5),
            "x-junk" | "x-junk-mail" => value.starts_with("yes") || value.starts_with("true"),
            _ => false,
        }
    };
    let header = headers.fields().iter().find(junk).map(|field| field.name.lossy().into_owned());
    // sendmail's quarantine is a filter's decision about the message (`hf`, line `q`).
    header.or_else(|| {
        attributes.iter().any(|(name, _)| name == "quarantine").then(|| "quarantine of a filter".to_owned())
    })
}

/// Whether it is mail of a list, whose sender wants to hear of failures.
pub fn is_list(headers: &Headers) -> bool {
    let named = ["List-Id", "List-Post", "List-Unsubscribe"].iter().any(|name| headers.raw(name).is_some());
    let word = headers.raw("Precedence").map(|value| value.lossy().trim().to_ascii_lowercase());
    named || matches!(word.as_deref(), Some("list" | "bulk"))
}

/// What vouches for the envelope sender: a result of SPF, DKIM or DMARC for its domain in a field Authentication-Results that this
/// side put there.
///
/// Such a field can be forged (RFC 8601 section 7.1). It counts only if it stands above the topmost Received field, since every
/// server adds its Received on top of what it gets: what stands above that was put there by the server that holds the message.
/// A field below it is no proof even if it names this host, since the message may have come with it; a filter that puts its
/// field there (many milters do) gives a sender that stays unverified here, which is the safe side. And the field has to
/// name this host, or the domain it is in, as the one that checked (authserv-id, RFC 8601 section 2.5).
pub fn vouched(headers: &Headers, host: &str, sender: &Text) -> Option<String> {
    let received = headers.field("Received")?.start;
    let domain = domain(&sender.lossy())?;
    headers.all("Authentication-Results").filter(|field| field.start < received).find_map(|field| {
        let value = plain_words(&field.value.lossy().to_ascii_lowercase());
        let mut results = value.split(';');
        let by = results.next()?.split_whitespace().next()?.to_owned();
        if !is_of(&field::host(host).to_ascii_lowercase(), &by) {
            return None;
        }
        results.find_map(|result| method(result, &domain)).map(|method| format!("{method} passed at {by}"))
    })
}

/// Whether a host is this one, or lies in this domain, which has to have two labels at least.
fn is_of(host: &str, domain: &str) -> bool {
    let below = host.strip_suffix(domain).is_some_and(|start| start.ends_with('.'));
    host == domain || (below && domain.contains('.'))
}

/// The method of a result that speaks for this very domain: `spf=pass smtp.mailfrom=joe@a.example`.
fn method(result: &str, domain: &str) -> Option<&'static str> {
    let mut words = result.split_whitespace();
    let (method, property): (_, &[&str]) = match words.next()? {
        "spf=pass" => ("SPF", &["smtp.mailfrom=", "smtp.mail="]),
        "dkim=pass" => ("DKIM", &["header.d=", "header.i="]),
        "dmarc=pass" => ("DMARC", &["header.from="]),
        _ => return None,
    };
    let names = |word: &str| {
        let mut values = property.iter().filter_map(|property| word.strip_prefix(property));
        values.any(|value| value.rsplit('@').next() == Some(domain))
    };
    words.any(names).then_some(method)
}

fn domain(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    (!domain.is_empty()).then(|| domain.to_ascii_lowercase())
}

/// A value without its comments and quoted strings: both may hold what the sender of the message wrote (`reason="…"`).
fn plain_words(text: &str) -> String {
    let (mut depth, mut quoted, mut hidden) = (0_u32, false, false);
    let mut plain = String::new();
    for c in text.chars() {
        match c {
            _ if hidden => hidden = false,
            '\\' if quoted || depth > 0 => hidden = true,
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth = depth.saturating_add(1),
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ if depth == 0 && !quoted => plain.push(c),
            _ => {}
        }
    }
    plain
}
