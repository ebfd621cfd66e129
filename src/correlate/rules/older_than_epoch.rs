//! `older-than-epoch`: it was last touched before the live instance started, and the listing does not show it.

use super::Rule;
use crate::correlate::case::{Case, Listed, Reason, Verdict};
use crate::evidence::{Confidence, Fact, TimeKind};
use crate::findings::Class;

/// The rule `older-than-epoch`.
pub static RULE: Rule = Rule {
    name: "older-than-epoch",
    class: Class::Ghost,
    counted: false,
    title: "it was last touched before the live instance started, and the listing does not show it",
    means: "A message that the running mail system has not touched since its start, and does not list, \
        belongs to an earlier life of it. This is the inference to use where an export carries no stamp, \
        and for files in an IIS queue folder that idle until the SMTP service restarts.",
    seen: "An inference, never a proof: without a listing it is possible at most. It needs the time since \
        which the mail system runs (`--since`, or an epoch that holds a time).",
    source: "Microsoft KB 950757 and KB 934709",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    if case.treatment(RULE.name).is_none() {
        return Verdict::Nothing;
    }
    let Some((epoch, since)) = case.instance.epochs.iter().find_map(|epoch| Some((epoch, epoch.since?)))
    else {
        return Verdict::silent(
            "it is not known since when the mail system runs; give `--since` or `--epoch`",
        );
    };
    // A copy's own times lie after the moment by which is judged; they say nothing about the original.
    let says_touched = |kind: TimeKind| {
        !matches!(kind, TimeKind::NextAttempt | TimeKind::Expires | TimeKind::HeaderDate | TimeKind::IdTime)
    };
    let touched =
        case.message.times.iter().filter(|timed| says_touched(timed.kind) && timed.at <= case.clock.now);
    let Some(last) = touched.max_by_key(|timed| timed.at) else {
        return Verdict::silent("no time in the evidence says when it was last touched");
    };
    if last.at >= since {
        return Verdict::Nothing;
    }
    let confidence = match case.listed {
        Listed::Yes(_) => return Verdict::Nothing,
        Listed::No => Confidence::Likely,
        Listed::Maybe(_) | Listed::Unknown(_) | Listed::Crowded { .. } => Confidence::Possible,
    };
    let mut facts = vec![
        Fact::new(format!("it was last touched at {}", last.at.rfc3339()), case.message.place.clone()),
        epoch.fact.clone(),
    ];
    facts.extend(case.listing_fact("the listing does not show it").filter(|_| case.absent()));
    let mut why = format!(
        "it was last touched before the live instance started: {} against {}",
        last.at.rfc3339(),
        since.rfc3339()
    );
    if !case.absent() {
        why.push_str("; without a listing this is only a hint");
    }
    Reason::because(why, confidence, facts)
}
