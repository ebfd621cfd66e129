//! nullmailer: its queue, and what it sets aside.

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
mod settings;
mod spool;
mod treatments;

#[cfg(test)]
mod tests;

/// nullmailer.
pub struct Nullmailer;

static ABOUT: About = About {
    title: "nullmailer spools (`/var/spool/nullmailer`), live or copied",
    text: "Reads queue, failed and tmp. A folder is recognised by a folder `queue` with the FIFO `trigger`, or with both \
           failed and tmp. The FIFO is never opened.\n\n\
           The listing (`mailq`) shows every file of `queue` whose name does not begin with a dot, and nothing of `failed`: \
           a message that was refused for good, or that grew too old, is out of sight from then on. It shows neither IDs nor \
           subjects, so that messages are recognised in it by time and size.\n\n\
           The lifetime of a message counts from the modification time of its file. The access time is evidence too: every \
           attempt reads the file, and nullmailer-dsn takes the date of the last attempt from there. It is shown unless the \
           file was copied since.\n\n\
           The configuration is looked for beside the spool (`etc/nullmailer` in the system in which the spool lies): \
           queuelifetime, pausetime, maxpause. Where there is none, the defaults are used, and the report says so.",
    checked: "nullmailer 2.2 (Debian 12): spools of 5 to 200 messages that it made itself, with the ghosts that crashes, \
              refusals, wrong owners and wrong names leave. Source read: nullmailer 2.2 of 2024-11-02",
    formats: &[
        "nullmailer src/queue.cc: names, places, envelope",
        "nullmailer src/send.cc: what is tried, what is set aside, lifetimes",
        "nullmailer src/mailq.cc: the listing",
        "nullmailer src/dsn.cc: what the access time means",
        "nullmailer-send(8), nullmailer-queue(8), mailq(1)",
    ],
};

impl Source for Nullmailer {
    fn name(&self) -> &'static str {
        "nullmailer"
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
