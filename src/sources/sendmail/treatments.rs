//! What sendmail does with what the rules find: listing, next step, remedies, and what would destroy the message.

use super::fates;
use crate::evidence::{Remedy, Shown, Treatment};

const fn remedy(command: &'static str, what: &'static str) -> Remedy {
    Remedy { command, what }
}

const COPY_FIRST: Remedy = remedy(
    "cp -a {path} /root/",
    "copy it out of the spool first, with owner, mode and time, and so every file of this ID",
);
const RESUBMIT: Remedy = remedy(
    "sendmail -Am -i -f SENDER -- RECIPIENT…",
    "submit header and body anew, to the recipients that the log does not show as delivered, and check that they are whole \
     before you do",
);
const LOG: Remedy = remedy("grep {id} /var/log/mail.log", "look what the log says of this ID");
/// `readqf`: observed on 8.17.1 with a file of zero bytes, one without a line end, and one without a recipient.
const RUN_DELETES: &str = "a queue run (`sendmail -q`, or the daemon's own): it deletes an empty control file once it is ten \
                           minutes old, and one without a single line end or without a recipient at once, each with its data \
                           file";
/// `print_single_queue` calls `readqf`, and that `loseqfile`, where the data file is not beside the control file.
const LISTING_RENAMES: &str = "`mailq` as root, where the data file is missing: it reads the control file as a queue run would, \
                               and renames one that it does not trust to `Qf…`";
const RUN_SENDS_EMPTY: &str = "a queue run before the data file is back: it makes a new, empty data file, and the recipient \
                               gets a message without a body";

/// One treatment a rule.
pub static ALL: &[Treatment] = &[
    Treatment {
        rule: "queue-blocker",
        shown: Shown::Always,
        next: "every queue run that takes it up dies on it (`SM_ASSERT(e->e_from.q_mailer != NULL) failed`). Nothing moves it \
               back in the order, so that it soon stands first, and no deferred mail is tried any more; only new mail still \
               goes out at its first attempt",
        remedies: &[
            COPY_FIRST,
            remedy(
                "mv -n {path} /root/",
                "move it out of the spool, its data file may stay: the next queue run takes the rest",
            ),
            remedy(
                "",
                "then write the line `S` with the sender into it, above the lines `R`, and put it back",
            ),
            LOG,
        ],
        destroyers: &[],
        fates: fates::QUEUE_BLOCKER,
        source: "queue.c, readqf (the sender is not asked for) and doworklist; deliver.c, deliver; observed on 8.17.1, the \
                 remedy as well",
    },
    Treatment {
        rule: "corrupt",
        shown: Shown::Always,
        next: "it depends on the damage, and the facts of this message say on what: a line that sendmail does not know makes \
               the next queue run rename it to `Qf…`, out of the listing; without the final `.` it is listed for ever and \
               neither sent nor returned; without any line end or without a recipient it is deleted",
        remedies: &[
            COPY_FIRST,
            LOG,
            remedy(
                "",
                "stop the queue runs, set the control file right by hand (a final line `.`, no line that begins with a code \
                 which sendmail does not know), and let them go on",
            ),
            RESUBMIT,
        ],
        destroyers: &[RUN_DELETES, LISTING_RENAMES],
        fates: fates::CORRUPT,
        source: "queue.c, readqf (incomplete queue file read; unrecognized line; bogus queue line; LineNumber == 0) and \
                 loseqfile; envelope.c, dropenvelope; each observed on 8.17.1",
    },
    Treatment {
        rule: "empty-file",
        shown: Shown::Always,
        next: "the listing says `(no control file)`. The first queue run that finds it ten minutes old deletes it together \
               with its data file, and says nothing",
        remedies: &[
            remedy(
                "cp -a {root} /root/",
                "copy the spool before anything else: the body is in the data file of this ID",
            ),
            LOG,
            remedy("df -h {root}; df -i {root}", "look whether the disk was or is full"),
            RESUBMIT,
        ],
        destroyers: &[RUN_DELETES],
        fates: fates::EMPTY_FILE,
        source: "queue.c, readqf (st_size == 0, ctime + 10 * 60); print_single_queue; observed on 8.17.1",
    },
    Treatment {
        rule: "unfinished",
        shown: Shown::Never,
        next: "nothing: listing and queue runs look at `qf` only. A later attempt at the same ID moves it out of the way as \
               `Tf…`",
        remedies: &[
            COPY_FIRST,
            LOG,
            remedy(
                "",
                "if its last line is `.` and its data file is there, rename it to `qf…` with the queue runs stopped and only if \
                 no `qf` of this ID is there; it is then sent to every recipient that it names: strike the line `R` of each \
                 whom the log shows with `stat=Sent`",
            ),
            RESUBMIT,
        ],
        destroyers: &[
            "deleting it as a leftover: where there is no `qf` of this ID it may be the only envelope",
        ],
        fates: fates::UNFINISHED,
        source: "queue.c, queueup (rename of tf to qf as the last act; TEMPQF_LETTER) and gatherq",
    },
    Treatment {
        rule: "body-without-envelope",
        shown: Shown::Never,
        next: "nothing, for ever: listing and queue runs look at control files only. Either its receiver died before it wrote \
               the control file, and then the client was not told that it was accepted, or the control file was lost",
        remedies: &[
            COPY_FIRST,
            remedy("cat {path}", "read it: it is the body alone, the header was in the control file"),
            LOG,
            remedy(
                "",
                "look in a backup for the control file of this ID (`qf…`), with the queue runs stopped. It names those as well \
                 who were served since: strike the line `R` of each whom the log shows with `stat=Sent`, or they get it twice. \
                 Then put it beside it, only if no `qf` of this ID is there, and run the queue",
            ),
            RESUBMIT,
        ],
        destroyers: &[
            "scripts that clean a queue of `df` files without `qf`: for mail that was accepted this is the last copy",
        ],
        fates: fates::BODY_WITHOUT_ENVELOPE,
        source: "queue.c, gatherq (only qf, hf and Qf are looked at) and queueup; collect.c; both kinds observed on 8.17.1",
    },
    Treatment {
        rule: "envelope-without-body",
        shown: Shown::Always,
        next: "the listing shows the size -1. The next queue run complains, makes an empty data file, and sends the message \
               without its body",
        remedies: &[
            remedy(
                "mv -n {path} /root/",
                "move the control file out of the spool before the next queue run, or stop the queue runs",
            ),
            remedy(
                "",
                "look in a backup for the data file of this ID (`df…`), put both back, only if no file of either name is there, \
                 then run the queue",
            ),
            LOG,
            remedy("", "else tell the sender: control file and log name everybody concerned"),
        ],
        destroyers: &[RUN_SENDS_EMPTY, LISTING_RENAMES],
        fates: fates::ENVELOPE_WITHOUT_BODY,
        source: "queue.c, readqf (cannot open df) and queueup (makes one); deliver.c, putbody (<<< No Message Collected >>>); \
                 observed on 8.17.1: a data file of one byte, and an attempt to deliver",
    },
    Treatment {
        rule: "foreign-name",
        shown: Shown::Never,
        next: "names that do not begin with `qf`, or are longer than 20 bytes, are passed over, for ever. A name like \
               `qf….bak` of up to 20 bytes is listed and tried as a message of its own, without a body",
        remedies: &[
            COPY_FIRST,
            remedy(
                "",
                "if there is no `qf…` of its ID, rename it to that with the queue runs stopped; if there is one, it is an old \
                 copy: sending it as well sends to recipients that have the message",
            ),
            LOG,
        ],
        destroyers: &["deleting it as a stray backup: it may be the only copy"],
        fates: fates::FOREIGN_NAME,
        source: "queue.c, gatherq (strlen >= MAXQFNAME); conf.h; `qf….bak` observed on 8.17.1",
    },
    Treatment {
        rule: "wrong-owner-or-mode",
        shown: Shown::Always,
        next: "the next queue run renames it to `Qf…` (`bogus file uid/gid in mqueue`), if it is not so already. From then on \
               only `mailq -qL` shows it, and nothing tries it. `Qf…` is also what sendmail does with a bounce that it cannot \
               return",
        remedies: &[
            COPY_FIRST,
            LOG,
            remedy("mailq -qL", "list the others of its kind"),
            remedy(
                "chmod 640 {path}",
                "take away what others may write; then, if it is called `Qf…`, rename it to `qf…` and run \
                 `sendmail -qI{id}`",
            ),
        ],
        destroyers: &["`rm Qf*`: each is a whole message"],
        fates: fates::WRONG_OWNER_OR_MODE,
        source: "queue.c, readqf (qsafe, bogus) and loseqfile; savemail.c (savemail panic); observed on 8.17.1, the remedy as \
                 well",
    },
    Treatment {
        rule: "other-queue",
        shown: Shown::Never,
        next: "a folder that no QueueDirectory or queue group takes in is neither listed nor run, for ever. The queue of the \
               submission program is run only where something runs it (`sendmail -Ac -q30m`, or cron)",
        remedies: &[
            remedy("mailq -Ac", "list the queue of the submission program"),
            remedy("sendmail -Ac -q", "run it once"),
            remedy("sendmail -OQueueDirectory={root} -bp", "list a folder that no configuration names"),
            remedy(
                "sendmail -OQueueDirectory={root} -q -v",
                "run it once; it then sends what has waited there, however old it is",
            ),
        ],
        destroyers: &[],
        fates: fates::OTHER_QUEUE,
        source: "queue.c, multiqueue_cache; op.me, QueueDirectory; observed on 8.17.1: files in a subfolder, and a submission \
                 queue without a runner",
    },
    Treatment {
        rule: "held",
        shown: Shown::Never,
        next: "nothing, for ever: a quarantined message is neither tried nor returned, whatever its age",
        remedies: &[
            remedy("mailq -qQ", "list the quarantined, with the reason of each"),
            remedy(
                "sendmail -qQ -Q -qI{id}",
                "release it: `-Q` without a reason; the next queue run tries it",
            ),
            remedy("sendmail -qQ -Q", "release all"),
        ],
        destroyers: &[],
        fates: fates::HELD,
        source: "op.me, section on quarantined mail; queue.c, gatherq (QM_QUARANTINE); observed on 8.17.1, the remedy as well",
    },
    Treatment {
        rule: "future-time",
        shown: Shown::Always,
        next: "queue runs try it, but it never gets older than its time of return. With MaxQueueAge set, they leave it until the \
               clock has passed its last attempt",
        remedies: &[
            remedy("date", "look whether the clock of this machine is right now"),
            remedy("sendmail -v -qI{id}", "try it at once"),
        ],
        destroyers: &[],
        fates: fates::FUTURE_TIME,
        source: "queue.c, gatherq (MaxQueueAge, MinQueueAge) and readqf; observed on 8.17.1 with a clock 400 days ahead",
    },
    Treatment {
        rule: "expired",
        shown: Shown::Always,
        next: "the next queue run that takes it up tries it once more and then returns it to its sender: an old bounce. Nothing \
               does so while no queue run takes place",
        remedies: &[
            remedy("sendmail -v -qI{id}", "try it at once"),
            remedy("ps -ef | grep '[s]endmail'", "look whether a process runs the queue (`-q10m`)"),
            remedy(
                "sendmail -OTimeout.queuereturn=now -OTimeout.queuereturn.dsn=5d -qI{id}",
                "return it now; without the second option a report that the sender's server puts off ends in `dead.letter`",
            ),
        ],
        destroyers: &[],
        fates: fates::EXPIRED,
        source: "op.me, Timeout.queuereturn; readcf.c, TO_QUEUERETURN; envelope.c, dropenvelope; observed on 8.17.1, the remedy \
                 as well",
    },
    Treatment {
        rule: "unlisted",
        shown: Shown::Depends,
        next: "unknown: no rule explains why the listing leaves it out",
        remedies: &[
            remedy(
                "sendmail -bp; sendmail -bp -qQ; sendmail -bp -qL; sendmail -bp -Ac",
                "list all four queues again",
            ),
            remedy(
                "grep '^O *QueueDirectory\\|^Q' /etc/mail/sendmail.cf",
                "look whether its folder is one of sendmail's",
            ),
            remedy("grep 'gatherq\\|readqf' /var/log/mail.log", "look what the listing complained of"),
        ],
        destroyers: &[RUN_DELETES],
        fates: &[],
        source: "queue.c, gatherq and print_single_queue",
    },
    Treatment {
        rule: "delivery-journal-left",
        shown: Shown::Always,
        next: "the next attempt reads the old control file and sends to everybody in it, also to those who got it in the \
               attempt that was killed. When it has been tried, sendmail waits up to eight minutes for the `tf` to go away and \
               then renames it to `Tf…`",
        remedies: &[
            LOG,
            remedy(
                "",
                "compare the lines `R` of the two files: who is missing in the newer one, has the message",
            ),
        ],
        destroyers: &["renaming the `tf` over the `qf` without looking: it may break off in the middle"],
        fates: fates::DELIVERY_JOURNAL_LEFT,
        source: "queue.c, queueup (OPEN_TF, 128 tries, TEMPQF_LETTER)",
    },
    Treatment {
        rule: "duplicate-message",
        shown: Shown::Always,
        next: "each queue run tries it as a message of its own, beside the one that it is a copy of. Without a data file of its \
               own name it goes out without a body",
        remedies: &[
            remedy(
                "mv -n {path} /root/",
                "move the copy out of the spool before the next queue run, and compare the two",
            ),
            LOG,
        ],
        destroyers: &[],
        fates: fates::DUPLICATE_MESSAGE,
        source: "queue.c, gatherq (any name of `qf` and up to 18 bytes); observed on 8.17.1",
    },
    Treatment {
        rule: "orphan-side-file",
        shown: Shown::Never,
        next: "nothing: a transcript that a killed delivery left is never looked at again",
        remedies: &[
            remedy(
                "cat {path}",
                "read it: it is what the mail servers said to each other about a message that is gone",
            ),
            LOG,
        ],
        destroyers: &[],
        fates: fates::ORPHAN_SIDE_FILE,
        source: "queue.c, gatherq; envelope.c, openxscript and closexscript",
    },
];
