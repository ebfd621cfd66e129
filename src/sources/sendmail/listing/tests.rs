//! Listings as sendmail 8.17.1 printed them.

use super::*;
use crate::evidence::EntryState;

fn read(text: &[u8]) -> (Vec<ListingEntry>, ListingEnd) {
    let mut entries = Vec::new();
    let end = parse(&mut &*text, &mut |entry| entries.push(entry)).unwrap();
    (entries, end)
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sendmail");
    std::fs::read(folder.join(name)).unwrap()
}

fn entry<'a>(entries: &'a [ListingEntry], id: &str) -> &'a ListingEntry {
    entries.iter().find(|entry| entry.native == Some(Text::from(id))).unwrap()
}

#[test]
fn the_plain_and_the_verbose_form_show_the_same_200_messages() {
    let text = fixture("deferred/listing-of-200.txt");
    assert!(looks_like(&text));
    let verbose = memchr::memmem::find(&text, b"## sendmail -v -bp").unwrap();
    let (plain, end) = read(&text[..verbose]);
    assert_eq!((plain.len(), end.declared, end.cut, end.misread.len()), (200, Some(200), None, 0));
    let (long, end) = read(&text[verbose..]);
    assert_eq!((long.len(), end.declared, end.cut, end.misread.len()), (200, Some(200), None, 0));
    for (one, other) in plain.iter().zip(&long) {
        assert_eq!(
            (&one.native, one.size, &one.sender, &one.reason, &one.queue),
            (&other.native, other.size, &other.sender, &other.reason, &other.queue)
        );
        assert_eq!(one.recipients, other.recipients);
        assert!(!one.on_request && !other.on_request);
    }
    let many = plain.iter().filter(|entry| entry.recipients.len() == 3).count();
    assert_eq!(many, 20);
    assert_eq!(plain[0].queue.as_deref(), Some("mqueue"));
    assert_eq!(plain[0].arrived, None, "the listing has no year");
}

#[test]
fn what_only_other_listings_show_is_on_request() {
    let (entries, end) = read(&fixture("quarantine-lost-bad/listing.txt"));
    assert_eq!((end.cut, end.misread), (None, Vec::new()));
    let held = entry(&entries, "6AO0BIHD000231");
    assert_eq!(
        (held.state, held.on_request, held.queue.as_deref()),
        (EntryState::Held, true, Some("quarantined"))
    );
    let lost = entry(&entries, "6AO0BIhH000255");
    assert_eq!(
        (lost.state, lost.on_request, lost.queue.as_deref()),
        (EntryState::Normal, true, Some("lost"))
    );
    let empty = entry(&entries, "6AO0BIAB000288");
    assert_eq!((empty.size, empty.on_request), (None, false));
    assert_eq!(empty.reason, Some(Text::from("no control file")));
}

#[test]
fn several_queue_folders_and_the_submission_queue_are_told_apart() {
    let (entries, end) = read(&fixture("several-queues/listing.txt"));
    assert_eq!((end.cut, end.misread), (None, Vec::new()), "complaints between the lines are passed over");
    let of = |queue: &str| entries.iter().filter(|entry| entry.queue.as_deref() == Some(queue)).count();
    assert!(of("q1") > 0 && of("q2") > 0 && of("lost") == 1);
    let client: Vec<_> = entries.iter().filter(|e| e.queue.as_deref() == Some("mqueue-client")).collect();
    assert_eq!(client.len(), 3);
    assert!(client.iter().all(|entry| entry.on_request));
    let lost_body = entry(&entries, "6AO7vO9d000181");
    assert_eq!(lost_body.size, None, "-1 is no size");
    assert_eq!(lost_body.sender, Some(Text::from("sender@lab.test")), "on the line below the complaint");
    assert_eq!(entry(&entries, "6AO7vOBZ000191.bak").size, None);
    assert_eq!(
        entry(&entries, "6AO7vOx2000226").recipients.len(),
        1,
        "an entry without size, time and sender"
    );
}

#[test]
fn without_headings_the_sections_tell_by_their_content() {
    let text = "MSP Queue status...\n\t\t/var/spool/clientmqueue (1 request)\n\
        -----Q-ID----- --Size-- -----Q-Time----- ------------Sender/Recipient-----------\n\
        6AO7vTNU000284*       2 Tue Nov 24 07:57 <root@lab.test>\n\t\t\t\t\t <msp1@grey.test>\n\t\tTotal requests: 1\n\
        MTA Queue status...\n\t\t/var/spool/mqueue (3 requests)\n\
        6AO7vO9d000181X   12345 Tue Nov 24 07:57 <>\n      8BITMIME   (Deferred: 451 later)\n\t\t\t\t\t <one@grey.test>\n\
        6AO7vO9d000182-       7 Tue Nov 24 07:57 a@lab.test\n\t\t\t\t\t two@grey.test\n\
        6AO7vO9d000183  (job completed)\n\t\tTotal requests: 3\n";
    assert!(looks_like(text.as_bytes()));
    let (entries, end) = read(text.as_bytes());
    assert_eq!((entries.len(), end.declared, end.cut), (3, Some(4), None));
    assert!(entries[0].on_request && !entries[1].on_request);
    assert_eq!(entries[0].native, Some(Text::from("6AO7vTNU000284")), "locked: without its mark");
    assert_eq!((&entries[1].native, entries[1].size), (&Some(Text::from("6AO7vO9d000181")), Some(12_345)));
    assert_eq!(entries[1].sender, Some(Text::default()), "the null sender");
    assert_eq!(entries[1].reason, Some(Text::from("Deferred: 451 later")));
    assert_eq!(entries[2].native, Some(Text::from("6AO7vO9d000182")));

    let held = "\t\t/var/spool/mqueue (1 request)\n6AO0BIHD000231      458 Tue Nov 24 00:11 sender@lab.test\n\
        \u{20}    QUARANTINE: labtest\n\t\tTotal requests: 1\n";
    let (entries, _) = read(held.as_bytes());
    assert_eq!((entries[0].state, entries[0].on_request), (EntryState::Held, true));
}

#[test]
fn a_warning_mark_and_old_short_ids_are_read() {
    let text = "\t\t/var/spool/mqueue (2 requests)\n\
        6AO0BMtP000928       29      30112+Nov 24 00:11 sender@lab.test\n\
        \u{20}    KAA12345       29      30112 Nov 24 00:11 old@lab.test\n";
    let (entries, end) = read(text.as_bytes());
    assert_eq!(end.cut, None);
    assert_eq!(entries[0].sender, Some(Text::from("sender@lab.test")));
    assert_eq!(entries[1].native, Some(Text::from("KAA12345")));
}

#[test]
fn a_listing_that_is_not_whole_says_so() {
    let text = fixture("deferred/listing.txt");
    let (entries, end) = read(&text[..600]);
    assert!(entries.len() < 12);
    assert!(end.cut.unwrap().contains("states 12 requests in `mqueue`"));
    let (_, end) = read(b"\t\t/var/spool/mqueue (20000 requests, only 10000 printed)\n");
    assert!(end.cut.unwrap().contains("only 10000"));
    let (entries, end) = read(b"/var/spool/mqueue is empty\n\t\tTotal requests: 0\n");
    assert_eq!((entries.len(), end.declared, end.cut), (0, Some(0), None));
    assert!(looks_like(b"/var/spool/mqueue is empty\n"));
    assert!(!looks_like(b"Mail queue is empty\n"), "that is Postfix");
    assert!(!looks_like(b"-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n"));
}

#[test]
fn a_listing_cut_at_any_byte_or_made_of_noise_is_survived() {
    let text = fixture("several-queues/listing.txt");
    for cut in 0..text.len() {
        let _read = read(&text[..cut]);
    }
    let noise: Vec<u8> =
        (0..60_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    let (_, end) = read(&noise);
    assert!(end.misread.len() <= ListingEnd::MAX_MISREAD);
}
