//! Planning: what would be done, and the reason for every refusal. Writes nothing.

use super::ActRequest;
use super::build::Builder;
use crate::findings::{Class, Finding, Summary};
use crate::plan::{Door, Job, Outgoing, Refusal, Refused};
use crate::run::filter::Filter;
use crate::run::scan::{self, Outcome};
use crate::run::scene::Scene;
use anyhow::Result;

/// Findings that are remembered while the rest are counted; beyond this only the first are planned.
const MAX_SELECTED: usize = 100_000;

/// What would be done.
pub struct Planned {
    /// The frame of the scan it comes from.
    pub summary: Summary,
    /// What would be done, in this order.
    pub jobs: Vec<PlannedJob>,
    /// What would not, and why.
    pub refused: Vec<Refused>,
    /// Messages that were selected and are beyond the limit.
    pub beyond: u64,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

/// What would be done about one message.
pub struct PlannedJob {
    /// The plan.
    pub job: Job,
    /// The finding.
    pub finding: Finding,
    /// The envelope of the message itself, where a report about it is handed in.
    pub reported: Option<Outgoing>,
}

/// Scans, selects, and asks the sources what to do.
///
/// # Errors
/// When nothing could be scanned.
pub fn plan(request: &ActRequest) -> Result<(Scene<'_>, Planned)> {
    let scene = Scene::prepare(&request.scan)?;
    let outcome = scan::on_scene(&scene)?;
    scene.progress.stage("planning");
    let planned = choose(request, &scene, outcome);
    scene.progress.done();
    Ok((scene, planned?))
}

fn choose(request: &ActRequest, scene: &Scene<'_>, outcome: Outcome) -> Result<Planned> {
    let Outcome { summary, mut findings, interrupted } = outcome;
    let builder = Builder::new(request, scene, &summary);
    let mut planned = Planned { jobs: Vec::new(), refused: Vec::new(), beyond: 0, interrupted, summary };
    let mut met = vec![0_usize; request.selection.ids.len()];
    // With the ID by which it was named.
    let mut chosen: Vec<(Finding, Option<usize>)> = Vec::new();
    let by_filter = request.selection.ids.is_empty() && request.selection.findings.is_none();
    let mut missing = request.selection.findings.clone().unwrap_or_default();
    findings.each_sorted(|finding| {
        missing.remove(&finding.id);
        if !request.scan.filter.matches(&finding, scene.clock.now) {
            return Ok(());
        }
        let Some(by) = request.selection.takes(&finding, &planned.summary) else { return Ok(()) };
        // What is only worth knowing is acted upon where it was asked for by name.
        let named = request.scan.filter.wants_each(finding.rule());
        if by_filter && finding.class == Class::Note && !named {
            return Ok(());
        }
        if let Some(met) = by.and_then(|number| met.get_mut(number)) {
            *met += 1;
        }
        if chosen.len() < MAX_SELECTED {
            chosen.push((finding, by));
        } else {
            planned.beyond += 1;
        }
        Ok(())
    })?;
    for (finding, by) in chosen {
        if planned.jobs.len() >= request.limit() {
            planned.beyond += 1;
            continue;
        }
        let number = u32::try_from(planned.jobs.len() + 1).unwrap_or(u32::MAX);
        match builder.build(number, &finding) {
            Ok((mut job, reported)) => {
                let name = by.and_then(|by| Some((request.selection.ids.get(by)?, *met.get(by)?)));
                if let Some((id, count)) = name.filter(|(_, count)| *count > 1) {
                    job.warnings
                        .push(format!("{count} messages are called `{id}`, and all of them are meant"));
                }
                match twin(&planned.jobs, &job).filter(|_| !request.selection.one_by_one()) {
                    Some(refusal) => planned.refused.push(builder.refused(&finding, refusal)),
                    None => planned.jobs.push(PlannedJob { job, finding, reported }),
                }
            }
            Err(refusal) => planned.refused.push(builder.refused(&finding, refusal)),
        }
    }
    only_one_is_given(request, &mut planned, &builder);
    not_found(request, &mut planned, missing.into_iter().collect(), &met);
    Ok(planned)
}

/// Says of what was asked for by name and is not there that it is not. `met`: how many messages each ID names.
fn not_found(request: &ActRequest, planned: &mut Planned, mut missing: Vec<String>, met: &[usize]) {
    missing.sort();
    planned.refused.extend(missing.into_iter().map(|id| absent(
        id,
        "the report has it, and it is not found any more: it may be delivered, or lie in another place than was looked at",
        "name its spool with `--spool` as it was named for the report".to_owned(),
    )));
    let missed = request.selection.ids.iter().zip(met).filter(|(_, met)| **met == 0);
    let filtered = request.scan.filter != Filter::default() || request.selection.findings.is_some();
    let reason = if filtered {
        "no rule speaks of a message of this name, or the rest of the selection leaves it out"
    } else {
        "no rule speaks of a message of this name: it may be delivered, healthy in the queue, or just now \
         open in another process"
    };
    planned.refused.extend(
        missed.map(|(id, _)| {
            absent(id.clone(), reason, format!("`ghostq show {id}` says what is known of it"))
        }),
    );
}

/// Whether a message before this one has its very bytes and one of its recipients: two files of one message, of which one is sent.
fn twin(planned: &[PlannedJob], job: &Job) -> Option<Refusal> {
    let content = job.content.as_ref().filter(|_| !job.door.as_ref().is_some_and(Door::is_export))?;
    let outgoing = job.outgoing.as_ref()?;
    let shares = |other: &Outgoing| {
        other.recipients.iter().any(|of| outgoing.recipients.iter().any(|own| own.address == of.address))
    };
    let is_twin = |other: &&PlannedJob| {
        other.job.content.as_ref() == Some(content) && other.job.outgoing.as_ref().is_some_and(shares)
    };
    let other = planned.iter().find(is_twin)?;
    Some(Refusal::new(
        format!(
            "it has the same bytes as {}, and a recipient in common: sent as well, it would arrive twice",
            other.job.called()
        ),
        "once that one was sent, compare both; name this one by its ID if it is to be sent all the same",
    ))
}

/// What was named and is not among the findings.
fn absent(name: String, reason: &str, hint: String) -> Refused {
    Refused {
        finding: name.clone(),
        called: name,
        rule: String::new(),
        place: String::new(),
        reason: reason.to_owned(),
        hint,
    }
}

/// Recipients that were given are those of one message: others that have lost theirs were to go to somebody else.
fn only_one_is_given(request: &ActRequest, planned: &mut Planned, builder: &Builder<'_>) {
    let given = &request.given.recipients;
    let takes_them = |planned: &PlannedJob| {
        let outgoing = planned.reported.as_ref().or(planned.job.outgoing.as_ref());
        outgoing.is_some_and(|outgoing| outgoing.recipients.iter().map(|r| &r.address).eq(given))
    };
    let named = request.selection.one_by_one();
    let count = planned.jobs.iter().filter(|planned| takes_them(planned)).count();
    if given.is_empty() || named || count < 2 {
        return;
    }
    let (those, others) = std::mem::take(&mut planned.jobs).into_iter().partition(takes_them);
    planned.jobs = others;
    for (number, planned) in (1..).zip(&mut planned.jobs) {
        planned.job.number = number;
    }
    let those: Vec<PlannedJob> = those;
    planned.refused.extend(those.iter().map(|planned| {
        let refusal = Refusal::new(
            format!("`--to` says to whom one message goes, and {count} that have lost their recipients are selected"),
            "name the message by its ID",
        );
        builder.refused(&planned.finding, refusal)
    }));
}
