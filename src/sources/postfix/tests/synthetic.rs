//! Conditions of which no snapshot was kept, made from a healthy file.

use super::*;
use crate::evidence::{Confidence, DamageKind, Text};

#[test]
fn a_file_beside_its_hash_folder_is_misfiled() {
    let bytes = healthy();
    let case = of(&[
        ("deferred/D840DB0E078", &bytes),
        ("deferred/D/D840DB0E079", &bytes),
        ("deferred/D/8/D840DB0E07A", &bytes),
        ("deferred/old/D840DB0E07B", &bytes),
        ("incoming/D/D840DB0E07C", &bytes),
    ]);
    let flat = case.message("deferred/D840DB0E078");
    assert_eq!(names_on_a_copy(flat), ["Misfiled"]);
    let misfiled = sign(flat, "Misfiled");
    assert_eq!(misfiled.sign, Sign::Misfiled { expected: Text::from("deferred/D/D840DB0E078") });
    assert_eq!(misfiled.confidence, Confidence::Likely, "no main.cf said how the queue is hashed");
    assert_eq!(names_on_a_copy(case.message("deferred/D/D840DB0E079")), [""; 0]);
    for path in ["deferred/D/8/D840DB0E07A", "incoming/D/D840DB0E07C"] {
        let deep = sign(case.message(path), "Misfiled");
        assert_eq!(deep.confidence, Confidence::Possible, "{path}: the queue may be hashed deeper");
    }
    assert_eq!(names_on_a_copy(case.message("deferred/old/D840DB0E07B")), ["Misfiled"]);
}

#[test]
fn the_files_of_a_copy_without_a_main_cf_show_how_deep_it_is_hashed() {
    let bytes = healthy();
    let log: &[u8] = b"\n<a@b>: no\n\n";
    let case = of(&[
        ("deferred/3/B/3B367B0C773", &bytes),
        ("deferred/D/8/D840DB0E078", &bytes),
        ("defer/3/B/3B367B0C773", log),
        ("defer/D/8/D840DB0E078", log),
        ("hold/D840DB0E079", &bytes),
    ]);
    assert_eq!(case.passed(), 2, "no log is alone");
    for path in ["deferred/3/B/3B367B0C773", "deferred/D/8/D840DB0E078"] {
        assert_eq!(names_on_a_copy(case.message(path)), [""; 0], "{path}");
    }
    let facts: Vec<_> = case.opened.instance.facts.iter().map(|fact| fact.text.as_str()).collect();
    let said = "`deferred` is taken to be hashed 2 deep: so lie all of its files that were sampled, 2; no main.cf was found";
    assert!(facts.contains(&said), "{facts:#?}");
    assert!(!facts.iter().any(|fact| fact.starts_with("hash_queue_depth")), "{facts:#?}");
}

#[test]
fn a_file_that_lies_otherwise_than_all_that_were_sampled_is_likely_misfiled() {
    let bytes = healthy();
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("spool");
    let put = |path: &str| {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), &bytes).unwrap();
        set_mode(&root.join(path), 0o700);
    };
    put("deferred/3/B/3B367B0C773");
    put("deferred/D/8/D840DB0E078");
    let detected = Detected { root: root.clone(), why: "test".into(), config: None, variant: "" };
    let opened = Postfix.open(&detected, &Options::default()).unwrap();
    // It comes after the sample was taken, as the 201st file of a queue would.
    put("deferred/D/D840DB0E079");
    let case = Sample::read(folder, opened);
    let misfiled = sign(case.message("deferred/D/D840DB0E079"), "Misfiled");
    assert_eq!(misfiled.sign, Sign::Misfiled { expected: Text::from("deferred/D/8/D840DB0E079") });
    assert_eq!(misfiled.confidence, Confidence::Likely);
}

#[test]
fn files_that_lie_flat_where_postfix_always_hashes_show_nothing() {
    let bytes = healthy();
    let case = of(&[("deferred/D840DB0E078", &bytes), ("deferred/3B367B0C773", &bytes)]);
    assert_eq!(names_on_a_copy(case.message("deferred/D840DB0E078")), ["Misfiled"]);
}

#[test]
fn what_stops_on_a_name_of_one_letter_is_said_of_each_queue() {
    let case =
        of(&[("deferred/x", b""), ("hold/x", b""), ("active/x", b""), ("defer/x", b""), ("corrupt/x", b"")]);
    let fact = |path: &str| case.message(path).signs[0].facts[0].text.clone();
    assert!(fact("deferred/x").contains("the queue manager dies on it again and again"));
    let said = "every listing and `postsuper` fail on it, and Postfix does not start; a queue manager that runs goes on";
    assert!(fact("hold/x").contains(said), "{}", fact("hold/x"));
    assert!(fact("active/x").contains("every listing and `postsuper` fail on it"), "{}", fact("active/x"));
    assert!(fact("defer/x").contains("the listing and a queue manager that runs go on"));
    let corrupt = names(case.message("corrupt/x"));
    assert!(!corrupt.contains(&"BlocksQueue".to_owned()), "nothing of Postfix looks in there: {corrupt:?}");
}

#[test]
fn temporary_half_renamed_and_one_letter_names() {
    let bytes = healthy();
    let case = of(&[
        ("incoming/911520.4711", &bytes),
        ("deferred/D/D840DB0E078#FIX", &bytes),
        ("deferred/x", &bytes),
        ("defer/y", b""),
        ("maildrop/x", b""),
    ]);
    let temporary = case.message("incoming/911520.4711");
    assert_eq!(names(temporary), ["Unfinished", "OwnedByProcess"]);
    assert!(temporary.signs.iter().any(|signed| signed.sign == Sign::OwnedByProcess { pid: 4711 }));
    let half = case.message("deferred/D/D840DB0E078#FIX");
    assert_eq!(names(half), ["ForeignName"]);
    assert_eq!(half.ids.native, Some(Text::from("D840DB0E078")));
    // Seen on 3.7.11: the queue manager dies on the first, Postfix does not start with the second.
    assert_eq!(names(case.message("deferred/x")), ["BlocksQueue", "ForeignName"]);
    assert_eq!(names(case.message("defer/y")), ["BlocksQueue", "ForeignName"]);
    // The maildrop is never taken to have subfolders.
    assert_eq!(names(case.message("maildrop/x")), ["ForeignName", "EmptyFile"]);
}

#[test]
fn an_empty_file_and_a_file_in_a_queue_that_nobody_reads() {
    let bytes = healthy();
    let case = of(&[("deferred/D/D840DB0E078", b""), ("saved/D840DB0E079", &bytes)]);
    assert_eq!(names_on_a_copy(case.message("deferred/D/D840DB0E078")), ["EmptyFile"]);
    assert_eq!(names(case.message("saved/D840DB0E079")), ["OtherQueue"]);
}

#[test]
fn a_log_is_of_no_interest_while_its_message_is_anywhere() {
    let bytes = healthy();
    for place in ["deferred/D", "deferred", "active", "hold", "incoming", "maildrop", "corrupt", "saved"] {
        let message = format!("{place}/D840DB0E078");
        let case = of(&[(&message, &bytes), ("defer/D/D840DB0E078", b"\n<a@b>: no\n\n")]);
        assert_eq!(case.passed(), 1, "{place}");
    }
    // The queue was hashed otherwise once, or the file was put into the folder of another letter.
    for place in ["deferred/D/8", "active/D/8/4/0", "hold/D", "deferred/A", "incoming/3"] {
        let message = format!("{place}/D840DB0E078");
        let case = of(&[(&message, &bytes), ("defer/D/D840DB0E078", b"\n<a@b>: no\n\n")]);
        assert_eq!(case.passed(), 1, "{place}");
    }
    let alone = of(&[("bounce/D840DB0E078", b"\n<a@b>: no\naction=failed\n\n"), ("flush/b_test", b"")]);
    assert_eq!(names(alone.message("bounce/D840DB0E078")), ["SideFileAlone"]);
    assert_eq!(alone.passed(), 1, "the list of the flush service is no mail");
}

#[test]
fn a_file_in_corrupt_without_damage_is_still_reported() {
    let case = of(&[("corrupt/D840DB0E078", &healthy())]);
    let message = case.message("corrupt/D840DB0E078");
    assert_eq!(names(message), ["Corrupt"]);
    assert!(message.signs[0].facts[1].text.contains("no damage was found"));
}

#[test]
fn a_lost_recipient_is_possible_damage_and_a_late_sender_certain() {
    let mut fewer = healthy();
    fewer[2 + 32..2 + 47].copy_from_slice(format!("{:>15}", 5).as_bytes());
    let mut late = healthy();
    let sender = memchr::memmem::find(&late, b"S\x0fsender@lab.test").unwrap();
    let record: Vec<u8> = late.drain(sender..sender + 17).collect();
    let content = memchr::memmem::find(&late, b"M\0N").unwrap();
    late.splice(content..content, record);
    let case = of(&[("deferred/D/D840DB0E078", &fewer), ("deferred/D/D840DB0E079", &late)]);
    let corrupt = |path| sign(case.message(path), "Corrupt");
    assert_eq!(corrupt("deferred/D/D840DB0E078").confidence, Confidence::Possible);
    assert_eq!(corrupt("deferred/D/D840DB0E079").confidence, Confidence::Certain);
    assert!(corrupt("deferred/D/D840DB0E079").facts[0].text.contains("the listing leaves this file out"));
}

#[test]
fn a_size_that_the_file_cannot_hold_is_not_shown() {
    let mut bytes = healthy();
    let record = memchr::memmem::find(&bytes, b"C").unwrap();
    let boast = format!("{:>15}", "184467440737095");
    bytes[record + 2..record + 17].copy_from_slice(boast.as_bytes());
    let length = bytes.len() as u64;
    let case = of(&[("deferred/D/D840DB0E078", &bytes)]);
    assert_eq!(case.message("deferred/D/D840DB0E078").size, Some(length));
}

#[cfg(unix)]
#[test]
fn modes_that_postfix_sets_on_purpose_are_no_fault() {
    let bytes = healthy();
    let paths = ["deferred/D/D840DB0E078", "deferred/D/D840DB0E079", "active/D840DB0E07A"];
    let case = of(&paths.map(|path| (path, bytes.as_slice())));
    let root = case.folder.path().join(SPOOL);
    // Unthrottle and expire are bits of the group (`postsuper -e`); 0400 is the mark of a delivery agent.
    for (path, mode) in paths.iter().zip([0o740, 0o710, 0o400]) {
        set_mode(&root.join(path), mode);
    }
    let case = open(case.folder, &Options::default());
    assert_eq!(names_on_a_copy(case.message(paths[0])), [""; 0]);
    assert_eq!(names_on_a_copy(case.message(paths[1])), [""; 0]);
    assert_eq!(names_on_a_copy(case.message(paths[2])), ["Corrupt"]);
}

#[test]
fn a_foreign_owner_of_a_ready_file_blocks_the_queue() {
    let bytes = healthy();
    let case = of(&[("deferred/D/D840DB0E078", &bytes), ("hold/D840DB0E079", &bytes)]);
    let line = |inode: u64, uid: u32, kind: &str, path: &str| {
        format!("{inode}\t0700\t{uid}:100\t1\t1\t1795481209.0\t{kind}\t{path}\n")
    };
    let lines = [
        line(1, 100, "d", "deferred"),
        line(0x00B0_E078, 1000, "f", "deferred/D/D840DB0E078"),
        line(0x00B0_E079, 1000, "f", "hold/D840DB0E079"),
    ];
    let options = with_manifest(case.folder.path(), &lines.concat());
    let case = open(case.folder, &options);
    assert_eq!(names(case.message("deferred/D/D840DB0E078")), ["BlocksQueue", "OwnerOrMode"]);
    assert_eq!(names(case.message("hold/D840DB0E079")), ["OwnerOrMode", "Held"]);
}

#[cfg(unix)]
#[test]
fn links_and_special_files_are_damage_and_never_opened() {
    let case = of(&[]);
    let root = case.folder.path().join(SPOOL);
    std::os::unix::fs::symlink("/etc/passwd", root.join("deferred/D840DB0E078")).unwrap();
    std::os::unix::fs::symlink("gone", root.join("hold/X")).unwrap();
    let case = open(case.folder, &Options::default());
    let hints: BTreeMap<_, _> = case
        .records
        .iter()
        .map(|record| {
            let Record::Damage(damage) = record else { panic!("{record:?}") };
            assert_eq!(damage.kind, DamageKind::NotRegular);
            (damage.locus.path.lossy().into_owned(), damage.hint.clone())
        })
        .collect();
    assert!(hints["deferred/D840DB0E078"].contains("`postsuper` removes it"));
    // Postfix cannot even start with it, so that nothing removes it.
    assert!(hints["hold/X"].contains("every listing and `postsuper` fail on it"), "{hints:?}");
    assert!(!hints["hold/X"].contains("removes it"), "{hints:?}");
}
