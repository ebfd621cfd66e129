//! `held`: held by somebody's decision.

use super::Rule;
use super::on_sign;
use crate::correlate::case::{Case, Listed, Reason, Verdict};
use crate::evidence::{Confidence, EntryState, Fact, Sign};
use crate::findings::Class;

/// The rule `held`.
pub static RULE: Rule = Rule {
    name: "held",
    class: Class::Stuck,
    counted: false,
    title: "held by somebody's decision",
    means: "An administrator, a content filter or the mail system itself put the message on hold. It stays \
        there for good until somebody releases it. That may be as intended; it is reported because such \
        messages are forgotten.",
    seen: "Postfix hold/, Exchange Suspended and poison.",
    source: "postsuper(1) -h; eleven messages on Postfix 3.7.11",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    if case.sign(|sign| matches!(sign, Sign::SideFileAlone)).is_some() {
        return Verdict::Nothing;
    }
    if let Listed::Yes(hit) = &case.listed {
        let state = match hit.state {
            EntryState::Held => "the listing shows it as suspended or held by somebody's decision",
            EntryState::Poison => "the listing shows it in the poison queue, which never moves by itself",
            EntryState::Normal | EntryState::Shadow => "",
        };
        if !state.is_empty() && case.sign(|sign| matches!(sign, Sign::Held)).is_none() {
            return Reason::because(state, Confidence::Certain, vec![Fact::new(state, hit.locus.clone())]);
        }
    }
    on_sign(
        case,
        |sign| matches!(sign, Sign::Held),
        "somebody decided to hold it; it is never tried until it is released",
    )
}
