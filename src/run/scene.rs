//! The scene of a scan: what does not change while it is looked at.

use super::ScanRequest;
use super::prepare::{Prepared, prepare};
use super::views::Views;
use crate::correlate::case::{Case, Clock};
use crate::correlate::live_view::LiveView;
use crate::evidence::{Epoch, EpochOrigin, Fact, Instance, Message, Record, Stamp, StampMatch};
use crate::scan::pool::read_all;
use crate::scan::progress::Progress;
use anyhow::Result;
use std::ops::ControlFlow;

/// Stamps of rows that the listing shows, in so many forms at most.
const MAX_LEARNT: usize = 8;

/// What does not change while it is looked at: places, listings, clock.
pub struct Scene<'a> {
    /// What was asked.
    pub request: &'a ScanRequest,
    /// The places.
    pub prepared: Prepared,
    /// The listings.
    pub views: Views,
    /// The clock.
    pub clock: Clock,
    /// Progress on the terminal.
    pub progress: Progress,
}

impl<'a> Scene<'a> {
    /// Finds and opens the places, takes the listings, learns the epochs.
    ///
    /// # Errors
    /// When there is nothing to scan, or a listing that was asked for cannot be had.
    pub fn prepare(request: &'a ScanRequest) -> Result<Self> {
        let progress = Progress::new(request.progress);
        progress.stage("looking for mail systems");
        let prepared = prepare(request)?;
        progress.stage("reading the listing");
        let views = Views::take(&request.listing, &prepared)?;
        let clock = Clock { now: request.options.now, given: request.options.now_given };
        let mut scene = Self { request, prepared, views, clock, progress };
        scene.learn_epochs();
        Ok(scene)
    }

    /// Reads everything, record by record, until `take` breaks off or the user does.
    pub fn read(&self, stage: &'static str, mut take: impl FnMut(Record) -> ControlFlow<()>) {
        self.progress.stage(stage);
        let threads = self.request.threads;
        read_all(&self.prepared.places, threads, &self.progress, &mut |_, record| {
            if super::interrupt::interrupted() { ControlFlow::Break(()) } else { take(record) }
        });
    }

    /// The listing that speaks for a place.
    pub fn view(&self, number: usize) -> Option<&LiveView> {
        self.prepared.sources.get(number).and_then(|source| self.views.of(number, *source))
    }

    /// What a place is.
    pub fn instance(&self, number: usize) -> Option<&Instance> {
        self.prepared.places.get(number).map(|place| &place.instance)
    }

    /// The case of a message.
    pub fn case<'c>(&'c self, message: &'c Message) -> Option<Case<'c>> {
        let instance = self.instance(message.instance)?;
        let treatments = self.prepared.sources.get(message.instance)?.treatments();
        Some(Case::new(message, instance, self.view(message.instance), self.clock, treatments))
    }

    /// Learns the stamp of the live epoch from rows that the listing shows, where the operator gave none. Rows that
    /// the listing shows under different stamps teach nothing; the same stamp in several forms is kept in each.
    fn learn_epochs(&mut self) {
        let lacking = |scene: &Self, number: usize| {
            scene.view(number).is_some()
                && scene.instance(number).is_some_and(|of| of.source == "temptable" && of.epochs.is_empty())
        };
        let pupils: Vec<usize> =
            (0..self.prepared.places.len()).filter(|number| lacking(self, *number)).collect();
        if pupils.is_empty() {
            return;
        }
        let mut learnt: Vec<Vec<(Stamp, Fact)>> = vec![Vec::new(); self.prepared.places.len()];
        self.read("learning the live epoch", |record| {
            let Record::Message(message) = record else { return ControlFlow::Continue(()) };
            if let (Some(stamp), true) = (&message.stamp, pupils.contains(&message.instance))
                && let Some(hit) = self.view(message.instance).and_then(|view| view.find(&message))
                && hit.matched_by.confidence() > crate::evidence::Confidence::Possible
                && let Some(known) = learnt.get_mut(message.instance)
                && known.len() < MAX_LEARNT
                && !known.iter().any(|(other, _)| other.compare(stamp) == StampMatch::Same)
            {
                let text = format!("the listing shows the message with the stamp `{}`", stamp.original);
                known.push((stamp.clone(), Fact::new(text, message.place.clone())));
            }
            ControlFlow::Continue(())
        });
        for (place, known) in self.prepared.places.iter_mut().zip(learnt) {
            let differ =
                |one: &Stamp| known.iter().any(|(other, _)| one.compare(other) == StampMatch::Different);
            if known.iter().any(|(stamp, _)| differ(stamp)) {
                continue;
            }
            for (stamp, fact) in &known {
                place.instance.epochs.push(Epoch {
                    since: stamp.time,
                    stamp: Some(stamp.clone()),
                    origin: EpochOrigin::LiveRow,
                    fact: fact.clone(),
                });
            }
        }
    }
}
