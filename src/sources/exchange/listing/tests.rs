use super::*;
use crate::read::lines::utf8_input;
use std::fmt::Write as _;

struct Read {
    format: &'static str,
    entries: Vec<ListingEntry>,
    end: ListingEnd,
}

fn read(bytes: Vec<u8>) -> Read {
    let head = bytes.get(..bytes.len().min(8 << 10)).unwrap();
    let format = ALL.iter().find(|format| (format.looks_like)(head)).expect("no listing recognises it");
    let mut entries = Vec::new();
    let mut input = utf8_input(io::Cursor::new(bytes)).unwrap();
    let end = (format.parse)(&mut input, &mut |entry| entries.push(entry)).unwrap();
    Read { format: format.name, entries, end }
}

fn fixture(name: &str) -> Read {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/exchange/listings");
    read(std::fs::read(folder.join(name)).unwrap())
}

#[test]
fn get_message_with_a_type_line_reads_by_its_headings() {
    let read = fixture("get-message-type.csv");
    assert_eq!(read.format, "Get-Message CSV");
    assert_eq!(read.end, ListingEnd::default());
    let [entry] = read.entries.as_slice() else { panic!("one entry") };
    assert_eq!(entry.line, 3);
    assert_eq!(entry.native, Some("EX1\\42\\34359738369".into()));
    assert_eq!(entry.queue.as_deref(), Some("EX1\\42"));
    assert_eq!(entry.message_id, Some("<a@contoso.example>".into()));
    assert_eq!(entry.subject, Some("Hello, world".into()));
    assert_eq!(entry.size, Some(5_120));
    assert_eq!(entry.reason, Some("450 4.7.1 Greylisted".into()));
    assert_eq!(entry.arrived, None, "a date in the operator's locale is no time");
}

#[test]
fn get_message_with_selected_columns_reads_states_times_and_recipients() {
    let read = fixture("get-message-selected.csv");
    let states: Vec<_> = read.entries.iter().map(|entry| entry.state).collect();
    assert_eq!(states, [EntryState::Held, EntryState::Shadow, EntryState::Poison]);
    let first = &read.entries[0];
    assert_eq!(first.subject, Some("line one\nline \"two\"".into()));
    assert_eq!(first.sender, Some(Text::default()));
    assert_eq!(first.arrived.unwrap().rfc3339(), "2022-09-19T15:00:01.123456700Z");
    assert_eq!(first.size, Some(5_120));
    assert_eq!(first.recipients, ["bob@fabrikam.example".into()]);
    assert_eq!(read.entries[1].recipients.len(), 2);
    assert_eq!(read.entries[1].line, 4);
    assert_eq!((read.entries[2].recipients.len(), read.entries[2].size), (0, None));
}

#[test]
fn get_queue_gives_a_number_and_no_messages() {
    let read = fixture("get-queue.csv");
    assert_eq!(read.format, "Get-Queue CSV");
    assert_eq!(read.entries, []);
    assert_eq!(read.end.declared, Some(15), "shadow copies are no undelivered mail");
    assert_eq!(read.end.cut.as_deref(), Some("it lists queues, not messages"));
}

#[test]
fn queue_viewer_exports_in_utf16_and_a_lone_quote_is_only_a_quote() {
    let read = fixture("queue-viewer-utf16le.txt");
    assert_eq!(read.format, "Queue Viewer export");
    assert_eq!(read.entries.len(), 2);
    assert_eq!(read.entries[0].subject, Some("\"café".into()));
    assert_eq!(read.entries[0].size, None, "a size in KB is rounded");
    assert_eq!(read.entries[1].state, EntryState::Held);
    assert_eq!(read.entries[1].reason, None);
}

#[test]
fn commas_in_a_subject_hide_the_subject_and_nothing_else() {
    let read = fixture("queue-viewer-comma.txt");
    let [entry] = read.entries.as_slice() else { panic!("one entry") };
    assert_eq!(entry.subject, None);
    assert_eq!(entry.sender, Some("alice@contoso.example".into()));
    assert_eq!(entry.message_id, Some("<a@contoso.example>".into()));
}

#[test]
fn a_system_manager_export_reads_as_far_as_its_headings_can_be_guessed() {
    let read = fixture("system-manager-2003.txt");
    assert_eq!(read.format, "System Manager export");
    assert_eq!(read.entries[0].subject, Some("café".into()));
    assert_eq!(read.entries[0].state, EntryState::Held);
    assert_eq!(read.entries[0].message_id, Some("<held-2@contoso.example>".into()));
}

fn viewer(rows: usize) -> Vec<u8> {
    let mut text = "From Address\tStatus\tQueue ID\tSubject\r\n".to_owned();
    (0..rows).for_each(|n| write!(text, "a{n}@b.example\tReady\tEX1\\1\tx\r\n").unwrap());
    text.into_bytes()
}

fn get_message(rows: usize) -> Vec<u8> {
    let mut text = "\"Identity\",\"FromAddress\"\r\n".to_owned();
    (0..rows).for_each(|n| write!(text, "\"EX1\\1\\{n}\",\"a@b.example\"\r\n").unwrap());
    text.into_bytes()
}

#[test]
fn full_pages_are_suspected_to_be_cut() {
    for (rows, cut) in [(999, false), (1_000, true), (1_001, false), (2_000, true), (0, false)] {
        let read = read(viewer(rows));
        assert_eq!(read.entries.len(), rows);
        assert_eq!(read.end.cut.is_some(), cut, "{rows}");
    }
    for (rows, cut) in [(999, false), (1_000, true), (2_000, false)] {
        assert_eq!(read(get_message(rows)).end.cut.is_some(), cut, "{rows}");
    }
}

#[test]
fn sizes_are_exact_or_none() {
    for (text, size) in [
        ("5 KB (5,120 bytes)", Some(5_120)),
        ("5 KB (5.120 Bytes)", Some(5_120)),
        ("5 Ko (5\u{a0}120 octets)", Some(5_120)),
        ("1 GB (1'073'741'824 bytes)", Some(1 << 30)),
        ("5 KB", None),
        ("5 KB ()", None),
        ("5 KB (-5 bytes)", None),
        ("x (99999999999999999999999 bytes)", None),
    ] {
        assert_eq!(exact_size(text), size, "{text}");
    }
}

#[test]
fn semicolons_any_order_and_any_case_are_understood() {
    let read = read(b"SUBJECT;internetmessageid;IDENTITY\r\nx;a@b.example;EX1\\2\\3\r\n".to_vec());
    assert_eq!(read.entries[0].message_id, Some("<a@b.example>".into()));
    assert_eq!(read.entries[0].queue.as_deref(), Some("EX1\\2"));
}

#[test]
fn hostile_rows_are_counted_and_do_not_swallow_the_rest() {
    let head = b"\"Identity\",\"Subject\"\n".to_vec();
    let open =
        [head.clone(), b"\"EX1\\1\\1\",\"never closed\n".to_vec(), b"\"EX1\\1\\2\",\"ok\"\n".repeat(70)]
            .concat();
    let found = read(open);
    assert_eq!((found.entries.len(), found.end.misread.len()), (70, 1));
    assert_eq!(found.end.misread[0].0, 2);

    let mut long = [head.clone(), b"\"EX1\\1\\1\",\"".to_vec()].concat();
    long.extend(vec![b'x'; 3 << 20]);
    long.extend(b"\"\n\"EX1\\1\\2\",\"ok\"\n,\n\n\0\x1b[2J\n");
    let found = read(long);
    assert_eq!(found.entries.len(), 1);
    assert_eq!(found.end.misread.len(), 3);

    let quotes = [head, b"\"\n".repeat(50_000)].concat();
    assert!(read(quotes).end.misread.len() <= 100);
}

#[test]
fn other_texts_are_not_taken_for_listings() {
    for text in [
        &b""[..],
        b"Mail queue is empty\n",
        b"-Queue ID-  --Size-- ----Arrival Time----\n",
        b"a,b,c\n1,2,3\n",
    ] {
        assert!(ALL.iter().all(|format| !(format.looks_like)(text)), "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn a_listing_cut_anywhere_is_read_as_far_as_it_goes() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/exchange/listings");
    for name in ["get-message-selected.csv", "queue-viewer-utf16le.txt", "get-queue.csv"] {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        for length in 0..bytes.len() {
            for format in &ALL {
                let mut input = utf8_input(io::Cursor::new(bytes[..length].to_vec())).unwrap();
                let _end = (format.parse)(&mut input, &mut |_| {}).unwrap();
            }
        }
    }
}
