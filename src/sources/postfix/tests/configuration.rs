//! What is recognised as a spool, and which configuration is taken for its own.

use super::*;
use crate::sources::Place;
use std::ffi::OsString;

fn recognised(names: &[&str], chosen: bool) -> bool {
    let entries: Vec<_> = names.iter().map(|name| (OsString::from(name), EntryKind::Directory)).collect();
    let place = Place {
        path: Path::new("/x"),
        entries: &entries,
        head: b"",
        is_directory: true,
        named: true,
        chosen,
    };
    Postfix.detect(&place).is_some()
}

#[test]
fn two_queue_folders_make_a_spool() {
    assert!(recognised(&["deferred", "defer"], false), "a restored part of a spool");
    assert!(recognised(&["maildrop", "incoming", "active", "pid", "private"], false));
    assert!(!recognised(&["deferred"], false));
    assert!(recognised(&["deferred"], true), "the operator said so");
    assert!(!recognised(&["bounce", "trace"], false));
    let opensmtpd = ["corrupt", "incoming", "offline", "purge", "queue", "temporary"];
    assert!(!recognised(&opensmtpd, false), "OpenSMTPD has folders of the same names");
}

/// Opens a spool in a system with these configuration files.
fn open(spool: &str, files: &[(&str, &str)]) -> (TempDir, Opened) {
    let tree = TempDir::new().unwrap();
    for queue in ["deferred/0", "incoming", "defer"] {
        std::fs::create_dir_all(tree.path().join(spool).join(queue)).unwrap();
    }
    for (path, text) in files {
        let path = tree.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let root = tree.path().join(spool);
    let detected = Detected { root, why: "test".into(), config: None, variant: "" };
    let opened = Postfix.open(&detected, &Options::default()).unwrap();
    (tree, opened)
}

fn facts(opened: &Opened) -> Vec<&str> {
    opened.instance.facts.iter().map(|fact| fact.text.as_str()).collect()
}

#[test]
fn without_a_main_cf_the_defaults_are_used_and_said_to_be_defaults() {
    let (_tree, opened) = open("var/spool/postfix", &[]);
    assert_eq!(opened.instance.limits.queue_lifetime, Some(432_000));
    assert_eq!(opened.instance.limits.maximal_backoff, Some(4_000));
    let said = "maximal_queue_lifetime is taken to be `5d`, the default of Postfix: no main.cf was found";
    assert!(facts(&opened).contains(&said));
}

#[test]
fn each_instance_of_a_dead_disk_gets_its_own_main_cf() {
    let files = [
        ("etc/postfix/main.cf", "queue_run_delay = 600s\nmulti_instance_directories = /etc/postfix-out\n"),
        (
            "etc/postfix-out/main.cf",
            "queue_directory = /var/spool/postfix-out\nmulti_instance_name = postfix-out\nmaximal_queue_lifetime = 2d\n\
             hash_queue_names = incoming\n",
        ),
    ];
    let (_tree, out) = open("var/spool/postfix-out", &files);
    assert_eq!(out.instance.label, "postfix-out");
    assert_eq!(out.instance.limits.queue_lifetime, Some(172_800));
    assert!(out.instance.listing_blind_spot.as_ref().unwrap().contains("etc/postfix-out -p"));
    assert!(facts(&out).contains(&"this main.cf names this spool as its queue_directory"));
    let line =
        out.instance.facts.iter().find(|fact| fact.text.starts_with("maximal_queue_lifetime")).unwrap();
    assert_eq!(line.locus.at, crate::evidence::At::Line(3));

    let (_tree, default) = open("var/spool/postfix", &files);
    assert_eq!(default.instance.limits.queue_run_delay, Some(600));
    assert_eq!(default.instance.listing_blind_spot, None);
    assert!(facts(&default).contains(&"there are more instances, configured in `/etc/postfix-out`"));
}

#[test]
fn a_spool_is_at_home_where_the_hosts_own_main_cf_names_its_very_path() {
    use crate::sources::postfix::settings::Settings;
    let host = TempDir::new().unwrap();
    let (spool, etc) = (host.path().join("var/spool/postfix"), host.path().join("etc/postfix"));
    std::fs::create_dir_all(spool.join("deferred")).unwrap();
    std::fs::create_dir_all(&etc).unwrap();
    let at_home = |queue_directory: &str| {
        std::fs::write(etc.join("main.cf"), format!("queue_directory = {queue_directory}\n")).unwrap();
        Settings::of(&spool, None).is_at_home(&spool, host.path())
    };
    assert!(at_home(spool.to_str().unwrap()));
    assert!(!at_home("/var/spool/postfix"), "a dead disk names a path of its own system");

    std::fs::write(etc.join("main.cf"), format!("queue_directory = {}\n", spool.display())).unwrap();
    let evidence = host.path().join("evidence");
    std::fs::create_dir(&evidence).unwrap();
    std::fs::copy(etc.join("main.cf"), evidence.join("main.cf")).unwrap();
    let is_at_home = |config: &Path| Settings::of(&spool, Some(config)).is_at_home(&spool, host.path());
    assert!(is_at_home(&etc));
    assert!(!is_at_home(&evidence), "whoever made the copy could have written that");
}

#[test]
fn limits_of_the_command_line_win() {
    let tree = TempDir::new().unwrap();
    let root = tree.path().join("spool");
    std::fs::create_dir_all(root.join("deferred")).unwrap();
    let detected = Detected { root, why: "test".into(), config: None, variant: "" };
    let mut options = Options::default();
    options.limits.queue_lifetime = Some(86_400);
    let opened = Postfix.open(&detected, &options).unwrap();
    assert_eq!(opened.instance.limits.queue_lifetime, Some(86_400));
    assert_eq!(opened.instance.limits.queue_run_delay, Some(300));
}

#[test]
fn every_rule_that_can_fire_on_postfix_has_one_treatment_with_a_source() {
    let mut rules: Vec<&str> = Postfix.treatments().iter().map(|treatment| treatment.rule).collect();
    rules.sort_unstable();
    assert_eq!(
        rules,
        [
            "corrupt",
            "duplicate-message",
            "empty-file",
            "expired",
            "foreign-name",
            "future-time",
            "held",
            "listed-not-on-disk",
            "misfiled",
            "name-inode-mismatch",
            "orphan-side-file",
            "other-queue",
            "overdue",
            "owner-gone",
            "queue-blocker",
            "unclaimed",
            "unfinished",
            "unlisted",
            "wrong-owner-or-mode",
        ]
    );
    for treatment in Postfix.treatments() {
        assert!(treatment.source.contains(".c"), "{}", treatment.rule);
        assert!(!treatment.remedies.is_empty(), "{}", treatment.rule);
    }
}
