//! Planning: what would be done, and the reason for every refusal. Writes nothing.

use super::ActRequest;
use super::build::Builder;
use crate::findings::{Class, Finding, Summary};
use crate::plan::{Job, Outgoing, Refused};
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
    let mut met = vec![false; request.selection.ids.len()];
    let mut chosen: Vec<Finding> = Vec::new();
    let by_filter = request.selection.ids.is_empty() && request.selection.findings.is_none();
    findings.each_sorted(|finding| {
        let Some(by) = request.selection.takes(&finding, &planned.summary) else { return Ok(()) };
        // What is only worth knowing is acted upon where it was asked for by name.
        let named = request.scan.filter.wants_each(finding.rule());
        if by_filter && finding.class == Class::Note && !named {
            return Ok(());
        }
        if let Some(met) = by.and_then(|number| met.get_mut(number)) {
            *met = true;
        }
        if chosen.len() < MAX_SELECTED {
            chosen.push(finding);
        } else {
            planned.beyond += 1;
        }
        Ok(())
    })?;
    for finding in chosen {
        if planned.jobs.len() >= request.limit() {
            planned.beyond += 1;
            continue;
        }
        let number = u32::try_from(planned.jobs.len() + 1).unwrap_or(u32::MAX);
        match builder.build(number, &finding) {
            Ok((job, reported)) => planned.jobs.push(PlannedJob { job, finding, reported }),
            Err(refusal) => planned.refused.push(builder.refused(&finding, refusal)),
        }
    }
    let missed = request.selection.ids.iter().zip(met).filter(|(_, met)| !met);
    planned.refused.extend(missed.map(|(id, _)| {
        Refused {
            finding: id.clone(),
            called: id.clone(),
            rule: String::new(),
            place: String::new(),
            reason: "no rule speaks of a message of this name: it may be delivered, healthy in the queue, or just now open in \
                     another process"
                .to_owned(),
            hint: format!("`ghostq show {id}` says what is known of it"),
        }
    }));
    Ok(planned)
}
