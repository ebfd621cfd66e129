//! `stale-stamp`: the message's stamp differs from that of the live epoch.

use super::Rule;
use crate::correlate::case::{Case, Reason, Verdict};
use crate::evidence::{Confidence, Epoch, EpochOrigin, StampMatch};
use crate::findings::Class;

/// The rule `stale-stamp`.
pub static RULE: Rule = Rule {
    name: "stale-stamp",
    class: Class::Ghost,
    counted: false,
    title: "the message's stamp differs from that of the live epoch",
    means: "The mail system stamps each message with a mark of its current life, and refuses messages that \
        carry another mark. Exchange 2000 and 2003 make a GuidTimestamp when the store starts and hand \
        it to the SMTP store driver. If the driver gets another one, a message that was deferred once \
        (greylisting, 4.7.1) is invalid on its first retry: it is not delivered, not bounced, and not in \
        the queue viewer. It stays in the SMTP TempTables until a restart, days later, sends it or \
        returns it.",
    seen: "Seen in exports of the SMTP TempTables that carry the stamp in a column. The layout of the \
        GuidTimestamp is not public: ghostq reads the stamp from the column that `--stamp` names, in any \
        form, and compares it with the epoch that `--epoch` gives or that a row which the listing shows \
        has taught it. A stamp of another kind than the epoch is not compared.",
    source: "Microsoft KB 950757",
    judge,
};

/// Rows that agree on the live stamp, below which what they teach is only possible.
const ENOUGH: u64 = 3;

fn judge(case: &Case<'_>) -> Verdict {
    if case.treatment(RULE.name).is_none() {
        return Verdict::Nothing;
    }
    let Some(stamp) = &case.message.stamp else {
        return Verdict::silent(
            "the evidence carries no stamp for this message; name its column with `--stamp`",
        );
    };
    let stamped: Vec<&Epoch> = case.instance.epochs.iter().filter(|epoch| epoch.stamp.is_some()).collect();
    if stamped.is_empty() {
        return Verdict::silent("the stamp of the live epoch is not known; give it with `--epoch`");
    }
    let compared = stamped.iter().filter_map(|epoch| Some((epoch, stamp.compare(epoch.stamp.as_ref()?))));
    let mut different: Option<&Epoch> = None;
    for (epoch, outcome) in compared {
        match outcome {
            StampMatch::Same => return Verdict::Nothing,
            StampMatch::Different => different = Some(epoch),
            StampMatch::Incomparable => {}
        }
    }
    let Some(epoch) = different else {
        return Verdict::silent("the stamp and the live epoch are of different kinds and cannot be compared");
    };
    // The very messages that the incident strands can stay listed for a while: one such row teaches little. And an epoch that
    // was given and fits no listed row is probably not the live one.
    let confidence = match (epoch.origin, epoch.witnesses) {
        (EpochOrigin::LiveRow, ..ENOUGH) | (_, 0) => Confidence::Possible,
        (EpochOrigin::LiveRow, _) => Confidence::Likely,
        (EpochOrigin::Given | EpochOrigin::Process, _) => Confidence::Certain,
    };
    let live = epoch.stamp.as_ref().map_or("", |stamp| &stamp.original);
    let mut facts = vec![crate::evidence::Fact::new(
        format!("its stamp is `{}`", stamp.original),
        case.message.place.clone(),
    )];
    facts.push(epoch.fact.clone());
    Reason::because(
        format!("its stamp is not that of the live epoch: `{}` against `{live}`", stamp.original),
        confidence,
        facts,
    )
}
