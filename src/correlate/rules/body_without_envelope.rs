//! `body-without-envelope`: there is content, and no envelope to send it by.

use super::Rule;
use crate::correlate::case::{Case, Reason, Verdict};
use crate::evidence::{Confidence, Sign};
use crate::findings::Class;

/// The rule `body-without-envelope`.
pub static RULE: Rule = Rule {
    name: "body-without-envelope",
    class: Class::Ghost,
    counted: false,
    title: "there is content, and no envelope to send it by",
    means: "The content of a message is there, but what says who sent it and who is to have it is gone. An \
        Exchange or IIS queue file keeps its envelope in a named NTFS stream, which a copy to another \
        file system loses.",
    seen: "Streams are looked for in every way in which they can reach this machine. If no file of the \
        folder has one, the copy probably lost them all, and the finding says so.",
    source: "exchange notes on NTFSDrv.dll (Microsoft, aa998408)",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    let Some(signed) = case.sign(|sign| matches!(sign, Sign::EnvelopeLost)) else { return Verdict::Nothing };
    // Where no file of a folder has an envelope, it is the copy that lost them: worth a note, not a finding for each.
    let possible = signed.confidence == Confidence::Possible;
    let why = match signed.facts.first().filter(|_| possible) {
        Some(fact) => fact.text.clone(),
        None => "there is content, and no envelope to send it by".to_owned(),
    };
    let reason = Reason { why, confidence: signed.confidence, facts: signed.facts.clone(), class: None };
    Verdict::Fires(Reason { class: possible.then_some(Class::Note), ..reason })
}
