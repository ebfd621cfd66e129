//! Sendmail: its queue folders, as the mail system itself would read them.

use super::{About, Detected, ListingFormat, Opened, Options, Place, Source, UsualPlace};
use crate::evidence::{Habits, Treatment};

mod content;
mod control_file;
mod fates;
mod folder;
mod halves;
mod listing;
mod live;
mod message;
mod name;
mod place;
mod plan;
mod queued;
mod reading;
mod settings;
mod signs;
mod spool;
mod treatments;

#[cfg(test)]
mod tests;

/// Sendmail.
pub struct Sendmail;

static ABOUT: About = About {
    title: "Sendmail queue folders (`/var/spool/mqueue`, `clientmqueue`), live or copied",
    text: "Reads control files (`qf`), quarantined ones (`hf`), lost ones (`Qf`), data files (`df`), transcripts (`xf`) and \
           control files in the making (`tf`, `Tf`), in one queue folder or in many (`QueueDirectory=/var/spool/mqueue/q*`), \
           with or without the subfolders `qf`, `df` and `xf`. A folder is recognised by a file of these names with a queue \
           ID, by the subfolders, or by its name.\n\n\
           The control file is read from end to end, of the data file only that it is there. Versions up to 8 of the format \
           (sendmail 8.13 and later write 8) are known; a newer one is said to be unknown and not guessed at.\n\n\
           The configuration is looked for in the system in which the spool lies: a sendmail.cf or submit.cf whose \
           QueueDirectory is this very spool. It says which folders the listing reads, whether a group may write control \
           files, and when mail is returned. Without it nothing is claimed of the first, and the defaults of sendmail are used \
           for the rest.\n\n\
           What plain `mailq` does not show is taken to be out of sight, even if another listing shows it: the quarantined \
           (`-qQ`), the lost (`-qL`), the queue of the submission program (`-Ac`). Folders of MailScanner are passed over.",
    checked: "Sendmail 8.17.1.9 (Debian 12): two spools of 196 and 200 messages that it made itself, with the ghosts that \
              quarantine, lost halves, bad modes and damage leave; each kind of damage tried on the running system. Source \
              read: 8.17.1.9",
    formats: &[
        "sendmail doc/op/op.me, appendix `Queue file formats`; sections 5.6, 5.9",
        "sendmail sendmail/queue.c: queueup, readqf, gatherq, queuename, loseqfile, print_single_queue, multiqueue_cache",
        "sendmail sendmail/sendmail.h: the letters of file names; sendmail/util.c: fgetfolded",
        "sendmail sendmail/envelope.c: dropenvelope",
    ],
};

impl Source for Sendmail {
    fn name(&self) -> &'static str {
        "sendmail"
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
