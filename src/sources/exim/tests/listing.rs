//! Listings as Exim 4.96 printed them.

use super::*;

fn read(text: &str) -> (Vec<ListingEntry>, ListingEnd) {
    let mut entries = Vec::new();
    let end = parse(&mut text.as_bytes(), &mut |entry| entries.push(entry)).unwrap();
    (entries, end)
}

fn fixture(name: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/exim");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn looks_like(text: &str) -> bool {
    (FORMATS[0].looks_like)(text.as_bytes())
}

#[test]
fn sorted_or_not_the_listing_shows_the_same_200_messages() {
    let text = fixture("deferred/listing-of-200.txt");
    assert!(looks_like(&text));
    let (all, end) = read(&text);
    assert_eq!(end, ListingEnd::default());
    assert_eq!(all.len(), 400, "-bp and -bpr; what exipick and exiqgrep print is no view of Exim's");
    let ids = |entries: &[ListingEntry]| {
        let mut ids: Vec<_> = entries.iter().map(|entry| entry.native.clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&all[..200]), ids(&all[200..]));
    assert_eq!(all[0].line, 2);
    assert_eq!(all[0].native, Some(Text::from("1xVf5d-00002O-0X")));
    assert_eq!(all[0].sender, Some(Text::from("sender@lab.test")));
    assert_eq!(all[0].size, Some(564));
    assert_eq!(all[5].size, None, "`1.0K` is rounded");
    assert_eq!(all[0].recipients, [Text::from("grey1@grey.test")]);
    assert_eq!(all[199].recipients.len(), 3);
}

#[test]
fn frozen_damaged_unreadable_and_halved_messages_are_entries_like_others() {
    let (entries, end) = read(&fixture("frozen-halves-named/listing.txt"));
    assert_eq!(end, ListingEnd::default());
    let of = |id: &str| entries.iter().find(|entry| entry.native == Some(id.into())).unwrap();
    assert_eq!(of("1xVf5d-00003b-19").state, EntryState::Held);
    assert_eq!(of("1xVf5d-00005L-1z").reason, Some("spool format error: size=300".into()));
    assert_eq!(of("1xVf5d-00005m-2C").reason, Some("spool read error: Permission denied".into()));
    assert_eq!(of("1xVf5d-00005D-1u").size, None, "it has no body");
    assert_eq!(of("1xVf5d-00005D-1u").sender, Some("sender@lab.test".into()));
    assert!(entries.iter().all(|entry| !entry.on_request));
}

#[test]
fn recipients_that_are_done_are_shown_without_their_mark() {
    let (entries, _) = read(&fixture("half-journal/listing.txt"));
    let half = entries.iter().find(|entry| entry.native == Some("1xVf64-0000hA-2Y".into())).unwrap();
    assert_eq!(half.recipients, ["j1@ok.test", "j2@slow.test", "j3@grey.test"].map(Text::from));
}

#[test]
fn ages_below_zero_logins_and_the_null_sender_are_read() {
    let text = "-575999m   274 1zqfjX-0000kd-2w <a@lab.test>\n          fut1@future.test\n\n\
                25h  3.4K 1xVf5e-0000000007x-0200 <> *** frozen ***\n        D a@b.test\n       +D c@b.test\n          d e@b.test\n\n\
                \x20 0m   1M 1xVf5d-00002O-0X <\"a b\"@lab.test> (joe) *** frozen ***\n          x@b.test\n\n";
    let (entries, end) = read(text);
    assert_eq!(end, ListingEnd::default());
    assert_eq!(entries[0].native, Some("1zqfjX-0000kd-2w".into()));
    assert_eq!(entries[1].sender, Some(Text::default()));
    assert_eq!(entries[1].recipients, ["a@b.test", "c@b.test", "d e@b.test"].map(Text::from));
    assert_eq!(entries[2].sender, Some("\"a b\"@lab.test".into()));
    assert_eq!(entries[2].state, EntryState::Held);
}

#[test]
fn a_named_queue_shows_only_on_request_and_ids_alone_are_a_listing() {
    let (entries, _) = read(
        "## exim4 -qGquarantine -bp\n 0m   192 1xVf5t-0000cg-2j <a@lab.test>\n          n@grey.test\n\n",
    );
    assert!(entries[0].on_request);
    assert_eq!(entries[0].queue.as_deref(), Some("quarantine"));
    let (ids, end) = read("## exim -bpi\n1xVf5t-0000cg-2j\n1xVf5e-0000000007x-0200\n");
    assert_eq!((ids.len(), end), (2, ListingEnd::default()));
    assert!(looks_like("1xVf5t-0000cg-2j\n"));
    assert!(looks_like("## exim4 -bp\n"), "an empty queue prints nothing");
}

#[test]
fn a_listing_that_breaks_off_or_fails_says_so() {
    let (_, end) = read(" 0m   192 1xVf5t-0000cg-2j <a@lab.test>\n");
    assert!(end.cut.unwrap().contains("breaks off"));
    let (_, end) = read("exim: permission denied\n");
    assert!(end.cut.unwrap().contains("permission denied"));
}

#[test]
fn other_text_is_misread_and_not_taken_for_a_listing() {
    let (entries, end) = read("Mail queue is empty\n    stray@b.test\n");
    assert!(entries.is_empty());
    assert_eq!(end.misread.len(), 2);
    for text in
        ["", "Mail queue is empty\n", "## postqueue -p\n", "-Queue ID-  --Size--\n", " 0m 564 <a@b.test>\n"]
    {
        assert!(!looks_like(text), "{text}");
    }
}
