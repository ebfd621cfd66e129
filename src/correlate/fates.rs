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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Locus, Shown, Stat, Text, Timed};

    const NOW: Time = Time::from_unix(1_795_509_000);
    const DAY: Duration = 86_400;

    static HABITS: Habits = Habits {
        occasions: &[],
        healthy: &[
            Fate::new(&[Trigger::Start], Effect::Returned, "too old")
                .when(&[Condition::Due, Condition::Expired]),
            Fate::new(&[Trigger::Start], Effect::Tried, "due").when(&[Condition::Due]),
        ],
        source: "",
    };
    static TREATMENTS: &[Treatment] = &[
        treatment(
            "unfinished",
            &[
                Fate::new(&[Trigger::Start], Effect::Purged, "old")
                    .when(&[Condition::OlderThan(7 * DAY, Measure::Modified)]),
                Fate::new(&[Trigger::Start], Effect::Stays, "skipped"),
            ],
        ),
        treatment("held", &[Fate::new(&[Trigger::Start], Effect::Stays, "held")]),
        treatment("expired", &[Fate::new(&[Trigger::Start], Effect::Returned, "too old").likely()]),
        treatment("name-inode-mismatch", &[Fate::new(&[Trigger::Start], Effect::Renamed, "renamed")]),
        treatment("unlisted", &[]),
    ];

    const fn treatment(rule: &'static str, fates: &'static [Fate]) -> Treatment {
        Treatment { rule, shown: Shown::Never, next: "", remedies: &[], destroyers: &[], fates, source: "" }
    }

    fn modified(days_ago: Duration) -> Message {
        let mut message = Message::at("incoming", Locus::whole("incoming/A0"));
        let at = NOW.plus(-days_ago * DAY);
        let stat = Stat {
            device: 1,
            inode: 1,
            mode: 0o600,
            uid: 0,
            gid: 0,
            links: 1,
            size: 1,
            accessed: at,
            modified: at,
            changed: at,
        };
        let path = std::path::Path::new("incoming/A0");
        message.parts.push(crate::evidence::Part::file(crate::evidence::PartKind::Whole, path, &stat));
        message.times.push(Timed { kind: TimeKind::Arrival, at, original: "".into() });
        message
    }

    fn judge(message: &Message, rules: &[&str], now: Option<Time>) -> Outlook {
        let rules: Vec<_> = rules.iter().map(|rule| (*rule, Confidence::Certain)).collect();
        let limits = Limits { queue_lifetime: Some(5 * DAY), ..Limits::default() };
        let judged = Judged {
            message,
            rules: &rules,
            treatments: TREATMENTS,
            habits: &HABITS,
            now,
            limits,
            own_times_lost: false,
        };
        judged.on(Trigger::Start)
    }

    fn effects(outlook: &Outlook) -> Vec<(Effect, Moment)> {
        outlook.occurrences.iter().map(|one| (one.effect, one.moment)).collect()
    }

    #[test]
    fn what_is_not_old_enough_yet_stays_now_and_is_purged_later() {
        let outlook = judge(&modified(4), &["unfinished"], Some(NOW));
        assert_eq!(effects(&outlook), [(Effect::Stays, Moment::Now), (Effect::Purged, Moment::Later)]);
        assert_eq!(outlook.occurrences[1].wait, Some(3 * DAY));
        assert_eq!(
            effects(&judge(&modified(8), &["unfinished"], Some(NOW))),
            [(Effect::Purged, Moment::Now)]
        );
    }

    #[test]
    fn without_a_clock_an_age_is_not_judged() {
        let outlook = judge(&modified(8), &["unfinished"], None);
        assert_eq!(effects(&outlook), [(Effect::Stays, Moment::Now), (Effect::Purged, Moment::Undated)]);
    }

    #[test]
    fn held_mail_does_not_expire_but_held_garbage_is_purged() {
        assert_eq!(
            effects(&judge(&modified(8), &["held", "expired"], Some(NOW))),
            [(Effect::Stays, Moment::Now)]
        );
        let purged = judge(&modified(8), &["unfinished", "held"], Some(NOW));
        assert_eq!(effects(&purged), [(Effect::Purged, Moment::Now)]);
    }

    #[test]
    fn a_new_name_does_not_hide_what_else_happens() {
        let outlook = judge(&modified(8), &["expired", "name-inode-mismatch"], Some(NOW));
        assert_eq!(effects(&outlook), [(Effect::Returned, Moment::Now), (Effect::Renamed, Moment::Now)]);
        assert_eq!(outlook.occurrences[0].confidence, Confidence::Likely, "no more than is known");
    }

    #[test]
    fn of_a_rule_without_a_forecast_nothing_is_said() {
        let outlook = judge(&modified(8), &["unlisted"], Some(NOW));
        assert_eq!((effects(&outlook), outlook.unknown), (vec![], vec!["unlisted".to_owned()]));
        let outlook = judge(&modified(8), &["unlisted", "expired"], Some(NOW));
        assert!(effects(&outlook).is_empty(), "that it goes out is not known");
    }

    #[test]
    fn healthy_mail_is_tried_and_returned_once_it_is_too_old() {
        assert_eq!(effects(&judge(&modified(4), &[], Some(NOW))), [(Effect::Tried, Moment::Now)]);
        assert_eq!(effects(&judge(&modified(6), &[], Some(NOW))), [(Effect::Returned, Moment::Now)]);
        let mut waits = modified(4);
        let at = NOW.plus(600);
        waits.times.push(Timed { kind: TimeKind::NextAttempt, at, original: "".into() });
        assert_eq!(judge(&waits, &[], Some(NOW)).occurrences[0].wait, Some(600));
        waits.envelope.sender = Some(Text::default());
        assert_eq!(effects(&judge(&waits, &[], Some(NOW))), [(Effect::Tried, Moment::Later)]);
    }
}
