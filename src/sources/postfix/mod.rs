//! Postfix: its queue folders, as the mail system itself would read them.

use super::{About, Detected, ListingFormat, Opened, Options, Place, Source, UsualPlace};
use crate::evidence::{Habits, Treatment};

mod content;
mod defer_log;
mod fates;
mod hashing;
mod headers;
mod layout;
mod listing;
mod live;
mod main_cf;
mod message;
mod metadata;
mod name;
mod one_letter;
mod owner;
mod place;
mod plan;
mod queue_file;
mod queue_id;
mod reading;
mod records;
mod settings;
mod side_log;
mod spool;
mod treatments;

#[cfg(test)]
mod tests;

/// Postfix.
pub struct Postfix;

static ABOUT: About = About {
    title: "Postfix queue directories (`/var/spool/postfix`), live or copied",
    text: "Reads maildrop, incoming, active, deferred, hold, corrupt and saved, and the logs in defer, bounce and trace. \
           A folder is recognised by two or more of these, one of them incoming, deferred, maildrop or active; none is \
           required, so that a restored part of a spool is read as well.\n\n\
           What Postfix decides by name, place, owner and mode is judged without reading a byte: whether it looks at a \
           file at all, whether it can open it, whether the file has its queue ID's inode. Of the content the envelope \
           is read, and whether the size record leads to the end of the content and to the end record; with --deep, \
           every record. A file that was set down in active while the queue manager runs cannot be told from one that it \
           is delivering: which files it has taken up is in its memory only, and the listing shows both.\n\n\
           The configuration is looked for beside the spool (`etc/postfix*/main.cf` in the system in which the spool \
           lies): hashing, lifetimes, back-off, the user of Postfix and further instances. Where there is none, the \
           defaults of Postfix are used, and the report says so; how deep a queue is hashed is then told by its files, \
           if they agree.\n\n\
           Inodes and owners that a copy could not keep come from a manifest (--manifest).",
    checked: "Postfix 3.7.11 (Debian 12): seven spools of 3 to 210 messages that it made itself, with the ghosts \
              that crashes, restores, clock jumps and a second instance leave. Source read: Postfix 3.12-20260821",
    formats: &[
        "Postfix src/global/mail_queue.h, mail_queue.c, mail_open_ok.c, mail_scan_dir.c: names, modes, places",
        "Postfix src/global/record.c, rec_type.h: the records of a queue file",
        "Postfix src/qmgr/qmgr_message.c, qmgr_active.c: what the queue manager accepts, and what it does otherwise",
        "Postfix src/bounce/bounce_append_service.c, src/global/bounce_log.c: the logs of a message",
        "Postfix src/postqueue/showq_json.c, showq_compat.c: the listings",
        "postconf(5), postsuper(1), postqueue(1), postcat(1)",
    ],
};

impl Source for Postfix {
    fn name(&self) -> &'static str {
        "postfix"
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

    fn is_lean(&self, _alone: bool) -> bool {
        true
    }
}
