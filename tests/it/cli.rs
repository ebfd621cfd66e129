//! The command line: exit codes, errors that say what to do, formats, filters.

use crate::support::*;
use std::path::Path;

#[test]
fn a_healthy_spool_with_its_listing_ends_in_zero_and_says_so() {
    let spool = restore("postfix/deferred");
    let listing = fixture("postfix/deferred").join("listing.txt");
    let ran = ghostq([Path::new("scan"), spool.path(), Path::new("--listing"), &listing]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("nothing is hidden and nothing is stuck"), "{}", ran.out);
}

#[test]
fn findings_end_in_one_unless_told_otherwise() {
    let spool = restore("postfix/half-incoming");
    let arguments = ["scan".as_ref(), spool.path().as_os_str()];
    assert_eq!(ghostq(arguments).code, 1);
    assert_eq!(ghostq(arguments.into_iter().chain(["--exit-zero".as_ref()])).code, 0);
}

#[test]
fn what_cannot_run_ends_in_two_and_says_what_to_do() {
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path().to_str().unwrap();
    for (arguments, said) in [
        (vec!["scan", "/no/such/spool"], "could not look at `/no/such/spool`"),
        (vec!["scan", empty], "no mail spool or export was found"),
        (vec!["scan", empty, "--source", "pigeon"], "there is no source `pigeon`; there are postfix"),
        (vec!["scan", empty, "--rule", "haunted"], "`ghostq rules` lists them"),
        (vec!["scan", empty, "--epoch", "last tuesday"], "it can be a GUID, a FILETIME"),
        (vec!["scan", empty, "--as-of", "2026-11-24 07:00"], "is not a time with its offset"),
        (vec!["scan", empty, "--older-than", "soon"], "write 90s, 5m, 3h, 2d or 1w"),
        (vec!["scan", empty, "--map", "Betreff"], "is not of the form COLUMN=FIELD"),
        (vec!["scan", empty, "--listing", "live", "--listing", "x.txt"], "not both"),
        (vec!["scan", empty, "--format", "yaml"], "yaml"),
        (vec!["explain", "haunted"], "there is no rule `haunted`"),
        (vec!["sources", "pigeon"], "there is no source `pigeon`"),
    ] {
        let ran = ghostq(&arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
        assert_eq!(ran.out, "", "{arguments:?}: stdout is for data");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let spool = restore("postfix/corrupt");
    let mut child = command()
        .args([Path::new("scan"), spool.path(), Path::new("--format"), Path::new("json")])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(!String::from_utf8_lossy(&output.stderr).contains("roken pipe"));
    assert!(output.status.code().is_some_and(|code| code < 2));
}

#[test]
fn the_same_evidence_and_clock_give_the_same_bytes() {
    const COLUMNS: &str = "class,rule,confidence,visibility,native_id,sender,recipients,size_bytes,arrived,age_seconds,why,finding_id";
    let spool = restore("postfix/corrupt");
    let run = || {
        let path = spool.path().to_str().unwrap();
        let ran =
            ghostq(["scan", path, "--as-of", "2026-11-24T02:00:00Z", "--format", "csv", "--fields", COLUMNS]);
        ran.out
    };
    let first = run();
    assert!(first.lines().count() > 4, "{first}");
    for _ in 0..5 {
        assert_eq!(first, run());
    }
}

#[test]
fn any_number_of_threads_says_the_same_down_to_the_examples_of_a_note() {
    // As in every copy, names match no inode: a note of which only a few files are named.
    for fixture in ["postfix/deferred", "postfix/corrupt", "exim/frozen-halves-named"] {
        let spool = restore(fixture);
        let path = spool.path().to_str().unwrap();
        let run = |threads: &str| {
            let arguments = ["--as-of", "2026-11-24T02:00:00Z", "--format", "json", "--threads", threads];
            let ran = ghostq(["scan", path].into_iter().chain(arguments));
            // Each scan has an ID of its own.
            ran.out.replace(ran.document()["scan_id"].as_str().unwrap(), "")
        };
        let one = run("1");
        for threads in ["2", "3", "8"].repeat(4) {
            assert!(one == run(threads), "{fixture}: another report with {threads} threads");
        }
    }
}

#[test]
fn filters_choose_what_is_reported_but_never_hide_a_blocker() {
    let spool = restore("postfix/corrupt");
    let path = spool.path().to_str().unwrap();
    let scan = |more: &[&str]| {
        let arguments = ["scan", path, "--format", "jsonl"].into_iter().chain(more.iter().copied());
        ghostq(arguments).rules()
    };
    let all = scan(&[]);
    let corrupt = scan(&["--rule", "corrupt"]);
    assert!(corrupt.len() < all.len() && corrupt.values().all(|rule| rule == "corrupt"), "{corrupt:?}");
    assert!(scan(&["--queue", "corrupt"]).len() < all.len());
    assert!(scan(&["--to", "no-such-recipient"]).is_empty());
    assert_eq!(scan(&["--as-of", "2026-11-24T02:00:00Z", "--older-than", "10d"]).len(), 0);
    if !is_root() {
        return left_out("only root can give a file to another user");
    }
    let some = paths_below(&spool.path().join("deferred")).into_iter().find(|path| path.is_file()).unwrap();
    std::os::unix::fs::chown(&some, Some(4_321), None).unwrap();
    let blocked = scan(&["--to", "no-such-recipient"]);
    assert_eq!(blocked.values().collect::<Vec<_>>(), ["queue-blocker"], "{blocked:?}");
}

#[test]
fn an_interrupted_scan_prints_what_it_has_and_says_so() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("table.csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&table).unwrap());
    writeln!(file, "EntryID,Subject,MessageID,DeliveryTime").unwrap();
    for row in 0..600_000 {
        writeln!(file, "{row:032x},number {row},<{row}@a.example>,2008-03-14T09:15:32Z").unwrap();
    }
    drop(file);
    let child = command()
        .args(["scan", "--format", "json", "--since", "2008-03-13T00:00:00Z", "--temp-table"])
        .arg(&table)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(400));
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a whole document");
    let messages = document["sources"][0]["messages"].as_u64().unwrap();
    assert!(messages > 0 && messages < 600_000, "{messages}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
}

#[test]
fn every_rule_and_source_explains_itself() {
    for line in ghostq(["rules"]).out.lines() {
        let name = line.split_whitespace().next().unwrap();
        let ran = ghostq(["explain", name]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.starts_with(name) && ran.out.contains("source:"), "{}", ran.out);
    }
    for line in ghostq(["sources"]).out.lines() {
        let ran = ghostq(["sources", line.split_whitespace().next().unwrap()]);
        assert!(ran.out.contains("checked on:") && ran.out.contains("rules:"), "{}", ran.out);
    }
}

#[test]
fn completions_exist_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = ghostq(["completions", shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("temp-table"), "{shell}");
    }
}

#[test]
fn show_says_everything_about_one_message() {
    let spool = restore("postfix/deferred");
    let path = spool.path().to_str().unwrap();
    let some = paths_below(&spool.path().join("deferred")).into_iter().find(|path| path.is_file()).unwrap();
    let id = some.file_name().unwrap().to_str().unwrap();
    let ran = ghostq(["show", id, path]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for expected in [id, "sender@lab.test", "0700", "Subject"] {
        assert!(ran.out.contains(expected), "{expected} in {}", ran.out);
    }
    let missing = ghostq(["show", "NOSUCHID", path]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("there is no message `NOSUCHID`"), "{}", missing.err);
}

#[test]
fn several_mail_systems_below_one_path_give_one_report() {
    let disk = tempfile::tempdir().unwrap();
    for (case, path) in [("postfix/deferred", "var/spool/postfix"), ("exim/deferred", "var/spool/exim4")] {
        copy_tree(&fixture(case).join("tree"), &disk.path().join(path));
    }
    let ran = ghostq(["scan", disk.path().to_str().unwrap(), "--format", "json"]);
    let document = ran.document();
    let sources: Vec<_> =
        document["sources"].as_array().unwrap().iter().map(|one| text(&one["source"])).collect();
    assert_eq!(sources, ["exim", "postfix"], "{}", ran.err);
    assert!(document["sources"].as_array().unwrap().iter().all(|one| one["messages"].as_u64().unwrap() > 5));
}
