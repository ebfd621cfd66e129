//! qmail and its descendants: netqmail, notqmail, s/qmail.

use super::{About, Detected, ListingFormat, Opened, Options, Place, Source, UsualPlace};
use crate::evidence::{Habits, Treatment};

mod bounce_log;
mod draft;
mod envelope;
mod fates;
mod headers;
mod layout;
mod leftover;
mod listing;
mod live;
mod message;
mod name;
mod owner;
mod place;
mod pieces;
mod plan;
mod records;
mod settings;
mod split;
mod spool;
mod treatments;
mod virtual_domains;
mod whole;

#[cfg(test)]
mod tests;

/// qmail.
pub struct Qmail;

static ABOUT: About = About {
    title: "qmail queues (`/var/qmail/queue`), live or copied: qmail, netqmail, notqmail, s/qmail",
    text: "Reads mess, info, local, remote, bounce, todo, intd and pid; nothing in lock is ever opened. A folder is \
           recognised by mess and at least two more of them.\n\n\
           A message is its file in mess; its number is its name, and by qmail's own guarantee also its inode. Which of \
           its other files are there says what state it is in: being written, queued and not yet preprocessed (todo), or \
           waiting for delivery (info with local and remote). A message is reported once, at the half that exists.\n\n\
           conf-split is compiled into qmail and stands in no file. It is told from the numbered folders, and checked \
           against the places in which messages lie; where the two do not agree, nothing is called misfiled on the \
           strength of it. todo and intd are read flat or split (big-todo).\n\n\
           Where qmail-send runs in this very queue, what was written within the last minute counts as being in the \
           making, and what waits in todo is given half an hour, since qmail-send looks there only every 25 minutes \
           when nothing pulls its trigger; five minutes if the trigger is seen to be broken. Messages that were put in \
           while it runs are told by their inodes: changed after it started, and later than their content. Numbers are \
           inodes and are used again at once, so that a listed message without a file is reported of a copy only.\n\n\
           control/queuelifetime is read beside the queue. qmail has no longest back-off: its retries grow with the \
           square of their number, so that the last wait within the lifetime bounds them all.\n\n\
           qmail-clean judges by access times what it may delete. ghostq never moves them.",
    checked: "notqmail 1.09, built from its source: two queues of 200 messages that it made itself, with the ghosts that \
              crashes, losses and a restore leave, a queue with every state, and the running system under load. Not \
              checked on running netqmail, s/qmail or IndiMail, nor with big-todo",
    formats: &[
        "notqmail INTERNALS.md: the states of a message, and what cleans up what",
        "notqmail qmail-queue.c: mess, intd, todo, pid; qmail-send.c: info, local, remote, bounce, retries, cleanup",
        "notqmail qmail-clean.c: what is deleted, and when; fmtqfn.c, readsubdir.c: names and places",
        "notqmail qmail-qread.c, qmail-qstat.sh: the listings",
        "qmail-send(9), qmail-queue(8), qmail-qread(8)",
    ],
};

impl Source for Qmail {
    fn name(&self) -> &'static str {
        "qmail"
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
