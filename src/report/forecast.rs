//! The forecast for people: what would happen, one line for each thing that can be set going, then the details.

use super::{ReportOptions, escape, place, table};
use crate::evidence::{Confidence, Effect, Text, Time, format_duration};
use crate::findings::{Forecast, Moment, Outcome, Prospect, Summary};
use std::io::{self, Write};

/// Senders that are named.
const TOP: usize = 5;
/// Columns that a path, an ID or an address may take.
const LONGEST: usize = 200;

/// Prints the forecast.
///
/// # Errors
/// When the output cannot be written.
pub fn forecast(forecast: &Forecast, options: &ReportOptions, out: &mut dyn Write) -> io::Result<()> {
    let summary = &forecast.summary;
    for (number, prospects) in forecast.places.iter().enumerate() {
        for prospect in prospects {
            let line = headline(prospect, summary, number);
            let line = if prospect.matters() { table::strong(&line, options.colour) } else { line };
            writeln!(out, "{line}")?;
        }
    }
    if forecast.places.is_empty() {
        writeln!(out, "No mail system was found: there is nothing to forecast.")?;
    }
    for (number, prospects) in forecast.places.iter().enumerate() {
        for (at, prospect) in prospects.iter().enumerate() {
            if !prospect.matters() && !options.all {
                continue;
            }
            heading(prospect, summary, number, options, out)?;
            match prospects.iter().take(at).find(|earlier| earlier.is_like(prospect)) {
                Some(earlier) => writeln!(out, "  the same as if {}", earlier.occasion.happens)?,
                None => details(prospect, summary, options, out)?,
            }
        }
    }
    if summary.damage_count > 0 {
        let what = place::count_in_words(summary.damage_count, "place", "places");
        writeln!(out, "\nINCOMPLETE: {what} could not be read, and what would happen there is not known.")?;
        for damage in summary.damages.iter().take(TOP) {
            let path = escape::clip(&damage.locus.path, LONGEST);
            writeln!(out, "  {path}: {}", escape::clip(&damage.what, LONGEST))?;
        }
    }
    Ok(())
}

/// `If Postfix starts now: 3 messages are deleted …`.
fn headline(prospect: &Prospect, summary: &Summary, number: usize) -> String {
    let when = if summary.as_of_given { format!("at {}", summary.as_of.local()) } else { "now".to_owned() };
    let place = summary.instances.get(number).filter(|_| summary.instances.len() > 1);
    let place = place.map(|place| format!(" ({})", escape::clip(&place.label, LONGEST))).unwrap_or_default();
    let outcomes = |wanted: Moment| {
        let found = prospect
            .outcomes
            .iter()
            .filter(move |((effect, moment), _)| *moment == wanted && *effect != Effect::Stays);
        found.map(|((effect, _), outcome)| (*effect, outcome))
    };
    let mut parts: Vec<String> = Vec::new();
    let mut blocked = false;
    for (effect, outcome) in outcomes(Moment::Now) {
        let words = in_words(effect, outcome, summary);
        // Behind what stops all delivery nothing is tried.
        let otherwise = if blocked && effect.needs_attempt() { "without it " } else { "" };
        parts.push(format!("{otherwise}{words}"));
        blocked = blocked || effect == Effect::BlocksQueue;
    }
    for (effect, outcome) in outcomes(Moment::Later).filter(|(effect, _)| effect.matters()) {
        let wait = outcome.wait.map(|span| span.least).unwrap_or_default();
        let mut notes = vec![format!("the first in {}", format_duration(wait))];
        notes.extend(doubts(outcome));
        parts.push(format!("{} would be {} later ({})", outcome.count, label(effect), notes.join(", ")));
    }
    for (effect, outcome) in outcomes(Moment::Undated).filter(|(effect, _)| effect.matters()) {
        parts.push(format!("{} may be {}, by age", outcome.count, label(effect)));
    }
    let unknown: u64 = prospect.unknown.values().sum();
    if unknown > 0 {
        parts.push(format!("of {} it is not known", place::count_in_words(unknown, "message", "messages")));
    }
    if parts.is_empty() {
        let waiting = prospect.outcomes.get(&(Effect::Tried, Moment::Later));
        parts.push(waiting.map_or_else(|| "nothing happens".to_owned(), not_due));
    }
    let what = parts.join(", ");
    format!("If {} {when}{place}: {what}.", prospect.occasion.happens)
}

fn not_due(waiting: &Outcome) -> String {
    let first = waiting.wait.map(|span| span.least).unwrap_or_default();
    format!(
        "nothing happens yet, {} wait for their next attempt (the first in {})",
        waiting.count,
        format_duration(first)
    )
}

/// One effect in the words of a user.
fn in_words(effect: Effect, outcome: &Outcome, summary: &Summary) -> String {
    let count = outcome.count;
    let one = count == 1;
    let verb = |single: &'static str, plural: &'static str| if one { single } else { plural };
    let messages = place::count_in_words(count, "message", "messages");
    let be = verb("is", "are");
    let text = match effect {
        Effect::BlocksQueue => format!("{messages} {} all delivery", verb("stops", "stop")),
        Effect::Destroyed => format!("{messages} {be} deleted, and nobody is told"),
        Effect::Purged => {
            let files =
                place::count_in_words(count, "unfinished or left-over file", "unfinished or left-over files");
            format!("{files} {be} deleted without a word")
        }
        Effect::SentEmpty => format!("{count} {} out empty", verb("goes", "go")),
        Effect::SentDamaged => format!("{count} {} out damaged", verb("goes", "go")),
        Effect::SentTwice => format!("{count} {} out twice", verb("goes", "go")),
        Effect::Returned => format!("{count} {be} returned if one more attempt fails"),
        Effect::SetAside => format!("{count} {be} moved out of sight"),
        Effect::Released => format!("{count} late {}", verb("one goes out", "ones go out")),
        Effect::Renamed => format!("{count} {be} renamed or moved"),
        Effect::Tried => format!("{count} {be} tried as usual"),
        Effect::Stays => format!("{count} {}", verb("stays", "stay")),
    };
    let age = outcome.oldest.as_ref().and_then(|oldest| age(oldest.arrived, summary));
    let mut notes = Vec::new();
    if effect.matters() {
        notes.extend(age.map(|age| format!("oldest {age}")));
        notes.extend(doubts(outcome));
    }
    if notes.is_empty() { text } else { format!("{text} ({})", notes.join(", ")) }
}

/// `likely`, or `2 of them possible`.
fn doubts(outcome: &Outcome) -> impl Iterator<Item = String> {
    let doubts = [Confidence::Likely, Confidence::Possible].into_iter().filter_map(doubt_and_confidence);
    doubts.filter_map(|(doubt, confidence)| match outcome.doubted(confidence) {
        0 => None,
        all if all == outcome.count => Some(doubt.to_owned()),
        some => Some(format!("{some} of them {doubt}")),
    })
}

fn doubt_and_confidence(confidence: Confidence) -> Option<(&'static str, Confidence)> {
    doubt(confidence).map(|doubt| (doubt, confidence))
}

fn doubt(confidence: Confidence) -> Option<&'static str> {
    match confidence {
        Confidence::Certain => None,
        Confidence::Likely => Some("likely"),
        Confidence::Possible => Some("possible"),
    }
}

/// `sent empty`.
fn label(effect: Effect) -> String {
    place::name_of(effect).replace('_', " ")
}

fn age(arrived: Option<Time>, summary: &Summary) -> Option<String> {
    arrived.map(|at| summary.as_of.since(at)).filter(|age| *age >= 0).map(format_duration)
}

fn heading(
    prospect: &Prospect,
    summary: &Summary,
    number: usize,
    options: &ReportOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let occasion = &prospect.occasion;
    let root = summary.instances.get(number).map(|instance| escape::clip(&instance.root, LONGEST));
    let command =
        if occasion.command.is_empty() { "by itself".to_owned() } else { format!("`{}`", occasion.command) };
    let heading = format!("{}: {command}, {}", occasion.happens, root.unwrap_or_default());
    writeln!(out, "\n{}", table::strong(&heading, options.colour))
}

fn details(
    prospect: &Prospect,
    summary: &Summary,
    options: &ReportOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    for ((effect, moment), outcome) in &prospect.outcomes {
        write_row(*effect, *moment, outcome, summary, out)?;
        if effect.matters() || options.all {
            write_outcome(outcome, out)?;
        }
    }
    for (rule, count) in &prospect.unknown {
        writeln!(out, "  {:<13}{count:>8}  the rule `{rule}` has no forecast here", "unknown")?;
    }
    Ok(())
}

fn write_row(
    effect: Effect,
    moment: Moment,
    outcome: &Outcome,
    summary: &Summary,
    out: &mut dyn Write,
) -> io::Result<()> {
    let when = match (moment, outcome.wait) {
        (Moment::Later, Some(span)) if span.least == span.most => {
            format!("not yet: in {}", format_duration(span.least))
        }
        (Moment::Later, Some(span)) => {
            format!("not yet: in {} to {}", format_duration(span.least), format_duration(span.most))
        }
        (Moment::Now | Moment::Later, _) => "now".to_owned(),
        (Moment::Undated, _) => "undated: it depends on an age".to_owned(),
    };
    let youngest = age(outcome.youngest, summary);
    let oldest = age(outcome.oldest.as_ref().and_then(|oldest| oldest.arrived), summary);
    let ages = match (youngest, oldest) {
        (Some(young), Some(old)) if young == old => format!("age {old}"),
        (Some(young), Some(old)) => format!("age {young} to {old}"),
        _ => "age unknown".to_owned(),
    };
    writeln!(out, "  {:<13}{:>8}  {when}; {ages}", label(effect), outcome.count)
}

fn write_outcome(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    if let Some(oldest) = &outcome.oldest {
        let id = oldest.id.as_ref().map(|id| format!("{} in ", escape::clip(id, LONGEST)));
        let path = escape::clip(&oldest.path, LONGEST);
        writeln!(out, "    oldest: {}{path}", id.unwrap_or_default())?;
    }
    let senders = &outcome.senders;
    let at_least = if senders.at_least() { "at least " } else { "" };
    let name = |sender: &Text| {
        if sender.is_empty() { "<>".to_owned() } else { escape::clip(sender, LONGEST) }
    };
    let mut names: Vec<String> = senders
        .top(TOP)
        .into_iter()
        .map(|(sender, count)| format!("{} ({at_least}{count})", name(sender)))
        .collect();
    if senders.different() > TOP as u64 {
        names.push(format!("… {at_least}{} senders in all", senders.different()));
    }
    if senders.unknown() > 0 {
        names.push(format!("sender unknown ({})", senders.unknown()));
    }
    writeln!(out, "    from: {}", names.join(", "))?;
    for ((rule, why), reason) in &outcome.reasons {
        let rule = rule.as_deref().unwrap_or("healthy");
        let doubt = doubt(reason.confidence).map(|doubt| format!("{doubt}; ")).unwrap_or_default();
        writeln!(out, "    {rule} ({}): {why} [{doubt}{}]", reason.count, reason.source)?;
    }
    Ok(())
}
