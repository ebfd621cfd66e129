//! Every plan, broken at every point in every way, and again while it is carried on.

use super::scenes::{Aim, Scene, all, scene};
use super::world::{Snapshot, World, digest};
use crate::act::faults::Faults;
use crate::act::faults::testing::Kind;
use crate::act::work::Went;
use crate::plan::entry::End;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fs;

const NEVER: usize = usize::MAX;

/// What came of it, and how often.
type Tally = BTreeMap<&'static str, usize>;

/// Whether every combination is tried, which takes minutes.
fn everything() -> bool {
    std::env::var_os("GHOSTQ_KILL_ALL").is_some()
}

/// How the disk and the machine fail at a point; errors by turns.
fn kinds(at: usize) -> Vec<Kind> {
    let errors = [
        Errno::NOSPC,
        Errno::IO,
        Errno::NOENT,
        Errno::ACCESS,
        Errno::BUSY,
        Errno::ROFS,
        Errno::EXIST,
        Errno::DQUOT,
        Errno::INTR,
    ];
    let count = if everything() { errors.len() } else { 1 };
    let errors = errors.iter().cycle().skip(at % errors.len()).take(count);
    let errors = errors.map(|error| Kind::Error(error.raw_os_error()));
    [Kind::Death, Kind::TornWrite].into_iter().chain(errors).collect()
}

fn faults(scene: &Scene, at: usize, kind: Kind) -> Faults {
    Faults::on_disk(at, kind, scene.old_disk)
}

/// How many points there are in a run that nothing disturbs.
fn points(name: &str) -> usize {
    let scene = scene(name);
    let faults = faults(&scene, NEVER, Kind::Death);
    let went = scene.world.apply(&scene.job, &scene.content, &faults).unwrap();
    let expected = if scene.aim == Aim::Delivered { End::Done } else { End::Untouched };
    assert!(matches!(&went, Went::Ended(end, _) if *end == expected), "{name}: {went:?}");
    faults.passed()
}

/// The spool without what the mail system itself has in it, and whether inodes have to be the same.
fn home(scene: &Scene, same_inodes: bool) -> Snapshot {
    let mut seen = World::snapshot(&scene.world.root);
    for file in seen.values_mut() {
        if !same_inodes {
            file.inode = 0;
        }
    }
    seen
}

/// Whether the vault holds the message, or the report, in full.
fn vault_holds(scene: &Scene) -> bool {
    let parts: Vec<_> = scene.job.parts.iter().map(|part| part.sha256.clone()).collect();
    let there: Vec<_> =
        World::snapshot(&scene.world.vault).into_values().map(|seen| digest(&seen.bytes).sha256).collect();
    parts.iter().all(|part| there.contains(part))
}

/// Whatever happened, the message is somewhere, and is not on its way twice.
fn nothing_is_lost_or_doubled(scene: &Scene, context: &str) {
    let delivered = scene.delivered();
    assert!(delivered <= 1, "{context}: delivered {delivered} times");
    let held = vault_holds(scene) || !World::holding(&scene.world.root).is_empty();
    assert!(held || delivered == 1, "{context}: lost");
}

/// Carries on without a fault, twice, and says what came of it.
fn settle(scene: &Scene, before: &Snapshot, context: &str) -> &'static str {
    nothing_is_lost_or_doubled(scene, context);
    let resume = || {
        let faults = faults(scene, NEVER, Kind::Death);
        scene.world.apply(&scene.job, &scene.content, &faults)
    };
    let went = resume().unwrap_or_else(|error| panic!("{context}: {error:#}"));
    nothing_is_lost_or_doubled(scene, context);
    let whole = World::snapshot(scene.world.root.parent().unwrap());
    assert_eq!(resume().unwrap(), went, "{context}: a second resume says the same");
    assert_eq!(World::snapshot(scene.world.root.parent().unwrap()), whole, "{context}: and changes nothing");

    let same_inodes = !scene.name.starts_with("far");
    let delivered = scene.delivered();
    let is_home = home(scene, same_inodes) == *before;
    let context = format!("{context}: {went:?}, delivered {delivered}");
    match went {
        Went::Ended(End::Done, _) => {
            assert_eq!(delivered, 1, "{context}");
            assert_eq!(scene.stays, is_home, "{context}");
            check_arrived(scene, &context);
            "delivered"
        }
        Went::Ended(End::Untouched, _) => {
            assert_eq!(delivered, 0, "{context}");
            assert_eq!(home(scene, same_inodes), *before, "{context}: the spool is as it was");
            "untouched"
        }
        Went::Ended(End::Held, _) => {
            assert_eq!(delivered, 0, "{context}");
            assert!(vault_holds(scene), "{context}");
            "held"
        }
        Went::Unknown(_) => {
            assert!(vault_holds(scene), "{context}");
            assert!(scene.world.course().unwrap().unknown().is_some(), "{context}: the journal names it");
            for part in &scene.job.parts {
                let path = scene.world.root.join(part.path.to_path());
                assert!(!path.exists(), "{context}: the mail system must not send it as well");
            }
            check_arrived(scene, &context);
            "unknown"
        }
        other => panic!("{context}: {other:?}"),
    }
}

/// The body that arrived is the body that was sent, so that its signature holds.
fn check_arrived(scene: &Scene, context: &str) {
    let sent = digest(scene.content.as_bytes());
    for path in scene.arrived() {
        let arrived = digest(&fs::read(&path).unwrap());
        assert_eq!(arrived.body_sha256, sent.body_sha256, "{context}: {}", path.display());
    }
}

/// One fault at every point.
fn once(name: &str, tally: &mut Tally) {
    for at in 0..points(name) {
        for kind in kinds(at) {
            let scene = scene(name);
            let before = home(&scene, !name.starts_with("far"));
            let _went = scene.world.apply(&scene.job, &scene.content, &faults(&scene, at, kind));
            let came = settle(&scene, &before, &format!("{name}, {kind:?} at {at}"));
            *tally.entry(came).or_default() += 1;
        }
    }
}

/// Death at every point, and death once more at every point of carrying on. All of it takes minutes and is done where
/// `GHOSTQ_KILL_ALL` is set; else it is every 41st pair, which in the end are pairs of all kinds.
fn twice(name: &str, tally: &mut Tally) {
    let step = if everything() { 1 } else { 41 };
    for first in 0..points(name) {
        for second in (first % step..).step_by(step) {
            let scene = scene(name);
            let before = home(&scene, !name.starts_with("far"));
            let _died = scene.world.apply(&scene.job, &scene.content, &faults(&scene, first, Kind::Death));
            let again = faults(&scene, second, Kind::Death);
            let _died = scene.world.apply(&scene.job, &scene.content, &again);
            let came = settle(&scene, &before, &format!("{name}, death at {first} and {second}"));
            *tally.entry(came).or_default() += 1;
            if again.passed() <= second {
                break;
            }
        }
    }
}

fn count(names: &[&'static str], test: fn(&str, &mut Tally)) -> BTreeMap<&'static str, Tally> {
    let (left, right) = names.split_at(names.len() / 2);
    let each = |names: &[&'static str]| -> BTreeMap<&'static str, Tally> {
        names
            .iter()
            .map(|name| {
                let mut tally = Tally::new();
                test(name, &mut tally);
                (*name, tally)
            })
            .collect()
    };
    std::thread::scope(|scope| {
        let right = scope.spawn(|| each(right));
        let mut all = each(left);
        all.extend(right.join().unwrap());
        all
    })
}

#[expect(clippy::print_stdout, reason = "the numbers are what the test is for")]
fn sum(all: &BTreeMap<&'static str, Tally>) -> Tally {
    let mut sum = Tally::new();
    for (name, tally) in all {
        println!("{name:24} {tally:?}");
        for (came, times) in tally {
            *sum.entry(came).or_default() += times;
        }
    }
    println!("{:24} {sum:?}, {} runs", "all", sum.values().sum::<usize>());
    sum
}

#[test]
fn a_fault_at_any_point_leaves_each_message_delivered_once_or_held() {
    let all = count(&all(), once);
    let sum = sum(&all);
    assert!(sum.values().sum::<usize>() >= 1_000, "{sum:?}");
    for (name, tally) in &all {
        let refused = name.ends_with("refused") || name.ends_with("taken");
        assert_eq!(tally.contains_key("delivered"), !refused, "{name}: {tally:?}");
        assert!(tally.contains_key("untouched") || *name == "export", "{name}: {tally:?}");
    }
    // Where mail that was handed in is gone at once, nobody can tell after a crash.
    assert!(all["elsewhere"].contains_key("unknown"), "{sum:?}");
    assert!(!all["native"].contains_key("unknown"), "{sum:?}");
    assert!(!all["pickup"].contains_key("unknown") || all["pickup"]["unknown"] < 30, "{sum:?}");
}

#[test]
fn a_second_death_while_it_is_carried_on_changes_nothing_about_that() {
    let names = [
        "native",
        "attributes",
        "move",
        "link",
        "three parts",
        "three parts, refused",
        "pickup",
        "export",
        "ndr",
        "old disk, refused",
        "far vault, refused",
    ];
    let here: Vec<_> = all();
    let names: Vec<_> = names.into_iter().filter(|name| here.contains(name)).collect();
    let all = count(&names, twice);
    let sum = sum(&all);
    assert!(sum.values().sum::<usize>() >= 500, "{sum:?}");
    for came in ["delivered", "untouched", "unknown"] {
        assert!(sum.contains_key(came), "{came}: {sum:?}");
    }
}

#[test]
fn a_message_whose_place_is_taken_meanwhile_is_held_in_the_vault() {
    let mut held = 0;
    for at in 0..points("three parts, refused") {
        let scene = scene("three parts, refused");
        let place = scene.world.root.join("stuck/M1.env");
        let taken = place.clone();
        // Once the first part is in the vault, the mail system gives its name to another message.
        let act = move || {
            if !taken.exists() {
                fs::write(&taken, "another\n").unwrap();
            }
        };
        let went = scene.world.apply(&scene.job, &scene.content, &Faults::meanwhile(at, act)).unwrap();
        if fs::read_to_string(&place).unwrap() == "another\n" {
            assert!(matches!(went, Went::Ended(End::Held, _)), "{at}: {went:?}");
            assert!(vault_holds(&scene));
            held += 1;
        }
    }
    assert!(held > 0);
}
