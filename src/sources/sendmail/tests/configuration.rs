//! Recognising spools, and what their configuration says of them.

use super::*;

const CF: &str = "V10/Berkeley\nO QueueDirectory=/var/spool/mqueue/q*\nO Timeout.queuereturn=2d12h\nO MaxQueueAge=4h\n\
                  O QueueFileMode=0660\nQslow, P=/var/spool/mqueue/slow, F=f\n";

fn message() -> (Vec<u8>, &'static [u8]) {
    (healthy(), b"body\n")
}

#[test]
fn a_folder_is_recognised_by_its_files_its_subfolders_or_its_name() {
    let plain = detect(&Sendmail, &fixture_path(&Sendmail, "deferred/tree"), false).unwrap();
    assert!(plain.why.contains("queue files of sendmail"));
    let queues = fixture_path(&Sendmail, "several-queues/tree/var/spool/mqueue");
    assert!(detect(&Sendmail, &queues.join("q2"), false).unwrap().why.contains("subfolders"));
    let data = detect(&Sendmail, &queues.join("q2/df"), false).unwrap();
    assert_eq!(data.root, queues.join("q2"), "control files lie beside it");
    let folder = TempDir::new().unwrap();
    let empty = folder.path().join("mqueue");
    let other = folder.path().join("other");
    let quarantine = folder.path().join("MailScanner/quarantine");
    for path in [&empty, &other, &quarantine] {
        std::fs::create_dir_all(path).unwrap();
    }
    std::fs::write(quarantine.join(format!("qf{ID}")), healthy()).unwrap();
    assert!(detect(&Sendmail, &empty, false).is_some());
    assert!(detect(&Sendmail, &other, false).is_none());
    assert!(detect(&Sendmail, &other, true).is_some(), "chosen by the operator");
    assert!(
        detect(&Sendmail, &quarantine, false).is_none(),
        "what MailScanner keeps is not waiting to be sent"
    );
    assert!(detect(&Sendmail, &queues.join("q1").join("..").join(".."), false).is_none());
}

#[test]
fn the_configuration_says_which_folders_are_read_and_how_long_mail_waits() {
    let (control, data) = message();
    let files = ["q1", "slow", "", "old"].map(|folder| {
        let join = |letter: char| Path::new(folder).join(format!("{letter}f{ID}")).display().to_string();
        (join('q'), join('d'))
    });
    let mut all: Vec<(&str, &[u8])> = vec![("/etc/mail/sendmail.cf", CF.as_bytes())];
    for (qf, df) in &files {
        all.extend([(qf.as_str(), control.as_slice()), (df.as_str(), data)]);
    }
    let case = of(&all);
    let other: Vec<String> = case.signs().into_keys().collect();
    assert_eq!(other, [format!("old/qf{ID}"), format!("qf{ID}")]);
    let limits = case.opened.instance.limits;
    assert_eq!((limits.queue_lifetime, limits.maximal_backoff), (Some(216_000), Some(14_400)));
    let next = case.message(&format!("q1/qf{ID}")).time(crate::evidence::TimeKind::NextAttempt).unwrap();
    assert_eq!(next.seconds, 1_795_479_085, "tried in the second in which it came");
}

#[test]
fn without_a_configuration_no_folder_is_said_to_be_outside() {
    let (control, data) = message();
    let (qf, df) = (format!("old/qf{ID}"), format!("old/df{ID}"));
    let case = of(&[(&qf, &control), (&df, data)]);
    assert_eq!(case.signs(), BTreeMap::new());
    assert_eq!(case.opened.instance.limits.queue_lifetime, Some(432_000));
    let facts: Vec<&str> = case.opened.instance.facts.iter().map(|fact| fact.text.as_str()).collect();
    assert!(facts.iter().any(|fact| fact.contains("no sendmail.cf was found")), "{facts:?}");
    assert!(facts.iter().any(|fact| fact.contains("`5d`, the default")), "{facts:?}");
}

#[cfg(unix)]
#[test]
fn a_group_that_may_write_is_a_fault_only_where_it_should_not() {
    let (control, data) = message();
    let (qf, df) = (format!("q1/qf{ID}"), format!("q1/df{ID}"));
    for (cf, fault) in [(CF.to_owned(), false), (CF.replace("0660", "0600"), true)] {
        let case = of(&[("/etc/mail/sendmail.cf", cf.as_bytes()), (&qf, &control), (&df, data)]);
        let root = case.opened.root.path().to_owned();
        set_mode(&root.join(&qf), 0o660);
        let case = open(case.folder, &Options::default());
        assert_eq!(case.signs().contains_key(&qf), fault);
    }
}
