//! `expired`: older than the queue's lifetime, and neither delivered nor returned.

use super::Rule;
use crate::correlate::case::{Case, Reason, Verdict};
use crate::evidence::{Confidence, Fact, Sign, format_duration};
use crate::findings::Class;

/// The rule `expired`.
pub static RULE: Rule = Rule {
    name: "expired",
    class: Class::Stuck,
    counted: false,
    title: "older than the queue's lifetime, and neither delivered nor returned",
    means: "The message is older than the time after which its mail system gives up. It should have been \
        returned to its sender.",
    seen: "Needs a clock that can be trusted: the mail system runs on this host, or `--as-of` says when the \
        copy was taken. A message with another condition is explained by that condition.",
    source: "Postfix maximal_queue_lifetime, bounce_queue_lifetime",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    if case.treatment(RULE.name).is_none()
        || case.sign(|sign| !matches!(sign, Sign::NameInode { .. })).is_some()
    {
        return Verdict::Nothing;
    }
    let limits = case.instance.limits;
    let bounce = case.message.envelope.sender.as_ref().is_some_and(crate::evidence::Text::is_empty);
    let Some(lifetime) = (if bounce { limits.bounce_lifetime } else { limits.queue_lifetime }) else {
        return Verdict::Nothing;
    };
    let Some(arrived) = case.message.arrived() else {
        return Verdict::silent("no time in the evidence says when it came in");
    };
    let Some(now) = case.judged_at() else {
        return Verdict::silent("this is a copy, and it is not known when it was taken; give `--as-of`");
    };
    // The last attempt may come a whole back-off, and a queue run, after the lifetime is over.
    let patience = limits.maximal_backoff.unwrap_or(0) + 3 * limits.queue_run_delay.unwrap_or(0);
    let age = now.since(arrived);
    if age <= lifetime.saturating_add(patience) {
        return Verdict::Nothing;
    }
    let why = format!(
        "it is {} old, older than the lifetime of {}, and was not returned",
        format_duration(age),
        format_duration(lifetime)
    );
    let fact = Fact::new(format!("it came in at {}", arrived.rfc3339()), case.message.place.clone());
    Reason::because(why, Confidence::Certain, vec![fact])
}
