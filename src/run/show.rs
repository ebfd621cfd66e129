//! `ghostq show`: everything about one message.

use super::ScanRequest;
use super::prepare::prepare;
use super::scan::scan;
use super::scene::Scene;
use crate::correlate::weigh;
use crate::evidence::{Message, Record, Text};
use crate::findings::{Finding, Summary};
use crate::scan::pool::read_contained;
use crate::sources::{Options, Unit};
use anyhow::Result;
use std::ops::ControlFlow;
use std::path::Path;

/// Messages of one ID that are shown; a queue ID can be there more than once.
const MAX_SHOWN: usize = 20;

/// Finds messages by queue ID, Message-ID or the ID of a finding, and says everything about each of them.
///
/// # Errors
/// When nothing could be scanned.
pub fn show(id: &str, request: &ScanRequest) -> Result<(Summary, Vec<Finding>)> {
    let mut outcome = scan(request)?;
    let mut shown: Vec<Finding> = Vec::new();
    outcome.findings.each(|finding| {
        if shown.len() < MAX_SHOWN && (finding.id == id || is_called(&outcome.summary, &finding.message, id))
        {
            shown.push(finding);
        }
        Ok(())
    })?;
    let scene = Scene::prepare(request)?;
    if shown.is_empty() {
        scene.read("looking for the message", |record| {
            if let Record::Message(message) = record
                && let Some(case) = scene.case(message)
                && (weigh::id(case.instance, message) == id || is_called(&outcome.summary, message, id))
            {
                shown.push(weigh::describe(&case));
            }
            if shown.len() < MAX_SHOWN { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
    }
    scene.progress.done();
    read_deeply(request, &mut shown)?;
    Ok((outcome.summary, shown))
}

pub(super) fn is_called(summary: &Summary, message: &Message, id: &str) -> bool {
    let bare = |text: &Text| text.lossy().trim_matches(['<', '>']).to_owned();
    let id = id.trim_matches(['<', '>']);
    message.ids.native.as_ref().is_some_and(|native| native.lossy() == id)
        || message.ids.message_id.as_ref().is_some_and(|message_id| bare(message_id) == id)
        || message.place.path.lossy() == id
        || summary
            .instances
            .get(message.instance)
            .is_some_and(|of| of.root.to_path().join(message.place.path.to_path()) == Path::new(id))
}

/// Reads the shown messages once more, from end to end, for what a scan leaves out.
fn read_deeply(request: &ScanRequest, shown: &mut [Finding]) -> Result<()> {
    let request =
        ScanRequest { options: Options { deep: true, ..request.options.clone() }, ..request.clone() };
    let prepared = prepare(&request)?;
    for finding in shown {
        let Some(place) = prepared.places.get(finding.message.instance) else { continue };
        let path = finding.message.place.path.to_path();
        let Ok((kind, _)) = place.root.stat(&path) else { continue };
        let unit = Unit { root: &place.root, path: &path, kind, lean: false };
        read_contained(place, unit, &mut |record| {
            if let Record::Message(mut message) = record
                && message.place == finding.message.place
            {
                message.instance = finding.message.instance;
                finding.message = *message;
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
    }
    Ok(())
}
