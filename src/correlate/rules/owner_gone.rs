//! `owner-gone`: it belongs to a process that is dead.

use super::Rule;
use crate::correlate::case::{Case, Reason, Verdict};
use crate::evidence::Sign;
use crate::findings::Class;

/// The rule `owner-gone`.
pub static RULE: Rule = Rule {
    name: "owner-gone",
    class: Class::Ghost,
    counted: false,
    title: "it belongs to a process that is dead",
    means: "A lock, a temporary name or a process number in a name ties the file to a process that does not \
        run any more. Nobody else will finish or remove it.",
    seen: "Whether the process lives is asked when a suspect is looked at a second time; on a copy no \
        process can be alive.",
    source: "Postfix global/mail_queue.c mail_queue_enter (temporary names `<microseconds>.<pid>`)",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    let Some((signed, pid)) = case.message.signs.iter().find_map(|signed| match signed.sign {
        Sign::OwnedByProcess { pid } => Some((signed, pid)),
        _ => None,
    }) else {
        return Verdict::Nothing;
    };
    Reason::of(signed, format!("its name belongs to process {pid}, which is not there any more"))
}
