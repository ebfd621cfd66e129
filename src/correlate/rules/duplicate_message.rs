//! `duplicate-message`: the same message is there more than once.

use super::Rule;
use super::on_sign;
use crate::correlate::case::{Case, Verdict};
use crate::evidence::Sign;
use crate::findings::Class;

/// The rule `duplicate-message`.
pub static RULE: Rule = Rule {
    name: "duplicate-message",
    class: Class::Note,
    counted: true,
    title: "the same message is there more than once",
    means: "The same message lies in two places: in two queues under one ID, in a queue folder and a \
        temporary table, in two temporary tables. Sending both would deliver it twice.",
    seen: "Same queue ID within one instance (not of qmail, which uses numbers again), same Message-ID, or same subject, time and recipients (likely \
        only). Shadow and safety-net copies are no duplicates.",
    source: "Microsoft KB 906557 (multiple delivery on restart)",
    judge,
};

/// Copies in other places are found after all messages have been seen (`run::duplicates`); here speak those that one source sees.
fn judge(case: &Case<'_>) -> Verdict {
    on_sign(
        case,
        |sign| matches!(sign, Sign::SecondCopy),
        "it is a second copy of a message in the same place",
    )
}
