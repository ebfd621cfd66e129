//! `missing-part`: the queue's own bookkeeping lost a part, without which it is not tried.

use super::{Rule, on_sign};
use crate::correlate::case::{Case, Verdict};
use crate::evidence::Sign;
use crate::findings::Class;

/// The rule `missing-part`.
pub static RULE: Rule = Rule {
    name: "missing-part",
    class: Class::Stuck,
    counted: false,
    title: "the queue's own bookkeeping lost a part, without which it is not tried",
    means: "Envelope and content are there, but what the mail system schedules by is not: a link, a list \
        of recipients still to be served. The message is listed and never tried, or removed without \
        a word at the next start.",
    seen: "Courier without its link in msgq, qmail without remote or local.",
    source: "Courier libs/comctlfile.h, cdmsgq.C; qmail-send.c pqstart; observed on Courier 1.0.16 and \
        notqmail",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    on_sign(
        case,
        |sign| matches!(sign, Sign::PartMissing),
        "a part of the queue's own bookkeeping is missing, without which it is never tried",
    )
}
