//! Taking back: the spool is what it was, whenever that was interrupted.

use super::scenes::{Aim, Scene, all, scene};
use super::world::World;
use crate::act::faults::Faults;
use crate::act::faults::testing::Kind;
use crate::act::undo::obstacle;
use crate::act::work::Went;
use crate::plan::Step;
use crate::plan::entry::End;

/// The scene without what cannot be taken back.
fn reversible(name: &str) -> Scene {
    let mut scene = scene(name);
    scene.job.steps.retain(|step| matches!(step, Step::Change { .. } | Step::Withdraw { .. }));
    scene
}

fn faults(scene: &Scene, at: usize) -> Faults {
    Faults::on_disk(at, Kind::Death, scene.old_disk)
}

/// The spool, with inodes where the vault is on the same disk.
fn spool(scene: &Scene) -> super::world::Snapshot {
    let mut seen = World::snapshot(&scene.world.root);
    if scene.name.starts_with("far") {
        for file in seen.values_mut() {
            file.inode = 0;
        }
    }
    seen
}

fn names() -> Vec<&'static str> {
    let names = ["attributes", "move", "old disk, move", "link", "one part", "three parts"];
    let names = names.into_iter().chain(["far vault, three parts", "old disk, three parts"]);
    names.filter(|name| all().contains(name)).collect()
}

#[test]
fn whatever_was_done_is_undone_to_the_last_attribute() {
    for name in names() {
        let scene = reversible(name);
        let before = spool(&scene);
        scene.world.apply(&scene.job, &scene.content, &faults(&scene, usize::MAX)).unwrap();
        assert_ne!(spool(&scene), before, "{name}: something was done");
        let went = scene.world.undo(&scene.job, &faults(&scene, usize::MAX)).unwrap();
        assert!(matches!(went, Went::Ended(End::Undone, _)), "{name}: {went:?}");
        assert_eq!(spool(&scene), before, "{name}");
        let again = scene.world.undo(&scene.job, &Faults::none()).unwrap();
        assert_eq!(again, Went::Ended(End::Undone, "it was undone already".to_owned()));
    }
}

#[test]
fn undoing_that_was_killed_anywhere_is_undone_by_doing_it_again() {
    for name in names() {
        for at in 0.. {
            let scene = reversible(name);
            let before = spool(&scene);
            scene.world.apply(&scene.job, &scene.content, &faults(&scene, usize::MAX)).unwrap();
            let dying = faults(&scene, at);
            let _died = scene.world.undo(&scene.job, &dying);
            let began = scene.world.course().unwrap().end.is_none();
            // Neither is forgotten: it is open, or nothing was taken back yet, or all of it was.
            assert!(began || dying.passed() < 12 || spool(&scene) == before, "{name} at {at}");
            let went = scene.world.undo(&scene.job, &faults(&scene, usize::MAX)).unwrap();
            assert!(matches!(went, Went::Ended(End::Undone, _)), "{name} at {at}: {went:?}");
            assert_eq!(spool(&scene), before, "{name} at {at}");
            if dying.passed() <= at {
                break;
            }
        }
    }
}

#[test]
fn undoing_that_was_killed_anywhere_is_brought_to_its_end_by_resume_too() {
    for name in names() {
        for at in 0.. {
            let scene = reversible(name);
            let before = spool(&scene);
            scene.world.apply(&scene.job, &scene.content, &faults(&scene, usize::MAX)).unwrap();
            let after = spool(&scene);
            let dying = faults(&scene, at);
            let _died = scene.world.undo(&scene.job, &dying);
            let went = scene.world.apply(&scene.job, &scene.content, &faults(&scene, usize::MAX)).unwrap();
            match went {
                Went::Ended(End::Done, _) => assert_eq!(spool(&scene), after, "{name} at {at}"),
                Went::Ended(End::Untouched | End::Undone, _) => {
                    assert_eq!(spool(&scene), before, "{name} at {at}");
                }
                other => panic!("{name} at {at}: {other:?}"),
            }
            if dying.passed() <= at {
                break;
            }
        }
    }
}

#[test]
fn a_job_that_was_killed_anywhere_can_be_undone_unless_it_was_handed_in() {
    for name in ["move", "link", "three parts", "far vault, three parts", "old disk, three parts"] {
        if !all().contains(&name) {
            continue;
        }
        for at in 0.. {
            let scene = scene(name);
            let before = spool(&scene);
            let dying = faults(&scene, at);
            let _died = scene.world.apply(&scene.job, &scene.content, &dying);
            let Some(course) = scene.world.course() else { continue };
            let refused = obstacle(&course);
            if refused.is_none() {
                let went = scene.world.undo(&scene.job, &faults(&scene, usize::MAX)).unwrap();
                assert!(matches!(went, Went::Ended(End::Undone, _)), "{name} at {at}: {went:?}");
                assert_eq!(spool(&scene), before, "{name} at {at}");
                assert_eq!(scene.delivered(), 0, "{name} at {at}");
            } else if scene.delivered() == 0 && !course.handed_in() {
                assert_eq!(spool(&scene), before, "{name} at {at}: {refused:?}");
            }
            if dying.passed() <= at {
                break;
            }
        }
    }
}

#[test]
fn what_cannot_be_taken_back_says_why() {
    let says = |name: &str, why: &str| {
        let scene = scene(name);
        assert!(scene.aim == Aim::Delivered);
        scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
        let done = spool(&scene);
        let Went::Ended(end, note) = scene.world.undo(&scene.job, &Faults::none()).unwrap() else {
            panic!("{name}")
        };
        assert_eq!(end, End::Done, "{name}");
        assert!(note.contains(why), "{name}: {note}");
        assert_eq!(spool(&scene), done, "{name}: nothing was changed");
    };
    says("three parts", "to put the original back would send it a second time");
    says("pickup", "to put the original back would send it a second time");
    says("native", "is taken back by hand: by hand");
    says("attributes", "is taken back by hand: by hand");
}

#[test]
fn an_export_is_undone_by_leaving_it() {
    let scene = scene("export");
    let before = spool(&scene);
    scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
    let went = scene.world.undo(&scene.job, &Faults::none()).unwrap();
    assert!(matches!(went, Went::Ended(End::Undone, _)), "{went:?}");
    assert_eq!(spool(&scene), before);
}
