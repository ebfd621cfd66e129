//! `--no-envelopes`: what is found without opening healthy messages, and what is said of the rest.

use crate::fixtures::{arguments, cases};
use crate::support::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const REASON: &str = "envelopes were not read (`--no-envelopes`)";

/// The two reports of a scan: with this switch, and without.
fn both(words: &[String]) -> (Value, Value) {
    let scan = |switch: &[&str]| {
        let words = words.iter().map(String::as_str).chain(["--threads", "1", "--format", "json"]);
        let ran = ghostq(["scan"].into_iter().chain(words).chain(switch.iter().copied()));
        assert!([0, 1].contains(&ran.code), "{switch:?}: {}", ran.err);
        let mut report = ran.document();
        for finding in report["findings"].as_array_mut().unwrap() {
            finding.as_object_mut().unwrap().remove("scan_id");
        }
        report
    };
    (scan(&["--no-envelopes"]), scan(&[]))
}

fn list<'v>(report: &'v Value, member: &str) -> &'v [Value] {
    report[member].as_array().unwrap()
}

/// Rules that the report names as silent for want of envelopes.
fn silent(report: &Value) -> BTreeSet<String> {
    let silent = list(report, "silent").iter();
    silent
        .filter(|silent| text(&silent["why"]).starts_with(REASON))
        .map(|silent| text(&silent["rule"]))
        .collect()
}

/// The words for a fixture that lies here now, judged at this time.
fn words(case: &str, spool: &Path, as_of: &str) -> Vec<String> {
    let manifest = fixture(case).join("manifest.tsv");
    let words = [spool.to_str().unwrap(), "--listing", "none", "--as-of", as_of, "--manifest"];
    words.into_iter().chain([manifest.to_str().unwrap()]).map(str::to_owned).collect()
}

/// The envelopes of what waits in a fixture.
fn envelopes(spool: &Path) -> Vec<PathBuf> {
    let is_envelope = |path: &PathBuf| {
        let below = path.strip_prefix(spool).unwrap();
        below.starts_with("deferred") || path.to_str().unwrap().ends_with("-H")
    };
    paths_below(spool).into_iter().filter(|path| path.is_file() && is_envelope(path)).collect()
}

#[test]
fn every_finding_without_envelopes_is_one_with_them_and_what_is_lost_is_named() {
    let (mut kept, mut lost) = (0, 0);
    for case in cases() {
        let about: toml::Value =
            toml::from_str(&std::fs::read_to_string(case.join("case.toml")).unwrap()).unwrap();
        for scan in about.get("scan").and_then(toml::Value::as_array).into_iter().flatten() {
            let (lean, full) = both(&arguments(&case, scan));
            let case = format!("{} {}", case.display(), scan["name"]);
            let silent = silent(&lean);
            let found = list(&lean, "findings");
            assert!(
                found.iter().all(|finding| list(&full, "findings").contains(finding)),
                "{case}: nothing new"
            );
            for finding in list(&full, "findings").iter().filter(|finding| !found.contains(finding)) {
                let rules = list(finding, "opinions").iter();
                let rules: Vec<String> = rules.map(|opinion| text(&opinion["rule"])).collect();
                assert!(rules.iter().all(|rule| silent.contains(rule)), "{case}: {rules:?} {silent:?}");
                lost += 1;
            }
            kept += found.len();
            assert_eq!(lean["notes"], full["notes"], "{case}");
            assert_eq!(lean["damage"], full["damage"], "{case}");
            let reads_all = !case.contains("/postfix/") && !case.contains("/exim/");
            let warnings = lean["warnings"].to_string();
            assert_eq!(
                warnings.contains("`--no-envelopes` changes nothing"),
                reads_all,
                "{case}: {warnings}"
            );
        }
    }
    assert!(kept > 100 && lost > 0, "{kept} kept, {lost} lost");
}

#[test]
fn whatever_names_places_and_metadata_show_is_found_without_envelopes() {
    use std::os::unix::fs::PermissionsExt as _;
    let touch = |path: &Path, days: u64| {
        let at = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_hours((20_781 + days) * 24);
        std::fs::File::open(path).unwrap().set_modified(at).unwrap();
    };
    let (postfix, exim) = (restore("postfix/deferred"), restore("exim/deferred"));
    let files = envelopes(postfix.path());
    std::fs::set_permissions(&files[0], std::fs::Permissions::from_mode(0o600)).unwrap();
    let elsewhere = postfix.path().join("deferred/Z");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::rename(&files[1], elsewhere.join(files[1].file_name().unwrap())).unwrap();
    std::fs::rename(&files[2], files[2].with_extension("bak")).unwrap();
    std::fs::write(&files[3], "").unwrap();
    touch(&files[4], 400);
    std::fs::hard_link(&files[5], postfix.path().join("active").join(files[5].file_name().unwrap())).unwrap();

    let files = envelopes(exim.path());
    let beside = |envelope: &Path, ending: &str| {
        PathBuf::from(format!("{}{ending}", envelope.to_str().unwrap().strip_suffix("-H").unwrap()))
    };
    std::fs::remove_file(beside(&files[0], "-D")).unwrap();
    std::fs::write(beside(&files[1], "-D"), "").unwrap();
    std::fs::write(beside(&files[2], "-J"), "grey@grey.test\n").unwrap();
    std::fs::write(&files[3], "").unwrap();
    std::fs::rename(&files[4], beside(&files[4], "-H.old")).unwrap();
    std::fs::remove_file(&files[5]).unwrap();
    std::fs::create_dir(exim.path().join("input/q")).unwrap();
    for file in [files[6].clone(), beside(&files[6], "-D")] {
        std::fs::rename(&file, exim.path().join("input/q").join(file.file_name().unwrap())).unwrap();
    }

    for (spool, rules) in [
        (&postfix, "empty-file foreign-name future-time misfiled wrong-owner-or-mode"),
        (
            &exim,
            "body-without-envelope corrupt delivery-journal-left empty-file envelope-without-body foreign-name misfiled",
        ),
    ] {
        let words = [spool.path().to_str().unwrap(), "--listing", "none", "--as-of", "2026-11-24T01:00:00Z"];
        let (lean, full) = both(&words.map(str::to_owned));
        let found: BTreeSet<String> =
            list(&lean, "findings").iter().map(|finding| text(&finding["rule"])).collect();
        assert_eq!(found.into_iter().collect::<Vec<_>>().join(" "), rules);
        assert!(lean["findings"] == full["findings"], "with all that is in them");
        assert_eq!(lean["notes"], full["notes"], "two names of one file, and inodes in names");
    }
}

#[test]
fn what_is_in_a_message_in_which_nothing_seems_wrong_is_not_looked_at() {
    for (case, as_of, rules) in [
        ("postfix/deferred", "2026-11-24T00:50:00Z", "corrupt expired future-time"),
        ("exim/deferred", "2026-11-24T01:13:02Z", "corrupt duplicate-message future-time held"),
    ] {
        let spool = restore(case);
        let envelopes = envelopes(spool.path());
        for path in &envelopes {
            let length = std::fs::metadata(path).unwrap().len();
            std::fs::write(path, " ".repeat(usize::try_from(length).unwrap())).unwrap();
        }
        let (lean, full) = both(&words(case, spool.path(), as_of));
        let corrupt = list(&full, "findings").iter().filter(|finding| finding["rule"] == "corrupt").count();
        assert_eq!(corrupt, envelopes.len(), "{case}: all of them are damaged");
        assert_eq!(lean["findings"], serde_json::json!([]), "{case}: and nobody looked");
        let silent: Vec<String> = silent(&lean).into_iter().collect();
        assert_eq!(silent.join(" "), rules, "{case}: which is said");
    }
}

#[test]
fn no_file_of_a_message_in_which_nothing_seems_wrong_is_opened() {
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return left_out("strace is not installed");
    }
    for (case, as_of) in
        [("postfix/deferred", "2026-11-24T00:50:00Z"), ("exim/deferred", "2026-11-24T01:13:02Z")]
    {
        let spool = restore(case);
        let opened = |switch: &[&str]| {
            let trace = tempfile::NamedTempFile::new().unwrap();
            let mut strace = std::process::Command::new("strace");
            strace.args(["-f", "-qq", "-e", "trace=open,openat,openat2", "-o"]).arg(trace.path());
            strace
                .args([env!("CARGO_BIN_EXE_ghostq"), "scan"])
                .args(words(case, spool.path(), as_of))
                .args(switch);
            assert!(strace.output().unwrap().status.code().is_some_and(|code| code < 2), "{case}");
            let text = std::fs::read_to_string(trace.path()).unwrap();
            let names = envelopes(spool.path());
            let names = names.iter().map(|path| format!("{}\"", path.file_name().unwrap().to_str().unwrap()));
            (names.filter(|name| text.contains(name.as_str())).count(), text.is_empty())
        };
        let (all, untraced) = opened(&[]);
        if untraced {
            return left_out("strace may not trace here");
        }
        assert_eq!(all, envelopes(spool.path()).len(), "{case}");
        assert_eq!(opened(&["--no-envelopes"]), (0, false), "{case}");
    }
}

#[test]
fn what_of_exim_may_lie_in_a_second_place_is_read_since_its_message_id_tells() {
    let (one, two) = (restore("exim/deferred"), restore("exim/deferred"));
    let envelope = envelopes(one.path()).swap_remove(0);
    let id = envelope.file_name().unwrap().to_str().unwrap().strip_suffix("-H").unwrap().to_owned();
    let anew = id.replace("-0000", "-000A");
    for name in ["input/ID-H", "input/ID-D", "msglog/ID"] {
        let [old, new] = [&id, &anew].map(|id| one.path().join(name.replace("ID", id)));
        let text = std::fs::read_to_string(&old).unwrap().replacen(&id, &anew, 1);
        std::fs::write(&old, text).unwrap();
        std::fs::rename(old, new).unwrap();
    }
    let listing = fixture("exim/deferred").join("listing.txt");
    let mut words: Vec<String> =
        [one.path(), two.path(), &listing].iter().map(|path| path.to_str().unwrap().to_owned()).collect();
    words.insert(2, "--listing".to_owned());
    words.extend(["--as-of", "2026-11-24T01:13:02Z"].map(str::to_owned));
    let (lean, full) = both(&words);
    assert_eq!(full["findings"], serde_json::json!([]), "the listing shows it as it lies in the other place");
    assert_eq!(lean["findings"], full["findings"]);
    assert!(silent(&lean).is_empty());
    assert!(
        lean["warnings"].to_string().contains("`--no-envelopes` changes nothing"),
        "{}",
        lean["warnings"]
    );
}

#[test]
fn a_message_of_which_a_rule_speaks_is_read_and_can_be_asked_for_by_its_sender() {
    let case = "postfix/deferred";
    let words = words(case, &fixture(case).join("tree"), "2026-11-25T02:00:00Z");
    let (lean, full) = both(&words);
    assert_eq!(list(&full, "findings").len(), 12, "a day later all of them are overdue");
    assert!(lean["findings"] == full["findings"], "with all that is in them");
    let from = |sender: &str| {
        let filter = ["--from".to_owned(), sender.to_owned()];
        list(&both(&[words.as_slice(), &filter].concat()).0, "findings").len()
    };
    assert_eq!((from("sender@lab.test"), from("nobody@lab.test")), (12, 0));
}

#[test]
fn without_envelopes_is_not_from_end_to_end() {
    let spool = fixture("postfix/deferred").join("tree");
    let ran = ghostq(["scan", spool.to_str().unwrap(), "--no-envelopes", "--deep"]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("'--no-envelopes' cannot be used with '--deep'"), "{}", ran.err);
}
