//! Listings as Postfix 3.7.11 printed them.

use super::*;
use crate::evidence::{EntryState, Time};

fn read(text: &str) -> (Vec<ListingEntry>, ListingEnd) {
    let mut entries = Vec::new();
    let end = parse(&mut text.as_bytes(), &mut |entry| entries.push(entry)).unwrap();
    (entries, end)
}

fn fixture(name: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/postfix");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn by_name(name: &str) -> &'static ListingFormat {
    FORMATS.iter().find(|format| format.name == name).unwrap()
}

#[test]
fn both_forms_show_the_same_200_messages() {
    let text = fixture("deferred/listing-of-200.txt");
    let (table, json) = text.split_once("## postqueue -j\n").unwrap();
    let (rows, end) = read(table);
    assert_eq!((rows.len(), end.declared, end.cut, end.misread.len()), (200, Some(200), None, 0));
    let (objects, end) = read(json);
    assert_eq!((objects.len(), end.declared, end.cut, end.misread.len()), (200, None, None, 0));
    for (row, object) in rows.iter().zip(&objects) {
        assert_eq!((&row.native, row.size, &row.sender), (&object.native, object.size, &object.sender));
        let sorted = |entry: &ListingEntry| {
            let mut recipients = entry.recipients.clone();
            recipients.sort();
            recipients
        };
        assert_eq!(sorted(row), sorted(object));
        assert_eq!(row.reason, object.reason);
    }
    assert_eq!(rows[0].line, 3);
    assert_eq!(rows[0].arrived, None, "the table has no year");
    assert_eq!(objects[0].arrived, Some(Time::from_unix(1_795_481_208)));
    assert!(objects[0].reason.as_ref().unwrap().lossy().contains("Connection refused"));
}

#[test]
fn a_file_with_both_forms_and_warnings_is_read_as_well() {
    let text = fixture("restored/listing.txt");
    assert!(text.contains("postqueue: warning: Mail system is down"));
    let (entries, end) = read(&text);
    assert_eq!((entries.len(), end.declared, end.cut, end.misread.len()), (24, Some(12), None, 0));
    assert!((by_name("postqueue -p").looks_like)(text.as_bytes()));
    assert!(!(by_name(JSON).looks_like)(text.as_bytes()));
    let json = text.split_once("## postqueue -j\n").unwrap().1;
    assert!((by_name(JSON).looks_like)(json.as_bytes()));
}

#[test]
fn held_and_active_messages_are_marked() {
    let (entries, _) = read(&fixture("hold-half-maildrop/listing.txt"));
    let held = entries.iter().filter(|entry| entry.state == EntryState::Held).count();
    assert_eq!(held, 22, "eleven in each form");
    let long = "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n\
                3Pt2mN2VXxznjll*#      443 Tue Nov 24 00:49:29 \"a b\"@lab.test\n\
                                                     (first reason)\n    one@slow.test\n\
                                                     (reason unavailable)\n    two@slow.test\n\n\
                -- 0 Kbytes in 1 Request.\n";
    let (entries, end) = read(long);
    assert_eq!(end, ListingEnd { declared: Some(1), ..ListingEnd::default() });
    assert_eq!(entries[0].native, Some(Text::from("3Pt2mN2VXxznjll")));
    assert_eq!(entries[0].queue.as_deref(), Some("active"));
    assert_eq!(entries[0].sender, Some(Text::from("\"a b\"@lab.test")));
    assert_eq!(entries[0].recipients.len(), 2);
    assert_eq!(entries[0].reason, Some(Text::from("first reason")));
}

#[test]
fn an_empty_queue_is_not_a_cut_listing() {
    let (entries, end) = read("Mail queue is empty\n");
    assert_eq!((entries.len(), end), (0, ListingEnd { declared: Some(0), ..ListingEnd::default() }));
    assert!((by_name("postqueue -p").looks_like)(b"Mail queue is empty\n"));
}

#[test]
fn a_listing_that_breaks_off_says_so() {
    let text = fixture("deferred/listing.txt");
    let (table, json) = text.split_once("## postqueue -j\n").unwrap();
    let without_end = &table[..table.find("-- ").unwrap()];
    assert!(read(without_end).1.cut.unwrap().contains("is missing"));
    let fewer = table.replacen("\n\n", "\n", 1).replace(" in 12 ", " in 13 ");
    assert!(read(&fewer).1.cut.unwrap().contains("states 13 messages"));
    let (entries, end) = read(&json[..json.len() - 40]);
    assert_eq!(entries.len(), 11);
    assert!(end.cut.unwrap().contains("breaks off"));
    // As when showq crashes on a file.
    let crashed = read("postqueue: fatal: malformed showq server response\n").1;
    assert!(crashed.cut.unwrap().contains("malformed showq server response"));
}

#[test]
fn a_line_longer_than_is_kept_still_names_its_message() {
    let recipient = r#"{"address": "somebody@example.test", "delay_reason": "no"}, "#;
    let line = format!(
        r#"{{"queue_name": "deferred", "queue_id": "3B367B0C773", "arrival_time": 1, "message_size": 7, "sender": "MAILER-DAEMON", "new": [1], "recipients": [{}]}}"#,
        recipient.repeat(40_000)
    );
    let (entries, end) = read(&line);
    assert_eq!(end, ListingEnd::default());
    assert_eq!(entries[0].native, Some(Text::from("3B367B0C773")));
    assert_eq!(entries[0].sender, Some(Text::default()), "the null sender");
}

#[test]
fn other_text_is_misread_and_counted() {
    let (entries, end) = read("Volume in drive C has no label\n   stray\n");
    assert!(entries.is_empty());
    assert_eq!(end.misread.len(), 2);
    assert!(FORMATS.iter().all(|format| !(format.looks_like)(b"Volume in drive C\n{\"queue_id\"}")));
}
