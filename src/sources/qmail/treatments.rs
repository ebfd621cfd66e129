//! What qmail does with what the rules find: listing, next step, remedies, and what would destroy the message.

use super::fates;
use crate::evidence::{Remedy, Shown, Treatment};

/// The actions that lose mail without an envelope (`qmail-send.c`, `cleanup_do` and `OSSIFIED`; `qmail-clean.c`).
const PURGE: &str = "starting qmail-send, or leaving it running: at start and every 21 hours it has each file in `mess` without \
                     `info` and `todo` deleted, once 36 hours have passed since it was last read. Reading it (`cat`, `grep`, a \
                     backup) may or may not put that off, by how the file system is mounted: copy first";
const STOP: &str = "svc -d /service/qmail-send || systemctl stop qmail-send";

const fn remedy(command: &'static str, what: &'static str) -> Remedy {
    Remedy { command, what }
}

const COPY_FIRST: Remedy =
    remedy("cp -a {path} /root/", "copy it out of the queue first, with owner, mode and time");
const STOP_FIRST: Remedy = remedy(
    STOP,
    "stop qmail-send (by whatever supervises it) before you touch the queue; it keeps the queue in memory",
);
const READ: Remedy = remedy("less {path}", "read the copy: header and body, as they were handed in");
const RESUBMIT: Remedy = remedy(
    "qmail-inject -f SENDER -- RECIPIENT… < {path}",
    "submit its content anew, to the recipients that are not done yet, and check that it is whole before you do",
);
const RESTART: Remedy = remedy(
    "svc -t /service/qmail-send || systemctl restart qmail-send",
    "restart qmail-send (by whatever supervises it): it reads the queue anew only when it starts",
);

/// One treatment a rule.
pub static ALL: &[Treatment] = &[
    Treatment {
        rule: "body-without-envelope",
        shown: Shown::Never,
        next: "nothing tries it, and no listing shows it; only the first number of `qmail-qstat` counts it. qmail-send deletes \
               it, without a bounce, at its next start or cleanup, once it was last read 36 hours ago",
        remedies: &[
            STOP_FIRST,
            COPY_FIRST,
            READ,
            remedy(
                "grep {id} /var/log/mail.log",
                "find its sender in the log of qmail-send (`info msg {id}: … from <…>`), and what was delivered",
            ),
            RESUBMIT,
        ],
        destroyers: &[PURGE],
        fates: fates::BODY_WITHOUT_ENVELOPE,
        source: "notqmail qmail-send.c, cleanup_do; qmail-clean.c (`foop/`); INTERNALS.md section 6; observed on notqmail 1.09",
    },
    Treatment {
        rule: "envelope-without-body",
        shown: Shown::Never,
        next: "qmail-send goes on trying it, logs `starting delivery`, and delivers nothing; when its lifetime is over it cannot \
               even be bounced. `qmail-qread` only warns of it: `trouble with #{id}: file does not exist`",
        remedies: &[
            STOP_FIRST,
            remedy(
                "",
                "look for its content in a backup or under another name, and put it back at its place in `mess`, only if no file \
                 of that number is there and the content is that of this message: numbers are used again",
            ),
            remedy(
                "tr '\\0' '\\n' < {path}",
                "otherwise write down sender and recipients, and ask the sender to send it again",
            ),
            remedy(
                "grep {id} /var/log/mail.log",
                "see in the log which recipients were served (`delivery …: success`)",
            ),
        ],
        destroyers: &["removing `info`, `local` and `remote` before sender and recipients are written down"],
        fates: fates::ENVELOPE_WITHOUT_BODY,
        source: "notqmail qmail-qread.c, main; qmail-send.c, pqadd (looks at `info` only); observed on notqmail 1.09",
    },
    Treatment {
        rule: "unfinished",
        shown: Shown::Never,
        next: "nothing while its writer lives: qmail-queue gives up by itself after 24 hours. If it is dead, qmail-send deletes \
               what it left once it was last read 36 hours ago. The client was not told that it was accepted and has \
               probably sent it again",
        remedies: &[
            COPY_FIRST,
            READ,
            remedy(
                "",
                "look whether the sender sent it again (same Message-ID) before you submit what there is of it",
            ),
            RESUBMIT,
        ],
        destroyers: &[PURGE],
        fates: fates::UNFINISHED,
        source: "notqmail qmail-queue.c (DEATH; the link in `todo` is the last act); qmail-send.c, cleanup_do; qmail-clean.c, \
                 cleanuppid; INTERNALS.md sections 3 and 6; observed on notqmail 1.09",
    },
    Treatment {
        rule: "owner-gone",
        shown: Shown::Never,
        next: "nothing: the process that made it is gone. qmail-clean deletes it once it was last read 36 hours ago",
        remedies: &[COPY_FIRST, READ],
        destroyers: &[PURGE],
        fates: fates::OWNER_GONE,
        source: "notqmail qmail-queue.c, pidfmt (PID.TIME.SEQUENCE); qmail-clean.c, cleanuppid",
    },
    Treatment {
        rule: "missing-part",
        shown: Shown::Always,
        next: "a running qmail-send that knew it goes on saying `trouble opening`. At its next start it takes the message for \
               done and removes it without a word: no delivery, no bounce",
        remedies: &[
            STOP_FIRST,
            COPY_FIRST,
            remedy(
                "grep {id} /var/log/mail.log",
                "find out from the log which recipients it had and which were served",
            ),
            remedy(
                "",
                "with qmail-send stopped, write `remote` anew beside it (`T`, address, a zero byte each; owner qmails, mode \
                 600), or submit it anew",
            ),
            RESUBMIT,
        ],
        destroyers: &[
            "starting or restarting qmail-send: it removes the message, and the sender is not told",
        ],
        fates: fates::MISSING_PART,
        source: "notqmail qmail-send.c, pqadd (neither channel: pqdone) and messdone; observed on notqmail 1.09",
    },
    Treatment {
        rule: "misfiled",
        shown: Shown::Never,
        next: "nothing, for ever: qmail computes the place from the number and looks nowhere else. `qmail-qread` says `trouble \
               with #{id}` where only `info` lies wrong. A file in `mess` alone is never even cleaned up",
        remedies: &[
            remedy("qmail-showctl | grep 'subdirectory split'", "ask qmail for its conf-split"),
            STOP_FIRST,
            COPY_FIRST,
            remedy(
                "ls -l {root}/*/$(({id} % SPLIT))/{id}",
                "look whether a file of this number is there already: numbers are used again, and that is then another message. \
                 If any is, move nothing, and submit the content of the misfiled one anew to those whom the log does not show \
                 as served",
            ),
            remedy(
                "mv -n {path} {root}/mess/$(({id} % SPLIT))/{id}",
                "only if no file of that number is there: put all of its files (mess, info, local, remote) into the folders of \
                 the remainder, then start qmail-send",
            ),
            remedy(
                "",
                "queue-repair or `qmail-qmaint` (s/qmail) do this for a whole queue, with qmail stopped",
            ),
        ],
        destroyers: &[
            "recompiling with another conf-split over a queue that is not empty: every message in it gets lost sight of",
        ],
        fates: fates::MISFILED,
        source: "notqmail fmtqfn.c; readsubdir.c; qmail-send.c, pqadd (`someone yanking our chain`); observed on notqmail 1.09",
    },
    Treatment {
        rule: "wrong-owner-or-mode",
        shown: Shown::Always,
        next: "qmail-send says `trouble opening …; will try again later` every 123 seconds, for ever, even beyond the lifetime. \
               `qmail-qread`, which root runs, shows the message as if nothing were wrong",
        remedies: &[
            remedy(
                "chown qmails:qmail {root}/info/$(({id} % SPLIT))/{id}; chmod 600 {root}/info/$(({id} % SPLIT))/{id}",
                "give `info`, `local` and `remote` to the user of qmail-send; it is tried within two minutes. `mess` belongs \
                 to qmailq, with mode 644",
            ),
            remedy("ls -ln {root}/info/*/{id} {root}/*/*/{id}", "look at all of its files"),
        ],
        destroyers: &[],
        fates: fates::WRONG_OWNER_OR_MODE,
        source: "notqmail qmail-send.c, pass_dochan (`trouble`, SLEEP_SYSFAIL); spawn.c; observed on notqmail 1.09",
    },
    Treatment {
        rule: "corrupt",
        shown: Shown::Depends,
        next: "a record that it does not know makes qmail-send leave off at that place, again at each attempt, without a bounce \
               for what follows; one without its end is left out in silence. What is wrong in `todo` keeps the message from \
               ever being preprocessed",
        remedies: &[
            STOP_FIRST,
            COPY_FIRST,
            remedy(
                "grep -E 'unknown record type|trouble' /var/log/mail.log",
                "find what qmail-send says of it in the log",
            ),
            remedy(
                "",
                "write the file anew with qmail-send stopped: each record is its letter, the address, and a zero byte",
            ),
            RESUBMIT,
        ],
        destroyers: &[
            "restarting qmail-send over an emptied `local` or `remote`: it takes all recipients for done",
        ],
        fates: fates::CORRUPT,
        source: "notqmail qmail-send.c, getinfo, pass_dochan, todo_do; getln.c",
    },
    Treatment {
        rule: "empty-file",
        shown: Shown::Depends,
        next: "there is no mail in it. With an envelope qmail delivers it as it is, empty",
        remedies: &[
            remedy("df -h {root}; df -i {root}", "look whether the disk was or is full"),
            remedy(
                "grep {id} /var/log/mail.log",
                "find out whose message it was (`info msg {id}`), and how long",
            ),
        ],
        destroyers: &["starting qmail-send: recipients get an empty message, and nothing tells the sender"],
        fates: fates::EMPTY_FILE,
        source: "notqmail qmail-send.c; spawn.c",
    },
    Treatment {
        rule: "foreign-name",
        shown: Shown::Never,
        next: "nothing, for ever: qmail passes over names that are no numbers, and does not clean them up either",
        remedies: &[COPY_FIRST, READ, RESUBMIT],
        destroyers: &["deleting it as a stray backup: it may be the only copy"],
        fates: fates::FOREIGN_NAME,
        source: "notqmail readsubdir.c; qmail-send.c, todo_do (`scan_ulong`)",
    },
    Treatment {
        rule: "unindexed",
        shown: Shown::Always,
        next: "nothing until qmail-send is restarted: it reads `info` once, when it starts, and from then on learns of new mail \
               from `todo` only. Neither SIGALRM nor the trigger helps, and `qmail-qread`, which reads the disk, shows it as if \
               all were well",
        remedies: &[
            RESTART,
            remedy(
                "",
                "check first that its number is its inode, and that no file of it lies in a wrong folder",
            ),
        ],
        destroyers: &[
            "letting new mail in before that: a new message can get the number of a restored one whose inode is another, and \
             qmail-send then removes the old envelope",
        ],
        fates: fates::UNINDEXED,
        source: "notqmail qmail-send.c, pqstart, todo_do; observed on notqmail 1.09",
    },
    Treatment {
        rule: "unclaimed",
        shown: Shown::Never,
        next: "qmail-send takes it when it starts, or at its next look into `todo`, which it takes when its trigger is pulled and \
               otherwise every 25 minutes. Only `qmail-qstat` counts it (`not yet preprocessed`)",
        remedies: &[
            remedy("pgrep -a qmail-send", "see whether qmail-send runs"),
            remedy(
                "svc -u /service/qmail-send || systemctl start qmail-send",
                "start it (by whatever supervises it)",
            ),
            remedy(
                "ls -l {root}/lock/trigger",
                "look at the trigger: a FIFO of qmails with mode 622 (`prw--w--w-`); `qmail-tcpok` does not help here",
            ),
            remedy(
                "grep {id} /var/log/mail.log",
                "see in the log whether qmail-send complains (`unknown record type in todo/{id}`, `unable to …`)",
            ),
        ],
        destroyers: &[],
        fates: fates::UNCLAIMED,
        source: "notqmail qmail-send.c, todo_do and SLEEP_TODO; trigger.c; qmail-qstat.sh; observed on notqmail 1.09",
    },
    Treatment {
        rule: "future-time",
        shown: Shown::Always,
        next: "nothing until that time: qmail-send takes the time of `local` and `remote` for the next attempt when it starts, \
               however far ahead it lies, and the listing does not say so",
        remedies: &[
            remedy(
                "pkill -ALRM -x qmail-send",
                "try everything now; the time stays in the file and counts again after a restart, until the attempt is over",
            ),
            remedy(
                "touch {root}/remote/$(({id} % SPLIT))/{id}",
                "with qmail-send stopped, set the time to now (of `local` as well), then start it",
            ),
        ],
        destroyers: &[
            "setting the time of `info`: it is the birth of the message, and one older than the lifetime is bounced at the next \
             failure",
        ],
        fates: fates::FUTURE_TIME,
        source: "notqmail qmail-send.c, pqadd, pqfinish, nextretry; qmail-send(9), ALRM",
    },
    Treatment {
        rule: "expired",
        shown: Shown::Always,
        next: "the next failed attempt bounces it, if qmail-send runs and knows it; one that was put there while qmail-send ran is \
               not known to it",
        remedies: &[
            remedy(
                "pgrep -a qmail-send; ls {root}/bounce",
                "see whether it runs, and whether bounces get stuck",
            ),
            remedy("pkill -ALRM -x qmail-send", "try everything now: what fails is bounced then"),
            RESTART,
        ],
        destroyers: &[
            "starting qmail-send over an old queue: everything expired is bounced at its first failure",
        ],
        fates: fates::EXPIRED,
        source: "notqmail qmail-send.c, pass_dochan (flagdying), injectbounce; qmail-send(9), queuelifetime",
    },
    Treatment {
        rule: "name-inode-mismatch",
        shown: Shown::Always,
        next: "it is delivered as it is. But a new message can get its number, since that is another file's inode: qmail-queue \
               then fails (`cannot link`, exit 64), or qmail-send removes the old envelope for the new one",
        remedies: &[
            STOP_FIRST,
            remedy(
                "",
                "with all of qmail stopped (qmail-smtpd and qmail-queue as well), rename every file to the inode of its file in \
                 `mess`: queue-fix, queue-repair, or `qmail-qmaint` of s/qmail do it",
            ),
        ],
        destroyers: &["letting a restored queue take new mail before that"],
        fates: fates::NAME_INODE_MISMATCH,
        source: "notqmail INTERNALS.md section 2 (`If mess/457 exists, it has inode number 457`); qmail-queue.c (link); \
                 qmail-send.c, todo_do (unlinks info, local, remote); observed on notqmail 1.09",
    },
    Treatment {
        rule: "orphan-side-file",
        shown: Shown::Never,
        next: "nothing: qmail never looks at it again, until a new message gets the same number and qmail-send removes it, or \
               bounces the new message with the text of the old one",
        remedies: &[
            remedy(
                "tr '\\0' '\\n' < {path}",
                "read it: it names recipients of a message that is not there any more",
            ),
            remedy("grep {id} /var/log/mail.log", "find out what became of the message"),
            remedy("mv -n {path} /root/", "then keep it outside the queue, if no file of that name is there"),
        ],
        destroyers: &[
            "deleting it before the recipients are written down: it may be all that is left of the message",
        ],
        fates: fates::ORPHAN_SIDE_FILE,
        source: "notqmail qmail-send.c, todo_do (unlinks `local` and `remote` of the number), injectbounce",
    },
    Treatment {
        rule: "other-queue",
        shown: Shown::Never,
        next: "its own qmail delivers it, if that runs: the home, and so the queue, is compiled into every program",
        remedies: &[remedy("HOME-OF-THE-OTHER/bin/qmail-qread", "list it with the programs of its own home")],
        destroyers: &[],
        fates: fates::OTHER_QUEUE,
        source: "notqmail conf-qmail; qmail-qread.c, main (`auto_qmail`)",
    },
    Treatment {
        rule: "unlisted",
        shown: Shown::Depends,
        next: "unknown: no rule explains why the listing leaves it out",
        remedies: &[
            remedy("qmail-qread", "list again: it may have been preprocessed while the listing was taken"),
            remedy(
                "qmail-qstat",
                "compare the numbers: it counts files in `mess`, qmail-qread goes by `info`",
            ),
            remedy("grep {id} /var/log/mail.log", "look for it in the log of qmail-send"),
            COPY_FIRST,
        ],
        destroyers: &[PURGE],
        fates: &[],
        source: "notqmail qmail-qread.c; qmail-qstat.sh",
    },
    Treatment {
        rule: "listed-not-on-disk",
        shown: Shown::Always,
        next: "nothing: qmail-qread lists what it reads on disk. It was delivered between the listing and the copy, or the copy does not \
               have it",
        remedies: &[
            remedy("qmail-qread", "list again"),
            remedy("grep {id} /var/log/mail.log", "see whether it was delivered: `end msg {id}`"),
        ],
        destroyers: &[],
        fates: fates::LISTED_NOT_ON_DISK,
        source: "notqmail qmail-qread.c, main",
    },
    Treatment {
        rule: "duplicate-message",
        shown: Shown::Depends,
        next: "each copy that lies in its place is delivered by itself",
        remedies: &[
            STOP_FIRST,
            remedy("grep {id} /var/log/mail.log", "see which recipients were served"),
            remedy(
                "",
                "keep the copy in the right folder, with its envelope, and move the other out of the queue",
            ),
        ],
        destroyers: &[],
        fates: fates::DUPLICATE_MESSAGE,
        source: "notqmail fmtqfn.c",
    },
];
