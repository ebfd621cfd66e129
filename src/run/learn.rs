//! What the rows that a listing shows teach, before anything is judged: the live epoch, and how many messages lay claim to
//! one entry.

use super::scene::Scene;
use crate::evidence::{Confidence, Epoch, EpochOrigin, Fact, Message, Record, Stamp, StampMatch};
use std::ops::ControlFlow;

/// Different forms or values of the stamp that are told apart.
const MAX_STAMPS: usize = 16;

/// A stamp that listed rows carry.
struct Seen {
    stamp: Stamp,
    rows: u64,
    first: Fact,
}

/// What the listed rows of one place have taught.
#[derive(Default)]
struct Lesson {
    stamps: Vec<Seen>,
    /// Listed rows whose stamp is, and is not, that of an epoch which the operator gave.
    agree: u64,
    differ: u64,
}

/// Reads once over the places whose listing can be found under more than the mail system's own ID.
pub fn from_listed_rows(scene: &mut Scene<'_>) {
    let places = 0..scene.prepared.places.len();
    let pupils: Vec<bool> = places
        .map(|n| scene.view(n).is_some_and(super::super::correlate::live_view::LiveView::is_shared))
        .collect();
    if !pupils.contains(&true) {
        return;
    }
    let mut lessons: Vec<Lesson> = pupils.iter().map(|_| Lesson::default()).collect();
    scene.read("learning from what the listing shows", |record| {
        if let Record::Message(message) = record
            && pupils.get(message.instance) == Some(&true)
            && let Some(lesson) = lessons.get_mut(message.instance)
        {
            heed(scene, message, lesson);
        }
        ControlFlow::Continue(())
    });
    doubt_given(scene, &lessons);
    take_over(scene, &lessons);
}

fn heed(scene: &Scene<'_>, message: &Message, lesson: &mut Lesson) {
    let Some(view) = scene.view(message.instance) else { return };
    let Some(hit) = view.find(message).filter(|hit| hit.matched_by.confidence() > Confidence::Possible)
    else {
        return;
    };
    view.claim(message.instance, &hit);
    let (Some(stamp), Some(instance)) = (&message.stamp, scene.instance(message.instance)) else { return };
    let given = instance.epochs.iter().filter_map(|epoch| Some(stamp.compare(epoch.stamp.as_ref()?)));
    match given.max_by_key(|outcome| *outcome == StampMatch::Same) {
        Some(StampMatch::Same) => lesson.agree += 1,
        Some(StampMatch::Different) => lesson.differ += 1,
        Some(StampMatch::Incomparable) | None => {}
    }
    if let Some(known) = lesson.stamps.iter_mut().find(|known| known.stamp.compare(stamp) == StampMatch::Same)
    {
        known.rows += 1;
    } else if lesson.stamps.len() < MAX_STAMPS && stamp.compare(stamp) == StampMatch::Same {
        let text = format!("the listing shows the message with the stamp `{}`", stamp.original);
        let first = Fact::new(text, message.place.clone());
        lesson.stamps.push(Seen { stamp: stamp.clone(), rows: 1, first });
    }
}

/// A given epoch that every listed row contradicts is probably not the live one.
fn doubt_given(scene: &mut Scene<'_>, lessons: &[Lesson]) {
    for (place, lesson) in scene.prepared.places.iter_mut().zip(lessons) {
        if lesson.differ == 0 || lesson.agree > 0 {
            continue;
        }
        for epoch in place.instance.epochs.iter_mut().filter(|epoch| epoch.stamp.is_some()) {
            epoch.witnesses = 0;
        }
        scene.remarks.push(format!(
            "{}: all {} messages that the listing shows carry another stamp than the epoch that was given: is it the live one?",
            place.instance.label, lesson.differ
        ));
    }
}

/// Where no epoch was given, the stamp of the listed rows is taken for the live one, if all of them agree: those of all
/// tables, since the store makes one stamp for all of them.
fn take_over(scene: &mut Scene<'_>, lessons: &[Lesson]) {
    let rule = crate::correlate::rules::stale_stamp::RULE.name;
    let lacking = |number: usize| {
        let source = scene.prepared.sources.get(number);
        source.is_some_and(|source| source.treatments().iter().any(|treatment| treatment.rule == rule))
            && !scene.instance(number).is_some_and(|of| of.epochs.iter().any(|epoch| epoch.stamp.is_some()))
    };
    let pupils: Vec<bool> = (0..scene.prepared.places.len()).map(lacking).collect();
    let all: Vec<&Seen> = lessons.iter().flat_map(|lesson| &lesson.stamps).collect();
    let contradict =
        |one: &Seen| all.iter().any(|other| one.stamp.compare(&other.stamp) == StampMatch::Different);
    if all.is_empty() || !pupils.contains(&true) {
        return;
    }
    if all.iter().any(|seen| contradict(seen)) {
        let stamps: Vec<_> = all.iter().take(4).map(|seen| format!("`{}`", seen.stamp.original)).collect();
        scene.remarks.push(format!(
            "rows that the listing shows carry different stamps ({}): which is the live one must be given with `--epoch`",
            stamps.join(", ")
        ));
        return;
    }
    let rows = all.iter().map(|seen| seen.rows).sum();
    let epochs: Vec<Epoch> = all
        .iter()
        .map(|seen| Epoch {
            since: seen.stamp.time,
            stamp: Some(seen.stamp.clone()),
            origin: EpochOrigin::LiveRow,
            witnesses: rows,
            fact: seen.first.clone(),
        })
        .collect();
    if let Some(first) = all.first() {
        let many = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
        let learnt = format!(
            "the live stamp `{}` was learnt from {many} that the listing shows",
            first.stamp.original
        );
        scene.remarks.push(learnt);
    }
    for (place, _) in scene.prepared.places.iter_mut().zip(pupils).filter(|(_, pupil)| *pupil) {
        place.instance.epochs.extend(epochs.iter().cloned());
    }
}
