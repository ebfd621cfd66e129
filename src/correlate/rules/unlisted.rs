//! `unlisted`: it is whole and readable, and the mail system's own listing does not show it.

use super::Rule;
use crate::correlate::case::{Case, Listed, Reason, Verdict};
use crate::evidence::Confidence;
use crate::findings::Class;

/// The rule `unlisted`.
pub static RULE: Rule = Rule {
    name: "unlisted",
    class: Class::Ghost,
    counted: false,
    title: "it is whole and readable, and the mail system's own listing does not show it",
    means: "The message lies where the mail system keeps its mail, nothing is wrong with it that ghostq can \
        see, and yet the mail system's own listing leaves it out. This is the catch-all: it speaks only \
        where no other rule explains more.",
    seen: "A listing is taken before and, where ghostq takes it itself, again after the scan, and the \
        message must have stayed untouched in between; healthy mail in flight never becomes a finding. A \
        listing from a file makes it likely, a listing that is cut makes it possible.",
    source: "the difference of two sets: what is on disk, and what the listing shows",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    if case.treatment(RULE.name).is_none() || is_remnant(case) || waits_to_be_taken_over(case) {
        return Verdict::Nothing;
    }
    let Some(view) = case.view else { return Verdict::silent("no listing was given") };
    match &case.listed {
        Listed::Yes(_) => Verdict::Nothing,
        Listed::Maybe(_) => {
            Verdict::silent("an entry of the listing has its subject and sender, and may be this message")
        }
        Listed::Unknown(why) => Verdict::Silent(why.clone()),
        Listed::Crowded { hit, claims } => {
            let many = if *claims == u8::MAX { "at least 255".to_owned() } else { claims.to_string() };
            let why = format!(
                "the listing shows {} with the same {}, and {many} are here: which of them it shows cannot be told",
                hit.entries,
                hit.matched_by.describe()
            );
            let fact = crate::evidence::Fact::new("the entry of the listing", hit.locus.clone());
            Reason::because(why, Confidence::Possible, vec![fact])
        }
        Listed::No => {
            let (confidence, how) = match (view.cut(), view.live()) {
                (Some(_), _) => (Confidence::Possible, "the listing does not show it, but is not whole"),
                (None, true) => {
                    (Confidence::Certain, "the listings taken before and after the scan do not show it")
                }
                (None, false) => (Confidence::Likely, "the listing does not show it"),
            };
            let mut text = format!("{how} ({} entries)", view.len());
            if let Some(cut) = view.cut() {
                text = format!("{text}: {cut}");
            }
            Reason::because(how, confidence, case.listing_fact(text).into_iter().collect())
        }
    }
}

/// A log without its message is no message that a listing could show.
fn is_remnant(case: &Case<'_>) -> bool {
    case.sign(|sign| matches!(sign, crate::evidence::Sign::SideFileAlone)).is_some()
}

/// What was handed in and waits for its mail system is in no listing until its turn comes; when that is late, says
/// `unclaimed`. Courier keeps it in `tmp` so long, observed on 1.0.16 while courierd was being started anew.
fn waits_to_be_taken_over(case: &Case<'_>) -> bool {
    case.sign(|sign| matches!(sign, crate::evidence::Sign::Unclaimed)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::case::Clock;
    use crate::correlate::live_view::LiveView;
    use crate::evidence::{
        Fact, Instance, Limits, Live, Locus, Message, Shown, Sign, Signed, Text, Time, Treatment,
    };

    static TREATMENTS: &[Treatment] = &[Treatment {
        rule: RULE.name,
        shown: Shown::Never,
        next: "",
        remedies: &[],
        destroyers: &[],
        fates: &[],
        source: "",
    }];

    /// Whether a message that the live listing does not show is called unlisted.
    fn fires(message: &Message) -> bool {
        let now = Time::from_unix(1_795_509_000);
        let instance = Instance {
            at_home: false,
            source: "courier",
            label: String::new(),
            root: Text::from("/var/lib/courier"),
            queues: Vec::new(),
            live: Some(Live { pid: 1, since: now }),
            epochs: Vec::new(),
            limits: Limits::default(),
            last_activity: None,
            facts: Vec::new(),
            unlisted_queues: Vec::new(),
            listing_blind_spot: None,
        };
        let view = LiveView::new(true);
        let case = Case {
            message,
            instance: &instance,
            listed: Listed::No,
            view: Some(&view),
            clock: Clock { now, given: false },
            treatments: TREATMENTS,
        };
        matches!(judge(&case), Verdict::Fires(_))
    }

    #[test]
    fn what_waits_to_be_taken_over_is_in_no_listing_yet() {
        let place = Locus::whole("tmp/179550/C983943");
        let mut message = Message::at("tmp", place.clone());
        assert!(fires(&message), "a message like any other");
        message.signs.push(Signed::certain(Sign::Unclaimed, Fact::new("handed in", place)));
        assert!(!fires(&message), "its turn has not come");
    }
}
