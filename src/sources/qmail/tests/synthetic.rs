//! States and conditions of which no snapshot was kept, made file by file.

use super::*;
use crate::evidence::{Confidence, DamageKind, RecipientState, Text, TimeKind};

const MAIL: &[u8] =
    b"Received: (qmail 1443 invoked by uid 0); 24 Nov 2026 00:32:57 -0000\nSubject: one\n\nbody\n";
const QUEUED: &[u8] = b"u0\0p1443\0Fs@lab.test\0Tone@grey.test\0";

#[test]
fn every_state_of_a_message_is_told_by_its_files() {
    let case = of(&[
        ("mess/0/3", MAIL),
        ("mess/1/4", MAIL),
        ("intd/4", b"u0\0p1443\0Fs@lab.test\0Tone@gr"),
        ("mess/2/5", MAIL),
        ("todo/5", QUEUED),
        ("intd/5", QUEUED),
        ("mess/0/6", MAIL),
        ("info/0/6", b"Fs@lab.test\0"),
        ("remote/0/6", b"Tone@grey.test\0Dtwo@grey.test\0"),
    ]);
    let expected = [("mess/0/3", "Unfinished"), ("mess/1/4", "Unfinished"), ("mess/2/5", "Unclaimed")];
    let expected = expected.map(|(place, sign)| (place.to_owned(), vec![sign.to_owned()]));
    assert_eq!(case.signs_on_a_copy(), BTreeMap::from(expected));
    assert_eq!(case.messages().count(), 4, "each once, at its file in mess");
    let queued = case.message("mess/2/5");
    assert_eq!(queued.queue, "todo");
    assert_eq!(queued.envelope.recipients.len(), 1, "`intd` is another name of `todo`");
    assert!(queued.attributes.contains(&("submitted_by_uid".into(), Text::from("0"))));
    let begun = &case.message("mess/1/4").envelope;
    assert_eq!(begun.sender, Some(Text::from("s@lab.test")), "as far as `intd` was written");
    let waiting = case.message("mess/0/6");
    let states: Vec<_> = waiting.envelope.recipients.iter().map(|recipient| recipient.state).collect();
    assert_eq!(states, [RecipientState::Pending, RecipientState::Done]);
    assert_eq!(waiting.parts.len(), 3);
    assert!(waiting.time(TimeKind::Arrival).is_some());
}

#[test]
fn a_half_is_reported_once_and_at_the_half_that_is_there() {
    let case = of(&[
        ("mess/0/3", MAIL),
        ("local/0/3", b"Talone@lab.test\0"),
        ("info/1/4", b"Fs@lab.test\0"),
        ("remote/1/4", b"Tone@grey.test\0Dtwo@grey.test\0"),
        ("bounce/4", b"<two@grey.test>:\nSorry.\n\n"),
        ("todo/5", QUEUED),
        ("intd/5", QUEUED),
        ("mess/0/6", MAIL),
        ("info/0/6", b"Fs@lab.test\0"),
        ("remote/1/7", b"Tseven@grey.test\0"),
        ("bounce/8", b"<eight@grey.test>:\nSorry, no such user.\n\n"),
        ("intd/9", b"u0\0p1443\0F"),
    ]);
    let expected = [
        ("mess/0/3", "EnvelopeLost"),
        ("info/1/4", "BodyLost"),
        ("todo/5", "BodyLost"),
        ("mess/0/6", "PartMissing"),
        ("remote/1/7", "SideFileAlone"),
        ("bounce/8", "SideFileAlone"),
        ("intd/9", "Unfinished"),
    ];
    let expected = expected.map(|(place, sign)| (place.to_owned(), vec![sign.to_owned()]));
    assert_eq!(case.signs_on_a_copy(), BTreeMap::from(expected));
    let lost = case.message("info/1/4");
    assert_eq!(lost.envelope.sender, Some(Text::from("s@lab.test")));
    let [one, two] = lost.envelope.recipients.as_slice() else { panic!("{:?}", lost.envelope) };
    assert_eq!((one.state, two.state), (RecipientState::Pending, RecipientState::Done));
    assert_eq!(two.reason, Some(Text::from("Sorry.")));
    let bounced = &case.message("bounce/8").envelope.recipients[0];
    assert_eq!(bounced.reason, Some(Text::from("Sorry, no such user.")));
    let content = case.message("mess/0/3");
    let facts: Vec<_> = content.signs.last().unwrap().facts.iter().map(|fact| fact.text.as_str()).collect();
    assert!(facts.iter().any(|fact| fact.contains("last read at") && fact.contains("36 hours")), "{facts:?}");
    assert_eq!(content.header("Subject"), Some(&Text::from("one")));
    assert!(content.time(TimeKind::Submitted).is_some(), "the line that qmail-queue wrote has the time");
}

#[test]
fn a_message_whose_last_recipient_was_given_up_waits_for_its_bounce() {
    let case = of(&[
        ("mess/0/3", MAIL),
        ("info/0/3", b"Fs@lab.test\0"),
        ("bounce/3", b"<gone@grey.test>:\nSorry.\n\n"),
    ]);
    assert_eq!(case.signs_on_a_copy(), BTreeMap::new());
    let recipient = &case.message("mess/0/3").envelope.recipients[0];
    assert_eq!(
        (recipient.address.clone(), recipient.state),
        (Text::from("gone@grey.test"), RecipientState::Done)
    );
}

#[test]
fn what_lies_where_qmail_does_not_look_is_misfiled_and_reported_once() {
    let files = |part: &str| ["mess", "info", "remote"].map(|folder| format!("{folder}/{part}"));
    let [mess, info, remote] = files("1/6");
    let case = of(&[
        (&mess, MAIL),
        (&info, b"Fs@lab.test\0"),
        (&remote, b"Tone@grey.test\0"),
        // Only the content was moved.
        ("mess/2/9", MAIL),
        ("info/0/9", b"Fs@lab.test\0"),
        ("remote/0/9", b"Tone@grey.test\0"),
        // Only the sender was moved.
        ("mess/0/12", MAIL),
        ("info/1/12", b"Fs@lab.test\0"),
        ("remote/0/12", b"Tone@grey.test\0"),
        ("mess/old/15", MAIL),
        ("mess/18", MAIL),
    ]);
    let misfiled = |message: &Message| {
        let sign = sign(message, "Misfiled");
        (sign.sign.clone(), sign.confidence)
    };
    for (place, expected) in [
        ("mess/1/6", "mess/0/6"),
        ("mess/2/9", "mess/0/9"),
        ("mess/0/12", "info/0/12"),
        ("mess/old/15", "mess/0/15"),
        ("mess/18", "mess/0/18"),
    ] {
        let sign = Sign::Misfiled { expected: Text::from(expected) };
        assert_eq!(misfiled(case.message(place)), (sign, Confidence::Certain), "{place}");
    }
    assert_eq!(case.messages().count(), 5, "{:?}", case.signs_on_a_copy());
    assert_eq!(names_on_a_copy(case.message("mess/1/6")), ["Misfiled"]);
}

#[test]
fn a_name_that_is_no_number_is_no_message_to_qmail() {
    let case = of(&[
        ("mess/0/3.bak", MAIL),
        ("mess/0/007", MAIL),
        ("todo/core", QUEUED),
        ("info/0/3~", b"Fs@lab.test\0"),
    ]);
    assert_eq!(names_on_a_copy(case.message("mess/0/3.bak")), ["ForeignName"]);
    assert_eq!(case.message("mess/0/3.bak").ids.native, Some(Text::from("3")));
    assert_eq!(names_on_a_copy(case.message("mess/0/007")), ["ForeignName"]);
    assert_eq!(names_on_a_copy(case.message("todo/core")), ["ForeignName"]);
    assert_eq!(
        names_on_a_copy(case.message("info/0/3~")),
        ["SideFileAlone"],
        "no mail, but a copy of a sender"
    );
}

#[test]
fn todo_may_be_split_and_what_lies_flat_there_is_then_not_seen() {
    let case = of(&[("mess/1/4", MAIL), ("todo/1/4", QUEUED), ("mess/2/5", MAIL), ("todo/5", QUEUED)]);
    assert_eq!(names_on_a_copy(case.message("mess/1/4")), ["Unclaimed"]);
    assert_eq!(names_on_a_copy(case.message("mess/2/5")), ["Misfiled", "Unclaimed"]);
    assert!(case.opened.instance.facts.iter().any(|fact| fact.text.contains("big-todo")));
}

#[test]
fn damage_in_an_envelope_is_a_finding_of_its_message() {
    let case = of(&[
        ("mess/0/3", MAIL),
        ("info/0/3", b"Fs@lab.te"),
        ("remote/0/3", b"Tone@grey.test\0"),
        ("mess/1/4", MAIL),
        ("info/1/4", b"Fs@lab.test\0"),
        ("remote/1/4", b"Tone@grey.test\0Ttwo@gr"),
        ("mess/2/5", MAIL),
        ("todo/5", b"u0\0p1\0Fs@lab.test\0Z\0"),
        ("mess/0/6", b""),
        ("info/0/6", b"Fs@lab.test\0"),
        ("local/0/6", b"Tone@lab.test\0"),
    ]);
    assert_eq!(names_on_a_copy(case.message("mess/0/3")), ["Corrupt"]);
    let cut = sign(case.message("mess/1/4"), "Corrupt");
    assert_eq!(cut.sign, Sign::Corrupt { offset: 15 }, "where the record begins that does not end");
    assert_eq!(names_on_a_copy(case.message("mess/2/5")), ["Corrupt", "Unclaimed"]);
    assert_eq!(names_on_a_copy(case.message("mess/0/6")), ["EmptyFile"]);
}

#[test]
fn a_temporary_file_names_the_process_that_made_it() {
    let case = of(&[("pid/4711.1795480374.1", b""), ("pid/stray", b"x")]);
    let message = case.message("pid/4711.1795480374.1");
    assert_eq!(names_on_a_copy(message), ["Unfinished", "OwnedByProcess"]);
    assert!(message.signs.iter().any(|signed| signed.sign == Sign::OwnedByProcess { pid: 4711 }));
    assert_eq!(names_on_a_copy(case.message("pid/stray")), ["Unfinished"]);
}

#[test]
fn a_copy_that_lacks_a_folder_proves_less() {
    let case = of(&[("mess/0/3", MAIL), ("info/0/3", b"Fs@lab.test\0"), ("info/1/4", b"Fs@lab.test\0")]);
    let confidence = |case: &Sample, place: &str| case.message(place).signs.last().unwrap().confidence;
    assert_eq!(confidence(&case, "mess/0/3"), Confidence::Likely);
    assert_eq!(confidence(&case, "info/1/4"), Confidence::Certain);
    std::fs::remove_dir_all(case.folder.path().join("queue/local")).unwrap();
    let case = again(case.folder);
    assert_eq!(confidence(&case, "mess/0/3"), Confidence::Possible);
}

#[test]
fn a_time_far_ahead_is_the_next_attempt_and_one_with_a_fraction_in_the_past_is_not() {
    let case = of(&[
        ("mess/0/3", MAIL),
        ("info/0/3", b"Fs@lab.test\0"),
        ("remote/0/3", b"Tone@grey.test\0"),
        ("local/0/3", b"Tone@lab.test\0"),
    ]);
    let set = |path: &str, time: std::time::SystemTime| {
        let file =
            std::fs::File::options().write(true).open(case.folder.path().join(QUEUE).join(path)).unwrap();
        file.set_modified(time).unwrap();
    };
    let whole = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let ahead = std::time::SystemTime::now() + std::time::Duration::from_hours(24 * 400);
    set("remote/0/3", whole + std::time::Duration::from_millis(250));
    set("local/0/3", whole);
    let case = again(case.folder);
    let message = case.message("mess/0/3");
    assert_eq!(message.time(TimeKind::NextAttempt), Some(Time::from_unix(1_700_000_000)));
    assert_eq!(message.time(TimeKind::Modified), Some(Time::new(1_700_000_000, 250_000_000)));
    let file = case.folder.path().join("queue/remote/0/3");
    std::fs::File::options().write(true).open(file).unwrap().set_modified(ahead).unwrap();
    let case = again(case.folder);
    let next = case.message("mess/0/3").time(TimeKind::NextAttempt).unwrap();
    assert!(next.since(Time::now()) > 399 * 86_400, "the later one comes first: {}", next.rfc3339());
}

#[cfg(unix)]
#[test]
fn the_fifo_by_which_qmail_is_woken_is_never_opened_and_no_damage() {
    let case = of(&[("mess/0/3", MAIL), ("info/0/3", b"Fs@x\0"), ("remote/0/3", b"Ta@x\0")]);
    let queue = case.folder.path().join(QUEUE);
    std::fs::create_dir(queue.join("lock")).unwrap();
    let mkfifo = |path: &str| crate::sources::samples::mkfifo(&queue.join(path));
    mkfifo("lock/trigger");
    let case = again(case.folder);
    assert!(!case.opened.tops.iter().any(|top| top.starts_with("lock")));
    assert!(case.damages().is_empty());
    // Elsewhere a FIFO is named, and not opened either: opening it would wait for ever.
    mkfifo("mess/1/4");
    mkfifo("info/1/4");
    let case = again(case.folder);
    let damages = case.damages();
    assert_eq!(damages.iter().map(|damage| damage.kind).collect::<Vec<_>>(), [DamageKind::NotRegular; 2]);
}

#[cfg(unix)]
#[test]
fn files_that_qmail_send_may_not_open_are_told_by_owner_group_and_mode() {
    let case = of(&[]);
    let line = |mode: &str, owner: &str, kind: &str, path: &str| {
        format!(
            "{}\t{mode}\t{owner}\t1\t1\t1795480375.0\t{kind}\t{path}\n",
            path.rsplit('/').next().unwrap().len()
        )
    };
    let mut lines = String::new();
    for (folder, owner) in [
        ("mess", "1004:1001"),
        ("todo", "1004:1001"),
        ("info", "1006:1001"),
        ("local", "1006:1001"),
        ("remote", "1006:1001"),
    ] {
        lines += &line("0700", owner, "d", folder);
    }
    let queue = case.folder.path().join(QUEUE);
    for (number, info, remote, mess) in [
        (3, ("0600", "1006:1001"), ("0600", "1006:1001"), ("0644", "1004:0")),
        (6, ("0600", "0:0"), ("0600", "1006:1001"), ("0644", "1004:0")),
        (9, ("0640", "0:1001"), ("0640", "0:1001"), ("0644", "1004:0")),
        (12, ("0644", "0:0"), ("0600", "1006:1001"), ("0600", "1004:1001")),
    ] {
        for (folder, (mode, owner), bytes) in
            [("info", info, &b"Fs@x\0"[..]), ("remote", remote, b"Ta@x\0"), ("mess", mess, MAIL)]
        {
            let path = format!("{folder}/0/{number}");
            std::fs::write(queue.join(&path), bytes).unwrap();
            lines += &line(mode, owner, "f", &path);
        }
    }
    let options = crate::sources::samples::with_manifest(case.folder.path(), &lines);
    let case = open(case.folder, &options);
    let refused: Vec<String> = case.signs_on_a_copy().into_keys().collect();
    // 6: info of root. 9: read by the group, but recipients cannot be marked as done. 12: content that is not delivered.
    assert_eq!(refused, ["mess/0/12", "mess/0/6", "mess/0/9"]);
    let facts = &case.message("mess/0/9").signs.last().unwrap().facts;
    assert!(facts[0].locus.path.lossy().starts_with("remote/"), "{facts:?}");
}

#[test]
fn a_folder_is_a_queue_by_mess_and_two_more() {
    let detect = |names: &[&str], chosen: bool| {
        let entries: Vec<_> = names.iter().map(|name| (name.into(), EntryKind::Directory)).collect();
        let place = crate::sources::Place {
            path: Path::new("/srv/queue"),
            entries: &entries,
            head: &[],
            is_directory: true,
            named: true,
            chosen,
        };
        Qmail.detect(&place).is_some()
    };
    assert!(detect(&["mess", "info", "remote"], false), "a restored part");
    assert!(!detect(&["info", "local", "remote", "todo"], false));
    assert!(!detect(&["mess", "info"], false));
    assert!(detect(&["mess"], true), "named as a queue of qmail");
}
