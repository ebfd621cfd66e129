//! The plan of `ghostq requeue` and `ghostq ndr`, what came of it, and the journal: for people, and as JSON.

use super::escape::{clip, for_terminal};
use crate::evidence::Text;
use crate::plan::course::Operation;
use crate::plan::entry::End;
use crate::plan::{Door, Job, Refused, Step};
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr as _;

/// The name and version of the plan as JSON; within a version it only grows.
pub const PLAN_SCHEMA: &str = "ghostq.plan/1";
/// The same of what came of it.
pub const RESULT_SCHEMA: &str = "ghostq.result/1";
/// The same of the journal.
pub const JOURNAL_SCHEMA: &str = "ghostq.journal/1";

/// Recipients that are named in a line.
const NAMED: usize = 2;
/// Messages that are named where several are refused for one reason.
const REFUSED_NAMED: usize = 8;

/// What would be done.
pub struct Plan<'a> {
    /// `requeue` or `ndr`.
    pub verb: &'a str,
    /// The host.
    pub host: &'a str,
    /// What would be done, in this order.
    pub jobs: Vec<&'a Job>,
    /// What would not.
    pub refused: &'a [Refused],
    /// Messages beyond the limit.
    pub beyond: u64,
    /// Whether the scan before it read everything.
    pub complete: bool,
    /// The command that carries it out.
    pub apply: String,
}

/// How one message went.
pub struct Went<'a> {
    /// Its name: `20261126-044658-1f2e.3`.
    pub label: String,
    /// The plan.
    pub job: &'a Job,
    /// How it ended; `None`: nobody knows.
    pub end: Option<End>,
    /// What to say of it.
    pub note: &'a str,
    /// What a log says of it, where nobody knows.
    pub hint: Option<String>,
}

/// The plan for people.
pub fn plan_text(plan: &Plan<'_>, width: usize) -> String {
    let mut text = String::new();
    let selected = plan.jobs.len() + plan.refused.len();
    let verb = plan.verb;
    let _ = match (plan.jobs.len(), plan.refused.len()) {
        (0, 0) => writeln!(text, "No message is selected."),
        (0, _) => writeln!(text, "{verb}: none of {} can be done.", messages(selected)),
        (jobs, 0) => writeln!(text, "{verb}: {}.", messages(jobs)),
        (jobs, refused) => writeln!(text, "{verb}: {jobs} of {}; {refused} refused.", messages(selected)),
    };
    if plan.beyond > 0 {
        let _ = writeln!(text, "{} more are beyond the limit; `--max N` raises it.", plan.beyond);
    }
    if !plan.jobs.is_empty() {
        let mut table = table(width, &["#", "ID", "RULE", "WHAT IS DONE", "SENDER → RECIPIENTS"]);
        for job in &plan.jobs {
            table.add_row([
                job.number.to_string(),
                for_terminal(&job.called()),
                for_terminal(&job.rule),
                for_terminal(&what(job)),
                for_terminal(&who(job)),
            ]);
        }
        let _ = writeln!(text, "\n{}", trimmed(&table));
    }
    for job in &plan.jobs {
        for warning in &job.warnings {
            push(&mut text, "", &format!("note on {}: {warning}", job.called()), width);
        }
    }
    if !plan.refused.is_empty() {
        let _ = writeln!(text, "\nRefused:");
        text.push_str(&refused_text(plan.refused, width));
    }
    if !plan.jobs.is_empty() && !plan.apply.is_empty() {
        let _ = writeln!(text, "\nNothing was changed. To do it:\n  {}", for_terminal(&plan.apply));
    }
    text
}

/// Refusals for people: messages that are refused for one reason stand together.
pub fn refused_text(refused: &[Refused], width: usize) -> String {
    let mut groups: Vec<(&Refused, Vec<&Refused>)> = Vec::new();
    for one in refused {
        let same =
            |known: &Refused| known.reason == one.reason && known.hint == one.hint && known.rule == one.rule;
        match groups.iter_mut().find(|(known, _)| same(known)) {
            Some((_, members)) => members.push(one),
            None => groups.push((one, vec![one])),
        }
    }
    let mut text = String::new();
    for (first, members) in groups {
        let rule = if first.rule.is_empty() { String::new() } else { format!(" ({})", first.rule) };
        let named: Vec<_> = members.iter().take(REFUSED_NAMED).map(|one| one.called.as_str()).collect();
        let more = members.len().saturating_sub(REFUSED_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        push(&mut text, "  ", &format!("{}{more}{rule}: {}", named.join(", "), first.reason), width);
        if !first.hint.is_empty() {
            push(&mut text, "    ", &format!("hint: {}", first.hint), width);
        }
    }
    text
}

/// What would be taken back, for people.
pub fn undo_text(operation: &str, jobs: &[(Job, Option<String>)], width: usize) -> String {
    let mut text = String::new();
    for (job, obstacle) in jobs {
        let label = format!("{} {}", job.label(operation), job.called());
        if let Some(why) = obstacle {
            push(&mut text, "", &format!("{label}: cannot be undone: {why}"), width);
            continue;
        }
        push(&mut text, "", &format!("{label}: would be undone"), width);
        for step in job.steps.iter().rev().filter(|step| step.is_reversible()) {
            push(&mut text, "    ", &format!("take back: {}", step.describe()), width);
        }
    }
    if jobs.iter().any(|(_, obstacle)| obstacle.is_none()) {
        let _ = writeln!(
            text,
            "\nNothing was changed. To do it:\n  ghostq undo {} --apply",
            for_terminal(operation)
        );
    }
    text
}

/// What would be taken back, as JSON.
pub fn undo_json(operation: &str, jobs: &[(Job, Option<String>)]) -> Value {
    json!({
        "schema": PLAN_SCHEMA,
        "tool_version": env!("CARGO_PKG_VERSION"),
        "verb": "undo",
        "operation": operation,
        "jobs": jobs.iter().filter(|(_, obstacle)| obstacle.is_none()).map(|(job, _)| of_job(job)).collect::<Value>(),
        "refused": jobs.iter().filter_map(|(job, obstacle)| Some(json!({
            "finding": job.finding, "called": job.called(), "rule": job.rule, "place": job.place,
            "reason": obstacle.as_ref()?, "hint": "",
        }))).collect::<Value>(),
    })
}

/// The plan as JSON.
pub fn plan_json(plan: &Plan<'_>) -> Value {
    json!({
        "schema": PLAN_SCHEMA,
        "tool_version": env!("CARGO_PKG_VERSION"),
        "host": plan.host,
        "verb": plan.verb,
        "complete": plan.complete,
        "jobs": plan.jobs.iter().map(|job| of_job(job)).collect::<Value>(),
        "refused": plan.refused.iter().map(of_refused).collect::<Value>(),
        "beyond_limit": plan.beyond,
        "apply": plan.apply,
    })
}

/// What was done, for people: one line a message.
pub fn went_line(went: &Went<'_>) -> String {
    let word = went.end.map_or("UNKNOWN", End::word);
    let mut line = format!("{} {}: {word}", went.label, went.job.called());
    if !went.note.is_empty() {
        let _ = write!(line, ": {}", went.note);
    }
    if let Some(hint) = &went.hint {
        let _ = write!(line, "; a log says: {hint}");
    }
    for_terminal(&line)
}

/// What was done, as JSON.
pub fn went_json(operation: &str, went: &[Went<'_>], left: usize, why: &str, refused: &[Refused]) -> Value {
    let one = |went: &Went<'_>| {
        json!({
            "job": went.label,
            "finding": went.job.finding,
            "source": went.job.source,
            "queue_id": went.job.native.as_ref().map(text_value),
            "end": went.end.map_or(json!("unknown"), |end| json!(end)),
            "note": went.note,
            "log": went.hint,
        })
    };
    json!({
        "schema": RESULT_SCHEMA,
        "tool_version": env!("CARGO_PKG_VERSION"),
        "operation": operation,
        "results": went.iter().map(one).collect::<Value>(),
        "refused": refused.iter().map(of_refused).collect::<Value>(),
        "left": left,
        "why_left": why,
    })
}

/// The operations of the journal, newest first, for people.
pub fn journal_text(operations: &[Operation], width: usize) -> String {
    if operations.is_empty() {
        return "The journal is empty.\n".to_owned();
    }
    let mut table = table(width, &["OPERATION", "BEGAN", "VERB", "MESSAGES", "STATE"]);
    for operation in operations.iter().rev() {
        table.add_row([
            for_terminal(&operation.name),
            for_terminal(&operation.began),
            for_terminal(&operation.verb),
            operation.jobs.len().to_string(),
            state(operation),
        ]);
    }
    format!("{}\n", trimmed(&table))
}

/// One operation, message by message and step by step, for people.
pub fn operation_text(operation: &Operation, width: usize) -> String {
    let mut text = format!(
        "{} {}: {}, began {} by user {}\n",
        operation.verb,
        operation.name,
        messages(operation.jobs.len()),
        operation.began,
        operation.uid
    );
    for (number, course) in &operation.jobs {
        let job = &course.job;
        let end = match (&course.end, course.unknown()) {
            (Some((end, note)), _) if note.is_empty() => end.word().to_owned(),
            (Some((end, note)), _) => format!("{}: {note}", end.word()),
            (None, Some((_, why))) => format!("UNKNOWN: {why}"),
            (None, None) if course.touched() => "broken off".to_owned(),
            (None, None) => "not begun".to_owned(),
        };
        let head = format!("{}.{number} {} ({}): {end}", operation.name, job.called(), job.rule);
        push(&mut text, "", &head, width);
        for (step, state) in job.steps.iter().zip(&course.steps) {
            let line = for_terminal(&format!("    {}: {}", state.word(), step.describe()));
            let _ = writeln!(text, "{}", clip(&line, width.max(40)));
        }
        let vault = for_terminal(&job.vault);
        let _ = writeln!(text, "    copies: {vault}");
    }
    text
}

/// The operations as JSON.
pub fn journal_json(operations: &[Operation]) -> Value {
    let one = |operation: &Operation| {
        json!({
            "operation": operation.name,
            "began": operation.began,
            "verb": operation.verb,
            "uid": operation.uid,
            "open": operation.is_open(),
            "why_left": operation.ended,
            "jobs": operation.jobs.values().map(|course| {
                let mut job = of_job(&course.job);
                if let Some(members) = job.as_object_mut() {
                    members.insert("vault".into(), text_value(&course.job.vault));
                    members.insert("states".into(), course.steps.iter().map(|state| json!(state.word())).collect());
                    let end = course.end.as_ref();
                    members.insert("end".into(), json!(end.map(|(end, _)| end)));
                    let note = end.map(|(_, note)| note.as_str()).or(course.unknown().map(|(_, why)| why));
                    members.insert("note".into(), json!(note));
                }
                job
            }).collect::<Value>(),
        })
    };
    json!({
        "schema": JOURNAL_SCHEMA,
        "tool_version": env!("CARGO_PKG_VERSION"),
        "operations": operations.iter().rev().map(one).collect::<Value>(),
    })
}

fn state(operation: &Operation) -> String {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for course in operation.jobs.values() {
        let word = match (&course.end, course.unknown()) {
            (Some((end, _)), _) => end.word(),
            (None, Some(_)) => "UNKNOWN",
            (None, None) if course.touched() => "broken off",
            (None, None) => "not begun",
        };
        *counts.entry(word).or_default() += 1;
    }
    let parts: Vec<_> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    parts.join(", ")
}

fn of_job(job: &Job) -> Value {
    let outgoing = job.outgoing.as_ref();
    json!({
        "number": job.number,
        "finding": job.finding,
        "rule": job.rule,
        "source": job.source,
        "place": job.place,
        "root": text_value(&job.root),
        "queue": job.queue,
        "queue_id": job.native.as_ref().map(text_value),
        "message_id": job.message_id.as_ref().map(text_value),
        "verb": job.verb,
        "steps": job.steps.iter().map(|step| json!({"what": step.describe(), "reversible": step.is_reversible()})).collect::<Value>(),
        "sender": outgoing.and_then(|outgoing| outgoing.sender.as_ref()).map(text_value),
        "recipients": outgoing.map(|outgoing| outgoing.recipients.iter().map(|r| text_value(&r.address)).collect::<Value>()),
        "left_out": outgoing.map(|outgoing| outgoing.delivered.iter().map(text_value).collect::<Value>()),
        "door": job.door.as_ref().map(Door::describe),
        "parts": job.parts.iter().map(|part| json!({"path": text_value(&part.path), "size": part.stat.size, "sha256": part.sha256})).collect::<Value>(),
        "content": job.content.as_ref().map(|content| json!({
            "size": content.size,
            "sha256": content.sha256,
            "dkim_simple_body_sha256": content.body_sha256,
            "eight_bit": content.eight_bit,
        })),
        "warnings": job.warnings,
    })
}

fn of_refused(refused: &Refused) -> Value {
    json!({
        "finding": refused.finding,
        "called": refused.called,
        "rule": refused.rule,
        "place": refused.place,
        "reason": refused.reason,
        "hint": refused.hint,
    })
}

fn text_value(text: &Text) -> Value {
    Value::String(super::escape::for_json(text))
}

/// What is done, in a few words.
fn what(job: &Job) -> String {
    let taken = job.steps.iter().filter(|step| matches!(step, Step::Withdraw { .. })).count();
    if job.hands_in() {
        let door = job.door.as_ref().map_or_else(String::new, Door::describe);
        let thing = match job.verb {
            crate::plan::Verb::Requeue => "hand it in anew",
            crate::plan::Verb::Ndr => "send a report to its sender",
        };
        return match (&job.door, taken) {
            (Some(door), _) if door.is_export() => format!("write it into {}", door.describe()),
            (_, 1) => format!("move its file into the vault, {thing} through {door}"),
            (_, taken) => format!("move its {taken} files into the vault, {thing} through {door}"),
        };
    }
    job.steps.iter().map(Step::describe).collect::<Vec<_>>().join(", then ")
}

fn who(job: &Job) -> String {
    let Some(outgoing) = &job.outgoing else { return String::new() };
    let sender = match &outgoing.sender {
        Some(sender) if sender.is_empty() => "<>".to_owned(),
        Some(sender) => sender.lossy().into_owned(),
        None => "?".to_owned(),
    };
    let named: Vec<_> =
        outgoing.recipients.iter().take(NAMED).map(|r| r.address.lossy().into_owned()).collect();
    let more = outgoing.recipients.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" (+{more})") } else { String::new() };
    let left_out = outgoing.delivered.len();
    let left_out = if left_out > 0 { format!("; {left_out} have it already") } else { String::new() };
    format!("{sender} → {}{more}{left_out}", named.join(", "))
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

fn table(width: usize, header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width.max(60)).unwrap_or(u16::MAX));
    table.set_header(header.to_vec());
    table
}

fn trimmed(table: &Table) -> String {
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Adds text in lines of so many columns, tamed and indented.
fn push(to: &mut String, indent: &str, text: &str, width: usize) {
    let room = width.max(40) - indent.len();
    let mut line = String::new();
    for word in for_terminal(text).split(' ') {
        if !line.is_empty() && line.width() + 1 + word.width() > room {
            let _ = writeln!(to, "{indent}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(to, "{indent}{line}");
}
