//! `other-queue`: it lies in a queue that the default listing does not read.

use super::Rule;
use super::on_sign;
use crate::correlate::case::{Case, Listed, Reason, Verdict};
use crate::evidence::{Confidence, Sign};
use crate::findings::Class;

/// The rule `other-queue`.
pub static RULE: Rule = Rule {
    name: "other-queue",
    class: Class::Ghost,
    counted: false,
    title: "it lies in a queue that the default listing does not read",
    means: "The message is whole and its own mail system may well know it, but the listing that people look \
        at does not read this queue: a second Postfix instance, a named queue, a submission queue. Where \
        nobody runs that queue either, the message is never tried.",
    seen: "Told by the configuration of the instance, or by a listing of which not one entry lies in this \
        spool.",
    source: "postmulti(1), postqueue(1); three messages in a second instance on Postfix 3.7.11",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    let on_request = matches!(&case.listed, Listed::Yes(hit) if hit.on_request);
    let listed = matches!(case.listed, Listed::Yes(_)) && !on_request;
    if let (Some(why), false) = (&case.instance.listing_blind_spot, listed)
        && case.sign(|sign| matches!(sign, Sign::SideFileAlone)).is_none()
        && case.treatment(RULE.name).is_some()
        && case.view.is_some_and(|view| !view.live())
    {
        let seen =
            if on_request { "only a listing on request shows it" } else { "the listing does not show it" };
        return Reason::because(
            why.clone(),
            Confidence::Likely,
            case.listing_fact(seen).into_iter().collect(),
        );
    }
    on_sign(
        case,
        |sign| matches!(sign, Sign::OtherQueue),
        "it lies in a queue that the default listing does not read",
    )
}
