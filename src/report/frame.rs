//! What stands around the findings in the `json` document: sources, listings, notes, damage.

use super::members::{self, Members};
use super::place;
use super::record::{set_instance, set_outlook, silent};
use crate::evidence::{Damage, Epoch, Instance, Time};
use crate::findings::{ListingSummary, Note, Summary};
use serde_json::{Value, json};

/// The name and version of the document; within a version it only grows.
pub const SCHEMA: &str = "ghostq.report/1";

/// Members that come before the findings, in their order.
pub fn head(summary: &Summary) -> Vec<(&'static str, Value)> {
    vec![
        ("schema", SCHEMA.into()),
        ("tool_version", summary.tool_version.into()),
        ("scan_id", summary.scan_id.as_str().into()),
        ("host", summary.host.as_str().into()),
        ("as_of", summary.as_of.rfc3339().into()),
        ("as_of_given", summary.as_of_given.into()),
        ("complete", summary.complete().into()),
        ("sources", sources(summary)),
        ("listings", summary.listings.iter().map(|l| listing(l, summary)).collect()),
        ("summary", counts(summary)),
    ]
}

/// Members that come after the findings, in their order.
pub fn tail(summary: &Summary) -> Vec<(&'static str, Value)> {
    vec![
        ("notes", summary.notes.iter().map(|n| note(n, summary)).collect()),
        ("silent", silent(&summary.silent)),
        ("damage", summary.damages.iter().map(damage).collect()),
        ("damage_count", summary.damage_count.into()),
        ("warnings", summary.warnings.as_slice().into()),
    ]
}

fn sources(summary: &Summary) -> Value {
    let number = |numbers: &[u64], index| numbers.get(index).copied();
    let instances = summary.instances.iter().enumerate();
    instances.map(|(i, one)| instance(one, number(&summary.messages, i), number(&summary.bytes, i))).collect()
}

fn instance(instance: &Instance, messages: Option<u64>, bytes: Option<u64>) -> Value {
    const UNCOUNTED: &str = "the scan did not count them";
    let mut members = Members::default();
    members.set("source", instance.source);
    members.set("label", instance.label.as_str());
    members.set_text("root", &instance.root);
    members.set("queues", instance.queues.as_slice());
    members.set_or("messages", messages, UNCOUNTED);
    members.set_or("bytes", bytes, UNCOUNTED);
    let live = instance.live.map(|live| json!({ "pid": live.pid, "since": live.since.rfc3339() }));
    members.set_or("live", live, "no running mail system was seen to own it");
    members.set("epochs", instance.epochs.iter().map(epoch).collect::<Value>());
    members.set("limits", limits(instance));
    let last = instance.last_activity.map(Time::rfc3339);
    members.set_or("last_activity", last, "the system stamped no time on it that could be read");
    members.set("facts", members::facts(&instance.facts));
    members.set("unlisted_queues", instance.unlisted_queues.as_slice());
    members.set("listing_blind_spot", instance.listing_blind_spot.as_deref());
    members.finish()
}

fn limits(instance: &Instance) -> Value {
    const UNREAD: &str = "neither read from a configuration nor given";
    let mut members = Members::default();
    members.set_or("maximal_backoff_seconds", instance.limits.maximal_backoff, UNREAD);
    members.set_or("queue_run_delay_seconds", instance.limits.queue_run_delay, UNREAD);
    members.set_or("queue_lifetime_seconds", instance.limits.queue_lifetime, UNREAD);
    members.set_or("bounce_lifetime_seconds", instance.limits.bounce_lifetime, UNREAD);
    members.finish()
}

fn epoch(epoch: &Epoch) -> Value {
    let mut members = Members::default();
    members.set_or("stamp", epoch.stamp.as_ref().map(members::stamp), "no stamp of that life is known");
    members.set_or("since", epoch.since.map(Time::rfc3339), "its start is not known");
    members.set_name("origin", epoch.origin);
    members.set("fact", members::fact(&epoch.fact));
    members.finish()
}

fn listing(listing: &ListingSummary, summary: &Summary) -> Value {
    let mut members = Members::default();
    let names: Vec<_> = listing.instances.iter().filter_map(|i| place::instance_names(summary, *i)).collect();
    members.set("source", names.first().map(|(source, _)| *source));
    members.set("instances", names.iter().map(|(_, label)| *label).collect::<Vec<_>>());
    members.set("format", listing.format);
    members.set_text("origin", &listing.origin);
    members.set("entries", listing.entries);
    members.set("on_disk", listing.on_disk);
    members.set("cut", listing.cut.as_deref());
    members.set("live", listing.live);
    members.finish()
}

fn counts(summary: &Summary) -> Value {
    let counts = &summary.counts;
    let mut members = Members::default();
    members.set("blockers", counts.blockers);
    members.set("ghosts", counts.ghosts);
    members.set("stuck", counts.stuck);
    members.set("notes", counts.notes);
    members.set("hidden", counts.hidden);
    let why_not = match counts.hidden {
        0 => "nothing hidden was found",
        _ => "no time in the evidence says when the hidden ones came in",
    };
    members.set_or("oldest_hidden_seconds", counts.oldest_hidden, why_not);
    members.set("total", counts.total());
    members.set("reported", summary.reported);
    members.finish()
}

fn note(note: &Note, summary: &Summary) -> Value {
    let mut members = Members::default();
    members.set("rule", note.rule.as_str());
    set_instance(&mut members, summary, note.instance);
    members.set("count", note.count);
    members.set("why", note.why.as_str());
    members.set("examples", members::facts(&note.examples));
    set_outlook(&mut members, note.outlook.as_slice());
    members.finish()
}

fn damage(damage: &Damage) -> Value {
    json!({
        "locus": members::locus(&damage.locus),
        "kind": damage.kind,
        "what": damage.what,
        "hint": (!damage.hint.is_empty()).then_some(&damage.hint),
    })
}
