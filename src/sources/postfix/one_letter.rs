//! A name of one letter, which Postfix takes for a subfolder of a hashed queue.
//!
//! Source: Postfix `global/mail_scan_dir.c` (`mail_scan_dir_next`), `util/scan_dir.c` (`scan_dir_push`: that it cannot be
//! opened is fatal), `postsuper/postsuper.c` (`queue_info`: which queues are scanned, and that `maildrop` is taken to have
//! no subfolders), `showq/showq.c` (`showq_service`), `conf/postfix-script` (`check-fatal` and `reload` run postsuper). What
//! stops was observed on 3.7.11, for a file in each of `maildrop`, `incoming`, `active`, `deferred`, `hold` and `defer`.

use crate::evidence::{Fact, Locus, Sign, Signed, Text};

/// What stops on a file, link or FIFO of such a name in this queue; `None` where nothing does. A reload waits for postsuper
/// in `active` only, and sees to the rest in the background.
pub fn stops(queue: &str) -> Option<&'static str> {
    match queue {
        "incoming" | "deferred" => Some(
            "the queue manager dies on it again and again, every listing and `postsuper` fail, and Postfix does not start",
        ),
        "active" => Some(
            "every listing and `postsuper` fail on it, and Postfix neither starts nor reloads; a queue manager that runs \
             goes on",
        ),
        "hold" => Some(
            "every listing and `postsuper` fail on it, and Postfix does not start; a queue manager that runs goes on",
        ),
        "defer" | "bounce" | "trace" | "flush" => Some(
            "`postsuper` fails on it, and Postfix does not start; the listing and a queue manager that runs go on",
        ),
        _ => None,
    }
}

/// The signs that a file of such a name gives.
pub fn signs(queue: &str, place: &Text) -> Vec<Signed> {
    let locus = Locus::whole(place.clone());
    let Some(stops) = stops(queue) else {
        return vec![Signed::likely(Sign::ForeignName, Fact::new("the name is no queue ID", locus))];
    };
    let text = format!(
        "Postfix takes a name of one letter for a subfolder, and this cannot be opened as one: {stops}"
    );
    vec![
        Signed::certain(Sign::BlocksQueue, Fact::new(text, locus.clone())),
        Signed::certain(Sign::ForeignName, Fact::new("a name of one letter is no queue ID", locus)),
    ]
}
