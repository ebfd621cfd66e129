//! Damage, lies and size.

use super::*;

fn texts(properties: &str) -> String {
    format!("<table>\n<row index = \"0x00000000\">\n{properties}</row>\n{}</table>\n", plain_row("after"))
}

fn plain_row(subject: &str) -> String {
    format!("<row index = \"0x00000001\">\n{}</row>\n", string("0x0037001F", subject))
}

fn string(tag: &str, value: &str) -> String {
    format!(
        "\t<property tag = \"{tag}\" type = \"PT_UNICODE\" >\n\t\t<Value><![CDATA[{value}]]></Value>\n\t</property>\n"
    )
}

#[test]
fn text_that_no_xml_parser_would_take_is_read() {
    let names = "\t\t<Name>PR_A & <B></Name>\n\t\t<Other Names>x \"y\" & z</Other Names>\n";
    let odd = string("0x0037001F", "a ]]> b & <c> ]]></Value> d").replacen(
        "\t\t<Value>",
        &format!("{names}\t\t<Value>"),
        1,
    );
    let lines = string("0x0E04001F", "one@x.example;\ntwo@x.example;\n</row>\nthree@x.example");
    let (_folder, path) = written("table.txt", texts(&(odd + &lines)));
    let seen = scan(&path);
    assert_eq!(seen.subjects(), ["a ]]> b & <c> ]]></Value> d", "after"]);
    assert!(seen.damages.is_empty(), "{:?}", seen.damages);
    assert_eq!(seen.messages[0].envelope.recipients.len(), 3);
}

#[test]
fn a_value_that_is_never_closed_costs_no_other_row() {
    let broken = string("0x0037001F", "lost").replace("]]></Value>", "");
    let (_folder, path) = written("table.txt", texts(&(broken + &string("0x1035001F", "<a@b>"))));
    let seen = scan(&path);
    assert_eq!(seen.messages.len(), 2);
    assert_eq!(text(seen.messages[0].ids.message_id.as_ref()), Some("<a@b>"));
    assert_eq!(subject(&seen.messages[1]), "after");
    assert!(seen.damages[0].what.contains("a value is too long or not closed"), "{:?}", seen.damages);
}

#[test]
fn a_row_that_is_never_closed_is_read_and_said() {
    let xml = texts(&string("0x0037001F", "open")).replacen("</row>\n", "", 1);
    let (_folder, path) = written("table.txt", xml);
    let seen = scan(&path);
    assert_eq!(seen.subjects(), ["open", "after"]);
    assert!(seen.damages[0].what.contains("row 1 (`open`) is not closed"), "{:?}", seen.damages);
}

#[test]
fn values_of_many_values_do_not_end_their_row() {
    let many = "\t<property tag = \"0x6001101F\" type = \"PT_MV_UNICODE\" >\n\t\t<Value mv=\"true\" count=\"2\" >\n\
        \t\t\t<row>\n\t\t\t\t<Value><![CDATA[x]]></Value>\n\t\t\t</row>\n\
        \t\t\t<row>\n\t\t\t\t<Value><![CDATA[y]]></Value>\n\t\t\t</row>\n\t\t</Value>\n\t</property>\n";
    let (_folder, path) = written("table.txt", texts(&(many.to_owned() + &string("0x0037001F", "behind"))));
    assert_eq!(scan(&path).subjects(), ["behind", "after"]);
}

#[test]
fn a_body_of_any_length_is_passed_over() {
    let mut xml = format!(
        "<?xml version=\"1.0\"?>\n<message>\n<properties listtype=\"summary\">\n{}</properties>\n",
        string("0x0037001F", "long")
    );
    xml.push_str("<body property=\"PR_BODY_W\">\n<![CDATA[");
    xml.push_str(&"</message>\n<row index = \"0x00000000\">\n".repeat(20_000));
    xml.push_str(&"x".repeat(3 << 20));
    xml.push_str("\n]]></body>\n<recipients>\n<recipient num=\"0x00000000\">\n");
    xml.push_str(&string("0x3003001F", "b@x.example"));
    xml.push_str("</recipient>\n</recipients>\n</message>\n");
    let (_folder, path) = written("message.xml", xml);
    let seen = scan(&path);
    assert!(seen.damages.is_empty(), "{:?}", seen.damages);
    assert_eq!(seen.subjects(), ["long"]);
    assert_eq!(recipients(&seen.messages[0]), ["b@x.example"]);
}

/// How many rows are complete in the first bytes of an export.
type Complete = fn(&str) -> usize;

#[test]
fn an_export_cut_at_any_byte_keeps_its_complete_rows() {
    let cases: [(&str, Complete); 3] = [
        ("eras/export-table_2011-01_to_2014-03.txt", |text| text.matches("</row>").count()),
        ("eras/export-table_2007-08_to_2011-01.txt", |text| text.matches("Row 0x").count().saturating_sub(1)),
        ("tables/comma.csv", |text| text.matches('\n').count().saturating_sub(1)),
    ];
    for (export, complete) in cases {
        let whole = std::fs::read(fixture(export)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export");
        // Every byte of a row's worth, and every seventh of the rest.
        let lengths = (0..whole.len()).filter(|length| length % 7 == 0 || length + 500 > whole.len());
        for length in lengths {
            std::fs::write(&path, &whole[..length]).unwrap();
            if offer(&path, true, false).is_none() {
                continue;
            }
            let seen = scan(&path);
            let complete = complete(&String::from_utf8_lossy(&whole[..length]));
            let read = seen.messages.len();
            assert!(read == complete || read == complete + 1, "{export} at {length}: {read} of {complete}");
            let xml_is_open = export.contains("2014-03") && !whole[..length].ends_with(b"</table>");
            let said = seen.damages.iter().any(|damage| damage.kind == DamageKind::Truncated);
            assert!(said || !xml_is_open || length + 1 >= whole.len(), "{export} at {length}: not said");
        }
    }
}

#[test]
fn a_cut_row_is_named_and_a_row_with_fewer_properties_than_the_first_is_cut() {
    let whole = std::fs::read(fixture("eras/export-table_2007-08_to_2011-01.txt")).unwrap();
    let last_property = whole.windows(7).rposition(|window| window == b"Tag: 0x").unwrap();
    for length in [whole.len() - 400, last_property] {
        let (_folder, path) = written("table.txt", &whole[..length]);
        let seen = scan(&path);
        assert_eq!(seen.messages.len(), 1);
        assert!(seen.damages[0].what.contains("ends within row 2 (`Re: café order`)"), "{:?}", seen.damages);
    }
}

#[test]
fn noise_of_any_kind_is_survived() {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export");
    let eras = [
        "eras/export-table_2026-06-15_onward.txt",
        "eras/export-table_2007-08_to_2011-01.txt",
        "others/props.xml",
        "others/mrmapi-list.csv",
        "tables/lines.jsonl",
        "tables/powershell.csv",
    ];
    for round in 0..240 {
        let mut bytes = std::fs::read(fixture(eras[round % eras.len()])).unwrap();
        for _ in 0..=(random() % 40) {
            let at = usize::try_from(random()).unwrap() % bytes.len();
            match random() % 3 {
                0 => bytes[at] = random().to_le_bytes()[0],
                1 => drop(bytes.drain(at..(at + 9).min(bytes.len()))),
                _ => bytes.extend_from_within(at..(at + 99).min(bytes.len())),
            }
        }
        std::fs::write(&path, &bytes).unwrap();
        let detected =
            offer(&path, true, true).expect("a file that the user calls an export is taken for one");
        if TempTable.open(&detected, &Options::default()).is_ok() {
            let _seen = scan(&path);
        }
    }
}

#[test]
fn a_row_without_end_is_passed_over_and_reading_goes_on() {
    let mut csv = b"Subject,EntryId\nfirst,AABBCCDD00\n\"never closed,".to_vec();
    csv.extend(vec![b'x'; 2 << 20]);
    csv.extend(b"\n");
    for row in 0..40_000 {
        csv.extend(format!("message {row},{row:016X}{}\n", "0".repeat(40)).into_bytes());
    }
    let (_folder, path) = written("table.csv", csv);
    let seen = scan(&path);
    assert_eq!(seen.messages.len(), 40_001);
    let [damage] = seen.damages.as_slice() else { panic!("{:?}", seen.damages) };
    assert_eq!(damage.kind, DamageKind::Limit);
    assert!(damage.what.contains("row 2 is longer than"), "{}", damage.what);
}

#[test]
fn reading_ends_when_nobody_wants_more() {
    for table in ["kb950757/temptable-1/table.txt", "kb950757/temptable-2/table.csv", "tables/lines.jsonl"] {
        let seen = opened(&fixture(table), &Options::default(), &mut |messages| match messages {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        });
        assert_eq!(seen.messages.len(), 1, "{table}");
    }
}

#[test]
fn ten_thousand_recipients_are_counted_and_a_thousand_kept() {
    let list: Vec<String> = (0..10_000).map(|n| format!("r{n}@x.example")).collect();
    let (_folder, path) = written("table.csv", format!("Subject,To\na,{}\n", list[..2_500].join("; ")));
    let seen = scan(&path);
    assert_eq!(seen.messages[0].envelope.recipients.len(), 1_000);
    assert_eq!(seen.messages[0].envelope.recipient_count, Some(2_500));
}
