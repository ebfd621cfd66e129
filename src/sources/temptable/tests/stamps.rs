//! The stamp: which column holds it, and what stands in it.

use super::*;
use crate::evidence::{StampMatch, parse_stamp};

const GUID: &str = "{5B2A9C10-7F3E-4D21-9A44-0C1D2E3F4A5B}";

fn stamp(name: &str) -> Options {
    Options { stamp: Some(name.into()), ..Options::default() }
}

fn row(properties: &str) -> String {
    format!("<table>\n<row index = \"0x00000000\">\n{properties}</row>\n</table>\n")
}

fn property(tag: &str, names: &str, value: &str, alternative: &str) -> String {
    format!(
        "\t<property tag = \"{tag}\" type = \"PT_X\" >\n{names}\t\t<Value>{value}</Value>\n\
         \t\t<AltValue>{alternative}</AltValue>\n\t</property>\n"
    )
}

#[test]
fn usual_names_need_no_option() {
    for name in [
        "GuidTimestamp",
        "GUID-Timestamp",
        "Guid_Timestamp",
        "PR_GUID_TIMESTAMP",
        "ptagGuidTimestamp",
        "stamp",
    ] {
        let (_folder, path) = written("table.csv", format!("Subject,{name}\na,{GUID}\n"));
        let seen = scan(&path);
        assert_eq!(seen.messages[0].stamp, parse_stamp(GUID), "{name}");
        let names = format!("\t\t<Name>{name}</Name>\n");
        let (_folder, path) = written("table.txt", row(&property("0x66AA001F", &names, GUID, "")));
        assert_eq!(scan(&path).messages[0].stamp, parse_stamp(GUID), "{name}");
    }
}

#[test]
fn another_column_than_the_named_one_is_not_the_stamp() {
    let (_folder, path) = written("table.csv", format!("Subject,stamp,Life\na,0x01C885B3F44FA680,{GUID}\n"));
    assert_eq!(scan_with(&path, &stamp("life")).messages[0].stamp, parse_stamp(GUID));
}

#[test]
fn a_property_is_named_by_any_of_its_names_or_by_its_tag() {
    let names = "\t\t<Name>PR_X</Name>\n\t\t<OtherNames>PidTagX, ptagLife</OtherNames>\n\t\t<NamedPropName>Life</NamedPropName>\n";
    let (_folder, path) = written("table.txt", row(&property("0x66AA001F", names, GUID, "")));
    for option in ["PR_X", "pidtagx", "ptagLife", "LIFE", "0x66AA", "0x66aa001f", "0X66AA"] {
        assert_eq!(scan_with(&path, &stamp(option)).messages[0].stamp, parse_stamp(GUID), "{option}");
    }
    for option in ["0x66AB", "0x66AA0102"] {
        assert_eq!(scan_with(&path, &stamp(option)).messages[0].stamp, None, "{option}");
    }
}

#[test]
fn each_type_of_property_makes_the_stamp_that_it_can() {
    let read = |tag: &str, value: &str, alternative: &str| {
        let (_folder, path) = written("table.txt", row(&property(tag, "", value, alternative)));
        scan_with(&path, &stamp("0x66AA")).messages.remove(0).stamp
    };
    let filetime = parse_stamp("0x01C885B3F44FA680").unwrap().time;
    let time = read("0x66AA0040", "09:15:32.456 AM 3/14/2008", "Low: 0xF44FA680 High: 0x01C885B3").unwrap();
    assert_eq!(time.time, filetime);
    let wide = read("0x66AA0014", "0x01C885B3:0xF44FA680", "128499597324560000").unwrap();
    assert_eq!(wide.time, filetime);
    let wide_2007 = read("0x66AA0014", "128499597324560000", "0x01C885B3:0xF44FA680").unwrap();
    assert_eq!(wide_2007.time, filetime);
    let guid = read("0x66AA0048", &format!("{GUID} = IID_SOMETHING"), "").unwrap();
    assert_eq!(guid.compare(&parse_stamp(GUID).unwrap()), StampMatch::Same);
    let bytes = read("0x66AA0102", "cb: 16 lpb: 109C2A5B3E7F214D9A440C1D2E3F4A5B", "").unwrap();
    assert_eq!(bytes.hex.as_deref(), Some("109c2a5b3e7f214d9a440c1d2e3f4a5b"));
    assert_eq!(bytes.compare(&parse_stamp(GUID).unwrap()), StampMatch::Same);
    assert_eq!(read("0x66AA000A", "MAPI_E_NOT_FOUND", ""), None, "PT_ERROR is absence");
    let odd = read("0x66AA001F", "life seventeen", "").unwrap();
    assert_eq!((odd.original.as_str(), odd.guid, odd.time, odd.hex), ("life seventeen", None, None, None));
}

#[test]
fn a_stamp_that_is_nowhere_is_said_with_what_is_there() {
    let (_folder, path) = written("table.csv", "Subject,To,Life\na,b@x.example,\n");
    let seen = scan_with(&path, &stamp("Lief"));
    let [damage] = seen.damages.as_slice() else { panic!("{:?}", seen.damages) };
    assert_eq!(damage.kind, DamageKind::Malformed);
    assert!(damage.what.contains("no row has the column `Lief`"), "{}", damage.what);
    assert!(damage.hint.contains("Life, Subject, To"), "{}", damage.hint);
    let seen = scan_with(&path, &stamp("Life"));
    assert!(seen.damages[0].what.contains("`Life` that `--stamp` names is empty"), "{:?}", seen.damages);
    let seen = scan_with(&fixture("eras/export-table_2007-08_to_2011-01.txt"), &stamp("0x66AA"));
    assert!(seen.damages[0].hint.contains("PR_SUBJECT"), "{:?}", seen.damages);
    assert!(scan(&path).damages.is_empty(), "nobody asked for a stamp");
}
