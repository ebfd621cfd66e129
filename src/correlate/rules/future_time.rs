//! `future-time`: its next attempt lies beyond the longest back-off, or the message comes from the future.

use super::Rule;
use crate::correlate::case::{Case, Reason, Verdict};
use crate::evidence::{Confidence, Fact, TimeKind, format_duration};
use crate::findings::Class;

/// The rule `future-time`.
pub static RULE: Rule = Rule {
    name: "future-time",
    class: Class::Stuck,
    counted: false,
    title: "its next attempt lies beyond the longest back-off, or the message comes from the future",
    means: "A clock that jumped ahead and back, or a copy that set its own times, leaves messages whose next \
        attempt lies far in the future. The listing shows them, and every queue run skips them.",
    seen: "Healthy deferred messages always have a next attempt in the near future: only what exceeds the \
        configured longest back-off is reported. On a copy of a spool the back-off is measured from the \
        newest time that the system itself stamped on its folders.",
    source: "Postfix qmgr/qmgr_active.c (files with an mtime in the future are skipped); five messages \
        deferred under a clock 400 days ahead on Postfix 3.7.11",
    judge,
};

/// A clock that is off by less than this is not news.
const SLACK: i64 = 3_600;

fn judge(case: &Case<'_>) -> Verdict {
    if case.treatment(RULE.name).is_none() {
        return Verdict::Nothing;
    }
    let reached = case.reached();
    let next = case.message.times.iter().find(|timed| timed.kind == TimeKind::NextAttempt);
    if let (Some(next), Some(longest)) = (next, case.instance.limits.maximal_backoff)
        && next.at.since(reached) > longest
    {
        let wait = format_duration(next.at.since(reached));
        let facts = vec![
            case.metadata(format!("its next attempt is set to {}", next.at.rfc3339())),
            Fact::new(
                format!(
                    "the longest back-off is {longest} s, and the spool has reached {}",
                    reached.rfc3339()
                ),
                crate::evidence::Locus::whole(case.instance.root.clone()),
            ),
        ];
        let why = format!(
            "its next attempt lies {wait} ahead, beyond the longest back-off of {}",
            format_duration(longest)
        );
        return Reason::because(why, Confidence::Certain, facts);
    }
    // Only the real clock, or the operator's, can say that a message comes from the future.
    match case.message.arrived() {
        Some(arrived) if arrived.since(case.clock.now) > SLACK => {
            let ahead = format_duration(arrived.since(case.clock.now));
            let fact = Fact::new(
                format!("it says that it came in at {}", arrived.rfc3339()),
                case.message.place.clone(),
            );
            Reason::because(
                format!("it says that it came in {ahead} from now"),
                Confidence::Certain,
                vec![fact],
            )
        }
        _ => Verdict::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::case::Clock;
    use crate::correlate::samples;
    use crate::evidence::{Live, Time, Treatment};

    static TREATMENTS: &[Treatment] = &[samples::treatment(RULE.name)];
    /// When the clock was read, and the longest back-off.
    const NOW: i64 = 1_000_000;
    const LONGEST: i64 = 300;

    /// Whether a message is called one of the future that a running Postfix put off at this time, by this much.
    fn fires(put_off: i64, by: i64, given: bool) -> bool {
        let mut instance = samples::postfix(Some(Live { pid: 1, since: Time::from_unix(0) }), true);
        instance.limits.maximal_backoff = Some(LONGEST);
        let message = samples::stamped("deferred", put_off, put_off + by);
        let clock = Clock { now: Time::from_unix(NOW), given };
        let case = Case::new(&message, &instance, None, clock, TREATMENTS);
        matches!(judge(&case), Verdict::Fires(_))
    }

    #[test]
    fn what_is_put_off_while_it_is_scanned_is_no_message_of_the_future() {
        assert!(!fires(NOW - 5, LONGEST, false));
        assert!(!fires(NOW + 2, LONGEST, false), "put off after the clock was read, and before the file was");
        assert!(fires(NOW + 2, LONGEST + 1, false), "no attempt puts it off by so much");
        assert!(fires(NOW - 5, 90 * 86_400, false));
        assert!(fires(NOW + 400 * 86_400, LONGEST, false), "put off under a clock that had jumped ahead");
        assert!(fires(NOW + 2, LONGEST, true), "the clock is the operator's");
    }
}
