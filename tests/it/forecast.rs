//! `ghostq forecast`: what a start or a queue run would do, on the spools of real mail systems.

use crate::fixtures::{arguments, cases};
use crate::support::{Ran, command, finish, fixture, ghostq, metadata, paths_below, restore, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// `effect/moment` → number of messages.
type Effects = BTreeMap<String, u64>;

/// What would happen to a fixture at this time.
fn of_fixture(case: &str, as_of: &str) -> Ran {
    let (tree, manifest) = (fixture(case).join("tree"), fixture(case).join("manifest.tsv"));
    let source = case.split('/').next().unwrap();
    ghostq(
        ["forecast", tree.to_str().unwrap(), "--source", source, "--manifest", manifest.to_str().unwrap()]
            .into_iter()
            .chain(["--listing", "none", "--as-of", as_of, "--format", "json", "--quiet"]),
    )
}

/// What would happen to a folder so many seconds from now.
fn of_folder(source: &str, folder: &Path, in_seconds: u64) -> Ran {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let as_of = format!("@{}", now + in_seconds);
    ghostq(
        ["forecast", folder.to_str().unwrap(), "--source", source, "--listing", "none"]
            .into_iter()
            .chain(["--as-of", &as_of, "--format", "json", "--quiet"]),
    )
}

fn occasion(document: &Value, trigger: &str) -> Value {
    let occasions = document["places"][0]["occasions"].as_array().unwrap();
    occasions.iter().find(|one| one["trigger"] == trigger).unwrap_or_else(|| panic!("no {trigger}")).clone()
}

fn effects(document: &Value, trigger: &str) -> Effects {
    let outcomes = occasion(document, trigger)["outcomes"].clone();
    let outcomes = outcomes.as_array().unwrap();
    outcomes.iter().map(|one| (name(one), one["count"].as_u64().unwrap())).collect()
}

fn name(outcome: &Value) -> String {
    format!("{}/{}", text(&outcome["effect"]), text(&outcome["moment"]))
}

fn outcome(document: &Value, trigger: &str, wanted: &str) -> Value {
    let occasion = occasion(document, trigger);
    let outcomes = occasion["outcomes"].as_array().unwrap();
    outcomes.iter().find(|one| name(one) == wanted).unwrap_or_else(|| panic!("{occasion:#}")).clone()
}

fn expected(of: &[(&str, u64)]) -> Effects {
    of.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[test]
fn a_half_received_message_survives_a_start_of_postfix_for_seven_days_only() {
    let young = of_fixture("postfix/half-incoming", "2026-11-24T00:46:54Z").document();
    assert_eq!(
        effects(&young, "start"),
        expected(&[("purged/later", 1), ("tried/later", 12), ("stays/now", 1)])
    );
    let later = outcome(&young, "start", "purged/later");
    assert_eq!(later["oldest"]["path"], "incoming/1B6F7B0C7D2");
    assert_eq!(later["senders"][0]["address"], "half@lab.test");
    assert!((6 * 86_400..7 * 86_400).contains(&later["wait_seconds"]["least"].as_i64().unwrap()));

    let old = of_fixture("postfix/half-incoming", "2026-12-02T00:46:54Z");
    assert_eq!(old.code, 1, "mail would be deleted");
    let old = old.document();
    for trigger in ["start", "reload", "purge"] {
        assert_eq!(effects(&old, trigger)["purged/now"], 1, "{trigger}");
    }
    for trigger in ["queue_run", "flush", "structure_check"] {
        assert!(!effects(&old, trigger).contains_key("purged/now"), "{trigger} deletes nothing");
    }
}

#[test]
fn healthy_mail_is_tried_when_it_is_due_and_returned_when_it_is_older_than_the_lifetime() {
    let at = |time: &str| of_fixture("postfix/half-incoming", time).document();
    assert_eq!(effects(&at("2026-11-24T00:46:54Z"), "queue_run")["tried/later"], 12, "not due yet");
    assert_eq!(effects(&at("2026-11-24T00:46:54Z"), "flush")["tried/now"], 12, "a flush does not wait");
    assert_eq!(effects(&at("2026-11-24T02:00:00Z"), "queue_run")["tried/now"], 12);
    assert_eq!(effects(&at("2026-11-30T00:46:54Z"), "queue_run")["returned/now"], 12);
}

#[test]
fn healthy_mail_alone_is_no_reason_to_worry() {
    let ran = of_fixture("postfix/deferred", "2026-11-24T00:46:54Z");
    assert_eq!((ran.code, &ran.document()["matters"]), (0, &Value::Bool(false)), "{}", ran.out);
}

#[test]
fn a_restored_spool_is_renamed_at_the_start_and_mended_by_a_structure_check() {
    let document = of_fixture("postfix/restored", "2026-11-24T00:46:54Z").document();
    let renamed = effects(&document, "start")["renamed/now"];
    assert!(renamed > 0);
    assert_eq!(effects(&document, "structure_check")["renamed/now"], renamed);
    assert!(!effects(&document, "flush").contains_key("renamed/now"), "only postsuper renames");
}

#[test]
fn exim_deletes_a_malformed_envelope_after_four_days() {
    let at = |time: &str| of_fixture("exim/frozen-halves-named", time).document();
    let fresh = at("2026-11-24T01:13:17Z");
    assert_eq!(effects(&fresh, "queue_run")["destroyed/later"], 2);
    assert_eq!(effects(&at("2026-11-29T01:13:17Z"), "queue_run")["destroyed/now"], 2);
    let frozen = outcome(&fresh, "flush", "released/now");
    let rules: Vec<_> = frozen["reasons"].as_array().unwrap().iter().map(|one| text(&one["rule"])).collect();
    assert!(rules.contains(&"held".to_owned()), "a forced run tries frozen mail: {rules:?}");
    let plain = outcome(&fresh, "queue_run", "released/now");
    assert!(!plain["reasons"].to_string().contains("held"), "a plain queue run does not: {plain}");
}

#[test]
fn opensmtpd_purges_what_it_was_receiving_at_its_next_start_whatever_its_age() {
    let document = of_fixture("opensmtpd/half", "2026-11-24T00:13:36Z").document();
    assert_eq!(effects(&document, "start"), expected(&[("purged/now", 1), ("tried/now", 4)]));
    assert!(!effects(&document, "flush").contains_key("purged/now"));
}

#[test]
fn sendmail_sends_a_control_file_without_its_data_file_empty() {
    let spool = restore("sendmail/deferred");
    let data = std::fs::read_dir(spool.path()).unwrap().map(|entry| entry.unwrap().path());
    let data = data.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("df"));
    std::fs::remove_file(data.min().unwrap()).unwrap();
    let document = of_folder("sendmail", spool.path(), 0).document();
    let empty = outcome(&document, "queue_run", "sent_empty/now");
    assert_eq!((&empty["count"], &empty["reasons"][0]["rule"]), (&1.into(), &"envelope-without-body".into()));
    assert!(!effects(&document, "listing").contains_key("sent_empty/now"), "mailq sends nothing");
}

#[test]
fn sendmail_deletes_an_empty_control_file_that_is_ten_minutes_old() {
    let spool = restore("sendmail/quarantine-lost-bad");
    let young = of_folder("sendmail", spool.path(), 0).document();
    let later = outcome(&young, "queue_run", "destroyed/later");
    assert!(later["wait_seconds"]["most"].as_i64().unwrap() <= 600);
    assert_eq!(
        effects(&of_folder("sendmail", spool.path(), 700).document(), "queue_run")["destroyed/now"],
        1
    );
    // Of the original neither the manifest nor the copy knows when its inode was changed.
    let copy = of_fixture("sendmail/quarantine-lost-bad", "2026-11-25T00:00:00Z").document();
    assert_eq!(effects(&copy, "queue_run")["destroyed/undated"], 1);
}

#[test]
fn qmail_deletes_what_has_no_envelope_36_hours_after_it_was_last_read() {
    let queue = restore("qmail/ghosts");
    let file = std::fs::File::open(queue.path().join("mess/0/11463706")).unwrap();
    let an_hour_ago = SystemTime::now() - Duration::from_hours(1);
    let long_ago = SystemTime::now() - Duration::from_hours(90 * 24);
    file.set_times(std::fs::FileTimes::new().set_modified(long_ago).set_accessed(an_hour_ago)).unwrap();
    // What another process has open may be in the making.
    drop(file);
    let lost = |in_seconds: u64, moment: &str| {
        let document = of_folder("qmail", queue.path(), in_seconds).document();
        let of = outcome(&document, "start", &format!("destroyed/{moment}"));
        (text(&of["oldest"]["path"]), text(&of["reasons"][0]["rule"]))
    };
    let expected = ("mess/0/11463706".to_owned(), "body-without-envelope".to_owned());
    assert_eq!(lost(0, "later"), expected, "its time of writing does not matter, the time of reading does");
    assert_eq!(lost(36 * 3_600, "now"), expected);
}

#[test]
fn a_start_of_courier_removes_what_is_left_of_an_envelope() {
    let queue = restore("courier/deferred");
    let folders = std::fs::read_dir(queue.path().join("msgs")).unwrap().map(|entry| entry.unwrap().path());
    let files =
        folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let control = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with('C')).min();
    std::fs::remove_file(control.unwrap()).unwrap();
    let document = of_folder("courier", queue.path(), 3_600).document();
    let lost = outcome(&document, "start", "destroyed/now");
    assert_eq!((&lost["count"], &lost["reasons"][0]["rule"]), (&1.into(), &"body-without-envelope".into()));
    assert!(
        !effects(&document, "flush").contains_key("destroyed/now"),
        "nothing happens while courierd runs"
    );
}

#[test]
fn the_first_line_says_in_plain_words_what_a_start_does() {
    let (tree, manifest) = ("postfix/half-incoming", fixture("postfix/half-incoming").join("manifest.tsv"));
    let ran = finish(
        command()
            .args(["forecast", fixture(tree).join("tree").to_str().unwrap(), "--listing", "none"])
            .args(["--manifest", manifest.to_str().unwrap(), "--as-of", "2026-12-02T00:46:54Z"]),
    );
    let first = ran.out.lines().next().unwrap();
    assert_eq!(
        first,
        "If Postfix starts at 2026-12-02 00:46:54 +00:00: 1 unfinished or left-over file is deleted without a word \
         (oldest 8d 0h, likely), 12 are returned if one more attempt fails (oldest 8d 0h)."
    );
    assert!(ran.out.contains("\n  the same as if Postfix starts\n"), "a reload does the same: {}", ran.out);
    assert!(ran.out.contains("oldest: 1B6F7B0C7D2 in incoming/1B6F7B0C7D2"), "{}", ran.out);
    assert!(ran.out.contains("from: half@lab.test (1)"), "{}", ran.out);
    assert!(ran.out.contains("postsuper/postsuper.c, super"), "where it is known from: {}", ran.out);
}

#[test]
fn behind_what_stops_all_delivery_nothing_is_said_to_be_tried() {
    let clock = "2026-11-24T00:46:54Z";
    let (tree, manifest) =
        (fixture("postfix/one-letter").join("tree"), fixture("postfix/one-letter").join("manifest.tsv"));
    let ran = ghostq(
        ["forecast", tree.to_str().unwrap(), "--source", "postfix", "--listing", "none", "--manifest"]
            .into_iter()
            .chain([manifest.to_str().unwrap(), "--as-of", clock]),
    );
    let flushed =
        ran.out.lines().find(|line| line.starts_with("If the queue of Postfix is flushed")).unwrap();
    assert!(flushed.contains("all delivery"), "{flushed}");
    assert!(!flushed.contains("tried as usual") || flushed.contains("without it "), "{flushed}");
}

#[test]
fn on_a_copy_of_unknown_age_nothing_is_said_about_ages() {
    let spool = restore("postfix/half-incoming");
    let ran = ghostq(["forecast", spool.path().to_str().unwrap(), "--listing", "none", "--format", "json"]);
    let document = ran.document();
    assert_eq!(effects(&document, "start")["purged/undated"], 1);
    assert!(ran.err.contains("give `--as-of`"), "{}", ran.err);
}

#[test]
fn a_hostile_name_reaches_no_terminal_and_a_forecast_changes_nothing() {
    let spool = restore("postfix/half-incoming");
    std::fs::write(spool.path().join("deferred/\u{1b}[2J\u{202e}evil"), b"x").unwrap();
    let look = || paths_below(spool.path()).iter().map(|path| metadata(path)).collect::<Vec<_>>();
    let before = look();
    let ran = ghostq([
        "forecast",
        spool.path().to_str().unwrap(),
        "--listing",
        "none",
        "--all",
        "--as-of",
        "2027-01-01",
    ]);
    assert!(ran.out.contains("\\x1b[2J\\u{202e}evil"), "{}", ran.out);
    assert!(!ran.out.contains(['\u{1b}', '\u{202e}']), "{}", ran.out);
    assert_eq!(look(), before, "not even an access time moved");
}

#[test]
fn what_cannot_be_read_makes_the_forecast_incomplete() {
    let ran = ghostq(["forecast", "/nonexistent/spool"]);
    assert!(ran.code > 1, "an empty forecast must not look like a good one: {}", ran.out);
}

#[test]
fn explain_says_what_a_start_does() {
    let ran = ghostq(["explain", "unfinished"]);
    let text = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains(
            "forecast: if Postfix starts; or Postfix is reloaded; or postsuper purges the queue: purged (of a mode that is \
             not 0700), once the time of its file (mtime) is 7d 0h past"
        ),
        "{text}"
    );
}

#[test]
fn every_forecast_follows_its_schema() {
    let schema = ghostq(["schema", "forecast"]).document();
    let findings = jsonschema::Resource::from_contents(ghostq(["schema", "finding"]).document());
    let registry =
        jsonschema::Registry::new().add("urn:ghostq:finding:1", findings).unwrap().prepare().unwrap();
    let validator = jsonschema::options().with_registry(&registry).build(&schema).unwrap();
    let mut judged = 0;
    for case in cases() {
        let about: toml::Value =
            toml::from_str(&std::fs::read_to_string(case.join("case.toml")).unwrap()).unwrap();
        for scan in about.get("scan").and_then(toml::Value::as_array).into_iter().flatten() {
            let words = ["forecast", "--format", "json", "--quiet"].map(str::to_owned);
            let ran = ghostq(words.into_iter().chain(arguments(&case, scan)));
            let document = ran.document();
            let errors = validator.iter_errors(&document);
            let errors: Vec<_> = errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{}: {errors:#?}", case.display());
            let (written, described) =
                (document.as_object().unwrap(), schema["properties"].as_object().unwrap());
            assert!(written.keys().eq(described.keys()), "{}: members differ", case.display());
            judged += 1;
        }
    }
    assert!(judged >= 15, "only {judged} forecasts were held against the schema");
}
