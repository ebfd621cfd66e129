//! Listings: what is absent from them, what is absent on disk, and what a cut one proves.

use crate::support::*;
use std::path::Path;

fn scan(spool: &Path, listing: &Path, more: &[&str]) -> Ran {
    let start = ["scan".as_ref(), spool.as_os_str(), "--listing".as_ref(), listing.as_os_str()];
    let format = ["--format", "json"].iter().chain(more).map(AsRef::as_ref);
    ghostq(start.into_iter().chain(format))
}

/// The baseline's listing as JSON lines, and the IDs in it.
fn baseline() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(fixture("postfix/deferred").join("listing.txt")).unwrap();
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| {
            let entry: serde_json::Value = serde_json::from_str(line).unwrap();
            (entry["queue_id"].as_str().unwrap().to_owned(), line.to_owned())
        })
        .collect()
}

fn write(lines: impl IntoIterator<Item = String>) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines.into_iter().map(|line| line + "\n").collect::<String>()).unwrap();
    file
}

#[test]
fn a_whole_message_that_the_listing_leaves_out_is_unlisted() {
    let spool = restore("postfix/deferred");
    let mut entries = baseline();
    let (hidden, _) = entries.remove(3);
    let listing = write(entries.into_iter().map(|(_, line)| line));
    let document = scan(spool.path(), listing.path(), &[]).document();
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{document:#}");
    assert_eq!(findings[0]["rule"], "unlisted");
    assert_eq!(findings[0]["class"], "ghost");
    assert_eq!(findings[0]["confidence"], "likely", "one listing from a file is not two live ones");
    assert_eq!(findings[0]["message"]["native_id"], hidden);
}

#[test]
fn an_entry_without_a_file_is_listed_not_on_disk() {
    let spool = restore("postfix/deferred");
    let entries = baseline();
    let (gone, _) = &entries[0];
    let file = paths_below(spool.path())
        .into_iter()
        .find(|p| p.ends_with(gone) && !p.starts_with(spool.path().join("defer")))
        .unwrap();
    std::fs::remove_file(file).unwrap();
    let listing = write(entries.iter().map(|(_, line)| line.clone()));
    let document = scan(spool.path(), listing.path(), &["--rule", "listed-not-on-disk"]).document();
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{document:#}");
    assert_eq!(findings[0]["message"]["native_id"], gone.as_str());
    assert_eq!(findings[0]["visibility"], "listed");
}

#[test]
fn a_listing_that_is_cut_makes_absence_possible_at_most_and_says_so() {
    let spool = restore("postfix/deferred");
    let text = std::fs::read_to_string(fixture("postfix/deferred").join("listing.txt")).unwrap();
    let plain: Vec<&str> = text.lines().take_while(|line| !line.contains("postqueue -j")).collect();
    // Half of `postqueue -p`, without its closing line.
    let listing = write(plain[..plain.len() / 2].iter().map(|line| (*line).to_owned()));
    let document = scan(spool.path(), listing.path(), &[]).document();
    assert!(document["listings"][0]["cut"].is_string(), "{document:#}");
    let findings = document["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    for finding in findings {
        assert_eq!(finding["rule"], "unlisted");
        assert_eq!(finding["confidence"], "possible");
        assert_eq!(finding["visibility"], "unknown", "absence from half a listing is not invisibility");
    }
}

#[test]
fn the_listing_of_another_instance_is_recognised_as_such() {
    let spool = restore("postfix/second-instance");
    let listing = write(baseline().into_iter().map(|(_, line)| line));
    let document = scan(spool.path(), listing.path(), &[]).document();
    for finding in document["findings"].as_array().unwrap() {
        assert_eq!(finding["rule"], "other-queue", "{finding:#}");
    }
    assert_eq!(
        document["findings"].as_array().unwrap().len(),
        3,
        "no entry of the other one is missed on this disk"
    );
}

#[test]
fn a_listing_of_another_mail_system_is_refused() {
    let spool = restore("postfix/deferred");
    let listing = fixture("temptable/kb950757").join("listing-get-message.csv");
    let ran = ghostq([Path::new("scan"), spool.path(), Path::new("--listing"), &listing]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no place of that kind is scanned"), "{}", ran.err);
    let none = write(["just some text".to_owned()]);
    let ran = ghostq([Path::new("scan"), spool.path(), Path::new("--listing"), none.path()]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("is not a listing that ghostq knows"), "{}", ran.err);
}

#[test]
fn exactly_one_page_of_queue_viewer_is_taken_for_cut() {
    let case = fixture("temptable/kb950757");
    let page = |rows: usize| {
        let head =
            "\"Identity\",\"Queue\",\"Status\",\"FromAddress\",\"InternetMessageId\",\"Subject\"".to_owned();
        let row = |n: usize| {
            format!(
                "\"EX1\\42\\{n}\",\"EX1\\42\",\"Ready\",\"a@b.example\",\"<{n}@b.example>\",\"number {n}\""
            )
        };
        write(std::iter::once(head).chain((0..rows).map(row)))
    };
    for (rows, cut) in [(999, false), (1_000, true), (1_001, false)] {
        let listing = page(rows);
        let ran = scan(&case.join("temptable-2"), listing.path(), &[]);
        let document = ran.document();
        assert_eq!(document["listings"][0]["entries"], rows);
        assert_eq!(document["listings"][0]["cut"].is_string(), cut, "{rows}");
    }
}

#[test]
fn live_is_an_error_where_nothing_runs() {
    let spool = restore("postfix/deferred");
    let ran = ghostq(["scan", spool.path().to_str().unwrap(), "--listing", "live"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("is not a running mail system of this host"), "{}", ran.err);
}

#[test]
fn a_listing_may_come_through_a_pipe() {
    let spool = restore("postfix/deferred");
    let text: String = baseline().into_iter().map(|(_, line)| line + "\n").collect();
    for path in ["-", "/dev/stdin"] {
        use std::io::Write as _;
        let mut child = command()
            .args([Path::new("scan"), spool.path(), Path::new("--listing"), Path::new(path)])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{path}: {out}");
        assert!(out.contains("shows 12 messages, the disk holds 12"), "{path}: {out}");
    }
}

#[test]
fn a_copy_of_a_listed_message_elsewhere_is_not_what_the_listing_shows() {
    let spool = restore("postfix/deferred");
    let message =
        paths_below(&spool.path().join("deferred")).into_iter().find(|path| path.is_file()).unwrap();
    let corrupt = spool.path().join("corrupt");
    std::fs::create_dir_all(&corrupt).unwrap();
    let twin = corrupt.join(message.file_name().unwrap());
    std::fs::copy(&message, &twin).unwrap();
    let listing = write(baseline().into_iter().map(|(_, line)| line));
    let document = scan(spool.path(), listing.path(), &["--queue", "corrupt"]).document();
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{document:#}");
    assert_eq!(findings[0]["visibility"], "hidden");
}

#[test]
fn a_manifest_of_another_spool_is_not_believed_in_silence() {
    let spool = restore("postfix/deferred");
    let other = fixture("postfix/second-instance").join("manifest.tsv");
    let ran = ghostq([Path::new("scan"), spool.path(), Path::new("--manifest"), &other]);
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.out.contains("the manifest knows none of the files"), "{}", ran.out);
}

#[test]
fn a_manifest_need_not_know_a_folder_without_files() {
    let spool = restore("sendmail/deferred");
    let empty = tempfile::tempdir().unwrap();
    let client = empty.path().join("mqueue-client");
    std::fs::create_dir(&client).unwrap();
    let manifest = fixture("sendmail/deferred").join("manifest.tsv");
    let ran = ghostq([Path::new("scan"), spool.path(), &client, Path::new("--manifest"), &manifest]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}
