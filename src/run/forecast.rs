//! `ghostq forecast`: what a start, a queue run or a structure check would do to what is on disk now.
//!
//! It is a scan whose every message, healthy or not, is entered in a count; none is kept. Sightings of one message in several
//! places are not joined: each copy has a fate of its own.

use super::look::Look;
use super::scene::Scene;
use super::settle::Settling;
use super::{ScanRequest, interrupt, missing};
use crate::correlate::fates::Judged;
use crate::evidence::{Confidence, Message};
use crate::findings::{Entry, Finding, Forecast, Prospect, Summary};
use anyhow::{Context as _, Result};

/// Looks at everything and says what would happen.
///
/// # Errors
/// When nothing could be scanned, or suspects could not be kept.
pub fn forecast(request: &ScanRequest) -> Result<Forecast> {
    let scene = Scene::prepare(request)?;
    let forecast = judge(&scene).context("could not keep the findings in the temporary folder");
    scene.progress.done();
    forecast
}

fn judge(scene: &Scene<'_>) -> Result<Forecast> {
    let mut places = prospects(scene);
    let look = Look::first_with_healthy(scene, &mut |message| enter(scene, &mut places, message, &[]))?;
    let mut settling = Settling::second_look(scene, look)?;
    missing::find(scene, &mut settling);
    let (mut summary, _) =
        settling.finish(scene, &mut |finding| enter_finding(scene, &mut places, finding))?;
    warn(scene, &mut summary);
    Ok(Forecast { summary, places, interrupted: interrupt::interrupted() })
}

/// Nothing yet, for each place and each thing that can be set going there.
fn prospects(scene: &Scene<'_>) -> Vec<Vec<Prospect>> {
    let occasions = scene.prepared.sources.iter().map(|source| source.habits().occasions);
    occasions.map(|of| of.iter().map(|occasion| Prospect::new(*occasion)).collect()).collect()
}

fn enter_finding(scene: &Scene<'_>, places: &mut [Vec<Prospect>], finding: &Finding) {
    let rules: Vec<_> =
        finding.opinions.iter().map(|opinion| (opinion.rule.as_str(), opinion.confidence)).collect();
    // What was explained away is no message of its own.
    if !rules.is_empty() {
        enter(scene, places, &finding.message, &rules);
    }
}

fn enter(scene: &Scene<'_>, places: &mut [Vec<Prospect>], message: &Message, rules: &[(&str, Confidence)]) {
    let number = message.instance;
    let (Some(source), Some(place), Some(prospects)) =
        (scene.prepared.sources.get(number), scene.prepared.places.get(number), places.get_mut(number))
    else {
        return;
    };
    let judged = Judged {
        message,
        rules,
        treatments: source.treatments(),
        habits: source.habits(),
        now: scene.clock.judges(&place.instance),
        limits: place.instance.limits,
        own_times_lost: place.root.has_manifest(),
    };
    let entry = Entry {
        id: message.ids.native.as_ref(),
        path: &message.place.path,
        sender: message.envelope.sender.as_ref().or_else(|| message.header("From")),
        arrived: message.arrived(),
    };
    for prospect in prospects {
        let outlook = judged.on(prospect.occasion.trigger);
        for occurrence in &outlook.occurrences {
            let key = (occurrence.effect, occurrence.moment);
            prospect.outcomes.entry(key).or_default().enter(&entry, occurrence);
        }
        for rule in outlook.unknown.into_iter().take(1) {
            *prospect.unknown.entry(rule).or_default() += 1;
        }
    }
}

/// Says where ages could not be judged.
fn warn(scene: &Scene<'_>, summary: &mut Summary) {
    for place in &scene.prepared.places {
        let instance = &place.instance;
        if instance.live.is_none() && !instance.at_home && !scene.clock.given {
            summary.warnings.push(format!(
                "`{}` is a copy, and it is not known when its mail system will start: what depends on an age is undated, and \
                 no mail is taken for older than its lifetime; give `--as-of`",
                instance.root.lossy()
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::evidence::{Fate, Trigger};
    use crate::sources::ALL;
    use std::collections::BTreeSet;

    fn triggers(fates: &[Fate]) -> BTreeSet<Trigger> {
        fates.iter().flat_map(|fate| fate.on).copied().collect()
    }

    #[test]
    fn a_rule_that_has_a_forecast_has_one_for_whatever_can_be_set_going() {
        for source in ALL {
            let habits = source.habits();
            let known: BTreeSet<_> = habits.occasions.iter().map(|occasion| occasion.trigger).collect();
            assert_eq!(triggers(habits.healthy), known, "{}: healthy mail", source.name());
            for treatment in source.treatments().iter().filter(|treatment| !treatment.fates.is_empty()) {
                let name = format!("{}: {}", source.name(), treatment.rule);
                assert_eq!(triggers(treatment.fates), known, "{name}");
                for trigger in &known {
                    let last = treatment.fates.iter().rev().find(|fate| fate.on.contains(trigger)).unwrap();
                    assert!(last.only.is_none(), "{name}: {trigger:?} says nothing of some of its messages");
                }
            }
        }
    }

    #[test]
    fn only_of_messages_that_no_rule_explains_and_of_undocumented_damage_nothing_is_known() {
        let unknown: Vec<_> = ALL
            .iter()
            .flat_map(|source| source.treatments().iter().map(|treatment| (source.name(), treatment)))
            .filter(|(_, treatment)| treatment.fates.is_empty() && treatment.rule != "unlisted")
            .map(|(source, treatment)| format!("{source} {}", treatment.rule))
            .collect();
        assert_eq!(
            unknown,
            [
                "opensmtpd other-queue",
                "exchange body-without-envelope",
                "exchange corrupt",
                "exchange empty-file",
                "temptable queue-blocker",
            ]
        );
    }
}
