//! Exim: its spool directory, as the mail system itself would read it.

use super::{About, Detected, ListingFormat, Opened, Options, Place, Source, UsualPlace};
use crate::evidence::{Habits, Treatment};

mod content;
mod cursor;
mod done;
mod fates;
mod generation;
mod header_file;
mod journal;
mod listing;
mod live;
mod message;
mod message_id;
mod message_log;
mod name;
mod options;
mod owner;
mod place;
mod plan;
mod queues;
mod recipient;
mod remains;
mod settings;
mod spool;
mod spot;
mod treatments;

#[cfg(test)]
mod tests;

/// Exim.
pub struct Exim;

static ABOUT: About = About {
    title: "Exim spool directories (`/var/spool/exim4`, `/var/spool/exim`), live or copied",
    text: "Reads `input` and `msglog`, flat or split into folders of one letter, of the default queue and of every named \
           queue, and `Finput`, into which old versions moved frozen messages. A folder is recognised by `input` beside \
           `msglog`, or by `input` with names of Exim in it; an `input` folder alone is read as well.\n\n\
           Each message is judged as Exim reads it: the envelope file `ID-H` line by line, with the recipients that are \
           done (the tree in it, and the journal `ID-J`), and whether its data file `ID-D` is there. Of files that Exim \
           passes over (a data file alone, `hdr.ID`, other names and folders, IDs of a length that this Exim does not \
           read) it is said what they hold. With --deep the lines of each data file are counted.\n\n\
           The configuration is not read: what Exim is told there (lifetimes, retry rules, where its logs are) is not \
           guessed. Owners that a copy could not keep come from a manifest (--manifest).",
    checked: "Exim 4.96 (Debian 12): six spools of 200 messages that it made itself, with the ghosts that crashes, \
              restores, renames and clock jumps leave, and the running daemon. Source read: Exim master 2025-12-29 \
              (4.99); IDs of 4.97 and later are known from there",
    formats: &[
        "Exim specification, chapter `Format of spool files`",
        "Exim src/spool_in.c, spool_out.c: the envelope file, and what the reader calls a format error",
        "Exim src/queue.c, functions.h: which names are listed, where they are looked for",
        "Exim src/receive.c, deliver.c: in which order files are made and removed",
        "Exim src/queue.c, queue_list: the listing",
        "Exim exim_id_update.src: IDs of 16 and 23 characters",
    ],
};

impl Source for Exim {
    fn name(&self) -> &'static str {
        "exim"
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

    /// What lies elsewhere as well is known by the Message-ID, which stands in the envelope file.
    fn is_lean(&self, alone: bool) -> bool {
        alone
    }
}
