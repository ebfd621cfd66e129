use super::*;

#[test]
fn a_queue_file_with_its_streams_is_nothing_unusual() {
    let scanned = scan(&fixture("mailroot-vsi1/tree/Mailroot"));
    let message = scanned.file("0001.EML");
    assert_eq!(message.queue, "vsi 1/Queue");
    assert_eq!(message.ids.native, Some("NTFS_synthetic0000000001.EML".into()));
    assert_eq!(message.ids.message_id, Some("<held-1@contoso.example>".into()));
    assert_eq!(message.header("subject"), Some(&"café".into()));
    assert_eq!(message.header("From"), Some(&"Alíce <alice@contoso.example>".into()));
    assert_eq!(signs(message), []);
    assert_eq!(scanned.damages, []);
}

#[test]
fn the_arrival_is_the_filetime_that_the_server_wrote() {
    let scanned = scan(&fixture("mailroot-vsi1/tree/Mailroot"));
    let message = scanned.file("0001.EML");
    assert_eq!(message.time(TimeKind::Arrival).unwrap().rfc3339(), "2008-03-14T09:15:32.456Z");
    assert_eq!(message.time(TimeKind::HeaderDate).unwrap().rfc3339(), "2008-03-14T09:15:30Z");
    assert!(message.times[0].original().contains("FILETIME=[F44FA680:01C885B3]"));
    let modified = message.stat().unwrap().modified;
    assert_eq!(message.time(TimeKind::Modified), Some(modified));
    assert!(attributes(message, "Received (newest)")[0].ends_with("Fri, 14 Mar 2008 09:15:32 +0000"));
}

#[test]
fn an_arrival_that_cannot_be_is_no_arrival() {
    for wrong in ["[01C885B3:F44FA680]", "[0:0]", "[xyz:01C885B3]", "[F44FA680]", "[F44FA68000:01C885B3]"] {
        let text = format!("X-OriginalArrivalTime: x FILETIME={wrong}\r\n\r\n");
        let folder = built(&[("Queue/NTFS_1.EML", text.as_bytes()), ("Pickup/x.txt", b"")]);
        assert_eq!(scan(folder.path()).file("NTFS_1.EML").arrived(), None, "{wrong}");
    }
}

#[test]
fn a_queue_file_without_stream_beside_files_with_theirs_has_lost_its_envelope() {
    let scanned = scan(&fixture("mailroot-vsi1/tree/Mailroot"));
    let message = scanned.file("0002.EML");
    assert_eq!(signs(message), [(Sign::EnvelopeLost, Confidence::Likely)]);
    let said = said(message);
    assert!(said.contains("no named stream in extended attributes, no file `FILE:STREAM`"), "{said}");
    assert!(said.contains("other queue files kept their streams, this one has `PROPERTIES`"), "{said}");
    assert_eq!(message.envelope.sender, None);
    assert_eq!(message.parts[0].kind, PartKind::Content);
}

#[test]
fn where_no_file_has_a_stream_the_copy_is_suspected_first() {
    let folder = built(&[("Queue/NTFS_1.EML", b"Subject: x\r\n\r\n"), ("Badmail/x.txt", b"")]);
    let scanned = scan(folder.path());
    let message = scanned.file("NTFS_1.EML");
    assert_eq!(signs(message), [(Sign::EnvelopeLost, Confidence::Possible)]);
    assert!(said(message).contains("this copy probably lost them all"), "{}", said(message));
    let facts = &scanned.opened.instance.facts;
    assert!(facts.iter().any(|fact| fact.text.contains("the copy has probably lost them")), "{facts:?}");
}

#[test]
fn a_queue_file_of_zero_bytes_keeps_what_its_stream_shows() {
    let scanned = scan(&fixture("mailroot-vsi1/tree/Mailroot"));
    let message = scanned.file("0003.EML");
    assert_eq!(signs(message), [(Sign::EmptyFile, Confidence::Certain)]);
    assert_eq!(attributes(message, "strings seen, meaning unverified"), ["dave@contoso.example"]);
}

#[test]
fn a_stream_that_lies_here_without_its_file_is_an_envelope_without_body() {
    let scanned = scan(&fixture("mailroot-vsi1/tree/Mailroot"));
    let message = scanned.file("0004.EML:PROPERTIES");
    assert_eq!(signs(message), [(Sign::BodyLost, Confidence::Likely)]);
    assert_eq!(message.ids.native, Some("NTFS_synthetic0000000004.EML".into()));
    assert_eq!(attributes(message, "strings seen"), ["erin@contoso.example"]);
}

#[test]
fn a_message_under_another_name_is_not_taken_up_and_other_files_are_passed_over() {
    let folder = built(&[
        ("Queue/NTFS_1.EML.bak", b"From: a@b.example\r\nSubject: kept\r\n\r\n"),
        ("Queue/notes.txt", b"call the provider"),
        ("Queue/desktop.ini", b"[.ShellClassInfo]"),
        ("Pickup/desktop.ini", b"[.ShellClassInfo]"),
    ]);
    let scanned = scan(folder.path());
    assert_eq!(scanned.messages.len(), 1);
    assert_eq!(signs(scanned.file(".bak")), [(Sign::ForeignName, Confidence::Likely)]);
}

#[test]
fn a_queue_that_was_set_aside_is_read_and_said_to_be_out_of_use() {
    let folder = built(&[("Queue.old/NTFS_1.EML", b"Subject: x\r\n\r\n"), ("Queue/a", b""), ("Drop/a", b"")]);
    let scanned = scan(folder.path());
    let message = scanned.file("NTFS_1.EML");
    assert_eq!(message.queue, "Queue.old");
    assert!(signs(message).contains(&(Sign::OtherQueue, Confidence::Likely)));
}

#[test]
fn a_file_of_nul_bytes_is_damaged_from_the_first_of_them() {
    let text = [&b"Subject: x\r\n\r\nbody"[..], &[0; 100]].concat();
    let far = [b"Subject: x\r\n\r\n".to_vec(), vec![b'x'; 1 << 17], vec![0]].concat();
    let folder = built(&[("Queue/NTFS_1.EML", &text), ("Queue/NTFS_2.EML", &far), ("Drop/a.txt", b"")]);
    let scanned = scan(folder.path());
    assert!(signs(scanned.file("NTFS_1.EML")).contains(&(Sign::Corrupt { offset: 18 }, Confidence::Likely)));
    let corrupt = |message: &Message| message.signs.iter().any(|s| matches!(s.sign, Sign::Corrupt { .. }));
    assert!(!corrupt(scanned.file("NTFS_2.EML")));
    let deep = scan_with(folder.path(), &Options { deep: true, ..Options::default() });
    assert!(corrupt(deep.file("NTFS_2.EML")));
    assert_eq!(deep.file("NTFS_2.EML").parts[0].sha256.as_ref().unwrap().len(), 64);
}

#[test]
fn transcripts_belong_to_their_message() {
    let folder = built(&[
        ("Queue/NTFS_1.EML", b"Subject: x\r\n\r\n"),
        ("Queue/NTFS_1.LTR", b"250 ok"),
        ("Queue/NTFS_2.RTR", b"250 ok"),
        ("Drop/a.txt", b""),
    ]);
    let scanned = scan(folder.path());
    assert_eq!(scanned.file("NTFS_1.EML").parts.last().unwrap().kind, PartKind::Side);
    assert_eq!(signs(scanned.file("NTFS_2.RTR")), [(Sign::SideFileAlone, Confidence::Possible)]);
    assert_eq!(scanned.messages.len(), 2);
}
