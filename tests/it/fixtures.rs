//! Every fixture, scanned, and held against the findings that are committed beside it.
//!
//! `case.toml` says which scans there are. After a change that is meant to change findings, `GHOSTQ_BLESS=1 cargo test`
//! writes the new ones; the difference is then read line by line before it is committed.

use crate::support::*;
use std::path::{Path, PathBuf};

/// Columns that do not depend on where the fixture lies.
const COLUMNS: &str = "class,rule,rules,confidence,visibility,source,queue,native_id,message_id,sender,recipients,subject,\
                       size_bytes,arrived,age_seconds,next_attempt,place,why";

/// The folder of every fixture.
pub fn cases() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for source in std::fs::read_dir(fixture("")).unwrap() {
        let source = source.unwrap().path();
        found.extend(
            std::fs::read_dir(source).unwrap().map(|case| case.unwrap().path()).filter(|path| path.is_dir()),
        );
    }
    found.sort();
    found
}

/// The words with which a fixture is to be scanned.
pub fn arguments(case: &Path, scan: &toml::Value) -> Vec<String> {
    let case = case.to_str().unwrap();
    let words = scan["arguments"].as_array().unwrap().iter();
    words.map(|word| word.as_str().unwrap().replace("{case}", case)).collect()
}

#[test]
fn every_fixture_gives_the_findings_that_are_committed_with_it() {
    let bless = std::env::var_os("GHOSTQ_BLESS").is_some();
    let (mut scans, mut differences) = (0, Vec::new());
    for case in cases() {
        let about: toml::Value =
            toml::from_str(&std::fs::read_to_string(case.join("case.toml")).unwrap()).unwrap();
        let Some(all) = about.get("scan").and_then(toml::Value::as_array) else { continue };
        for scan in all {
            let name = scan["name"].as_str().unwrap();
            let mut words = vec!["scan".to_owned()];
            words.extend(arguments(&case, scan));
            words.extend(["--format", "csv", "--fields", COLUMNS].map(str::to_owned));
            let ran = ghostq(&words);
            let code = scan["exit"].as_integer().unwrap();
            assert_eq!(i64::from(ran.code), code, "{} {name}: {}{}", case.display(), ran.out, ran.err);
            let file = case.join(format!("expected.{name}.csv"));
            if bless {
                std::fs::write(&file, &ran.out).unwrap();
            }
            let expected = std::fs::read_to_string(&file).unwrap_or_default();
            if expected != ran.out {
                differences.push(format!("{}:\n{}\nbut ghostq says\n{}", file.display(), expected, ran.out));
            }
            scans += 1;
        }
    }
    assert!(scans >= 15, "only {scans} scans are described in the fixtures");
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

/// The ghosts that the makers of the spools wrote down, by ID, each under its rule; and nothing else is called invisible.
#[test]
fn every_ghost_of_the_real_postfix_spools_is_found_under_its_rule_and_nothing_else_is_called_invisible() {
    let all: [(&str, &[(&str, &str)]); 6] = [
        ("deferred", &[]),
        ("half-incoming", &[("1B6F7B0C7D2", "unfinished")]),
        ("hold-half-maildrop", &[("B594FB0C7D2", "unfinished")]),
        ("restored", &[]),
        (
            "corrupt",
            &[
                ("E9E42B0E030", "corrupt"),
                ("E065DB0E032", "corrupt"),
                ("3A36DB0E025", "wrong-owner-or-mode"),
                ("226CCB0E068", "wrong-owner-or-mode"),
                ("E649CB0E031", "foreign-name"),
                ("B594FB0C7D2", "unfinished"),
            ],
        ),
        (
            "second-instance",
            &[("78CCEB10043", "other-queue"), ("7F2BAB10045", "other-queue"), ("8CC21B10049", "other-queue")],
        ),
    ];
    for (case, ghosts) in all {
        let spool = restore(&format!("postfix/{case}"));
        let listing = fixture(&format!("postfix/{case}")).join("listing.txt");
        let manifest = fixture(&format!("postfix/{case}")).join("manifest.tsv");
        let mut arguments: Vec<&Path> =
            vec![Path::new("scan"), spool.path(), Path::new("--listing"), &listing];
        arguments.extend([Path::new("--format"), Path::new("jsonl")]);
        if !is_root() {
            // Only root can give files to their owners; the manifest says who they are.
            arguments.extend([Path::new("--manifest"), manifest.as_path()]);
        }
        let ran = ghostq(arguments);
        let mut hidden: Vec<(String, String)> = ran
            .findings()
            .iter()
            .filter(|finding| finding["visibility"] == "hidden" && finding["class"] != "note")
            .map(|finding| (text(&finding["message"]["native_id"]), text(&finding["rule"])))
            .collect();
        let mut expected: Vec<(String, String)> =
            ghosts.iter().map(|(id, rule)| ((*id).to_owned(), (*rule).to_owned())).collect();
        hidden.sort();
        expected.sort();
        assert_eq!(hidden, expected, "{case}: {}", ran.err);
    }
}

#[test]
fn a_future_next_attempt_is_stuck_and_a_log_without_its_message_is_a_note() {
    let spool = restore("postfix/future");
    let listing = fixture("postfix/future").join("listing.txt");
    let ran = ghostq([
        Path::new("scan"),
        spool.path(),
        Path::new("--listing"),
        &listing,
        Path::new("--format"),
        Path::new("jsonl"),
    ]);
    let of_rule = |rule: &str| ran.rules().values().filter(|found| *found == rule).count();
    assert_eq!(of_rule("future-time"), 5, "{}", ran.out);
    assert_eq!(ran.rules().get("3723AB0E01F").map(String::as_str), Some("orphan-side-file"), "{}", ran.out);
    for finding in ran.findings().iter().filter(|finding| finding["rule"] == "future-time") {
        assert_eq!(finding["class"], "stuck");
        assert_eq!(finding["visibility"], "listed");
    }
}

#[test]
fn names_that_do_not_match_their_inodes_are_counted_in_a_note_and_listed_on_request() {
    let case = fixture("postfix/restored");
    let (tree, manifest, listing) = (case.join("tree"), case.join("manifest.tsv"), case.join("listing.txt"));
    let scan = |more: &[&str]| {
        let mut arguments = vec!["scan", tree.to_str().unwrap(), "--manifest", manifest.to_str().unwrap()];
        arguments.extend(["--listing", listing.to_str().unwrap(), "--format", "json"]);
        arguments.extend(more);
        ghostq(arguments)
    };
    let ran = scan(&[]);
    assert_eq!(ran.code, 0, "listed and delivered: a note, no finding: {}", ran.err);
    let document = ran.document();
    assert_eq!(document["notes"][0]["rule"], "name-inode-mismatch");
    assert_eq!(document["notes"][0]["count"], document["sources"][0]["messages"], "every one of them");
    let asked = scan(&["--rule", "name-inode-mismatch"]);
    assert_eq!(asked.code, 1);
    assert_eq!(
        asked.document()["findings"].as_array().unwrap().len() as u64,
        document["notes"][0]["count"].as_u64().unwrap()
    );

    // The same spool before the restore: every name matches its inode.
    let before = fixture("postfix/deferred");
    let ran = ghostq([
        "scan",
        before.join("tree").to_str().unwrap(),
        "--manifest",
        before.join("manifest.tsv").to_str().unwrap(),
        "--format",
        "json",
    ]);
    assert_eq!(ran.document()["notes"].as_array().unwrap().len(), 0, "{}", ran.out);
}
