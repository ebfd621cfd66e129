//! What nobody knows stays open until the operator says it, and what he says is done.

use super::scenes::{Scene, scene};
use super::world::{OPERATION, World};
use crate::act::faults::Faults;
use crate::act::faults::testing::Kind;
use crate::act::journal::Journal;
use crate::act::tool;
use crate::act::undo::obstacle;
use crate::act::work::Went;
use crate::plan::course::StepState;
use crate::plan::entry::{End, Entry, Outcome};
use std::process::Command;

/// A message of which nobody knows whether it was handed in.
fn unknown(delivered: bool) -> Scene {
    for at in 0.. {
        let scene = scene("elsewhere");
        let _died = scene.world.apply(&scene.job, &scene.content, &Faults::at(at, Kind::Death));
        let committing = scene.world.course().is_some_and(|course| {
            matches!(course.steps.last(), Some(StepState::Intended { committing: true, .. }))
        });
        if committing && (scene.delivered() == 1) == delivered {
            let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
            assert!(matches!(went, Went::Unknown(_)), "{went:?}");
            return scene;
        }
    }
    unreachable!("there is such a point")
}

fn say(scene: &Scene, entry: &Entry) -> Went {
    let (mut journal, _) = Journal::open(&scene.world.state, Faults::none()).unwrap();
    journal.append(OPERATION, entry).unwrap();
    drop(journal);
    scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap()
}

#[test]
fn it_is_not_tried_again_however_often_it_is_resumed() {
    for delivered in [false, true] {
        let scene = unknown(delivered);
        for _ in 0..3 {
            let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
            assert!(matches!(went, Went::Unknown(_)), "{went:?}");
        }
        assert_eq!(scene.delivered(), usize::from(delivered));
        let why = obstacle(&scene.world.course().unwrap()).unwrap();
        assert!(why.starts_with("nobody knows whether it was handed in"), "{why}");
    }
}

#[test]
fn said_to_be_sent_it_is_done() {
    let scene = unknown(true);
    let went = say(&scene, &Entry::Done { job: 1, step: 1, outcome: Outcome::default() });
    assert!(matches!(went, Went::Ended(End::Done, _)), "{went:?}");
    assert_eq!(scene.delivered(), 1);
}

#[test]
fn said_not_to_be_sent_it_goes_back_into_the_spool() {
    let scene = unknown(false);
    let went = say(&scene, &Entry::NotDone { job: 1, step: 1, why: "the log says so".to_owned() });
    assert!(matches!(went, Went::Ended(End::Untouched, _)), "{went:?}");
    assert_eq!(World::holding(&scene.world.root).len(), 1);
    assert_eq!(scene.delivered(), 0);
}

#[test]
fn a_command_that_failed_alone_has_done_nothing_also_after_a_crash() {
    let mut seen = 0;
    for at in 0.. {
        let scene = scene("native, refused");
        let died = Faults::at(at, Kind::Death);
        let _died = scene.world.apply(&scene.job, &scene.content, &died);
        let failed = scene
            .world
            .course()
            .is_some_and(|course| course.steps == [StepState::Undone] && course.end.is_none());
        let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
        assert!(matches!(went, Went::Ended(End::Untouched, _)), "{at}: {went:?}");
        seen += usize::from(failed);
        if died.passed() <= at {
            break;
        }
    }
    assert!(seen > 0, "it was killed between the failure and the end");
}

#[test]
fn a_command_of_whose_end_nobody_hears_is_not_said_to_have_failed() {
    const INNER: &str = "GHOSTQ_TEST_WITHOUT_SIGCHLD";
    if std::env::var_os(INNER).is_some() {
        let ran = tool::run("/bin/true", &[""; 0], None).unwrap();
        assert!(ran.status.is_none(), "{ran:?}");
        return;
    }
    // As it is when ghostq is started by a program that ignores SIGCHLD; dash cannot pass that on, Python can.
    let name = "act::tests::settle::a_command_of_whose_end_nobody_hears_is_not_said_to_have_failed";
    let text = "import os, signal, sys\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nos.execv(sys.argv[1], sys.argv[1:])";
    let inner = Command::new("python3")
        .args(["-c", text])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(INNER, "1")
        .output();
    let Ok(inner) = inner else { return };
    let text = String::from_utf8_lossy(&inner.stdout);
    assert!(text.contains("1 passed"), "{text}");
}
