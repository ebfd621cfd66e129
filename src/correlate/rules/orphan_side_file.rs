//! `orphan-side-file`: a log or note without its message.

use super::Rule;
use super::on_sign;
use crate::correlate::case::{Case, Listed, Verdict};
use crate::evidence::Sign;
use crate::findings::Class;

/// The rule `orphan-side-file`.
pub static RULE: Rule = Rule {
    name: "orphan-side-file",
    class: Class::Note,
    counted: false,
    title: "a log or note without its message",
    means: "A record of why a message was deferred, bounced or traced, without that message. Nothing is \
        held, but it is evidence that a message was there: it names the recipients and what was said to \
        them.",
    seen: "Reported by itself, and not counted as a hidden message. The mail system does not remove it.",
    source: "Postfix bounce(8), postsuper.c (logs are left alone); a defer log after its queue file was \
        removed on Postfix 3.7.11",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    // The message lives on; its queue is only not part of what is looked at.
    if matches!(case.listed, Listed::Yes(_)) {
        return Verdict::Nothing;
    }
    on_sign(
        case,
        |sign| matches!(sign, Sign::SideFileAlone),
        "it is a log or note of a message that is not there any more",
    )
}
