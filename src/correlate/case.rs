//! A case: one message with everything that bears on it.

use super::live_view::{Hit, LiveView};
use crate::evidence::{
    Confidence, Fact, Instance, Locus, Message, Shown, Sign, Signed, Text, Time, Treatment,
};
use crate::findings::Class;
use std::borrow::Cow;

/// A file that was changed longer than this after the clock was read was changed under another clock.
const LONGEST_SCAN: i64 = 3_600;

/// The clock by which is judged.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// The time.
    pub now: Time,
    /// Whether the operator set it (`--as-of`).
    pub given: bool,
}

impl Clock {
    /// The time by which ages in this place can be judged, if there is one.
    pub fn judges(self, instance: &Instance) -> Option<Time> {
        let real = instance.live.is_some() || instance.at_home;
        (self.given || real).then_some(self.now)
    }
}

/// Whether the listing shows the message.
#[derive(Debug, Clone)]
pub enum Listed {
    /// It does.
    Yes(Hit),
    /// An entry could be this message, but what they have in common is too weak to say so.
    Maybe(Hit),
    /// Its entry has the same in common with more messages of this place than there are entries: some of them are not
    /// listed, and which ones cannot be told.
    Crowded {
        /// The entry.
        hit: Hit,
        /// How many messages of this place it would have to stand for.
        claims: u8,
    },
    /// It does not.
    No,
    /// There is no answer, and why.
    Unknown(Cow<'static, str>),
}

/// One message with everything that bears on it.
#[derive(Debug)]
pub struct Case<'a> {
    /// The message.
    pub message: &'a Message,
    /// The mail system it was found in.
    pub instance: &'a Instance,
    /// Whether the listing shows it.
    pub listed: Listed,
    /// The listing that was asked.
    pub view: Option<&'a LiveView>,
    /// The clock.
    pub clock: Clock,
    /// What this mail system does in which condition.
    pub treatments: &'static [Treatment],
}

/// What a rule says.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The rule does not concern this case, or finds nothing.
    Nothing,
    /// The rule would concern it, but something is missing.
    Silent(Cow<'static, str>),
    /// The rule fires.
    Fires(Reason),
}

/// Why a rule fires.
#[derive(Debug, Clone)]
pub struct Reason {
    /// One sentence, lower-case, without a full stop.
    pub why: String,
    /// How far the evidence carries.
    pub confidence: Confidence,
    /// What shows it.
    pub facts: Vec<Fact>,
    /// A class that differs from the rule's own.
    pub class: Option<Class>,
}

impl<'a> Case<'a> {
    /// Asks the listing, if there is one.
    pub fn new(
        message: &'a Message,
        instance: &'a Instance,
        view: Option<&'a LiveView>,
        clock: Clock,
        treatments: &'static [Treatment],
    ) -> Self {
        // A file in a queue that the listing never reads, or under a name that it skips, is not what the entry of the same ID
        // stands for.
        let twin = instance.unlisted_queues.contains(&message.queue.as_str())
            || message.signs.iter().any(|signed| signed.sign == Sign::ForeignName);
        let listed = match view {
            Some(_) if twin => Listed::No,
            None => Listed::Unknown(Cow::Borrowed("no listing was given")),
            Some(view) => match view.find(message) {
                Some(hit) if hit.matched_by.confidence() == Confidence::Possible => Listed::Maybe(hit),
                Some(hit) => match view.crowd(message.instance, &hit) {
                    Some(claims) => Listed::Crowded { hit, claims },
                    None => Listed::Yes(hit),
                },
                None => match (view.taken(), message.arrived()) {
                    (Some(taken), Some(arrived)) if arrived > taken && !view.live() => {
                        Listed::Unknown(Cow::Borrowed("it came in after the listing was taken"))
                    }
                    _ => Listed::No,
                },
            },
        };
        Self { message, instance, listed, view, clock, treatments }
    }

    /// What this mail system does with what this rule names. `None`: the rule does not apply to this mail system.
    pub fn treatment(&self, rule: &str) -> Option<&'static Treatment> {
        self.treatments.iter().find(|treatment| treatment.rule == rule)
    }

    /// The first sign that `wanted` accepts.
    pub fn sign(&self, wanted: impl Fn(&Sign) -> bool) -> Option<&'a Signed> {
        self.message.signs.iter().find(|signed| wanted(&signed.sign))
    }

    /// The time by which ages can be judged: the operator's clock, or the real one where the mail system runs or is at home.
    /// A copy has neither: when it was taken is not known.
    pub fn judged_at(&self) -> Option<Time> {
        self.clock.judges(self.instance)
    }

    /// The latest time that is known to have been reached in the life of this spool.
    pub fn reached(&self) -> Time {
        match (self.judged_at(), self.instance.last_activity) {
            // A mail system that runs goes on after the clock was read, and so does its message.
            (Some(now), _) if !self.clock.given => self.changed_since(now).unwrap_or(now),
            (Some(now), _) => now,
            (None, Some(active)) => active.min(self.clock.now),
            (None, None) => self.clock.now,
        }
    }

    /// When the kernel says that the message's file was changed, if that is since then, and not under a clock that jumped ahead.
    fn changed_since(&self, now: Time) -> Option<Time> {
        let changed = self.message.stat()?.changed;
        (changed > now && changed.since(now) <= LONGEST_SCAN).then_some(changed)
    }

    /// Whether a listing that is whole leaves it out.
    pub fn absent(&self) -> bool {
        matches!(self.listed, Listed::No)
    }

    /// A fact about the metadata of the message's main part.
    pub fn metadata(&self, text: impl Into<String>) -> Fact {
        Fact::new(text, Locus { at: crate::evidence::At::Metadata, path: self.message.place.path.clone() })
    }

    /// A fact about the listing as a whole.
    pub fn listing_fact(&self, text: impl Into<String>) -> Option<Fact> {
        self.view.map(|view| Fact::new(text, Locus::whole(view.origin())))
    }

    /// Whether the listing shows messages in the condition that this rule names.
    pub fn shown(&self, rule: &str) -> Shown {
        super::outlook::shown(self.treatment(rule))
    }

    /// The name of the message for a sentence.
    pub fn name(&self) -> Text {
        self.message.ids.native.clone().unwrap_or_else(|| self.message.place.path.clone())
    }
}

impl Reason {
    /// A verdict with the confidence and the facts of a sign.
    pub fn of(signed: &Signed, why: impl Into<String>) -> Verdict {
        Self::because(why, signed.confidence, signed.facts.clone())
    }

    /// A verdict with this reason.
    pub fn because(why: impl Into<String>, confidence: Confidence, facts: Vec<Fact>) -> Verdict {
        Verdict::Fires(Self { why: why.into(), confidence, facts, class: None })
    }
}

impl Verdict {
    /// A rule that stays silent for want of something.
    pub const fn silent(why: &'static str) -> Self {
        Self::Silent(Cow::Borrowed(why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::samples::postfix;
    use crate::evidence::Live;

    #[test]
    fn only_of_a_copy_it_is_not_known_how_late_it_is() {
        let now = Time::from_unix(1_000);
        let message = Message::at("deferred", Locus::whole("deferred/A/A0"));
        let times = |instance: &Instance, given: bool| {
            let case = Case::new(&message, instance, None, Clock { now, given }, &[]);
            (case.judged_at(), case.reached())
        };
        let live = Some(Live { pid: 1, since: Time::from_unix(0) });
        assert_eq!(times(&postfix(None, false), false), (None, Time::from_unix(500)));
        assert_eq!(
            times(&postfix(None, false), true),
            (Some(now), now),
            "the operator says when it was taken"
        );
        assert_eq!(times(&postfix(live, false), false), (Some(now), now));
        assert_eq!(times(&postfix(None, true), false), (Some(now), now), "stopped, but where it belongs");
    }
}
