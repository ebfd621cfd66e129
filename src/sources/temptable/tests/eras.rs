//! Every era of MFCMAPI.

use super::*;

const ERAS: [&str; 7] = [
    "export-table_2007-08_to_2011-01.txt",
    "export-table_2011-01_to_2014-03.txt",
    "export-table_2014-03_to_2016-11.txt",
    "export-table_2016-11_to_2016-12.txt",
    "export-table_2016-12_to_2020-10.txt",
    "export-table_2020-10-22_to_2026-06-15.txt",
    "export-table_2026-06-15_onward.txt",
];

const FIRST: &str = "000000001A447390AA6611CD9BC800AA002FC45A0900010000000000";
const SECOND: &str = "000000001A447390AA6611CD9BC800AA002FC45A0900020000000000";

#[test]
fn all_eras_tell_the_same_of_the_same_table() {
    for era in ERAS {
        let seen = scan(&fixture("eras").join(era));
        assert!(seen.damages.is_empty(), "{era}: {:?}", seen.damages);
        let [first, second] = seen.messages.as_slice() else { panic!("{era}: {:?}", seen.subjects()) };
        assert_eq!(subject(first), "Quarterly figures & plan", "{era}");
        assert_eq!(text(first.ids.native.as_ref()), Some(FIRST), "{era}");
        assert_eq!(rfc3339(first, TimeKind::Submitted).unwrap(), "2008-03-14T09:15:32.123Z", "{era}");
        assert_eq!(rfc3339(first, TimeKind::Arrival).unwrap(), "2008-03-14T09:15:32.456Z", "{era}");
        assert_eq!(rfc3339(first, TimeKind::Modified).unwrap(), "2008-03-14T09:20:40.001Z", "{era}");
        assert_eq!(first.size, Some(48_213), "{era}");
        assert_eq!(recipients(first), ["bob@fabrikam.example"], "{era}");
        assert_eq!(text(first.header("From")), Some("Alice Example"), "{era}");
        assert_eq!(attribute(first, "message flags"), Some("0x26 (unmodified, submitted, from me)"), "{era}");
        assert_eq!(subject(second), "Re: café order", "{era}");
        assert_eq!(text(second.ids.native.as_ref()), Some(SECOND), "{era}");
        assert_eq!(rfc3339(second, TimeKind::Arrival).unwrap(), "2008-03-16T17:01:05.250Z", "{era}");
        assert_eq!(second.size, Some(2_310), "{era}");
    }
}

#[test]
fn times_keep_what_the_export_prints_beside_what_they_mean() {
    let seen = scan(&fixture("eras").join(ERAS[6]));
    let submitted = seen.messages[0].times.iter().find(|timed| timed.kind == TimeKind::Submitted).unwrap();
    assert_eq!(submitted.original(), "09:15:32.123 AM 3/14/2008 (Low: 0xF41CD6B0 High: 0x01C885B3)");
}

#[test]
fn rows_are_counted_through_the_file_since_their_index_starts_anew_every_twenty() {
    let row = |index: usize| {
        format!(
            "<row index = \"0x{:08X}\">\r\n\t<property tag = \"0x0037001F\" type = \"PT_UNICODE\" >\r\n\
             \t\t<Value><![CDATA[message {index}]]></Value>\r\n\t</property>\r\n</row>\r\n",
            index % 20
        )
    };
    let rows: String = (0..45).map(row).collect();
    let (_folder, path) =
        written("table.txt", format!("<?xml version=\"1.0\"?>\r\n<table>\r\n{rows}</table>\r\n"));
    let seen = scan(&path);
    assert_eq!(seen.messages.len(), 45);
    assert_eq!(seen.messages[44].place, crate::evidence::Locus::row("table.txt", 45));
    assert!(seen.messages[44].ids.native.is_none(), "an index is no identifier");
}

#[test]
fn a_declaration_is_not_believed() {
    let xml = std::fs::read(fixture("eras").join(ERAS[6])).unwrap();
    let xml =
        String::from_utf16(&xml[2..].chunks(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect::<Vec<_>>());
    let lying = xml.unwrap().replace("encoding=\"UTF-16\"", "encoding=\"UTF-7\"");
    for bytes in [utf16(&lying), lying.clone().into_bytes(), format!("\u{feff}{lying}").into_bytes()] {
        let (_folder, path) = written("table.txt", bytes);
        assert_eq!(scan(&path).subjects(), ["Quarterly figures & plan", "Re: café order"]);
    }
}

#[test]
fn an_encoding_option_reads_text_of_which_the_export_keeps_no_bytes() {
    let mut bytes =
        b"<table>\n<row index = \"0x00000000\">\n\t<property tag = \"0x0037001E\" type = \"PT_STRING8\">\n\
        \t\t<Value><![CDATA["
            .to_vec();
    bytes.extend(b"\xcf\xf0\xe8\xe2\xe5\xf2]]></Value>\n\t</property>\n</row>\n</table>\n");
    let (_folder, path) = written("table.txt", bytes);
    assert_eq!(scan(&path).subjects(), ["Ïðèâåò"], "windows-1252 when nothing is said");
    let options = Options { encoding: Some("windows-1251".into()), ..Options::default() };
    assert_eq!(scan_with(&path, &options).subjects(), ["Привет"]);
    let options = Options { encoding: Some("martian".into()), ..Options::default() };
    assert!(open_error(&path, &options).contains("no encoding `martian`"));
}

#[test]
fn a_property_pane_is_one_message_with_its_message_id() {
    for pane in ["others/props.xml", "others/props_until-2019.xml"] {
        let seen = scan(&fixture(pane));
        assert!(seen.damages.is_empty(), "{pane}: {:?}", seen.damages);
        let [message] = seen.messages.as_slice() else { panic!("{pane}: {:?}", seen.subjects()) };
        assert_eq!(
            text(message.ids.message_id.as_ref()),
            Some("<A1B2C3D4E5F6@mail.contoso.example>"),
            "{pane}"
        );
        assert_eq!(text(message.ids.native.as_ref()), Some(FIRST), "{pane}");
        assert_eq!(text(message.envelope.sender.as_ref()), Some("alice@contoso.example"), "{pane}");
        assert_eq!(rfc3339(message, TimeKind::Created).unwrap(), "2008-03-14T09:15:32.456Z", "{pane}");
    }
}

#[test]
fn a_list_of_mrmapi_is_read_from_the_end_of_each_entry() {
    let seen = scan(&fixture("others/mrmapi-list.csv"));
    assert!(seen.damages.is_empty(), "{:?}", seen.damages);
    let wanted =
        ["Quarterly figures & plan", "say \"hi\",\"x\"\nthen go", "a subject too long for its file name"];
    assert_eq!(seen.subjects(), wanted);
    assert_eq!(text(seen.messages[1].ids.native.as_ref()), Some(SECOND), "the record key in the file name");
    assert_eq!(seen.messages[2].ids.native, None);
}

#[test]
fn headings_and_folders_are_no_messages() {
    let property = |tag: &str, value: u32| {
        format!(
            "\t<property tag = \"{tag}\" type = \"PT_LONG\" >\n\t\t<Value>{value}</Value>\n\t</property>\n"
        )
    };
    let row = |properties: String| format!("<row index = \"0x00000000\">\n{properties}</row>\n");
    let rows = [
        row(property("0x0FF50003", 3)),
        row(property("0x0FFE0003", 3)),
        row(property("0x0FF50003", 1) + &property("0x0FFE0003", 5)),
    ];
    let (_folder, path) = written("table.txt", format!("<table>\n{}</table>\n", rows.concat()));
    let seen = scan(&path);
    assert_eq!((seen.messages.len(), seen.passed), (1, 2));
}
