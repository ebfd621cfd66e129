//! dma, the Mail Agent of `DragonFly` BSD: its spool folder.

use super::{About, Detected, ListingFormat, Opened, Options, Place, Source, UsualPlace};
use crate::evidence::{Habits, Treatment};

mod content;
mod envelope;
mod fates;
mod listing;
mod live;
mod message;
mod place;
mod plan;
mod spool;
mod treatments;

#[cfg(test)]
mod tests;

/// dma.
pub struct Dma;

static ABOUT: About = About {
    title: "dma spools (`/var/spool/dma`), live or copied",
    text: "Reads the one folder of a spool: Q files (the envelope for one recipient), M files (the content, one name for each \
           recipient) and what was left over while a message was handed in (tmp_). A folder is recognised by a Q or M file \
           whose name ends in two hexadecimal numbers.\n\n\
           dma has no daemon: `dma -q`, from cron, and the process that accepted a message try it. A message counts as live \
           while such a process holds a Q file of this spool. The lifetime of five days counts from the modification time of \
           the Q file.\n\n\
           Files must belong to the group of the spool folder; where that is root's, the copy has kept no owners and they are \
           not judged.",
    checked: "dma 0.13 (Debian 12): spools of 80 pairs that it made itself, with the ghosts that crashes, damage and wrong \
              owners leave. Source read: dma of 2026-01-11",
    formats: &[
        "dma spool.c: names, both files, what is picked up, locks",
        "dma dma.c: the listing, attempts, lifetimes",
        "dma(8)",
    ],
};

impl Source for Dma {
    fn name(&self) -> &'static str {
        "dma"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn detect(&self, place: &Place<'_>) -> Option<Detected> {
        place::detect(place)
    }

    fn usual_places(&self) -> Vec<UsualPlace> {
        place::usual()
    }

    fn open(&self, detected: &Detected, options: &Options) -> anyhow::Result<Opened> {
        spool::open(detected, options)
    }

    fn listings(&self) -> &'static [ListingFormat] {
        listing::FORMATS
    }

    fn treatments(&self) -> &'static [Treatment] {
        treatments::ALL
    }

    fn habits(&self) -> &'static Habits {
        &fates::HABITS
    }
}
