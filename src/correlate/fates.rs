//! What becomes of a message when something is set going: pure, from the treatments of the rules that speak of it.

use crate::evidence::{
    Condition, Confidence, Duration, Effect, Fate, Habits, Limits, Measure, Message, Time, TimeKind,
    Treatment, Trigger,
};
use crate::findings::{Moment, Occurrence};

/// A message and what its fate is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The message.
    pub message: &'a Message,
    /// The rules that speak of it, with their confidence; none: it is healthy.
    pub rules: &'a [(&'a str, Confidence)],
    /// What its mail system does with what the rules name.
    pub treatments: &'static [Treatment],
    /// What it does by habit.
    pub habits: &'static Habits,
    /// The time; `None`: this is a copy, and it is not known when it was taken.
    pub now: Option<Time>,
    /// What the configuration says about time.
    pub limits: Limits,
    /// Whether access and change times are those of the copy, not of the original.
    pub own_times_lost: bool,
}

/// What becomes of one message.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// What happens to it: at most one thing now, one worse thing later, and beside them that it is renamed.
    pub occurrences: Vec<Occurrence>,
    /// The rules that have no forecast, if on their account nothing can be said.
    pub unknown: Vec<String>,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Now,
    In(Duration),
    Undated,
    Never,
}

impl Judged<'_> {
    /// What becomes of it when this is set going.
    pub fn on(&self, trigger: Trigger) -> Outlook {
        let mut candidates = Vec::new();
        let mut unknown = Vec::new();
        if self.rules.is_empty() {
            let healthy = (self.habits.healthy, self.habits.source);
            candidates = self.of_rule(trigger, None, healthy, Confidence::Certain);
        }
        for (rule, confidence) in self.rules {
            let treatment = self.treatments.iter().find(|treatment| treatment.rule == *rule);
            let fates = treatment.map_or((&[][..], ""), |treatment| (treatment.fates, treatment.source));
            let found = self.of_rule(trigger, Some(rule), fates, *confidence);
            if found.is_empty() {
                unknown.push((*rule).to_owned());
            }
            candidates.extend(found);
        }
        let stays = candidates.iter().any(|one| one.effect == Effect::Stays && one.moment == Moment::Now);
        // What is not known to be tried must not be said to go out.
        if stays || !unknown.is_empty() {
            candidates.retain(|one| !one.effect.needs_attempt());
        }
        let occurrences = choose(candidates);
        if !occurrences.is_empty() {
            unknown.clear();
        }
        Outlook { occurrences, unknown }
    }

    /// What one rule says: the first fate that holds now, and those before it that hold later.
    fn of_rule(
        &self,
        trigger: Trigger,
        rule: Option<&str>,
        (fates, source): (&'static [Fate], &'static str),
        confidence: Confidence,
    ) -> Vec<Occurrence> {
        let mut found = Vec::new();
        let fates = fates.iter().filter(|fate| fate.on.contains(&trigger));
        for fate in fates.filter(|fate| fate.only.is_none_or(|only| (only.holds)(self.message))) {
            let (moment, wait) = match self.hold(fate.when) {
                Held::Never => continue,
                Held::Now => (Moment::Now, None),
                Held::In(wait) => (Moment::Later, Some(wait)),
                Held::Undated => (Moment::Undated, None),
            };
            found.push(Occurrence {
                effect: fate.effect,
                moment,
                wait,
                rule: rule.map(str::to_owned),
                confidence: confidence.min(fate.confidence),
                why: fate.why,
                source,
            });
            if moment == Moment::Now && fate.effect != Effect::Renamed {
                break;
            }
        }
        found
    }

    fn hold(&self, conditions: &[Condition]) -> Held {
        conditions.iter().map(|condition| self.holds(*condition)).fold(Held::Now, |one, other| {
            match (one, other) {
                (Held::Never, _) | (_, Held::Never) => Held::Never,
                (Held::Undated, _) | (_, Held::Undated) => Held::Undated,
                (Held::In(one), Held::In(other)) => Held::In(one.max(other)),
                (Held::In(wait), Held::Now) | (Held::Now, Held::In(wait)) => Held::In(wait),
                (Held::Now, Held::Now) => Held::Now,
            }
        })
    }

    fn holds(&self, condition: Condition) -> Held {
        let at = match condition {
            Condition::OlderThan(age, measure) => self.measured(measure).map(|at| at.plus(age)),
            Condition::Due => match self.message.time(TimeKind::NextAttempt) {
                None => return Held::Now,
                at => at,
            },
            // Every message expires some day; that is no news as long as it has not.
            Condition::Expired => return if self.expired() { Held::Now } else { Held::Never },
        };
        match (at, self.now) {
            (Some(at), Some(now)) if at <= now => Held::Now,
            (Some(at), Some(now)) => Held::In(at.since(now)),
            _ => Held::Undated,
        }
    }

    fn expired(&self) -> bool {
        let bounce = self.message.envelope.sender.as_ref().is_some_and(crate::evidence::Text::is_empty);
        let lifetime = if bounce { self.limits.bounce_lifetime } else { self.limits.queue_lifetime };
        let counted = || Some(self.message.arrived()?.plus(lifetime?));
        let expires = self.message.time(TimeKind::Expires).or_else(counted);
        expires.zip(self.now).is_some_and(|(expires, now)| expires <= now)
    }

    fn measured(&self, measure: Measure) -> Option<Time> {
        let stat = self.message.stat();
        match measure {
            Measure::Modified => stat.map(|stat| stat.modified),
            Measure::Accessed => stat.filter(|_| !self.own_times_lost).map(|stat| stat.accessed),
            Measure::Changed => stat.filter(|_| !self.own_times_lost).map(|stat| stat.changed),
            Measure::Arrival => self.message.arrived(),
        }
    }
}

/// Of all that could happen: the worst thing now, the worst thing later if it is worse, and the new name.
fn choose(candidates: Vec<Occurrence>) -> Vec<Occurrence> {
    let (renamed, rest): (Vec<_>, Vec<_>) =
        candidates.into_iter().partition(|one| one.effect == Effect::Renamed);
    let (now, later): (Vec<_>, Vec<_>) = rest.into_iter().partition(|one| one.moment == Moment::Now);
    let worst = |of: Vec<Occurrence>| of.into_iter().min_by_key(|one| one.effect);
    let (mut now, mut later) = (worst(now), worst(later));
    if let (Some(one), Some(other)) = (&now, &later)
        && other.effect >= one.effect
    {
        later = None;
    }
    let renamed = renamed.into_iter().find(|one| one.moment == Moment::Now);
    if renamed.is_some() && now.as_ref().is_some_and(|one| one.effect == Effect::Stays) {
        now = None;
    }
    now.into_iter().chain(later).chain(renamed).collect()
}
