//! Sightings of one message become one case, and nothing else does: what is joined hides one finding behind another.

use crate::support::*;
use std::fmt::Write as _;
use std::path::Path;

/// A table of rows that were all last touched before the instance started.
fn table(folder: &Path, name: &str, rows: impl IntoIterator<Item = String>) -> String {
    let mut text = String::from("EntryID,MessageID,Subject,From,To,DeliveryTime,Size,GuidTimestamp\n");
    rows.into_iter().for_each(|row| writeln!(text, "{row}").unwrap());
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn entry_id(number: usize) -> String {
    format!("{number:048X}")
}

fn row(number: usize, message_id: &str, subject: &str, stamp: &str) -> String {
    let id = entry_id(number);
    format!("{id},{message_id},{subject},a@x.example,b@y.example,2008-03-14T09:15:32Z,1000,{stamp}")
}

fn scan(paths: &[&str], more: &[&str]) -> Ran {
    let mut arguments = vec!["scan", "--format", "json", "--as-of", "2008-03-20T12:00:00Z"];
    for path in paths {
        arguments.extend(["--temp-table", path]);
    }
    arguments.extend(more);
    ghostq(arguments)
}

fn findings(ran: &Ran) -> Vec<serde_json::Value> {
    ran.document()["findings"].as_array().unwrap().clone()
}

const SINCE: [&str; 4] = ["--since", "2008-03-17T00:00:00Z", "--listing", "none"];
const OLD: &str = "{3F8E1C22-6B0D-4C5A-8D11-7E2A90C4B6F1}";
const LIVE: &str = "{B1D47A90-25CE-4F38-9C67-51F0A8E3D204}";

#[test]
fn messages_with_the_same_subject_time_and_recipient_stay_as_many_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let one = table(folder.path(), "one.csv", (0..200).map(|n| row(n, "", "daily report", "")));
    let two = table(folder.path(), "two.csv", (200..400).map(|n| row(n, "", "daily report", "")));
    assert_eq!(findings(&scan(&[&one], &SINCE)).len(), 200);
    assert_eq!(findings(&scan(&[&one, &two], &SINCE)).len(), 400);
}

#[test]
fn different_message_ids_are_different_messages_whatever_else_they_share() {
    let folder = tempfile::tempdir().unwrap();
    let one = table(folder.path(), "one.csv", [row(1, "<one@x.example>", "offer", "")]);
    let two = table(folder.path(), "two.csv", [row(2, "<two@x.example>", "offer", "")]);
    let found = findings(&scan(&[&one, &two], &SINCE));
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|finding| finding["sightings"].as_array().unwrap().is_empty()));
}

#[test]
fn one_message_in_two_tables_without_a_message_id_in_one_of_them_is_one_case_with_less_confidence() {
    let folder = tempfile::tempdir().unwrap();
    let one = table(folder.path(), "one.csv", [row(1, "<one@x.example>", "offer", "")]);
    let two = table(folder.path(), "two.csv", [row(2, "", "offer", "")]);
    let found = findings(&scan(&[&one, &two], &SINCE));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["sightings"][0]["confidence"], "likely");
    assert_eq!(found[0]["sightings"][0]["matched_by"], "subject, time and recipients");
}

#[test]
fn what_stands_where_an_id_should_is_no_id() {
    let folder = tempfile::tempdir().unwrap();
    for placeholder in ["(null)", "-", "N/A", "<@>"] {
        let one =
            table(folder.path(), "one.csv", (0..30).map(|n| row(n, placeholder, &format!("number {n}"), "")));
        let two = table(
            folder.path(),
            "two.csv",
            (50..80).map(|n| row(n, placeholder, &format!("number {n}"), "")),
        );
        assert_eq!(findings(&scan(&[&one, &two], &SINCE)).len(), 60, "{placeholder}");
    }
    let bytes =
        (0..30).map(|n| row(n, &format!("<{n}@x.example>"), "s", "").replace(&entry_id(n), "System.Byte[]"));
    let one = table(folder.path(), "one.csv", bytes);
    assert_eq!(findings(&scan(&[&one], &SINCE)).len(), 30, "what PowerShell writes for a list of bytes");
}

#[test]
fn copies_within_one_table_stay_two_findings_that_name_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [row(1, "<same@x.example>", "a", ""), row(2, "<same@x.example>", "a", "")];
    let found = findings(&scan(&[&table(folder.path(), "one.csv", rows)], &SINCE));
    assert_eq!(found.len(), 2);
    for finding in &found {
        assert_eq!(finding["sightings"].as_array().unwrap().len(), 1, "{finding:#}");
        let rules: Vec<_> =
            finding["opinions"].as_array().unwrap().iter().map(|o| text(&o["rule"])).collect();
        assert!(rules.contains(&"duplicate-message".to_owned()), "{rules:?}");
    }
}

#[test]
fn one_entry_of_a_listing_stands_for_one_message() {
    let folder = tempfile::tempdir().unwrap();
    let one = table(folder.path(), "one.csv", (0..5).map(|n| row(n, "<same@x.example>", "a", "")));
    let listing = folder.path().join("listing.csv");
    std::fs::write(
        &listing,
        "Identity,Queue,Status,InternetMessageId\nS\\Q\\1,S\\Q,Ready,<same@x.example>\n",
    )
    .unwrap();
    let ran = scan(&[&one], &["--listing", listing.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    let found = findings(&ran);
    assert_eq!(found.len(), 5);
    for finding in &found {
        assert_eq!(finding["confidence"], "possible");
        assert_eq!(finding["visibility"], "unknown");
        assert!(
            text(&finding["opinions"][0]["why"]).contains("shows 1 with the same Message-ID, and 5 are here")
        );
    }
}

#[test]
fn an_epoch_learnt_from_a_single_row_is_a_possibility_and_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let listing = folder.path().join("listing.csv");
    let of = |ids: &[usize]| {
        let rows = ids
            .iter()
            .map(|n| format!("S\\Q\\{n},S\\Q,Retry,<{n}@x.example>\n"))
            .collect::<Vec<_>>()
            .concat();
        std::fs::write(&listing, format!("Identity,Queue,Status,InternetMessageId\n{rows}")).unwrap();
        listing.to_str().unwrap().to_owned()
    };
    let stamps = [OLD, LIVE, LIVE, LIVE, LIVE, LIVE];
    let rows = stamps
        .iter()
        .enumerate()
        .map(|(n, stamp)| row(n, &format!("<{n}@x.example>"), &format!("s{n}"), stamp));
    let one = table(folder.path(), "one.csv", rows);
    // The one row that is listed is the very one that the incident left over.
    let ran = scan(&[&one], &["--listing", &of(&[0])]);
    for finding in findings(&ran).iter().filter(|finding| finding["rule"] == "stale-stamp") {
        assert_eq!(finding["confidence"], "possible", "{finding:#}");
    }
    assert!(ran.document()["warnings"].to_string().contains("was learnt from 1 row"), "{}", ran.err);
    // Rows that contradict each other teach nothing.
    let ran = scan(&[&one], &["--listing", &of(&[0, 1, 2, 3])]);
    assert!(ran.document()["warnings"].to_string().contains("carry different stamps"));
    assert!(findings(&ran).iter().all(|finding| finding["rule"] != "stale-stamp"));
    // Three that agree make it likely.
    let ran = scan(&[&one], &["--listing", &of(&[1, 2, 3])]);
    let stale: Vec<_> =
        findings(&ran).into_iter().filter(|finding| finding["rule"] == "stale-stamp").collect();
    assert_eq!(stale.len(), 1);
    assert_eq!(stale[0]["confidence"], "likely");
}

#[test]
fn an_epoch_that_every_listed_row_contradicts_is_doubted() {
    let folder = tempfile::tempdir().unwrap();
    let rows = (0..4).map(|n| row(n, &format!("<{n}@x.example>"), &format!("s{n}"), LIVE));
    let one = table(folder.path(), "one.csv", rows);
    let listing = folder.path().join("listing.csv");
    let entries =
        (0..3).map(|n| format!("S\\Q\\{n},S\\Q,Ready,<{n}@x.example>\n")).collect::<Vec<_>>().concat();
    std::fs::write(&listing, format!("Identity,Queue,Status,InternetMessageId\n{entries}")).unwrap();
    let ran = scan(&[&one], &["--epoch", OLD, "--listing", listing.to_str().unwrap()]);
    assert!(ran.document()["warnings"].to_string().contains("is it the live one?"), "{}", ran.out);
    assert!(
        findings(&ran)
            .iter()
            .all(|finding| finding["rule"] != "stale-stamp" || finding["confidence"] == "possible")
    );
}

#[test]
fn the_verdict_counts_what_the_filter_keeps_back() {
    let folder = tempfile::tempdir().unwrap();
    let one = table(folder.path(), "one.csv", (0..5).map(|n| row(n, "", &format!("s{n}"), OLD)));
    let ran = ghostq(["scan", "--temp-table", &one, "--epoch", LIVE, "--to", "nobody", "--listing", "none"]);
    assert_eq!(ran.code, 0, "nothing passes the filter");
    assert!(ran.out.contains("the filter lets 0 of 5 findings through"), "{}", ran.out);
    assert!(!ran.out.contains("nothing is hidden"), "{}", ran.out);
}

#[test]
fn the_command_that_the_table_proposes_works_when_it_is_pasted() {
    let case = fixture("temptable/kb950757");
    let case = case.to_str().unwrap();
    let epochs = format!("{case}/epoch.txt");
    let ran = ghostq(["scan", case, "--epoch-file", &epochs, "--listing", "none"]);
    let proposed = ran.out.lines().find_map(|line| line.strip_prefix("  ghostq show ")).unwrap().to_owned();
    let shown = ghostq(std::iter::once("show").chain(proposed.split_whitespace()));
    assert_eq!(shown.code, 0, "{proposed}: {}", shown.err);
    assert!(shown.out.contains("where it is"), "{}", shown.out);
}

#[test]
fn two_files_of_one_number_in_a_qmail_queue_are_not_called_one_message() {
    let folder = tempfile::tempdir().unwrap();
    let queue = folder.path().join("queue");
    let envelope = [("info", "Fs@x.example\0"), ("remote", "Ta@x.example\0")];
    for part in ["0", "1"] {
        let content = format!("Subject: number used again {part}\n\nbody\n");
        for (kind, text) in envelope.into_iter().chain([("mess", content.as_str())]) {
            let place = queue.join(kind).join(part);
            std::fs::create_dir_all(&place).unwrap();
            std::fs::write(place.join("46"), text).unwrap();
        }
    }
    for kind in ["todo", "intd", "bounce", "pid", "lock", "local/0", "local/1"] {
        std::fs::create_dir_all(queue.join(kind)).unwrap();
    }
    let found = findings(&ghostq(["scan", "--format", "json", queue.to_str().unwrap()]));
    assert!(!found.is_empty());
    for finding in found {
        assert_eq!(finding["sightings"].as_array().map_or(0, Vec::len), 0, "{finding:#}");
    }
}

#[test]
fn shares_of_one_message_for_different_recipients_are_no_copies_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let to = |number: usize, recipient: &str| {
        row(number, "<one@x.example>", "offer", "").replace("b@y.example", recipient)
    };
    let others = |rows: [String; 2]| {
        let found = findings(&scan(&[&table(folder.path(), "one.csv", rows)], &SINCE));
        assert_eq!(found.len(), 2);
        found.iter().map(|finding| finding["sightings"].as_array().unwrap().len()).sum::<usize>()
    };
    assert_eq!(others([to(1, "b@y.example"), to(2, "c@y.example")]), 0, "nobody gets it twice");
    assert_eq!(others([to(1, "b@y.example"), to(2, "b@y.example")]), 2, "one gets it twice");
}
