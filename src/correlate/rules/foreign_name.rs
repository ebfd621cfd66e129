//! `foreign-name`: its name is not one that this mail system can own.

use super::Rule;
use super::on_sign;
use crate::correlate::case::{Case, Verdict};
use crate::evidence::Sign;
use crate::findings::Class;

/// The rule `foreign-name`.
pub static RULE: Rule = Rule {
    name: "foreign-name",
    class: Class::Ghost,
    counted: false,
    title: "its name is not one that this mail system can own",
    means: "Queue names follow a pattern, and a file with any other name is passed over: it is not listed, \
        not tried, not returned. A backup copy inside the queue, an ID of a newer version after a \
        downgrade, a temporary name.",
    seen: "The name alone decides; the content may be a whole message.",
    source: "Postfix global/mail_queue.c mail_queue_id_ok; `deferred/E649CB0E031.bak` on Postfix 3.7.11",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    on_sign(
        case,
        |sign| matches!(sign, Sign::ForeignName),
        "its name is not one that this mail system can own",
    )
}
