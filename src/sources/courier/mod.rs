//! Courier: its queue, and what was handed in and not yet taken over.

use super::{About, Detected, ListingFormat, Opened, Options, Place, Source, UsualPlace};
use crate::evidence::{Habits, Treatment};

mod content;
mod control;
mod fates;
mod listing;
mod live;
mod message;
mod name;
mod outgoing;
mod place;
mod plan;
mod settings;
mod spool;
mod submission;
mod treatments;

#[cfg(test)]
mod tests;

/// Courier.
pub struct Courier;

static ABOUT: About = About {
    title: "Courier queues (`/var/lib/courier`), live or copied",
    text: "Reads msgs (a control file C and a data file D for each message), msgq (a second name of each control file, by which \
           courierd schedules) and tmp (what submit writes and courierd takes over). A folder is recognised by msgs and \
           msgq.\n\n\
           A message is whole when C and D are in msgs and the control file has exactly two names, the second one in msgq. \
           Recipients that are delivered or returned are told from those that still wait, with what the last attempt said.\n\n\
           A copy without hard links (`cp -r`) has lost what msgq is: names are then taken for links, and the report says so. \
           tar, `cp -a` and `rsync -H` keep them.\n\n\
           The configuration is looked for beside the spool (`etc/courier` in the system in which the spool lies): queuetime, \
           retryalpha, retrygamma, retrymaxdelta. Where there is none, the defaults are used, and the report says so.",
    checked: "Courier 1.0.16 (Debian 12): queues of 14 to 200 messages that it made itself, with the ghosts that crashes, lost \
              files and lost links leave. Source read: Courier of 2026-07-22",
    formats: &[
        "Courier courier/libs/comctlfile.h, comctlfile.c: the control file, and how many names it must have",
        "Courier courier/libs/comqueuename.c: names and places",
        "Courier courier/cdmsgq.C, cdmsgq3.C: what courierd takes over, tries, and removes",
        "Courier courier/submit2.C: what is in tmp",
        "Courier courier/mailq.c: the listing",
        "courier(8), mailq(1), submit(8)",
    ],
};

impl Source for Courier {
    fn name(&self) -> &'static str {
        "courier"
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
