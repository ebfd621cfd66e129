//! CSV, TSV and JSON lines.

use super::*;

const FIRST: &str = "000000001A447390AA6611CD9BC800AA002FC45A0900010000000000";

fn maps(pairs: &[(&str, &str)]) -> Options {
    let map = pairs.iter().map(|(column, field)| ((*column).to_owned(), (*field).to_owned())).collect();
    Options { map, ..Options::default() }
}

fn assert_both_messages(seen: &Seen, what: &str) {
    assert!(seen.damages.is_empty(), "{what}: {:?}", seen.damages);
    let [first, second] = seen.messages.as_slice() else { panic!("{what}: {:?}", seen.subjects()) };
    assert_eq!(subject(first), "Quarterly figures & plan", "{what}");
    assert_eq!(text(first.header("From")), Some("Alice Example"), "{what}");
    assert_eq!(text(first.ids.native.as_ref()), Some(FIRST), "{what}");
    assert_eq!(text(first.ids.message_id.as_ref()), Some("<A1B2C3D4E5F6@mail.contoso.example>"), "{what}");
    assert_eq!(rfc3339(first, TimeKind::Submitted).unwrap(), "2008-03-14T09:15:32.123Z", "{what}");
    assert_eq!(rfc3339(first, TimeKind::Arrival).unwrap(), "2008-03-14T09:15:32.456Z", "{what}");
    assert_eq!(first.size, Some(48_213), "{what}");
    assert_eq!(subject(second), "Re: café order", "{what}");
    assert_eq!(second.ids.message_id, None, "{what}: an empty cell is no Message-ID");
    assert_eq!(recipients(second), ["carol@contoso.example", "Dave, Sales"], "{what}");
    assert_eq!(rfc3339(second, TimeKind::Submitted).unwrap(), "2008-03-16T17:01:05Z", "{what}");
    assert_eq!(rfc3339(second, TimeKind::Arrival).unwrap(), "2008-03-16T17:01:05.250Z", "{what}");
}

#[test]
fn tables_of_every_make_tell_the_same() {
    for table in
        ["comma.csv", "semicolon-windows-1252.csv", "tab-utf-16.txt", "powershell.csv", "lines.jsonl"]
    {
        let seen = scan(&fixture("tables").join(table));
        assert_both_messages(&seen, table);
        assert_eq!(seen.messages[1].place, crate::evidence::Locus::row(table, 2));
    }
}

#[test]
fn map_explains_columns_of_any_name() {
    let options = maps(&[
        ("Betreff", "subject"),
        ("Von", "from"),
        ("An", "recipients"),
        ("Kennung", "message-id"),
        ("Eintrag", "entry-id"),
        ("Gesendet", "submitted"),
        ("Empfangen", "delivered"),
        ("Umfang", "size"),
    ]);
    assert_both_messages(&scan_with(&fixture("tables/foreign-names.csv"), &options), "foreign names");
}

#[test]
fn a_mistake_in_map_is_answered_with_what_there_is() {
    let table = fixture("tables/foreign-names.csv");
    let error = open_error(&table, &maps(&[("Betreff", "topic")]));
    assert!(error.contains("no field `topic`") && error.contains("subject, from, sender"), "{error}");
    let error = open_error(&fixture("tables/comma.csv"), &maps(&[("Betref", "subject")]));
    assert!(error.contains("no column `Betref`") && error.contains("Subject, From, To"), "{error}");
    let seen = scan_with(&fixture("tables/lines.jsonl"), &maps(&[("betreff", "subject")]));
    assert!(seen.damages[0].what.contains("`--map` names: betreff"), "{:?}", seen.damages);
    let error = open_error(&table, &Options::default());
    assert!(error.contains("Betreff, Von") && error.contains("--map"), "{error}");
}

#[test]
fn a_time_without_a_zone_is_shown_and_not_used_and_said_once() {
    let csv = "Subject,Submit Time,Received\na,3/15/2008 9:15 AM,2008-03-15T08:15:00Z\nb,2008-03-15T09:15:00,2008-03-15\n";
    let (_folder, path) = written("table.csv", csv);
    let seen = scan(&path);
    assert_eq!(rfc3339(&seen.messages[0], TimeKind::Submitted), None);
    assert_eq!(rfc3339(&seen.messages[0], TimeKind::Arrival).unwrap(), "2008-03-15T08:15:00Z");
    let shown = attribute(&seen.messages[0], "Submit Time: no time zone, not used");
    assert_eq!(shown, Some("3/15/2008 9:15 AM"));
    assert_eq!(seen.messages[1].times, [], "neither a wall clock nor a bare date");
    let said =
        seen.instance.facts.iter().filter(|fact| fact.text.contains("`Submit Time` have no time zone"));
    assert_eq!(said.count(), 1);
}

#[test]
fn the_last_error_goes_with_the_recipients() {
    let csv = "Subject,To,LastError\na,b@x.example; c@x.example,450 4.7.1 Greylisted\n";
    let (_folder, path) = written("table.csv", csv);
    let seen = scan(&path);
    let reasons: Vec<_> =
        seen.messages[0].envelope.recipients.iter().map(|r| text(r.reason.as_ref())).collect();
    assert_eq!(reasons, [Some("450 4.7.1 Greylisted"); 2]);
}

#[test]
fn senders_are_addresses_and_the_null_sender_is_known_from_an_unknown_one() {
    let csv = "Subject,Sender\na,Alice <alice@x.example>\nb,<>\nc,\nd,/O=ORG/CN=ALICE\n";
    let (_folder, path) = written("table.csv", csv);
    let seen = scan(&path);
    let senders: Vec<_> = seen.messages.iter().map(|m| text(m.envelope.sender.as_ref())).collect();
    assert_eq!(senders, [Some("alice@x.example"), Some(""), None, None]);
    assert_eq!(attribute(&seen.messages[3], "sender address"), Some("/O=ORG/CN=ALICE"));
}

#[test]
fn sizes_that_are_rounded_are_no_sizes() {
    let csv = "Subject,Size\na,\"5 KB (5,120 bytes)\"\nb,5 KB\nc,5120 bytes\nd,-1\n";
    let (_folder, path) = written("table.csv", csv);
    let sizes: Vec<_> = scan(&path).messages.iter().map(|m| m.size).collect();
    assert_eq!(sizes, [Some(5_120), None, Some(5_120), None]);
}

#[test]
fn a_row_that_does_not_fit_its_header_is_damage_and_the_next_is_read() {
    let csv = "Subject,To,Size\na,b@x.example,1,surplus\nc,d@x.example,2\ne,f@x.example\n\n\"g\nh\",\"i \"\"j\"\"\",3\n";
    let (_folder, path) = written("table.csv", csv);
    let seen = scan(&path);
    assert_eq!(seen.subjects(), ["c", "e", "g\nh"]);
    assert_eq!(recipients(&seen.messages[2]), ["i \"j"], "quotation marks round a name go");
    let [damage] = seen.damages.as_slice() else { panic!("{:?}", seen.damages) };
    assert_eq!(damage.kind, DamageKind::Malformed);
    assert!(damage.what.contains("row 1 has 4 cells, the header has 3"), "{}", damage.what);
}

#[test]
fn json_that_is_not_one_object_a_line_is_told_what_to_do() {
    let (_folder, path) = written("rows.json", "[{\"Subject\":\"a\",\"EntryId\":\"00\"}]\n");
    assert!(open_error(&path, &Options::default()).contains("jq -c '.[]'"));
    let (_folder, path) = written("rows.json", "{\n  \"Subject\": \"a\"\n}\n");
    assert!(open_error(&path, &Options::default()).contains("jq -c ."));
    let (_folder, path) =
        written("rows.jsonl", "{\"Subject\":\"a\",\"EntryId\":\"AB\"}\nnonsense\n{\"Subject\":\"b\"}\n");
    let seen = scan(&path);
    assert_eq!(seen.subjects(), ["a", "b"]);
    assert!(seen.damages[0].what.contains("row 2 is no JSON object"), "{:?}", seen.damages);
}
