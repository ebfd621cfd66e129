//! A message and addresses that strangers wrote: the hash of its body, its header, and a report about it.

use crate::input::Input;
use crate::{tally, tame};
use ghostq::act::address;
use ghostq::act::body_hash::BodyHash;
use ghostq::act::ndr::{self, Failed, Notice, Original, cause, field};
use ghostq::evidence::{Text, Time};
use ghostq::plan::Ret;
use ghostq::read::mime;
use std::io::Cursor;

/// The first part is the message, the lines of the second are addresses and other text of an envelope.
pub fn run(input: &Input) {
    let message = input.parts.first().map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
    let lines = input.parts.get(1).map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
    let lines: Vec<Text> = lines.split(|byte| *byte == b'\n').take(16).map(Text::new).collect();
    body(message, usize::from(input.choice));
    let _headers = mime::headers(message);
    lines.iter().for_each(one_address);
    report(message, &lines, input.choice);
}

fn body(message: &[u8], piece: usize) {
    let mut whole = BodyHash::default();
    whole.update(message);
    let mut pieces = BodyHash::default();
    message.chunks(piece + 1).for_each(|bytes| pieces.update(bytes));
    assert_eq!(whole.finish(), pieces.finish(), "the hash depends on how the bytes come");
    tally::saw("hash", "body");
}

fn one_address(text: &Text) {
    if address::check(text).is_ok() {
        let text = text.as_str().expect("it was checked");
        assert!(!text.contains(['\r', '\n', '<', '>', ' ', '\0']), "{text:?} can leave its command");
        tally::saw("address", "fit for SMTP");
    }
    if address::check_for_command_line(text).is_ok() {
        assert!(address::check(text).is_ok());
        assert!(!text.as_str().expect("it was checked").starts_with(['-', '|', '/']));
        tally::saw("address", "fit for a command line");
    }
    for shown in [field::ascii(text), field::readable(text), field::address(text), field::xtext(text)] {
        tame::terminal("a field", shown.as_bytes());
        assert!(!shown.contains('\n'), "a field goes on in another line: {shown:?}");
    }
}

fn report(message: &[u8], lines: &[Text], choice: u8) {
    let at = |number: usize| lines.get(number).cloned().unwrap_or_default();
    let ret = if choice % 2 == 1 { Ret::Full } else { Ret::Hdrs };
    let notice = Notice {
        host: "host.example".to_owned(),
        message_id: "<1@host.example>".to_owned(),
        now: Time::from_unix(1_764_000_000),
        addressee: at(0),
        sender: at(0),
        queue_id: at(2),
        source: "postfix".to_owned(),
        unlisted: Some(choice % 4 < 2),
        since: None,
        envid: lines.get(3).cloned(),
        arrival: Some(Time::from_unix(1_763_000_000)),
        last_attempt: None,
        recipients: vec![Failed {
            address: at(1),
            orcpt: lines.get(4).cloned(),
            status: lines.get(5).map(|text| text.lossy().into_owned()),
            diagnostic: lines.get(6).cloned(),
            reason: None,
        }],
        cause: cause::of("unlisted"),
        original_id: lines.get(7).cloned(),
        ret,
    };
    let mut original = Cursor::new(message);
    let mut written = Vec::new();
    let original = (choice % 8 < 6).then_some(Original { content: &mut original });
    if ndr::compose(&notice, original, &mut written).is_err() {
        return;
    }
    tally::saw("report", if ret == Ret::Full { "with the whole message" } else { "with the header" });
    let lines: Vec<&[u8]> = written.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end).collect();
    let head: Vec<&[u8]> = lines.iter().copied().take_while(|line| !line.is_empty()).collect();
    head.iter().for_each(|line| tame::terminal("the header of a report", line));
    let fields = |name: &str| {
        head.iter().filter(|line| line.to_ascii_lowercase().starts_with(name.as_bytes())).count()
    };
    for name in ["from:", "to:", "subject:", "content-type:"] {
        assert_eq!(fields(name), 1, "a report has one {name}");
    }
    assert_eq!(fields("bcc:") + fields("cc:"), 0, "a stranger adds an addressee");
    // Nothing of a stranger ends a part or begins one.
    let boundary = head
        .iter()
        .find_map(|line| line.trim_ascii_start().strip_prefix(b"boundary=\""))
        .and_then(|rest| rest.strip_suffix(b"\""))
        .expect("a report has a boundary");
    let parts = lines
        .iter()
        .filter(|line| line.strip_prefix(b"--").is_some_and(|rest| rest.starts_with(boundary)))
        .count();
    assert!(parts == 3 || parts == 4, "a report of {parts} boundaries");
}
