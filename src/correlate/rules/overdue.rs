//! `overdue`: its next attempt is long past, and nothing tried it.

use super::Rule;
use crate::correlate::case::{Case, Reason, Verdict};
use crate::evidence::{Confidence, TimeKind, format_duration};
use crate::findings::Class;

/// The rule `overdue`.
pub static RULE: Rule = Rule {
    name: "overdue",
    class: Class::Stuck,
    counted: false,
    title: "its next attempt is long past, and nothing tried it",
    means: "The time for the next attempt has passed by more than the longest back-off and three queue runs. \
        The queue manager does not run, does not get round to it, or cannot see it.",
    seen: "Needs a clock that can be trusted: the mail system runs on this host, or `--as-of` says when the \
        copy was taken.",
    source: "Postfix qmgr(8): queue_run_delay, maximal_backoff_time",
    judge,
};

/// Where neither the longest back-off nor the time between queue runs is known, nothing is overdue before this.
const PATIENCE: i64 = 4_000;

fn judge(case: &Case<'_>) -> Verdict {
    if case.treatment(RULE.name).is_none() {
        return Verdict::Nothing;
    }
    let Some(next) = case.message.time(TimeKind::NextAttempt) else { return Verdict::Nothing };
    let Some(now) = case.judged_at() else {
        return Verdict::silent("this is a copy, and it is not known when it was taken; give `--as-of`");
    };
    let limits = case.instance.limits;
    let patience = limits.maximal_backoff.unwrap_or(PATIENCE) + 3 * limits.queue_run_delay.unwrap_or(0);
    let late = now.since(next);
    if late <= patience {
        return Verdict::Nothing;
    }
    let fact = case.metadata(format!("its next attempt was due at {}", next.rfc3339()));
    let why = format!("its next attempt was due {} ago, and nothing tried it", format_duration(late));
    Reason::because(why, Confidence::Certain, vec![fact])
}
