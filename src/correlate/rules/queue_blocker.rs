//! `queue-blocker`: one file that stops everything.

use super::Rule;
use super::on_sign;
use crate::correlate::case::{Case, Verdict};
use crate::evidence::Sign;
use crate::findings::Class;

/// The rule `queue-blocker`.
pub static RULE: Rule = Rule {
    name: "queue-blocker",
    class: Class::Blocker,
    counted: false,
    title: "one file that stops everything",
    means: "When the Postfix queue manager takes up a file that it cannot open, it ends with a fatal error, \
        is started again, and takes it up again: no mail at all is delivered until the file is dealt \
        with. It is reported first, whatever the filter.",
    seen: "A ready queue file with a foreign owner.",
    source: "Postfix qmgr (`fatal: open active ID: Permission denied`), after `postqueue -f` on Postfix \
        3.7.11",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    on_sign(
        case,
        |sign| matches!(sign, Sign::BlocksQueue),
        "this one file stops every delivery as soon as it is tried",
    )
}
