//! `unindexed`: it was put into the queue after the live process built its index.

use super::Rule;
use crate::correlate::case::{Case, Listed, Reason, Verdict};
use crate::evidence::{Confidence, Sign};
use crate::findings::Class;

/// The rule `unindexed`.
pub static RULE: Rule = Rule {
    name: "unindexed",
    class: Class::Ghost,
    counted: false,
    title: "put into the queue after the live process built its index, so not seen until a restart",
    means: "Some mail systems read their queue once, at start, and from then on know only what comes in through \
        their own doors. A message that is restored, moved or touched while such a process runs lies on disk, \
        whole and in its place, and is not seen until a restart. This is the exact twin of KB 950757 today.",
    seen: "The time of the file is held against the start of the live process. Where mail that came in the \
        regular way looks the same, only its absence from the listing makes it a finding.",
    source: "OpenSMTPD queue_fs.c (startup), qmail-send.c pqstart; verified live on OpenSMTPD 6.8 and notqmail",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    let Some(signed) = case.sign(|sign| matches!(sign, Sign::AfterIndex)) else { return Verdict::Nothing };
    let mut signed = signed.clone();
    if signed.confidence == Confidence::Possible {
        match case.listed {
            Listed::No => signed.confidence = Confidence::Likely,
            Listed::Yes(_) => return Verdict::Nothing,
            Listed::Maybe(_) | Listed::Unknown(_) | Listed::Crowded { .. } => {
                return Verdict::silent("only a listing can tell it from mail that came in the regular way");
            }
        }
    }
    Reason::of(
        &signed,
        "it was put there after the running process built its index, and is not seen until a restart",
    )
}
