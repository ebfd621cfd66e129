//! The incident of KB 950757, as far as the exports tell it.

use super::*;
use crate::evidence::{Stamp, StampMatch, parse_stamp};

fn live() -> Stamp {
    let text = std::fs::read_to_string(fixture("kb950757/epoch.txt")).unwrap();
    parse_stamp(&text).unwrap()
}

/// What `case.toml` says of the rows of one table: Message-ID, stamp.
fn told(table: &str) -> Vec<(String, String)> {
    let case: toml::Table = std::fs::read_to_string(fixture("kb950757/case.toml")).unwrap().parse().unwrap();
    let rows = case["message"].as_array().unwrap().iter().filter(|row| row["in"].as_str() == Some(table));
    rows.map(|row| (row["message_id"].as_str().unwrap().into(), row["stamp"].as_str().unwrap().into()))
        .collect()
}

#[test]
fn both_tables_read_as_their_case_says() {
    for (folder, file) in [("temptable-1", "table.txt"), ("temptable-2", "table.csv")] {
        let path = format!("{folder}/{file}");
        let seen = scan(&fixture("kb950757").join(folder).join(file));
        assert!(seen.damages.is_empty(), "{path}: {:?}", seen.damages);
        let read: Vec<(String, String)> = seen
            .messages
            .iter()
            .map(|message| {
                let id = text(message.ids.message_id.as_ref()).unwrap_or_default().to_owned();
                let stamp = match message.stamp.as_ref().map(|stamp| stamp.compare(&live())) {
                    None => "none",
                    Some(StampMatch::Same) => "live",
                    Some(StampMatch::Different) => "old",
                    Some(StampMatch::Incomparable) => "old, as 24 bytes",
                };
                (id, stamp.to_owned())
            })
            .collect();
        assert_eq!(read, told(&path), "{path}");
    }
}

#[test]
fn the_tables_are_labelled_by_the_files_beside_and_above_them() {
    let one = scan(&fixture("kb950757/temptable-1"));
    let two = scan(&fixture("kb950757/temptable-2/table.csv"));
    let store = "SMTP (GW-{8C5E9C62-10F4-4E0B-A0C5-3D8F52B0C7A1})";
    assert_eq!(one.instance.label, format!("{store} TempTable#1"));
    assert_eq!(two.instance.label, format!("{store} TempTable#2"));
    assert_eq!((one.messages.len(), two.messages.len()), (13, 9));
}

#[test]
fn twenty_four_bytes_are_the_stamp_of_their_own_life_and_say_nothing_of_another() {
    let seen = scan(&fixture("kb950757/temptable-2/table.csv"));
    let bytes = seen.messages[6].stamp.as_ref().unwrap();
    let old = seen.messages[3].stamp.as_ref().unwrap();
    assert_eq!(bytes.compare(old), StampMatch::Same);
    assert_eq!(bytes.compare(&live()), StampMatch::Incomparable);
}

#[test]
fn hostile_subjects_arrive_as_the_store_had_them() {
    let one = scan(&fixture("kb950757/temptable-1/table.txt"));
    assert_eq!(subject(&one.messages[3]), "Reset \u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}gnp.exe");
    assert_eq!(subject(&one.messages[4]), "=cmd|' /C calc'!A0");
    assert_eq!(subject(&one.messages[5]), "Tender documents ]]></Value> & <annex>");
    assert_eq!(one.messages[10].envelope.recipients.len(), 40);
    let due = rfc3339(&one.messages[11], TimeKind::NextAttempt);
    assert_eq!(due.as_deref(), Some("2008-03-21T06:00:00Z"), "deferred delivery");
}

#[test]
fn what_greylisted_them_is_kept() {
    let two = scan(&fixture("kb950757/temptable-2/table.csv"));
    let reason = attribute(&two.messages[1], "last error").unwrap();
    assert!(reason.starts_with("450 4.7.1") && reason.contains("Greylisted"), "{reason}");
    let shown = attribute(&two.messages[8], "SubmitTime: no time zone, not used");
    assert_eq!(shown, Some("3/20/2008 9:30 AM"));
    assert!(two.says("`SubmitTime` have no time zone"));
}

#[test]
fn every_rule_that_speaks_of_a_temp_table_names_its_destroyer_and_its_source() {
    for treatment in TempTable.treatments() {
        let destroyers = treatment.destroyers.join(" ");
        assert!(destroyers.contains("clears all inbound and outbound mail"), "{}", treatment.rule);
        assert!(treatment.source.contains("KB "), "{}", treatment.rule);
        assert!(!treatment.next.is_empty() && !treatment.remedies.is_empty(), "{}", treatment.rule);
    }
    assert_eq!(TempTable.listed_by(), "exchange");
}
