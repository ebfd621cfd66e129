//! What smtpd asks of the fields of an envelope. Source: OpenSMTPD `envelope.c`, `ascii_load_field`; `queue_backend.c`,
//! `envelope_validate`. Versions: 1 until 5.3, 2 from 5.4 on, 3 from 6.4 on (`smtpd.h`, `SMTPD_ENVELOPE_VERSION`).

use super::envelope::{CURRENT, Envelope};
use crate::evidence::Confidence;

/// Fields of version 3.
const KNOWN: [&str; 31] = [
    "version",
    "dispatcher",
    "tag",
    "type",
    "smtpname",
    "helo",
    "hostname",
    "username",
    "errorline",
    "sockaddr",
    "sender",
    "rcpt",
    "dest",
    "ctime",
    "last-try",
    "last-bounce",
    "ttl",
    "retry",
    "flags",
    "dsn-notify",
    "dsn-ret",
    "dsn-envid",
    "dsn-orcpt",
    "esc-class",
    "esc-code",
    "mda-exec",
    "mda-subaddress",
    "mda-user",
    "bounce-ttl",
    "bounce-delay",
    "bounce-type",
];
/// Without these smtpd refuses an envelope.
const REQUIRED: [&str; 3] = ["dispatcher", "helo", "hostname"];
/// These it always writes; where they are missing it would go on with nothing in their place.
const ALWAYS: [&str; 8] = ["type", "sockaddr", "sender", "rcpt", "dest", "ctime", "ttl", "retry"];
/// What every version has.
const OF_ANY_VERSION: [&str; 4] = ["type", "sender", "rcpt", "ctime"];

/// What is wrong with a field, if anything is.
pub fn field(name: &str, value: &[u8], version: Option<u64>) -> Option<(String, Confidence)> {
    let certain = |text: String| Some((text, Confidence::Certain));
    if name.eq_ignore_ascii_case("version") {
        return match version {
            // A newer version is not judged at all (`Envelope::unknown_version`).
            Some(_) => None,
            None => certain("expected a number as version, found something else".to_owned()),
        };
    }
    // Older versions have other fields, and who wrote them accepted them.
    if version != Some(CURRENT) {
        return None;
    }
    if !is_known(name) {
        let text =
            format!("there is no field `{name}` in version 3, and smtpd refuses what it does not know");
        return Some((text, Confidence::Likely));
    }
    let text = std::str::from_utf8(value).unwrap_or("\u{fffd}");
    let wrong = match name {
        "ctime" | "last-try" | "last-bounce" | "ttl" | "bounce-ttl" | "bounce-delay" => {
            text.parse::<i64>().map_or(true, |number| number < 0)
        }
        "retry" => text.parse::<u16>().is_err(),
        "dsn-notify" | "esc-class" | "esc-code" => text.parse::<u8>().is_err(),
        "type" => !["mta", "mda", "bounce"].iter().any(|kind| text.eq_ignore_ascii_case(kind)),
        "flags" => text.split([' ', ',', '|']).any(|flag| {
            !["authenticated", "enqueued", "bounce", "internal"]
                .iter()
                .any(|known| flag.eq_ignore_ascii_case(known))
        }),
        _ => false,
    };
    if wrong { certain(format!("`{name}` has a value that smtpd does not accept")) } else { None }
}

/// Whether version 3 has a field of this name.
pub fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// What is missing in an envelope of which every line is in order, so that it may have been cut at the end of a line.
pub fn whole(envelope: &Envelope) -> Option<(String, Confidence)> {
    let missing = |name: &&&str| envelope.get(name).is_none_or(crate::evidence::Text::is_empty);
    let lost_text = |name: &str| lost_text(name, envelope.get(name).is_some());
    let Some(version) = envelope.version() else {
        return Some(("there is no field `version`".to_owned(), Confidence::Certain));
    };
    if version != CURRENT {
        let lost = OF_ANY_VERSION.iter().find(missing)?;
        return Some((lost_text(lost), Confidence::Likely));
    }
    if let Some(lost) = REQUIRED.iter().find(missing) {
        return Some((lost_text(lost), Confidence::Certain));
    }
    ALWAYS.iter().find(missing).map(|lost| (lost_text(lost), Confidence::Likely))
}

fn lost_text(name: &str, is_there: bool) -> String {
    if is_there {
        return format!("the field `{name}` is empty, and smtpd never writes it so");
    }
    format!("there is no field `{name}`, which smtpd always writes: the file ends too early")
}
