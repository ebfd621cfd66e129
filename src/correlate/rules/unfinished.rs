//! `unfinished`: its writer did not finish it.

use super::Rule;
use crate::correlate::case::{Case, Reason, Verdict};
use crate::evidence::{Confidence, Sign, format_duration};
use crate::findings::Class;

/// The rule `unfinished`.
pub static RULE: Rule = Rule {
    name: "unfinished",
    class: Class::Ghost,
    counted: false,
    title: "its writer did not finish it",
    means: "The program that wrote the message died before it was done: killed in the middle of DATA, out of \
        disk, out of memory. The sender was not told that it was accepted and will usually try again; a \
        local program may have been told. The mail system neither lists nor tries such a file, and \
        removes it once it is old.",
    seen: "A file whose writer lives is not reported: the kernel is asked who has it open or locked, and it \
        must stay untouched between two looks.",
    source: "Postfix global/mail_queue.h (the mode is the commit flag), postsuper(1); cleanup and postdrop \
        killed with SIGKILL on Postfix 3.7.11",
    judge,
};

/// On a copy, a file that was written this shortly before everything stopped may have been in the making.
const IN_FLIGHT: i64 = 600;

fn judge(case: &Case<'_>) -> Verdict {
    let Some(signed) = case.sign(|sign| matches!(sign, Sign::Unfinished)) else { return Verdict::Nothing };
    let mut signed = signed.clone();
    if case.instance.live.is_none()
        && let (Some(stat), Some(active)) = (case.message.stat(), case.instance.last_activity)
    {
        let before = active.since(stat.modified);
        if before < IN_FLIGHT {
            signed.confidence = signed.confidence.min(Confidence::Likely);
            signed.facts.push(case.metadata(format!(
                "it was written {} before the last activity in this spool: it may have been in the making when the copy was taken",
                format_duration(before.max(0))
            )));
        }
    }
    // On a running system the second look has made sure that nobody has it open; of a copy that cannot be said.
    let why = match case.instance.live {
        Some(_) => "its writer did not finish it, and is not there any more",
        None => "its writer did not finish it",
    };
    let how = signed.facts.first().map_or(String::new(), |fact| format!(" ({})", fact.text));
    Reason::of(&signed, format!("{why}{how}"))
}
