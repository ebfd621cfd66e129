//! The forecast as one JSON document, `ghostq.forecast/1`.

use super::members::Members;
use super::{frame, json_text};
use crate::evidence::{Duration, Time};
use crate::findings::{Forecast, Outcome, Prospect, Summary};
use serde_json::{Value, json};
use std::io::{self, Write};

/// The name and version of the document; within a version it only grows.
const SCHEMA: &str = "ghostq.forecast/1";
/// Senders that are named.
const TOP: usize = 5;
/// Why an age is not known.
const NO_TIME: &str = "no time in the evidence says when any of them came in";
/// Members of the report that stand here as well, before and after the places.
const HEAD: [&str; 6] = ["tool_version", "scan_id", "host", "as_of", "as_of_given", "complete"];
const TAIL: [&str; 4] = ["silent", "damage", "damage_count", "warnings"];

/// Prints the forecast.
///
/// # Errors
/// When the output cannot be written.
pub fn forecast_json(forecast: &Forecast, out: &mut dyn Write) -> io::Result<()> {
    let summary = &forecast.summary;
    let mut document = Members::default();
    document.set("schema", SCHEMA);
    for (name, value) in frame::head(summary).into_iter().filter(|(name, _)| HEAD.contains(name)) {
        document.set(name, value);
    }
    document.set("matters", forecast.matters());
    let places = forecast.places.iter().enumerate();
    document.set("places", places.map(|(number, of)| place(number, of, summary)).collect::<Value>());
    for (name, value) in frame::tail(summary).into_iter().filter(|(name, _)| TAIL.contains(name)) {
        document.set(name, value);
    }
    json_text::write(&document.finish_known(), out)?;
    out.write_all(b"\n")
}

fn place(number: usize, prospects: &[Prospect], summary: &Summary) -> Value {
    let mut members = Members::default();
    if let Some(instance) = summary.instances.get(number) {
        members.set("source", instance.source);
        members.set("label", instance.label.as_str());
        members.set_text("root", &instance.root);
    }
    members.set("messages", summary.messages.get(number).copied());
    members.set("occasions", prospects.iter().map(|prospect| occasion(prospect, summary)).collect::<Value>());
    members.finish_known()
}

fn occasion(prospect: &Prospect, summary: &Summary) -> Value {
    let mut members = Members::default();
    members.set_name("trigger", prospect.occasion.trigger);
    let command = prospect.occasion.command;
    members.set_or("command", Some(command).filter(|command| !command.is_empty()), "it happens by itself");
    members.set("happens", prospect.occasion.happens);
    members.set("matters", prospect.matters());
    let outcomes = prospect.outcomes.iter().map(|((effect, moment), one)| {
        let mut members = Members::default();
        members.set_name("effect", effect);
        members.set_name("moment", moment);
        set_outcome(&mut members, one, summary);
        members.finish()
    });
    members.set("outcomes", outcomes.collect::<Value>());
    let unknown = prospect.unknown.iter().map(|(rule, count)| json!({ "rule": rule, "count": count }));
    members.set("unknown_messages", unknown.collect::<Value>());
    members.finish()
}

fn set_outcome(members: &mut Members, outcome: &Outcome, summary: &Summary) {
    let wait = outcome.wait.map(|span| json!({ "least": span.least, "most": span.most }));
    members.set_or("wait_seconds", wait, "it happens now, or depends on a time that is not known here");
    members.set("count", outcome.count);
    members.set_or("youngest_seconds", age(outcome.youngest, summary), NO_TIME);
    let oldest = outcome.oldest.as_ref();
    members.set_or("oldest_seconds", age(oldest.and_then(|oldest| oldest.arrived), summary), NO_TIME);
    members.set("without_age", outcome.undated);
    let oldest = oldest.map(|oldest| {
        let mut members = Members::default();
        members.set_text_or("native_id", oldest.id.as_ref(), "it has no name of its own");
        members.set_text("path", &oldest.path);
        members.finish()
    });
    members.set_or("oldest", oldest, "there is none");
    let senders = &outcome.senders;
    let top = senders.top(TOP).into_iter().map(|(sender, count)| {
        let mut members = Members::default();
        members.set_text("address", sender);
        members.set("count", count);
        members.finish_known()
    });
    members.set("senders", top.collect::<Value>());
    members.set("different_senders", senders.different());
    members.set("senders_are_lower_bounds", senders.at_least());
    members.set("without_sender", senders.unknown());
    let reasons = outcome.reasons.iter().map(|((rule, why), reason)| {
        let mut members = Members::default();
        members.set_or("rule", rule.as_deref(), "no rule says anything of these messages");
        members.set("count", reason.count);
        members.set_name("confidence", reason.confidence);
        members.set("why", *why);
        members.set("source", reason.source);
        members.finish()
    });
    members.set("reasons", reasons.collect::<Value>());
}

fn age(arrived: Option<Time>, summary: &Summary) -> Option<Duration> {
    arrived.map(|at| summary.as_of.since(at)).filter(|age| *age >= 0)
}
