//! `unclaimed`: handed in, and never picked up.

use super::Rule;
use super::on_sign;
use crate::correlate::case::{Case, Verdict};
use crate::evidence::Sign;
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
    if let (Some(now), Some(stat)) = (case.judged_at(), case.message.stat())
        && now.since(stat.modified) < PATIENCE
    {
        return Verdict::Nothing;
    }
    on_sign(case, |sign| matches!(sign, Sign::Unclaimed), "it was handed in, and nobody picked it up")
}
