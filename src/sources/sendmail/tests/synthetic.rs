//! Conditions of which no snapshot was kept, made from a healthy message.

use super::*;
use crate::evidence::{Confidence, DamageKind, Text};

/// The message with this control file, at `qf…` and with its data file.
fn one(control: &[u8]) -> (Sample, String) {
    let (qf, df) = (format!("qf{ID}"), format!("df{ID}"));
    (of(&[(&qf, control), (&df, b"body\n")]), qf)
}

#[test]
fn each_kind_of_damage_says_what_the_next_queue_run_makes_of_it() {
    for (control, what, fate) in [
        (b"V8".to_vec(), "not hold one whole line", "deletes it together with its data file"),
        (with("RPFD:", "XPFD:"), "begin with `X`", "renames it to `Qf"),
        ([healthy(), b"more\n".to_vec()].concat(), "behind the line `.`", "renames it to `Qf"),
        (with("\nFbs", "\nFrom here"), "begins with `From `", "renames it to `Qf"),
        (with("Asender", "A=sender"), "expected xtext", "renames it to `Qf"),
        (with("\nFbs", "\nBBINARY"), "`7BIT` or `8BITMIME`", "renames it to `Qf"),
        (with("\nT1795479085", ""), "no line `T`", "not as it was meant"),
        (with("RPFD:multi2@grey.test", "RPFD"), "expected flags, `:` and an address", "not as it was meant"),
    ] {
        let (case, qf) = one(&control);
        let message = case.message(&qf);
        assert_eq!(names(message)[0], "Corrupt", "{what}");
        assert!(message.signs[0].facts[0].text.contains(what), "{:?}", message.signs[0]);
        assert!(message.signs[0].facts[1].text.contains(fate), "{:?}", message.signs[0]);
    }
    let no_recipients: Vec<u8> = healthy()
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| line[0] != b'R')
        .collect::<Vec<_>>()
        .concat();
    let (case, qf) = one(&no_recipients);
    assert!(case.message(&qf).signs[0].facts[1].text.contains("deletes it together"));
}

#[test]
fn an_unknown_line_is_only_likely_damage_and_a_newer_version_is_not_guessed_at() {
    let (case, qf) = one(&with("\nFbs", "\n~new in some later version\nFbs"));
    assert_eq!(case.message(&qf).signs[0].confidence, Confidence::Likely);
    let (case, qf) = one(&with("V8", "V9"));
    let [damage] = case.damages()[..] else { panic!("{:?}", case.records) };
    assert_eq!(damage.kind, DamageKind::Malformed);
    assert!(damage.what.contains("version 9") && *damage.locus.path.lossy() == *qf);
    let lost = format!("Qf{ID}");
    let df = format!("df{ID}");
    let case = of(&[(&lost, &with("V8", "V9")), (&df, b"body\n")]);
    assert_eq!(names(case.message(&lost)), ["Corrupt"], "that is why it is lost");
}

#[test]
fn older_versions_are_read_and_their_ids_known() {
    for version in 4..8 {
        let (case, _) = one(&with("V8", &format!("V{version}")));
        assert_eq!(case.signs(), BTreeMap::new(), "version {version}");
    }
    let old =
        b"V2\nT1000000000\nK1000000060\nN1\nP30000\nDdfKAA12345\nM(reading)\n$_root@localhost\nS<root>\n\
        RPFD:<bob@example.com>\nH?P?Return-Path: <root>\nHSubject: old\n.\n";
    let case = of(&[("qfKAA12345", old), ("dfKAA12345", b"x\n")]);
    assert_eq!(case.signs(), BTreeMap::new());
    let message = case.message("qfKAA12345");
    assert_eq!(message.envelope.sender, Some(Text::from("root")));
    assert_eq!(message.envelope.recipients[0].address, Text::from("bob@example.com"));
    assert_eq!(message.arrived().unwrap().seconds, 1_000_000_000);
}

#[test]
fn each_half_finds_the_other_wherever_it_lies() {
    let control = healthy();
    let named = with("\nFbs", "\nd/var/spool/mqueue/q2\nFbs");
    let name = |letter: char| format!("{letter}f{ID}");
    for (qf, df, control) in [
        (name('q'), name('d'), &control),
        (format!("q1/qf/{}", name('q')), format!("q1/df/{}", name('d')), &control),
        (format!("q1/qf/{}", name('h')), format!("q1/{}", name('d')), &control),
        (format!("q1/{}", name('q')), format!("q2/{}", name('d')), &named),
        (format!("q1/{}", name('q')), format!("q2/df/{}", name('d')), &control),
    ] {
        let case = of(&[(&qf, control), (&df, b"body\n")]);
        let found: Vec<_> =
            case.messages().map(|message| (message.place.path.lossy(), names(message))).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].0.as_ref(), case.messages().next().unwrap().size), (qf.as_str(), Some(5)));
        assert!(!found[0].1.contains(&"BodyLost".to_owned()));
    }
}

#[test]
fn a_message_of_which_half_is_gone_is_reported_once() {
    let (qf, df, xf, tf) = (format!("qf{ID}"), format!("df{ID}"), format!("xf{ID}"), format!("tf{ID}"));
    let alone = of(&[(&qf, &healthy()), (&xf, b"x")]);
    assert_eq!(alone.signs(), BTreeMap::from([(qf.clone(), vec!["BodyLost".into()])]));
    let body = of(&[(&df, b"body\n"), (&xf, b"x")]);
    assert_eq!(body.signs(), BTreeMap::from([(df.clone(), vec!["EnvelopeLost".into()])]));
    assert_eq!(body.message(&df).parts.len(), 2, "with its transcript");
    let transcript = of(&[(&xf, b"x")]);
    assert_eq!(transcript.signs(), BTreeMap::from([(xf, vec!["SideFileAlone".into()])]));
    let unfinished = of(&[(&tf, &healthy()[..200]), (&df, b"body\n")]);
    assert_eq!(unfinished.signs(), BTreeMap::from([(tf.clone(), vec!["Unfinished".into()])]));
    let beside = of(&[(&qf, &healthy()), (&tf, &healthy()[..200]), (&df, b"body\n")]);
    assert_eq!(beside.signs(), BTreeMap::from([(qf, vec!["JournalLeft".into()])]));
    let empty = of(&[(&format!("qf{ID}"), b"")]);
    assert_eq!(names(empty.message(&format!("qf{ID}"))), ["EmptyFile"], "and no second sign");
}

#[test]
fn a_lost_file_whose_mode_was_set_right_is_still_lost() {
    let (lost, df) = (format!("Qf{ID}"), format!("df{ID}"));
    let case = of(&[(&lost, &healthy()), (&df, b"body\n")]);
    let signed = sign(case.message(&lost), "OwnerOrMode");
    assert_eq!(signed.confidence, Confidence::Likely);
    assert!(signed.facts[0].text.contains("set it aside as lost"));
    let broken = of(&[(&lost, &healthy()[..200]), (&df, b"body\n")]);
    assert_eq!(names(broken.message(&lost)), ["Corrupt"]);
}

#[test]
fn a_quarantine_reason_in_a_file_of_another_name_holds_it_sooner_or_later() {
    for (control, confidence) in [
        (with("\nT17", "\nqearly\nT17"), Confidence::Certain),
        (with("\nFbs", "\nqlate\nFbs"), Confidence::Possible),
    ] {
        let (case, qf) = one(&control);
        assert_eq!(sign(case.message(&qf), "Held").confidence, confidence);
    }
}

#[test]
fn an_inode_that_is_not_that_of_the_data_file_is_kept_and_no_fault() {
    let (case, qf) = one(&with("\nFbs", "\nI8/1/4711\nFbs"));
    let message = case.message(&qf);
    assert_eq!(names(message), [""; 0]);
    let (_, text) = message.attributes.iter().find(|(name, _)| name == "data_file_inode").unwrap();
    assert!(text.lossy().starts_with("4711 when it was written"));
}

#[test]
fn what_else_lies_in_a_queue_folder_is_no_mail_unless_it_is_a_control_file() {
    let stray = format!("ID-{ID}.qf");
    let case = of(&[
        ("sm-client.pid", b"4711\n/usr/sbin/sendmail -L sm-msp-queue -Ac -q30m\n"),
        ("sm-client.st", &[0; 400]),
        (".hoststat/test./grey./grey.test", b"V0 3\n"),
        ("nfKAA12345", b""),
        (&stray, &healthy()),
    ]);
    assert_eq!(case.records.len(), 5);
    assert_eq!(case.signs(), BTreeMap::from([(stray, vec!["ForeignName".into()])]));
}

#[cfg(unix)]
#[test]
fn links_and_special_files_are_damage_and_never_opened() {
    let case = of(&[]);
    let root = case.opened.root.path().to_owned();
    std::os::unix::fs::symlink("/etc/passwd", root.join(format!("qf{ID}"))).unwrap();
    std::os::unix::fs::symlink("/", root.join("q7")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("df6AO0BPC1001603")).unwrap();
    let _control = std::os::unix::net::UnixListener::bind(root.join("smcontrol")).unwrap();
    let case = open(case.folder, &Options::default());
    assert_eq!(case.damages().len(), 3, "the control socket belongs there: {:?}", case.records);
    assert!(case.damages().iter().all(|damage| damage.kind == DamageKind::NotRegular));
    assert!(case.damages().iter().any(|damage| damage.hint.contains("queue folder on another disk")));
}
