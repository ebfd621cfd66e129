//! What is proposed for the ghosts of qmail, and what is written of their content.

use super::*;
use crate::evidence::Text;
use crate::plan::{Given, Lock, Verb};
use crate::sources::Extent;
use crate::sources::proposals::*;
use crate::sources::samples::file;

const MESS: &[u8] = b"Received: (qmail 1 invoked by uid 0); 24 Nov 2026 00:00:00 -0000\nSubject: x\n\nbody\n";
const INFO: &[u8] = b"Fsender@lab.test\0";
const REMOTE: &[u8] = b"Tone@x.test\0Dtwo@x.test\0Tthree@x.test\0";

fn queued(remote: &[u8]) -> Sample {
    of(&[("mess/1/7", MESS), ("info/1/7", INFO), ("remote/1/7", remote)])
}

#[test]
fn the_content_is_the_file_in_mess() {
    let sample = fixture("ghosts");
    for place in ["mess/0/11463706", "mess/1/11464212", "mess/0/11464143"] {
        let whole = file(&Qmail, &format!("ghosts/tree/{place}"));
        assert_eq!(content(&sample, place, Extent::Whole).unwrap(), whole, "{place}");
    }
    let cut = content(&sample, "mess/13/11460614", Extent::Whole).unwrap_err();
    assert!(cut.reason.contains("no end") || cut.reason.contains("its header"), "{cut:?}");
    assert!(content(&sample, "info/0/11463821", Extent::Header).is_err(), "its content is lost");
}

#[test]
fn the_real_ghosts_get_what_helps_them() {
    let sample = fixture("ghosts");
    let ask = |verb, place: &str, rules: &[&str], given: &Given| propose(&sample, verb, place, rules, given);
    let misfiled = ask(Verb::Requeue, "mess/1/11464212", &["misfiled"], &nothing()).unwrap();
    let (parts, outgoing) = handed_over(&misfiled);
    assert_eq!(parts, ["mess/1/11464212", "info/1/11464212", "remote/1/11464212"]);
    assert_eq!(recipients(outgoing), ["multi7@grey.test", "extra@dead.test", "extra2@grey.test"]);
    let place = "mess/0/11464143";
    let owner =
        ask(Verb::Requeue, place, &["wrong-owner-or-mode", "name-inode-mismatch"], &nothing()).unwrap();
    let changed = changes(&owner);
    assert!(changed.contains(&"owner info/0/11464143 1006:Some(1001)".to_owned()), "{changed:?}");
    assert!(changed.contains(&"mode info/0/11464143 600".to_owned()), "{changed:?}");
    let lost = "mess/0/11463706";
    let refusal = ask(Verb::Requeue, lost, &["body-without-envelope"], &nothing()).unwrap_err();
    assert!(
        refusal.hint.contains("`--mail-from`"),
        "its recipients are there, its sender is not: {refusal:?}"
    );
    let named = ask(Verb::Requeue, lost, &["body-without-envelope"], &named()).unwrap();
    let (_, outgoing) = handed_over(&named);
    assert_eq!(recipients(outgoing), ["grey19@grey.test"], "what the queue knows is not replaced");
    let bodiless = "info/0/11463821";
    assert!(ask(Verb::Requeue, bodiless, &["envelope-without-body"], &offline()).is_err());
    let returned = ask(Verb::Ndr, bodiless, &["envelope-without-body"], &nothing()).unwrap();
    assert_eq!(handed_over(&returned).0, ["info/0/11463821", "remote/0/11463821"]);
}

#[test]
fn the_states_of_a_queue_get_what_helps_them() {
    let sample = fixture("states");
    let requeue =
        |place: &str, rules: &[&str], given: &Given| propose(&sample, Verb::Requeue, place, rules, given);
    let waiting = requeue("mess/2/1108648", &["unclaimed"], &nothing()).unwrap_err();
    assert!(waiting.hint.contains("start qmail-send") && waiting.hint.contains("--offline"), "{waiting:?}");
    let copied = requeue("mess/2/1108648", &["unclaimed"], &offline()).unwrap();
    let (parts, outgoing) = handed_over(&copied);
    assert_eq!(parts[..2], ["mess/2/1108648", "todo/1108648"]);
    assert_eq!(recipients(outgoing), ["later@grey.test"]);
    let begun = requeue("mess/7/1112885", &["unfinished"], &named()).unwrap_err();
    assert!(begun.reason.contains("did not accept it"), "{begun:?}");
    let made = requeue("pid/4194000.1795480000.1", &["unfinished", "owner-gone"], &offline()).unwrap_err();
    assert!(made.reason.contains("no number") || made.reason.contains("did not accept"), "{made:?}");
    for (place, rules) in
        [("mess/12/1108658", &["corrupt", "unclaimed"][..]), ("mess/3/1111110", &["corrupt"])]
    {
        assert!(requeue(place, rules, &offline()).unwrap_err().reason.contains("damaged"));
        let silent = requeue(place, &[], &offline()).unwrap_err();
        assert!(
            silent.reason.contains("for certain"),
            "a rule that does not speak hides nothing: {silent:?}"
        );
    }
    let copy = requeue("mess/3/1109592.bak", &["foreign-name"], &nothing()).unwrap_err();
    assert!(copy.hint.contains("`--to`"), "{copy:?}");
    assert_eq!(
        handed_over(&requeue("mess/3/1109592.bak", &["foreign-name"], &named()).unwrap()).0,
        ["mess/3/1109592.bak"]
    );
    let note = requeue("remote/8/1110770", &["orphan-side-file"], &named()).unwrap_err();
    assert!(note.reason.contains("note"), "{note:?}");
    let ahead = requeue("mess/16/1111169", &["future-time"], &nothing()).unwrap();
    assert_eq!(changes(&ahead), ["time remote/16/1111169"]);
    let late = requeue("mess/16/1109260", &["expired"], &nothing()).unwrap();
    assert_eq!(changes(&late), ["time info/16/1109260"]);
}

#[test]
fn who_was_served_is_left_out_and_told() {
    let sample = queued(REMOTE);
    let proposal = propose(&sample, Verb::Requeue, "mess/1/7", &["unlisted"], &nothing()).unwrap();
    let (parts, outgoing) = handed_over(&proposal);
    assert_eq!(
        parts,
        ["mess/1/7", "info/1/7", "remote/1/7"],
        "the content first: nothing is sent without it"
    );
    assert_eq!(recipients(outgoing), ["one@x.test", "three@x.test"]);
    assert_eq!(outgoing.delivered, [Text::from("two@x.test")]);
    let served = queued(b"Done@x.test\0");
    let refusal = propose(&served, Verb::Requeue, "mess/1/7", &["unlisted"], &offline()).unwrap_err();
    assert!(refusal.reason.contains("already"), "{refusal:?}");
    let many: Vec<u8> = (0..50_000).flat_map(|number| format!("Tr{number}@x.test\0").into_bytes()).collect();
    let proposal = propose(&queued(&many), Verb::Requeue, "mess/1/7", &["unlisted"], &nothing()).unwrap();
    assert_eq!(handed_over(&proposal).1.recipients.len(), 50_000, "a scan keeps a thousand");
}

#[test]
fn recipients_that_were_given_up_are_named_in_a_report_and_not_sent_to_again() {
    let files: [(&str, &[u8]); 4] = [
        ("mess/1/7", MESS),
        ("info/1/7", INFO),
        ("remote/1/7", REMOTE),
        ("bounce/7", b"<two@x.test>:\nSorry, no such user.\n\n"),
    ];
    let sample = of(&files);
    let requeue = propose(&sample, Verb::Requeue, "mess/1/7", &["unlisted"], &nothing()).unwrap();
    assert_eq!(recipients(handed_over(&requeue).1), ["one@x.test", "three@x.test"]);
    assert!(requeue.warnings.iter().any(|warning| warning.contains("not yet told")), "{requeue:?}");
    let returned = propose(&sample, Verb::Ndr, "mess/1/7", &["unlisted"], &nothing()).unwrap();
    let (_, outgoing) = handed_over(&returned);
    assert_eq!(recipients(outgoing), ["one@x.test", "three@x.test", "two@x.test"]);
    assert_eq!(outgoing.recipients[2].reason, Some(Text::from("Sorry, no such user.")));
    assert!(outgoing.delivered.is_empty());
}

#[test]
fn a_local_recipient_loses_the_name_of_its_virtual_domain() {
    let files: [(&str, &[u8]); 3] =
        [("mess/1/7", MESS), ("info/1/7", INFO), ("local/1/7", b"Talias-v-bob@v.test\0Tjoe@home.test\0")];
    let sample = of(&files);
    let refusal = propose(&sample, Verb::Requeue, "mess/1/7", &["unlisted"], &nothing()).unwrap_err();
    assert!(refusal.hint.contains("--config"), "{refusal:?}");
    lay_out(
        sample.folder.path(),
        &[],
        &[("control/me", b"home.test\n"), ("control/virtualdomains", b"v.test:alias-v\n")],
    );
    let sample = again(sample.folder);
    let proposal = propose(&sample, Verb::Requeue, "mess/1/7", &["unlisted"], &nothing()).unwrap();
    assert_eq!(recipients(handed_over(&proposal).1), ["bob@v.test", "joe@home.test"]);
}

#[test]
fn senders_that_only_qmail_understands_are_left_to_it() {
    for (info, word) in [(&b"Flist-@host.test-@[]\0"[..], "VERP"), (b"F#@[]\0", "bounce of a bounce")] {
        let sample = of(&[("mess/1/7", MESS), ("info/1/7", info), ("remote/1/7", REMOTE)]);
        let refusal = propose(&sample, Verb::Requeue, "mess/1/7", &["unlisted"], &offline()).unwrap_err();
        assert!(refusal.reason.contains(word), "{refusal:?}");
    }
}

#[test]
fn two_files_of_one_number_are_not_mixed_up() {
    let files: [(&str, &[u8]); 5] =
        [("mess/2/7", MESS), ("mess/1/7", MESS), ("info/1/7", INFO), ("remote/1/7", REMOTE), ("todo/8", b"")];
    let sample = of(&files);
    let refusal = propose(&sample, Verb::Requeue, "mess/2/7", &["misfiled"], &offline()).unwrap_err();
    assert!(refusal.reason.contains("`mess/1/7` has the same number"), "{refusal:?}");
    let sample = of(&[("mess/2/7", MESS), ("info/1/7", INFO), ("remote/1/7", REMOTE)]);
    let refusal = propose(&sample, Verb::Requeue, "mess/2/7", &["misfiled"], &offline()).unwrap_err();
    assert!(refusal.reason.contains("may be of two messages"), "{refusal:?}");
}

#[test]
fn while_qmail_send_runs_nothing_is_taken_from_it() {
    let mut sample = queued(REMOTE);
    let live = crate::evidence::Live { pid: 4_711, since: Time::now() };
    sample.opened.instance.live = Some(live);
    let ask = |rule, given: &Given| propose(&sample, Verb::Requeue, "mess/1/7", &[rule], given).unwrap_err();
    assert!(ask("unindexed", &nothing()).hint.contains("restart qmail-send"));
    let refusal = ask("misfiled", &nothing());
    assert!(refusal.reason.contains("4711") && refusal.hint.contains("svc -d"), "{refusal:?}");
    assert!(ask("misfiled", &offline()).reason.contains("not offline"));
}

#[test]
fn qmail_send_is_kept_from_starting_meanwhile() {
    let files: [(&str, &[u8]); 4] =
        [("mess/1/7", MESS), ("info/1/7", INFO), ("remote/1/7", REMOTE), ("lock/sendmutex", b"")];
    let proposal = propose(&of(&files), Verb::Requeue, "mess/1/7", &["misfiled"], &nothing()).unwrap();
    assert_eq!(proposal.lock, Some(Lock::Flock { path: Text::from("lock/sendmutex") }));
    let copy = propose(&queued(REMOTE), Verb::Requeue, "mess/1/7", &["misfiled"], &offline()).unwrap();
    assert_eq!(copy.lock, None, "a copy may lack it");
}

#[test]
fn content_alone_goes_to_whom_the_operator_names() {
    let sample = of(&[("mess/1/7", MESS)]);
    let refusal = propose(&sample, Verb::Requeue, "mess/1/7", &["unfinished"], &nothing()).unwrap_err();
    assert!(refusal.hint.contains("`--to`"), "{refusal:?}");
    let proposal = propose(&sample, Verb::Requeue, "mess/1/7", &["unfinished"], &named()).unwrap();
    assert_eq!(handed_over(&proposal).0, ["mess/1/7"]);
    assert!(proposal.warnings[0].contains("probably sent it again"), "{proposal:?}");
}

/// Neither lists nor messages of qmail say how long they are: what is cut off between two records, or between two lines of a
/// body, cannot be told. Everything else can.
#[test]
fn an_envelope_cut_at_any_byte_is_refused_unless_it_ends_with_a_record() {
    for cut in 0..INFO.len() {
        let sample = of(&[("mess/1/7", MESS), ("info/1/7", &INFO[..cut]), ("remote/1/7", REMOTE)]);
        assert!(propose(&sample, Verb::Requeue, "mess/1/7", &[], &offline()).is_err(), "info cut at {cut}");
    }
    for cut in 0..REMOTE.len() {
        let proposal = propose(&queued(&REMOTE[..cut]), Verb::Requeue, "mess/1/7", &[], &offline());
        assert_eq!(proposal.is_ok(), REMOTE[..cut].ends_with(b"\0"), "remote cut at {cut}");
    }
    let todo = b"u0\0p1\0Fs@x.test\0Tone@x.test\0Ttwo@x.test\0";
    for cut in 0..todo.len() {
        let sample = of(&[("mess/1/7", MESS), ("todo/7", &todo[..cut])]);
        let proposal = propose(&sample, Verb::Requeue, "mess/1/7", &[], &offline());
        assert_eq!(proposal.is_ok(), todo[..cut].ends_with(b"one@x.test\0"), "todo cut at {cut}");
    }
    let body_at = memchr::memmem::find(MESS, b"\n\n").unwrap() + 2;
    for cut in 0..MESS.len() {
        let sample = of(&[("mess/1/7", &MESS[..cut]), ("info/1/7", INFO), ("remote/1/7", REMOTE)]);
        let proposal = propose(&sample, Verb::Requeue, "mess/1/7", &[], &offline());
        assert_eq!(proposal.is_ok(), cut == body_at, "mess cut at {cut}");
    }
}

#[test]
fn any_bytes_are_survived() {
    let mut random = Random::new(5);
    for _ in 0..200 {
        let [info, remote, mess] = [INFO, REMOTE, MESS].map(|bytes| random.overwritten(bytes));
        let files: [(&str, &[u8]); 6] = [
            ("mess/1/7", &mess),
            ("info/1/7", &info),
            ("remote/1/7", &remote),
            ("bounce/7", &remote),
            ("todo/8", &remote),
            ("intd/9", &info),
        ];
        let sample = of(&files);
        for message in sample.messages() {
            for verb in [Verb::Requeue, Verb::Ndr] {
                for given in [nothing(), offline(), named()] {
                    let _proposed = propose_for(&sample, message, verb, &[], &given);
                }
            }
        }
    }
}
