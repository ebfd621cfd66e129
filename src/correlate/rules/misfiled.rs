//! `misfiled`: the right name in the wrong place.

use super::Rule;
use crate::correlate::case::{Case, Listed, Reason, Verdict};
use crate::evidence::{Confidence, Sign};
use crate::findings::Class;

/// The rule `misfiled`.
pub static RULE: Rule = Rule {
    name: "misfiled",
    class: Class::Ghost,
    counted: false,
    title: "the right name in the wrong place",
    means: "The mail system computes the place of a message from its name, and looks nowhere else. After a \
        change of the hashing, or a restore into the wrong folder, the file is there and is never found.",
    seen: "The place is compared with the configured hashing of the queue.",
    source: "Postfix global/mail_queue.c mail_queue_dir; a file flat in a hashed deferred/ on Postfix 3.7.11",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    let Some((signed, expected)) = case.message.signs.iter().find_map(|signed| match &signed.sign {
        Sign::Misfiled { expected } => Some((signed, expected)),
        _ => None,
    }) else {
        return Verdict::Nothing;
    };
    // What the listing shows is found where it is: the hashing is not what it was taken for.
    if matches!(case.listed, Listed::Yes(_)) && signed.confidence < Confidence::Certain {
        return Verdict::Nothing;
    }
    let why = format!("it is not where the mail system looks for it, `{}`", expected.lossy());
    let class = (signed.confidence == Confidence::Possible).then_some(Class::Note);
    Verdict::Fires(Reason { why, confidence: signed.confidence, facts: signed.facts.clone(), class })
}
