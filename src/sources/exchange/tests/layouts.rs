use super::*;

fn folders(scanned: &Scanned) -> &[String] {
    &scanned.opened.instance.queues
}

#[test]
fn folders_are_recognised_in_any_case() {
    let folder = built(&[("QUEUE/ntfs_1.eml", b"Subject: x\r\n\r\n"), ("badMail/x.txt", b"")]);
    assert!(detect(folder.path(), false, false).is_some());
    let scanned = scan(folder.path());
    assert_eq!(folders(&scanned), ["Queue", "Badmail"]);
    assert_eq!(scanned.file("ntfs_1.eml").queue, "Queue");
}

#[test]
fn all_virtual_servers_of_a_mailroot_are_one_place() {
    let folder = built(&[
        ("Mailroot/vsi 1/Queue/a", b""),
        ("Mailroot/VSI 2/queue/a", b""),
        ("Mailroot/vsi 2/Pickup/a", b""),
        ("Mailroot/vsi x/Queue/a", b""),
    ]);
    let path = folder.path().join("Mailroot");
    let scanned = scan(&path);
    assert_eq!(folders(&scanned), ["vsi 2/Queue", "vsi 1/Queue", "vsi 2/Pickup"]);
    assert_eq!(scanned.opened.instance.label, "Mailroot");
}

#[test]
fn one_folder_alone_is_read_only_when_it_was_named() {
    let folder = built(&[("Queue/NTFS_1.EML", b"Subject: x\r\n\r\n")]);
    let queue = folder.path().join("Queue");
    assert!(detect(folder.path(), false, false).is_none());
    assert!(detect(&queue, false, false).is_none());
    assert!(detect(&queue, true, false).is_some());
    assert_eq!(scan(&queue).file("NTFS_1.EML").place.path, "NTFS_1.EML".into());
}

#[test]
fn a_queue_folder_of_another_mail_system_is_left_alone() {
    let folder =
        built(&[("queue/mess/0/1", b"x"), ("queue/info/0/1", b"x"), ("saved/a.eml", b"Subject: x\r\n\r\n")]);
    assert!(detect(&folder.path().join("queue"), true, false).is_none());
    assert!(detect(&folder.path().join("queue"), true, true).is_some(), "the user knows better");
    assert!(detect(&folder.path().join("saved"), false, false).is_none());
    assert!(detect(&folder.path().join("saved"), true, false).is_some());
}

#[test]
fn the_queue_database_is_reported_and_not_read() {
    let scanned = scan(&fixture("transport-roles/tree/TransportRoles"));
    let facts = &scanned.opened.instance.facts;
    let fact = facts.iter().find(|fact| fact.text.contains("`mail.que`")).unwrap();
    assert_eq!(fact.text, "queue database `mail.que` is there; its layout is not public, not read");
    assert_eq!(fact.locus.path, "data/Queue/mail.que".into());
    assert_eq!(folders(&scanned), ["Pickup", "Replay", "data/Queue"]);
    assert_eq!(scanned.messages.len(), 4);
}

#[test]
fn a_database_that_was_set_aside_after_a_crash_is_reported() {
    let folder = built(&[
        ("TransportRoles/Pickup/a", b""),
        ("TransportRoles/Replay/a", b""),
        ("TransportRoles/data/Queue/Messaging.old-20220919/mail.que", b"x"),
    ]);
    let scanned = scan(&folder.path().join("TransportRoles"));
    let facts = &scanned.opened.instance.facts;
    assert!(facts.iter().any(|fact| fact.text.contains("set aside here after a crash")), "{facts:?}");
}

#[test]
fn the_last_activity_is_that_of_the_folders_and_never_in_the_future() {
    let folder = built(&[("Queue/NTFS_1.EML", b"x"), ("Pickup/a.eml", b"x")]);
    let newest = scan(folder.path()).opened.instance.last_activity.unwrap();
    assert!(Time::now().since(newest) < 3_600);
    let now = Time::parse("2008-03-14T00:00:00Z").unwrap();
    let earlier = scan_with(folder.path(), &Options { now, ..Options::default() });
    assert_eq!(earlier.opened.instance.last_activity, Some(now));
}

#[cfg(unix)]
#[test]
fn links_are_damage_and_are_not_followed() {
    let folder =
        built(&[("Queue/a.txt", b""), ("Drop/a.txt", b""), ("elsewhere/b.eml", b"Subject: secret\r\n\r\n")]);
    let at = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink(at("elsewhere/b.eml"), at("Queue/NTFS_1.EML")).unwrap();
    std::os::unix::fs::symlink(at("elsewhere"), at("Pickup")).unwrap();
    let scanned = scan(folder.path());
    assert_eq!(scanned.messages.len(), 0);
    assert_eq!(scanned.damages.len(), 1);
    let facts = &scanned.opened.instance.facts;
    assert!(facts.iter().any(|fact| fact.text.contains("a link and was not followed")), "{facts:?}");
}

#[test]
fn every_rule_that_can_speak_of_a_mailroot_has_a_treatment() {
    let rules: Vec<_> = Exchange.treatments().iter().map(|treatment| treatment.rule).collect();
    for rule in [
        "older-than-epoch",
        "unlisted",
        "body-without-envelope",
        "envelope-without-body",
        "unfinished",
        "orphan-side-file",
        "empty-file",
        "held",
        "unclaimed",
        "duplicate-message",
        "corrupt",
        "listed-not-on-disk",
        "other-queue",
        "foreign-name",
    ] {
        assert!(rules.contains(&rule), "{rule}");
    }
}
