//! Whatever is in a file of the queue, reading it ends, and ends with the truth.

use super::*;
use crate::evidence::Confidence;
use crate::sources::opensmtpd::arguments::Arguments;
use crate::sources::opensmtpd::envelope::Envelope;
use crate::sources::opensmtpd::place;
use crate::sources::{Place, Source};

/// A generator of bytes that is the same in every run.
fn noise(seed: u64) -> impl FnMut() -> u8 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    }
}

#[test]
fn an_envelope_cut_at_any_byte_is_damaged_unless_nothing_is_lost_that_smtpd_needs() {
    let whole = envelope();
    let needed = memchr::memmem::find(&whole, b"retry: ").unwrap();
    assert_eq!(Envelope::parse(&whole).fault, None);
    for length in 1..whole.len() {
        let cut = &whole[..length];
        let fault = Envelope::parse(cut).fault;
        let at_line_end = cut.ends_with(b"\n");
        match (at_line_end, length > needed) {
            (true, true) => assert_eq!(fault, None, "{length}"),
            (true, false) => assert!(fault.is_some(), "{length}"),
            (false, _) => assert_eq!(fault.unwrap().confidence, Confidence::Certain, "{length}"),
        }
    }
}

#[test]
fn any_bytes_are_read_to_their_end() {
    let healthy = envelope();
    for seed in 1..400_u64 {
        let mut next = noise(seed * 0x9e37_79b9);
        let garbage: Vec<u8> = (0..usize::from(next()) * 8).map(|_| next()).collect();
        let parsed = Envelope::parse(&garbage);
        assert!(parsed.fault.is_some() || garbage.is_empty() || parsed.version().is_some());
        let mut bent = healthy.clone();
        for _ in 0..4 {
            let at = (usize::from(next()) << 8 | usize::from(next())) % bent.len();
            bent[at] = next();
        }
        let _whatever = Envelope::parse(&bent);
        let arguments = Arguments::parse(&garbage);
        assert!(arguments.recipients.len() as u64 <= arguments.count);
    }
}

#[test]
fn counts_beyond_reason_take_bounded_memory() {
    let many = b"x: y\n".repeat(100_000);
    assert!(Envelope::parse(&many).fields().len() <= 64);
    let long = [b"errorline: ".as_slice(), &b"x".repeat(4 << 20), b"\n"].concat();
    assert!(Envelope::parse(&long).get("errorline").unwrap().bytes().len() <= 4_096);
    let recipients = b"a@b|".repeat(100_000);
    let arguments = Arguments::parse(&recipients);
    assert_eq!((arguments.count, arguments.recipients.len()), (100_000, 1_000));
}

#[test]
fn a_message_with_more_envelopes_than_are_read_tells_their_number() {
    let envelope = envelope();
    let paths: Vec<String> =
        (1..=1_500).map(|number| format!("queue/32/3252b9b1/3252b9b1{number:08x}")).collect();
    let mut files: Vec<(&str, &[u8])> =
        paths.iter().map(|path| (path.as_str(), envelope.as_slice())).collect();
    files.push(("queue/32/3252b9b1/message", b"Subject: x\n\nx\n"));
    let case = of(&files);
    let message = case.message("queue/32/3252b9b1/message");
    assert_eq!(message.envelope.recipients.len(), 1_000);
    assert_eq!(message.envelope.recipient_count, Some(1_500));
    assert!(message.signs.is_empty());
    files.pop();
    assert_eq!(of(&files).messages().count(), 1, "without content they are one finding");
}

#[test]
fn a_spool_is_told_from_those_that_have_folders_of_the_same_name() {
    let entries = |names: &[&str]| -> Vec<_> {
        names.iter().map(|name| (std::ffi::OsString::from(name), EntryKind::Directory)).collect()
    };
    let place = |names: &[&str], chosen| {
        let entries = entries(names);
        let place = Place {
            path: Path::new("/copy"),
            entries: &entries,
            head: &[],
            is_directory: true,
            named: true,
            chosen,
        };
        let postfix = crate::sources::postfix::Postfix.detect(&place).is_some();
        (place::detect(&place).is_some(), postfix)
    };
    let whole = ["corrupt", "incoming", "offline", "purge", "queue", "temporary"];
    assert_eq!(place(&whole, false), (true, false));
    assert_eq!(place(&["queue", "incoming", "corrupt", "offline"], false), (true, false), "restored in part");
    assert_eq!(place(&["incoming", "active", "deferred", "corrupt"], false), (false, true), "Postfix");
    assert!(!place(&["queue", "failed", "tmp"], false).0, "nullmailer");
    assert!(!place(&["queue"], false).0);
    assert!(place(&["queue"], true).0, "the user said so");
}
