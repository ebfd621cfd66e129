//! The scene of a scan: what does not change while it is looked at.

use super::ScanRequest;
use super::prepare::{Prepared, prepare};
use super::settle::is_counted;
use super::views::Views;
use crate::correlate::case::{Case, Clock};
use crate::correlate::live_view::LiveView;
use crate::correlate::weigh::weigh;
use crate::evidence::{Instance, Message, Record};
use crate::scan::pool::{Asks, read_all};
use crate::scan::progress::Progress;
use anyhow::Result;
use std::ops::ControlFlow;

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
    /// What the report must say of how this was prepared.
    pub remarks: Vec<String>,
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
        let remarks = remarks(request, &prepared);
        progress.stage("reading the listing");
        let views = Views::take(&request.listing, &prepared)?;
        let clock = Clock { now: request.options.now, given: request.options.now_given };
        let mut scene = Self { request, prepared, views, clock, progress, remarks };
        super::learn::from_listed_rows(&mut scene);
        Ok(scene)
    }

    /// Reads everything, record by record, until `take` breaks off or the user does.
    pub fn read(&self, stage: &'static str, mut take: impl FnMut(&Record) -> ControlFlow<()>) {
        let keep = |records: &mut Vec<Record>, record| records.push(record);
        self.judge(stage, &keep, |records: Vec<Record>| records.iter().try_for_each(&mut take));
    }

    /// Reads everything, and lets each reader thread note what it reads on sheets of its own, which `take` gets.
    pub fn judge<S: Default + Send>(
        &self,
        stage: &'static str,
        note: &(impl Fn(&mut S, Record) + Sync),
        mut take: impl FnMut(S) -> ControlFlow<()>,
    ) {
        self.progress.stage(stage);
        let asks: &Asks<'_> = &|message| self.asks(message);
        let asks = self.request.no_envelopes.then_some(asks);
        read_all(&self.prepared.places, self.request.threads, &self.progress, asks, note, &mut |sheet| {
            if super::interrupt::interrupted() { ControlFlow::Break(()) } else { take(sheet) }
        });
    }

    /// Whether a message that was not opened has to be: a rule speaks of it, and of more than how many there are.
    fn asks(&self, message: &Message) -> bool {
        let filter = &self.request.filter;
        let (places, sources) = (&self.prepared.places, &self.prepared.sources);
        if !sources.get(message.instance).is_some_and(|source| source.is_lean(places.len() == 1)) {
            return true;
        }
        let finding = self.case(message).and_then(|case| weigh(&case).finding);
        finding.is_some_and(|finding| {
            let mut opinions = finding.opinions.iter();
            !opinions.all(|opinion| is_counted(opinion) && !filter.wants_each(&opinion.rule))
        })
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
}

/// What was found and why, and what was looked for in vain. Of named paths only the latter is news.
fn remarks(request: &ScanRequest, prepared: &Prepared) -> Vec<String> {
    let on_this_host = request.paths.is_empty() && request.temp_tables.is_empty();
    let found = prepared.found.iter().filter(|_| on_this_host);
    let found = found.map(|(path, why)| format!("found `{}` ({why})", path.display()));
    let in_vain = prepared.in_vain.iter().filter(|(path, _)| on_this_host || request.paths.contains(path));
    let in_vain = in_vain.map(|(path, why)| {
        let path = path.display();
        if on_this_host { format!("looked for `{path}` in vain ({why})") } else { format!("`{path}`: {why}") }
    });
    let alone = prepared.places.len() == 1;
    let all = prepared.places.iter().zip(&prepared.sources);
    let all = all.filter(|(_, source)| request.no_envelopes && !source.is_lean(alone));
    let all = all.map(|(place, _)| {
        format!(
            "`--no-envelopes` changes nothing for `{}`: all of its messages are read",
            place.instance.label
        )
    });
    found.chain(in_vain).chain(all).collect()
}
