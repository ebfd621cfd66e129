//! `delivery-journal-left`: a journal of finished deliveries is left, and not yet taken over into the envelope.

use super::{Rule, on_sign};
use crate::correlate::case::{Case, Verdict};
use crate::evidence::Sign;
use crate::findings::Class;

/// The rule `delivery-journal-left`.
pub static RULE: Rule = Rule {
    name: "delivery-journal-left",
    class: Class::Note,
    counted: false,
    title: "a journal of finished deliveries is left, and not yet taken over into the envelope",
    means: "A delivery process died after it had delivered to some recipients and before it could write \
        that into the envelope. The journal knows who has it already. Whoever sends the message \
        again without it sends it twice to them.",
    seen: "Exim `-J`, of a message that no process is delivering now. The mail system itself takes the \
        journal over at the next attempt.",
    source: "Exim deliver.c (journal), spec, section `Format of spool files`; a delivery killed with SIGKILL on \
        Exim 4.96",
    judge,
};

/// On a running mail system the next attempt takes the journal over: within a queue run, which is an hour at most by default.
const PATIENCE: i64 = 3_600;

fn judge(case: &Case<'_>) -> Verdict {
    let written = case.message.parts.iter().filter_map(|part| part.stat).map(|stat| stat.modified).max();
    if let (Some(_), Some(written)) = (case.instance.live, written)
        && case.clock.now.since(written) < PATIENCE
    {
        return Verdict::Nothing;
    }
    on_sign(
        case,
        |sign| matches!(sign, Sign::JournalLeft),
        "a journal of finished deliveries is left; whoever sends it again without it sends it twice",
    )
}
