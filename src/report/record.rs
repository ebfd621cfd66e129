//! A finding as a JSON value, `ghostq.finding/1`. Both JSON formats print it; `schema/ghostq.finding-1.schema.json`
//! describes it.

use super::members::{self, Members};
use super::place;
use crate::evidence::{Envelope, Message, Part, Recipient, Stat, Time};
use crate::findings::{Finding, ListedAs, Outlook, Sighting, Summary, Visibility};
use serde_json::{Map, Value, json};

/// The name and version of the format; within a version it only grows.
pub const SCHEMA: &str = "ghostq.finding/1";

/// The members of a finding, as the schema lists them.
pub const MEMBERS: &[&str] = &[
    "schema",
    "tool_version",
    "scan_id",
    "host",
    "id",
    "class",
    "visibility",
    "confidence",
    "rule",
    "source",
    "instance",
    "queue",
    "opinions",
    "silent",
    "message",
    "listed_as",
    "sightings",
    "next",
    "remedies",
    "destroyers",
    "unknown",
];

/// All that is known of a finding.
pub fn of_finding(finding: &Finding, summary: &Summary) -> Value {
    let mut members = Members::default();
    members.set("schema", SCHEMA);
    members.set("tool_version", summary.tool_version);
    members.set("scan_id", summary.scan_id.as_str());
    members.set("host", summary.host.as_str());
    members.set("id", finding.id.as_str());
    members.set_name("class", finding.class);
    members.set_name("visibility", finding.visibility);
    if finding.visibility == Visibility::Unknown {
        members.explain("visibility", place::why_visibility_unknown(finding, summary));
    }
    members.set_name("confidence", finding.confidence);
    members.set("rule", finding.rule());
    set_instance(&mut members, summary, finding.message.instance);
    members.set("queue", finding.message.queue.as_str());
    members.set("opinions", opinions(finding));
    members.set("silent", silent(&finding.silent));
    members.set("message", message(finding, summary));
    let why_not = match finding.visibility {
        Visibility::Listed => "no listing was given; the listing always shows messages of this kind",
        _ if place::was_listed(finding, summary) => "the listing does not show it",
        _ => "no listing was given",
    };
    members.set_or("listed_as", finding.listed_as.as_ref().map(listed_as), why_not);
    members.set("sightings", finding.sightings.iter().map(|s| sighting(s, summary)).collect::<Value>());
    set_outlook(&mut members, &finding.outlook);
    members.finish()
}

/// The members that were asked for, in the order in which they were asked for.
pub fn choose(mut record: Value, fields: Option<&[String]>) -> Value {
    let (Some(fields), Some(all)) = (fields, record.as_object_mut()) else { return record };
    let chosen = fields.iter().filter_map(|field| Some((field.clone(), all.remove(field)?)));
    Value::Object(chosen.collect::<Map<_, _>>())
}

/// Names the instance and its source.
pub fn set_instance(members: &mut Members, summary: &Summary, index: usize) {
    let names = place::instance_names(summary, index);
    members.set_or("source", names.map(|(source, _)| source), "the instance is not in this report");
    members.set_or("instance", names.map(|(_, label)| label), "the instance is not in this report");
}

/// Rules that could not speak.
pub fn silent(silent: &[crate::findings::Silent]) -> Value {
    silent.iter().map(|silent| json!({ "rule": silent.rule, "why": silent.why })).collect()
}

/// What will happen, what can be done, and what must not be done.
pub fn set_outlook(members: &mut Members, outlook: &[Outlook]) {
    let next = |o: &Outlook| json!({ "rule": o.rule, "text": o.next, "source": o.source });
    members.set("next", outlook.iter().filter(|o| !o.next.is_empty()).map(next).collect::<Value>());
    let remedies = outlook.iter().flat_map(|o| {
        let of_rule = |a| (o.rule.as_str(), a);
        o.remedies.iter().map(of_rule)
    });
    let remedies = remedies.map(|(rule, advice)| {
        let command = (!advice.command.is_empty()).then_some(&advice.command);
        json!({ "rule": rule, "command": command, "what": advice.what })
    });
    members.set("remedies", remedies.collect::<Value>());
    let destroyers = outlook.iter().flat_map(|o| {
        let of_rule = |text: &String| json!({ "rule": o.rule, "text": text });
        o.destroyers.iter().map(of_rule)
    });
    members.set("destroyers", destroyers.collect::<Value>());
}

fn opinions(finding: &Finding) -> Value {
    let opinion = |o: &crate::findings::Opinion| {
        json!({
            "rule": o.rule,
            "class": o.class,
            "confidence": o.confidence,
            "why": o.why,
            "facts": members::facts(&o.facts),
        })
    };
    finding.opinions.iter().map(opinion).collect()
}

fn message(finding: &Finding, summary: &Summary) -> Value {
    let message = &finding.message;
    let mut members = Members::default();
    members.set_text_or("native_id", message.ids.native.as_ref(), "it has no ID of its own");
    members.set_text_or("message_id", message.ids.message_id.as_ref(), "no Message-ID was found in it");
    members.set("place", members::locus(&message.place));
    members.set_text_or("subject", message.header("Subject"), "no Subject was found in it");
    members.set_text_or("from", message.header("From"), "no From was found in it");
    members.set_text_or("to", message.header("To"), "no To was found in it");
    set_envelope(&mut members, message);
    members.set_or("size", message.size, "its source does not state a size");
    set_age(&mut members, finding, summary);
    members.set("times", times(message));
    let stamp = message.stamp.as_ref().map(members::stamp);
    members.set_or("stamp", stamp, "the evidence carries no stamp for it");
    members.set("parts", message.parts.iter().map(part).collect::<Value>());
    let pair = |name: &str, value| {
        let mut pair = Members::default();
        pair.set("name", name);
        pair.set_text("value", value);
        pair.finish_known()
    };
    members.set("headers", message.headers.iter().map(|h| pair(&h.name, &h.value)).collect::<Value>());
    let attributes = message.attributes.iter().map(|(name, value)| pair(name, value));
    members.set("attributes", attributes.collect::<Value>());
    members.finish()
}

fn set_envelope(members: &mut Members, message: &Message) {
    let Envelope { sender, recipients, .. } = &message.envelope;
    members.set_text_or("sender", sender.as_ref(), "no envelope sender was found in it");
    members.set("recipients", recipients.iter().map(recipient).collect::<Value>());
    let count = place::recipient_count(message);
    members.set_or("recipient_count", count, "no envelope recipient was found in it");
}

fn recipient(recipient: &Recipient) -> Value {
    let mut members = Members::default();
    members.set_text("address", &recipient.address);
    members.set_name("state", recipient.state);
    members.set_text_or("reason", recipient.reason.as_ref(), "no answer of an attempt was found");
    members.finish()
}

fn set_age(members: &mut Members, finding: &Finding, summary: &Summary) {
    const NO_TIME: &str = "no time in the evidence says when it came in";
    let arrived = finding.message.arrived();
    members.set_or("arrived", arrived.map(Time::rfc3339), NO_TIME);
    let why_not = if arrived.is_some() { "it is dated later than the clock of this scan" } else { NO_TIME };
    members.set_or("age_seconds", finding.age(summary.as_of), why_not);
}

fn times(message: &Message) -> Value {
    let times = message.times.iter();
    times.map(|t| json!({ "kind": t.kind, "at": t.at.rfc3339(), "original": t.original() })).collect()
}

fn part(part: &Part) -> Value {
    let mut members = Members::default();
    members.set_name("kind", part.kind);
    members.set("locus", members::locus(&part.locus));
    members.set_or("size", part.size, "its source does not state a size");
    members.set_or("sha256", part.sha256.as_deref(), "it was not read from end to end");
    members.set_or("stat", part.stat.as_ref().map(stat), "it is not a file of its own");
    members.finish()
}

fn stat(stat: &Stat) -> Value {
    json!({
        "device": stat.device,
        "inode": stat.inode,
        "mode": place::mode(stat),
        "uid": stat.uid,
        "gid": stat.gid,
        "links": stat.links,
        "size": stat.size,
        "accessed": stat.accessed.rfc3339(),
        "modified": stat.modified.rfc3339(),
        "changed": stat.changed.rfc3339(),
    })
}

fn listed_as(listed: &ListedAs) -> Value {
    let mut members = Members::default();
    members.set("locus", members::locus(&listed.locus));
    members.set_name("state", listed.state);
    members.set("matched_by", listed.matched_by.as_str());
    members.set_text_or("reason", listed.reason.as_ref(), "the listing gives no reason for the delay");
    members.finish()
}

fn sighting(sighting: &Sighting, summary: &Summary) -> Value {
    let mut members = Members::default();
    set_instance(&mut members, summary, sighting.instance);
    members.set("queue", sighting.queue.as_str());
    members.set("place", members::locus(&sighting.place));
    members.set("matched_by", sighting.matched_by.as_str());
    members.set_name("confidence", sighting.confidence);
    members.finish()
}
