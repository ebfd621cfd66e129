//! A message that some recipients have and others were refused.

use super::scenes::scene;
use super::world::{OPERATION, World, outgoing};
use crate::act::faults::Faults;
use crate::act::faults::testing::Kind;
use crate::act::journal::Journal;
use crate::act::undo::obstacle;
use crate::act::work::Went;
use crate::evidence::Text;
use crate::plan::Door;
use crate::plan::entry::{End, Entry, Outcome};
use std::fs;

/// A message that Bert has and Carl was refused; what the command does when it is tried once more.
fn partly(text: &str) -> super::scenes::Scene {
    let mut scene = scene("three parts");
    scene.job.outgoing = Some(outgoing(&["bert@b.example", "carl@c.example"]));
    scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
    // The journal as it is after an SMTP server has taken it for one of two; then the job goes on from there.
    let told = crate::act::journal::read(&scene.world.state).unwrap();
    fs::remove_file(scene.world.state.join("journal.jsonl")).unwrap();
    let (mut journal, _) = Journal::open(&scene.world.state, Faults::none()).unwrap();
    for line in told.lines {
        let entry = match line.entry {
            Entry::Planned { mut job } => {
                if let Some(Door::Sendmail { submission }) = &mut job.door {
                    let tmp = scene.world.root.join("tmp");
                    *submission = scene.world.sendmail(&tmp, &scene.world.root.join("queue"), text);
                }
                Entry::Planned { job }
            }
            Entry::Done { job, step: 3, .. } => {
                let refused = vec![Text::from("carl@c.example")];
                Entry::Done { job, step: 3, outcome: Outcome { refused, ..Outcome::default() } }
            }
            Entry::Closed { job, note, .. } => Entry::Closed { job, end: End::Partly, note },
            other => other,
        };
        journal.append(&line.op, &entry).unwrap();
    }
    for name in World::snapshot(&scene.world.out.join("env")).into_keys() {
        fs::remove_file(name).unwrap();
    }
    scene
}

fn envelopes(world: &World) -> Vec<String> {
    let seen = World::snapshot(&world.out.join("env")).into_values();
    seen.map(|seen| String::from_utf8(seen.bytes).unwrap()).collect()
}

#[test]
fn the_rest_is_handed_in_only_to_those_who_were_refused() {
    let scene = partly("exit 0");
    let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
    assert!(matches!(went, Went::Ended(End::Done, _)), "{went:?}");
    assert_eq!(envelopes(&scene.world), ["-f\nanna@a.example\n--\ncarl@c.example\n"]);
}

#[test]
fn refused_once_more_it_waits_on_and_never_goes_back_to_those_who_have_it() {
    let scene = partly("rm \"$new\"");
    let original = scene.world.root.join("stuck/M1");
    let (program, _) = scene.world.script("sendmail", "cat > /dev/null; exit 67");
    assert_eq!(program, "/bin/sh");
    for _ in 0..2 {
        let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
        assert!(matches!(went, Went::Ended(End::Partly, _)) || matches!(went, Went::Unknown(_)), "{went:?}");
        assert!(!original.exists(), "Bert would get it a second time");
        let course = scene.world.course().unwrap();
        assert!(obstacle(&course).is_some(), "nor may it be undone");
    }
}

#[test]
fn killed_anywhere_in_the_second_attempt_it_still_never_goes_back() {
    for at in 0.. {
        let scene = partly("exit 0");
        let faults = Faults::at(at, Kind::Death);
        let _died = scene.world.apply(&scene.job, &scene.content, &faults);
        let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
        assert!(!scene.world.root.join("stuck/M1").exists(), "{at}: {went:?}");
        let sent = envelopes(&scene.world);
        assert!(sent.len() <= 1, "{at}: {sent:?}");
        assert!(sent.iter().all(|envelope| !envelope.contains("bert")), "{at}: {sent:?}");
        match went {
            Went::Ended(End::Done, _) => assert_eq!(sent.len(), 1, "{at}"),
            Went::Unknown(_) => {}
            other => panic!("{at}: {other:?}"),
        }
        if faults.passed() <= at {
            break;
        }
    }
}

#[test]
fn even_a_word_of_the_operator_does_not_send_it_to_those_who_have_it() {
    for entry in [
        Entry::NotDone { job: 1, step: 3, why: "the operator says so".to_owned() },
        Entry::Undone { job: 1, step: 3 },
    ] {
        let scene = partly("exit 0");
        let (mut journal, _) = Journal::open(&scene.world.state, Faults::none()).unwrap();
        journal.append(OPERATION, &Entry::Unknown { job: 1, step: 3, why: "died".to_owned() }).unwrap();
        journal.append(OPERATION, &entry).unwrap();
        drop(journal);
        let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
        assert!(matches!(went, Went::Ended(End::Done | End::Partly, _)), "{went:?}");
        assert!(!scene.world.root.join("stuck/M1").exists());
        assert!(envelopes(&scene.world).iter().all(|envelope| !envelope.contains("bert")));
        assert!(obstacle(&scene.world.course().unwrap()).is_some());
    }
}
