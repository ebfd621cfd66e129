//! `ghostq scan`: first look, second look, cases, summary.

use super::look::Look;
use super::scene::Scene;
use super::settle::Settling;
use super::{ScanRequest, duplicates, interrupt, missing};
use crate::findings::{Store, Summary};
use anyhow::{Context as _, Result};

/// What a scan found.
pub struct Outcome {
    /// The frame of the report.
    pub summary: Summary,
    /// The findings.
    pub findings: Store,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

/// Runs a scan to its end.
///
/// # Errors
/// When nothing could be scanned, or the findings could not be kept.
pub fn scan(request: &ScanRequest) -> Result<Outcome> {
    let scene = Scene::prepare(request)?;
    let outcome = on_scene(&scene);
    scene.progress.done();
    outcome
}

/// Runs a scan of places that are open already.
///
/// # Errors
/// When the findings could not be kept.
pub fn on_scene(scene: &Scene<'_>) -> Result<Outcome> {
    look_and_settle(scene).context("could not keep the findings in the temporary folder")
}

fn look_and_settle(scene: &Scene<'_>) -> Result<Outcome> {
    let look = Look::first(scene)?;
    let mut settling = Settling::second_look(scene, look)?;
    missing::find(scene, &mut settling);
    if !interrupt::interrupted() {
        duplicates::join(scene, &mut settling)?;
    }
    let (summary, findings) = settling.finish(scene, &mut |_| ())?;
    Ok(Outcome { summary, findings, interrupted: interrupt::interrupted() })
}
