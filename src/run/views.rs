//! Listings of a scan: which there are, and which speaks for which place.

use super::ListingChoice;
use super::interrupt::interrupted;
use super::prepare::Prepared;
use crate::correlate::live_view::LiveView;
use crate::evidence::{Damage, DamageKind, Locus, Text};
use crate::findings::ListingSummary;
use crate::scan::listing;
use crate::sources::{LiveListing, Source};
use anyhow::{Result, bail};
use std::path::PathBuf;

/// All listings of a scan.
#[derive(Default)]
pub struct Views {
    all: Vec<View>,
    /// What went wrong with a listing that nobody insisted on.
    pub warnings: Vec<String>,
    /// Listings that were given and could not be used: a scan without them is not the whole truth.
    pub damages: Vec<Damage>,
}

struct View {
    index: LiveView,
    source: &'static str,
    /// A live listing speaks for one place; a file for all places of its source.
    place: Option<usize>,
    format: &'static str,
}

impl Views {
    /// Reads the listings that the choice asks for.
    ///
    /// # Errors
    /// When a listing that was asked for cannot be had.
    pub fn take(choice: &ListingChoice, prepared: &Prepared) -> Result<Self> {
        let mut views = Self::default();
        match choice {
            ListingChoice::None => {}
            ListingChoice::Files(files) => views.take_files(files, prepared)?,
            ListingChoice::Auto | ListingChoice::Live => {
                for (number, place) in prepared.places.iter().enumerate() {
                    match &place.live_listing {
                        Some(tool) if *choice == ListingChoice::Auto && tool.risk.is_some() => {
                            let why = tool.risk.unwrap_or_default();
                            let tool = listing::command_line(tool);
                            views.warnings.push(format!(
                                "`{tool}` was not asked; `--listing live` does so all the same: {why}"
                            ));
                        }
                        Some(tool) => views.take_live(number, tool, prepared, choice)?,
                        None if *choice == ListingChoice::Live => bail!(
                            "`--listing live`: `{}` is not a running mail system of this host whose listing tool was found",
                            place.instance.label
                        ),
                        None => {}
                    }
                }
            }
        }
        views.all.retain(|view| !(view.index.is_empty() && view.index.cut().is_some()));
        views.all.iter_mut().for_each(|view| view.index.finish());
        Ok(views)
    }

    fn take_files(&mut self, files: &[PathBuf], prepared: &Prepared) -> Result<()> {
        for file in files {
            let wanted: Vec<&str> = prepared.sources.iter().map(|source| source.listed_by()).collect();
            let opened = listing::open_file(file, &wanted)?;
            let (source, format) = (opened.source, opened.format);
            if !prepared.sources.iter().any(|of| of.listed_by() == source) {
                bail!(
                    "the listing `{}` is of {source} (`{}`), and no place of that kind is scanned",
                    file.display(),
                    format.name
                );
            }
            let known = self.all.iter().position(|view| view.source == source);
            let number = known.unwrap_or_else(|| {
                self.all.push(View { index: LiveView::new(false), source, place: None, format: format.name });
                self.all.len() - 1
            });
            let Some(view) = self.all.get_mut(number) else { continue };
            view.index.begin(Text::from_path(file), crate::read::disk::modified(file));
            let before = view.index.len();
            let end = listing::read_file(file, opened, &mut |entry| view.index.add(&entry))?;
            if let (true, Some(why)) = (view.index.len() == before, &end.cut) {
                let declared =
                    end.declared.map(|count| format!(" ({count} messages in all)")).unwrap_or_default();
                self.damages.push(Damage::new(
                    DamageKind::Malformed,
                    Locus::whole(Text::from_path(file)),
                    format!("it names no message, so that nothing was held against it: {why}{declared}"),
                    "give a listing that names each message",
                ));
            }
            view.index.end(end);
        }
        Ok(())
    }

    fn take_live(
        &mut self,
        number: usize,
        tool: &LiveListing,
        prepared: &Prepared,
        choice: &ListingChoice,
    ) -> Result<()> {
        if let Some(risk) = tool.risk {
            self.warnings.push(format!("`{}` was run as you asked: {risk}", listing::command_line(tool)));
        }
        let mut view = LiveView::new(true);
        view.begin(Text::from(listing::command_line(tool)), Some(crate::evidence::Time::now()));
        match listing::read_live(tool, interrupted, &mut |entry| view.add(&entry)) {
            Ok(end) => view.end(end),
            Err(error) if *choice == ListingChoice::Live => return Err(error),
            Err(error) => {
                self.damages.push(Damage::new(
                    DamageKind::Unreadable,
                    Locus::whole(listing::command_line(tool)),
                    format!("the listing could not be taken: {error:#}"),
                    "run it by hand, or scan with `--listing none`",
                ));
                return Ok(());
            }
        }
        let source = prepared.sources.get(number).map_or("", |source| source.listed_by());
        self.all.push(View { index: view, source, place: Some(number), format: tool.format });
        Ok(())
    }

    /// The listing that speaks for a place.
    pub fn of(&self, number: usize, source: &dyn Source) -> Option<&LiveView> {
        let own = self.all.iter().find(|view| view.place == Some(number));
        own.or_else(|| self.all.iter().find(|view| view.place.is_none() && view.source == source.listed_by()))
            .map(|view| &view.index)
    }

    /// What the report says of the listings.
    pub fn summaries(&self, prepared: &Prepared) -> Vec<ListingSummary> {
        let of_view = |view: &View| {
            let speaks_for = |number: &usize| match (view.place, prepared.sources.get(*number)) {
                (Some(place), _) => place == *number,
                (None, Some(source)) => source.listed_by() == view.source,
                (None, None) => false,
            };
            ListingSummary {
                instances: (0..prepared.places.len()).filter(speaks_for).collect(),
                format: view.format,
                origin: view.index.origin(),
                entries: view.index.len(),
                on_disk: view.index.seen(),
                cut: view.index.cut().map(str::to_owned),
                live: view.index.live(),
            }
        };
        self.all.iter().map(of_view).collect()
    }

    /// Lines of the listings that could not be understood, as warnings.
    pub fn misread(&self) -> Vec<String> {
        let line = |view: &View| {
            let (number, what) = view.index.misread().first()?;
            let all = view.index.misread().len();
            let origin = view.index.origin();
            Some(format!(
                "`{}`: {all} lines could not be understood, the first is line {number}: {what}",
                origin.lossy()
            ))
        };
        self.all.iter().filter_map(line).collect()
    }
}
