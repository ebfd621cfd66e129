//! OpenSMTPD: its queue of envelopes and messages, as its queue process would read it.

use super::{About, Detected, ListingFormat, Opened, Options, Place, Source, UsualPlace};
use crate::evidence::{Habits, Treatment};

mod arguments;
mod coding;
mod content;
mod envelope;
mod envelope_check;
mod fates;
mod folder;
mod id;
mod listing;
mod live;
mod message;
mod offline;
mod outgoing;
mod place;
mod plan;
mod queue;
mod reader;
mod recoded;
mod repair;
mod sample;
mod signs;
mod spool;
mod stray;
mod treatments;
mod unfinished;

#[cfg(test)]
mod tests;

/// OpenSMTPD.
pub struct OpenSmtpd;

static ABOUT: About = About {
    title: "OpenSMTPD spools (`/var/spool/smtpd`), live or copied",
    text: "Reads queue, incoming, temporary, offline, corrupt (of old versions) and purge. A folder is recognised by queue \
           and one of purge, temporary and offline.\n\n\
           A message is a folder named by its message ID, with the content in the file `message` and one envelope a \
           recipient. It is one entry in the report, whatever the number of its envelopes; what is wrong with an envelope \
           is said with the ID of that envelope. `smtpctl show queue` lists envelopes; those of one message are taken \
           together.\n\n\
           Envelopes are read as smtpd reads them, so that one which smtpd refuses without a word is found. Names, places, \
           owners and modes are held against what the queue process, which runs as the owner of queue, can open. smtpd \
           reads its queue once, at start, and passes over envelopes with a later modification time: where it is known \
           since when smtpd runs, such an envelope that the listing lacks is reported.\n\n\
           A compressed or encrypted queue is recognised and said to be so: which messages there are can be seen, what \
           is in their envelopes cannot. Whether a dispatcher (an `action` of smtpd.conf) is known to smtpd is not \
           judged.",
    checked: "OpenSMTPD 6.8.0p2 (Debian 12): four spools of 200 messages that it made itself, with the ghosts that crashes, \
              damage, wrong owners, a wrong folder and a stopped smtpd leave; live in a lab, under flowing mail and with \
              compression and encryption. Source read: 7.8.0p1",
    formats: &[
        "OpenSMTPD usr.sbin/smtpd/queue_fs.c: folders, names, what is loaded at start",
        "OpenSMTPD usr.sbin/smtpd/envelope.c: the fields of an envelope, versions 1 to 3",
        "OpenSMTPD usr.sbin/smtpd/queue_backend.c, crypto.c, compress_gzip.c: temporary files, encryption, compression",
        "OpenSMTPD usr.sbin/smtpd/smtpd.c offline_scan, enqueue.c enqueue_offline: mail handed in while smtpd is down",
        "OpenSMTPD usr.sbin/smtpd/smtpctl.c show_queue_envelope: the listing",
        "smtpd(8), smtpctl(8), smtpd.conf(5)",
    ],
};

impl Source for OpenSmtpd {
    fn name(&self) -> &'static str {
        "opensmtpd"
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
