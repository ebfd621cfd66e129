//! What Exim does with what the rules find: listing, next step, remedies, and what would destroy the message.

use super::fates;
use crate::evidence::{Remedy, Shown, Treatment};

const REMOVE: &str = "`exim -Mrm {id}`: it removes what is left of the message, also what no listing shows, and cannot be undone";
const KEEP_MALFORMED: &str = "a queue run once it is older than keep_malformed (4 days by default): envelope, body, journal and \
                              log are deleted, and nobody is told";

const fn remedy(command: &'static str, what: &'static str) -> Remedy {
    Remedy { command, what }
}

const COPY_FIRST: Remedy =
    remedy("cp -a {path} /root/", "copy it out of the spool first, with owner, mode and time");
const FIND_ALL: Remedy = remedy("find {root} -name '*{id}*'", "find all files of this ID");
const SEE_LOG: Remedy = remedy("exigrep {id} /var/log/exim4/mainlog", "find out what became of the message");
const RESUBMIT: Remedy = remedy(
    "exim -i -f SENDER -- RECIPIENT… < MESSAGE",
    "submit what there is of it anew, to the recipients that are pending, and check that it is whole before you do; who is unknown \
     may have got it",
);

/// One treatment a rule.
pub static ALL: &[Treatment] = &[
    Treatment {
        rule: "corrupt",
        shown: Shown::Always,
        next: "it is listed with `*** spool format error: size=… ***` and never tried. Once it is older than keep_malformed (4 \
               days by default) the next queue run deletes it without a bounce. A body file that is shorter than its first line \
               is not noticed: an empty message is sent",
        remedies: &[
            COPY_FIRST,
            remedy(
                "exim -bP keep_malformed",
                "see how long Exim keeps it; raise it before the next queue run",
            ),
            remedy("exim -Mvb {id}", "read the body"),
            RESUBMIT,
        ],
        destroyers: &[KEEP_MALFORMED, REMOVE],
        fates: fates::CORRUPT,
        source: "spool_in.c, spool_read_header; deliver.c, deliver_message (keep_malformed); queue.c, queue_list; observed on 4.96",
    },
    Treatment {
        rule: "empty-file",
        shown: Shown::Always,
        next: "it is listed with `*** spool format error: size=0 ***` and never tried. Once its ID is older than keep_malformed (4 \
               days by default) the next queue run deletes it with its body",
        remedies: &[
            remedy("df -h {root}; df -i {root}", "look whether the disk was or is full"),
            COPY_FIRST,
            remedy("exim -Mvb {id}", "read the body, if there is one"),
            SEE_LOG,
        ],
        destroyers: &[KEEP_MALFORMED, REMOVE],
        fates: fates::EMPTY_FILE,
        source: "spool_in.c, spool_read_header; deliver.c, deliver_message (keep_malformed); observed on 4.96",
    },
    Treatment {
        rule: "body-without-envelope",
        shown: Shown::Never,
        next: "nothing, for ever: listing and queue runs look for `ID-H` only. If it has no log, its reception was not finished \
               and the sender has probably sent it again",
        remedies: &[
            COPY_FIRST,
            remedy("exim -Mvb {id}", "read the body"),
            remedy("exim -Mvl {id}", "read its log, if there is one: it may name sender and recipients"),
            SEE_LOG,
            RESUBMIT,
        ],
        destroyers: &[REMOVE],
        fates: fates::BODY_WITHOUT_ENVELOPE,
        source: "queue.c, queue_get_spool_list; receive.c (the body is made first, the envelope last); observed on 4.96",
    },
    Treatment {
        rule: "envelope-without-body",
        shown: Shown::Always,
        next: "it is listed without a size, each queue run passes over it in silence, and it never expires",
        remedies: &[
            COPY_FIRST,
            remedy("exim -Mvh {id}", "read envelope and header: the sender can be asked to send it again"),
            SEE_LOG,
            remedy("", "put `ID-D` back from a backup, if there is one: the next queue run takes it"),
        ],
        destroyers: &[REMOVE],
        fates: fates::ENVELOPE_WITHOUT_BODY,
        source: "spool_in.c, spool_open_datafile; deliver.c (body, envelope and journal are removed in this order); observed on \
                 4.96",
    },
    Treatment {
        rule: "foreign-name",
        shown: Shown::Never,
        next: "nothing, for ever: Exim looks at names of its own kind only, in `input` and its folders of one letter. Exim 4.96 \
               and earlier pass over IDs of 23 characters, later versions read both kinds",
        remedies: &[
            COPY_FIRST,
            remedy(
                "exim -bV",
                "see which version reads this spool; 4.97 and later read IDs of 23 characters",
            ),
            remedy(
                "exim_id_update -d -v {root}",
                "with Exim stopped, give messages with IDs of 23 characters old ones",
            ),
            FIND_ALL,
            remedy(
                "",
                "with `mv -n`, give each file its own name in the folder `input` that it lies under: the journal first (`ID-J`), \
                 or who has got the message gets it again; then the body (`ID-D`), and the envelope (`ID-H`) last. `mv -n` \
                 leaves a file where it is if the name is taken: look at both then. A body without its envelope stays where it is",
            ),
        ],
        destroyers: &["deleting it as a stray backup: it may be the only copy"],
        fates: fates::FOREIGN_NAME,
        source: "queue.c, queue_get_spool_list (length of the name); spool_out.c, spool_write_header (`hdr.`); \
                 exim_id_update.src; observed on 4.96",
    },
    Treatment {
        rule: "misfiled",
        shown: Shown::Always,
        next: "it is listed, and every queue run passes over it in silence, since its files are looked for elsewhere",
        remedies: &[
            FIND_ALL,
            remedy(
                "",
                "with `mv -n`, move them to the folder `input` that they lie under: the journal (`ID-J`) first, or who has got the \
                 message gets it again; then the body, and the envelope last. Exim finds them there whether the spool is split or \
                 not. `mv -n` leaves a file where it is if the name is taken: look at both then",
            ),
            remedy("exim -bP split_spool_directory", "see whether the spool is split"),
        ],
        destroyers: &[
            "`exim -Mrm {id}`: it says that the message has been removed or did not exist, and the files stay",
        ],
        fates: fates::MISFILED,
        source: "functions.h, set_subdir_str; spool_in.c, spool_open_datafile; queue.c, queue_get_spool_list; observed on 4.96",
    },
    Treatment {
        rule: "wrong-owner-or-mode",
        shown: Shown::Always,
        next: "the listing shows it with `*** spool read error: Permission denied ***` and without recipients. Exim delivers as \
               root unless it is told not to, so that it may be tried and delivered all the same",
        remedies: &[
            remedy(
                "chown --reference=\"$(dirname {path})\" {path} && chmod 640 {path}",
                "give it the owner of its folder, which is the user of Exim unless that was changed as well",
            ),
            remedy("exim -M {id}", "then try it at once"),
        ],
        destroyers: &[REMOVE],
        fates: fates::WRONG_OWNER_OR_MODE,
        source: "queue.c, queue_list; spool_in.c, spool_read_header; observed on 4.96",
    },
    Treatment {
        rule: "other-queue",
        shown: Shown::Never,
        next: "nothing, unless a queue runner for this very queue is started: daemon and queue runs read the default queue. \
               What lies in `Finput` nobody reads",
        remedies: &[
            remedy("exim -qGQUEUE -bp", "list the named queue"),
            remedy("exim -qGQUEUE", "run it once; `-q1hGQUEUE` starts a runner for it"),
            remedy("exim -qGQUEUE -MG '' {id}", "or move the message to the default queue"),
            remedy(
                "exipick --finput",
                "see what is in `Finput`; move it back to `input`, its journal first and its envelope last, and thaw it",
            ),
        ],
        destroyers: &["removing the queue's folder: Exim does not know that there is mail in it"],
        fates: fates::OTHER_QUEUE,
        source: "Exim specification, `named queues`; deliver.c (move_frozen_messages); observed on 4.96",
    },
    Treatment {
        rule: "held",
        shown: Shown::Always,
        next: "frozen: queue runs, also forced ones (`-qf`), pass over it. It stays for ever unless auto_thaw or \
               timeout_frozen_after is set; a bounce goes after ignore_bounce_errors_after (10 weeks)",
        remedies: &[
            remedy("exim -Mvl {id}", "read why it was frozen"),
            remedy("exim -Mt {id}", "thaw it: the next queue run takes it"),
            remedy("exim -M {id}", "or thaw it and try it now"),
            remedy("exim -Mg {id}", "or give it up: the sender gets a bounce"),
        ],
        destroyers: &[
            REMOVE,
            "`exim -qff` over a whole queue of frozen messages: all that cannot be delivered bounces at once",
        ],
        fates: fates::HELD,
        source: "deliver.c, deliver_message (`Message is frozen`); Exim specification, timeout_frozen_after; observed on 4.96",
    },
    Treatment {
        rule: "delivery-journal-left",
        shown: Shown::Always,
        next: "the next delivery attempt reads the journal, marks those recipients as done, and goes on with the others",
        remedies: &[
            remedy("find {root} -name {id}-J -exec cat {} +", "see who has got the message already"),
            remedy("exim -M {id}", "let Exim take the journal over and deliver the rest"),
        ],
        destroyers: &[
            "copying or resubmitting the message without its journal: those recipients get it twice",
            REMOVE,
        ],
        fates: fates::DELIVERY_JOURNAL_LEFT,
        source: "deliver.c, deliver_message (`Look to see if there is an existing journal file`); observed on 4.96",
    },
    Treatment {
        rule: "orphan-side-file",
        shown: Shown::Never,
        next: "nothing: Exim looks at a log or a journal only together with its message",
        remedies: &[
            remedy(
                "cat {path}",
                "read it: it says what became of the recipients of a message that is no longer there",
            ),
            SEE_LOG,
            remedy("mv {path} /root/", "then keep it outside the spool"),
        ],
        destroyers: &[
            "deleting it before the recipients are written down: it may be all that is left of the message",
        ],
        fates: fates::ORPHAN_SIDE_FILE,
        source: "deliver.c (the log is removed first, the journal last); observed on 4.96",
    },
    Treatment {
        rule: "future-time",
        shown: Shown::Always,
        next: "it is listed with an age below zero and tried as the retry rules say, but counted by its age it does not expire \
               before that time",
        remedies: &[
            remedy("exim -M {id}", "try it now"),
            remedy("exim -qf", "or try everything now"),
            remedy(
                "exinext RECIPIENT",
                "see when Exim means to try again: the hints may be from the future as well",
            ),
        ],
        destroyers: &[],
        fates: fates::FUTURE_TIME,
        source: "queue.c, queue_list (age); retry.c; observed on 4.96",
    },
    Treatment {
        rule: "expired",
        shown: Shown::Always,
        next: "the next attempt that the retry rules regard as the last returns it to its sender. One that is never tried \
               (no queue runner, hints that cannot be written, no recipients) does not expire",
        remedies: &[
            remedy("exim -Mvl {id}", "see when it was tried last"),
            remedy("exinext RECIPIENT", "see when it is to be tried next"),
            remedy(
                "exim -bP queue_only queue_run_max hold_domains",
                "look for what keeps it from being tried",
            ),
            remedy("exim -M {id}", "or try it now"),
        ],
        destroyers: &["starting queue runs after a long pause: all such mail is returned at once"],
        fates: fates::EXPIRED,
        source: "retry.c, retry_ultimate_address_timeout; deliver.c (no recipients)",
    },
    Treatment {
        rule: "unlisted",
        shown: Shown::Depends,
        next: "unknown: no rule explains why the listing leaves it out",
        remedies: &[
            remedy("exim -bp", "list again: it may have come or gone while the listing was taken"),
            remedy("exim -bP spool_directory", "see whether this is the spool that was listed"),
            remedy("exim -Mvh {id}", "read its envelope and header"),
        ],
        destroyers: &[REMOVE],
        fates: &[],
        source: "queue.c, queue_list",
    },
    Treatment {
        rule: "listed-not-on-disk",
        shown: Shown::Always,
        next: "most likely it was delivered between the listing and the scan: Exim lists what it reads on disk and keeps no \
               other index",
        remedies: &[remedy("exim -bp", "list again"), SEE_LOG],
        destroyers: &[],
        fates: fates::LISTED_NOT_ON_DISK,
        source: "queue.c, queue_get_spool_list (reads the folders)",
    },
    Treatment {
        rule: "duplicate-message",
        shown: Shown::Depends,
        next: "of two files of one ID, in `input` and in its folder of a letter, Exim works with the one that it finds first and \
               lists both",
        remedies: &[
            FIND_ALL,
            remedy("exim -bP split_spool_directory", "see in which of the two places Exim looks first"),
            COPY_FIRST,
        ],
        destroyers: &[
            "deleting one before their recipients are compared: the two may not have the same ones left to deliver to",
        ],
        fates: fates::DUPLICATE_MESSAGE,
        source: "spool_in.c, spool_open_datafile; queue.c, queue_get_spool_list",
    },
];
