//! `unclaimed`: handed in, and never picked up.

use super::Rule;
use crate::correlate::case::{Case, Reason, Verdict};
use crate::evidence::{Confidence, Sign, format_duration};
use crate::findings::Class;

/// The rule `unclaimed`.
pub static RULE: Rule = Rule {
    name: "unclaimed",
    class: Class::Stuck,
    counted: false,
    title: "handed in, and never picked up",
    means: "The message was accepted from its sender and waits in a place from which another program should \
        have taken it: the Postfix maildrop while pickup is off or Postfix is down, an Exchange Pickup \
        or Replay folder, a Badmail folder that nobody reads.",
    seen: "On a running mail system only what has waited for more than five minutes.",
    source: "postdrop(1), pickup(8); five messages with pickup disabled on Postfix 3.7.11",
    judge,
};

/// A running mail system picks up what is handed in within a minute or two (Postfix: pickup wakes up every 60 s).
const PATIENCE: i64 = 300;

fn judge(case: &Case<'_>) -> Verdict {
    let Some(signed) = case.sign(|sign| matches!(sign, Sign::Unclaimed)) else { return Verdict::Nothing };
    let mut signed = signed.clone();
    if let Some(stat) = case.message.stat() {
        let waited = case.reached().since(stat.modified);
        let young = (0..PATIENCE).contains(&waited);
        if young && case.instance.live.is_some() {
            return Verdict::Nothing;
        }
        if young {
            signed.confidence = Confidence::Possible;
            signed.facts.push(case.metadata(format!(
                "it had waited {} when the copy was taken: its turn may only not have come",
                format_duration(waited)
            )));
        }
    }
    let why =
        signed.facts.first().map_or("it was handed in, and nobody picked it up", |fact| fact.text.as_str());
    Reason::of(&signed, why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::case::Clock;
    use crate::correlate::samples;
    use crate::evidence::{Fact, Live, Locus, Signed, Time};

    #[test]
    fn what_is_handed_in_while_it_is_scanned_has_not_waited_long() {
        let instance = samples::postfix(Some(Live { pid: 1, since: Time::from_unix(0) }), true);
        let fires = |handed_in: i64| {
            let mut message = samples::stamped("maildrop", handed_in, handed_in);
            let fact = Fact::new("handed in whole, and not yet picked up", Locus::whole("maildrop/A0"));
            message.signs.push(Signed::certain(Sign::Unclaimed, fact));
            let clock = Clock { now: Time::from_unix(1_000), given: false };
            matches!(judge(&Case::new(&message, &instance, None, clock, &[])), Verdict::Fires(_))
        };
        assert!(fires(1_000 - PATIENCE));
        assert!(!fires(999));
        assert!(!fires(1_002), "handed in after the clock was read, and before the file was");
    }
}
