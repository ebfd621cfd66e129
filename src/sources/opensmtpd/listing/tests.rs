//! Listings as OpenSMTPD 6.8.0p2 printed them.

use super::*;
use crate::evidence::{Text, Time};
use std::collections::HashSet;

fn read(text: &str) -> (Vec<ListingEntry>, ListingEnd) {
    let mut entries = Vec::new();
    let end = parse(&mut text.as_bytes(), &mut |entry| entries.push(entry)).unwrap();
    (entries, end)
}

fn fixture(name: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/opensmtpd");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn the_240_envelopes_of_200_messages_are_200_entries() {
    let text = fixture("deferred/listing-of-240.txt");
    assert_eq!(text.lines().count(), 240);
    let (entries, end) = read(&text);
    assert_eq!((entries.len(), &end), (200, &ListingEnd::default()));
    let ids: HashSet<_> = entries.iter().filter_map(|entry| entry.native.clone()).collect();
    assert_eq!(ids.len(), 200);
    assert_eq!(entries.iter().map(|entry| entry.recipients.len()).sum::<usize>(), 240);
    assert_eq!(entries[0].native, Some(Text::from("04b2c918")));
    assert_eq!(entries[0].sender, Some(Text::from("sender@lab.test")));
    assert_eq!(entries[0].arrived, Some(Time::from_unix(1_795_479_162)));
    assert!(entries.iter().all(|entry| entry.state == EntryState::Normal), "`hold` is a limit of smtpd");
    assert!(looks_like(text.as_bytes()));
}

#[test]
fn sections_of_other_commands_are_passed_over() {
    let text = fixture("deferred/listing.txt");
    assert!(text.contains("## smtpctl show stats") && text.contains("mailq: command not found"));
    let (entries, end) = read(&text);
    assert_eq!((entries.len(), end), (12, ListingEnd::default()));
    assert!(looks_like(text.as_bytes()));
}

#[test]
fn a_suspended_envelope_is_held_and_with_it_its_message() {
    let (entries, _) = read(&fixture("ghosts/listing.txt"));
    let held: Vec<_> = entries.iter().filter(|entry| entry.state == EntryState::Held).collect();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].native, Some(Text::from("0d4de742")));
    let one_of_two = "28284cd401cc4624|local|mta|auth|a@b|c@d|c@d|1|1|0|0|pending|-2|\n\
                      28284cd485358d8b|inet6|mda|suspend|a@b|e@d|e@d|1|1|0|0|pending|-2|no\n";
    let (entries, end) = read(one_of_two);
    assert_eq!((entries.len(), end), (1, ListingEnd::default()));
    assert_eq!(entries[0].state, EntryState::Held);
    assert_eq!(entries[0].recipients, [Text::from("c@d"), Text::from("e@d")]);
    assert_eq!(entries[0].reason, Some(Text::from("no")));
}

#[test]
fn the_run_states_have_one_column_or_two_and_errors_may_hold_bars() {
    let row =
        |middle: &str| format!("28284cd401cc4624|?|bounce|bounce,internal|@|c@d|c@d|1|1|0|3|{middle}\n");
    for (middle, reason) in [
        ("pending|398|451 busy", Some("451 busy")),
        ("inflight|7|", None),
        ("offline||451 a|b", Some("451 a|b")),
        ("invalid||", None),
    ] {
        let (entries, end) = read(&row(middle));
        assert_eq!(end, ListingEnd::default(), "{middle}");
        assert_eq!(entries[0].reason, reason.map(Text::from), "{middle}");
        assert_eq!(entries[0].sender, Some(Text::default()), "the null sender");
    }
    let bars = "28284cd401cc4624|local|mta||\"a|b\"@x|c@d|c@d|1|1|0|0|pending|1|\n";
    let (entries, end) = read(bars);
    assert_eq!((entries[0].native.clone(), &end), (Some(Text::from("28284cd4")), &ListingEnd::default()));
    assert_eq!((entries[0].sender.clone(), entries[0].recipients.len()), (None, 0), "it cannot be told");
}

#[test]
fn an_empty_queue_prints_nothing() {
    assert_eq!(read(""), (Vec::new(), ListingEnd::default()));
    assert!(looks_like(b"## smtpctl show queue\n## smtpctl show stats\nuptime=1\n"));
    assert!(!looks_like(b""));
    assert!(!looks_like(b"## smtpctl show stats\nuptime=1\n"));
    assert!(!looks_like(b"Mail queue is empty\n"));
}

#[test]
fn a_listing_that_breaks_off_says_so() {
    let text = fixture("deferred/listing-of-240.txt");
    let broken = read(&text[..text.len() - 60]);
    assert_eq!(broken.1.cut.as_deref(), Some("line 240 breaks off"));
    let refused = "28284cd401cc4624|local|mta||a@b|c@d|c@d|1|1|0|0|pending|1|\n\
                   smtpctl: 28284cd485358d8b: unexpected flags 0x0100\n";
    let (entries, end) = read(refused);
    assert_eq!(entries.len(), 1);
    assert!(end.cut.unwrap().contains("unexpected flags"));
}

#[test]
fn other_text_is_misread_and_counted() {
    let row = "28284cd401cc4624|local|mta||a@b|c@d|c@d|1|1|0|0|pending|1|\n";
    let (entries, end) = read(&format!("Volume in drive C\n|||\n{row}"));
    assert_eq!((entries.len(), end.misread.len(), end.cut), (1, 2, None));
}
