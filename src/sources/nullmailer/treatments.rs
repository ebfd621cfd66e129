//! What nullmailer does with what the rules find: listing, next step, remedies, and what would destroy the message.

use super::fates;
use crate::evidence::{Remedy, Shown, Treatment};

const fn remedy(command: &'static str, what: &'static str) -> Remedy {
    Remedy { command, what }
}

const COPY_FIRST: Remedy =
    remedy("cp -a {path} /root/", "copy it out of the spool first, with owner, mode and time");
const READ: Remedy = remedy(
    "less {path}",
    "read it: a line with the sender, a line for each recipient, an empty line, the message",
);
const WAKE: Remedy =
    remedy("echo 1 > {root}/trigger", "wake nullmailer-send, which otherwise pauses for up to a day");

/// One treatment a rule.
pub static ALL: &[Treatment] = &[
    Treatment {
        rule: "held",
        shown: Shown::Never,
        next: "nothing, for ever: nullmailer sets a message aside in `failed` when it is refused for good or too old, returns it \
               to its sender (a message with a null sender it does not), and never looks there again",
        remedies: &[
            READ,
            remedy(
                "touch {path} && mv -n {path} {root}/queue/",
                "try it again, with a new lifetime, only if no file of that name is there",
            ),
            WAKE,
        ],
        destroyers: &[
            "clearing `failed` to save space: of a bounce that could not be delivered it is the only copy",
        ],
        fates: fates::HELD,
        source: "src/send.cc, bounce_msg; observed on 2.2 (99 messages after `550`)",
    },
    Treatment {
        rule: "unfinished",
        shown: Shown::Never,
        next: "nothing: nobody looks into `tmp`. The next nullmailer-queue that gets the same process number writes over it. Its \
               sender was told nothing, and has probably tried again",
        remedies: &[
            COPY_FIRST,
            READ,
            remedy(
                "mv -n {path} {root}/queue/$(date +%s).1 && echo 1 > {root}/trigger",
                "hand it in, only if no file of that name is there, and if what there is of it is worth sending: its end may be \
                 missing",
            ),
        ],
        destroyers: &["waiting: a new process with the number in its name truncates it without a word"],
        fates: fates::UNFINISHED,
        source: "src/queue.cc, deliver (O_TRUNC); nullmailer-queue killed with SIGKILL on 2.2",
    },
    Treatment {
        rule: "owner-gone",
        shown: Shown::Never,
        next: "nothing: the process that was to link it into `queue` is gone",
        remedies: &[COPY_FIRST, READ],
        destroyers: &["waiting: a new process with the number in its name truncates it without a word"],
        fates: fates::OWNER_GONE,
        source: "src/queue.cc, deliver",
    },
    Treatment {
        rule: "duplicate-message",
        shown: Shown::Never,
        next: "nothing: the name in `tmp` was left over after the file had been linked into `queue`, from where it is sent",
        remedies: &[
            remedy("find {root} -samefile {path}", "look for its other name"),
            remedy("rm {path}", "remove the name in `tmp`, if the other one is in `queue` or `failed`"),
        ],
        destroyers: &[],
        fates: fates::DUPLICATE_MESSAGE,
        source: "src/queue.cc, deliver (link, then unlink)",
    },
    Treatment {
        rule: "foreign-name",
        shown: Shown::Never,
        next: "nothing, for ever: sender and listing pass over names that begin with a dot",
        remedies: &[
            COPY_FIRST,
            remedy(
                "mv -n {path} {root}/queue/{id}",
                "give it a name without a dot, only if no file of that name is there; the next run sends it",
            ),
            WAKE,
        ],
        destroyers: &["deleting it as a stray temporary file: it may be the only copy"],
        fates: fates::FOREIGN_NAME,
        source: "src/send.cc, load_messages; src/mailq.cc; observed on 2.2",
    },
    Treatment {
        rule: "empty-file",
        shown: Shown::Depends,
        next: "in `queue` it is listed with 0 bytes, and the next run takes it for sent and deletes it: whose message it was to \
               be is then not known any more",
        remedies: &[
            COPY_FIRST,
            remedy("df -h {root}; df -i {root}", "look whether the disk was or is full"),
            remedy(
                "stat {path}",
                "write down name and times: they lead to the message in the logs of the program that sent it",
            ),
        ],
        destroyers: &["the next run of nullmailer-send (`Sent file.`)"],
        fates: fates::EMPTY_FILE,
        source: "src/send.cc, send_one (`Can't read message` is only logged); observed on 2.2",
    },
    Treatment {
        rule: "corrupt",
        shown: Shown::Depends,
        next: "in `queue` it is listed, and the next run hands it to the protocol as it is: it may be sent empty, to fewer \
               recipients, or be refused and set aside in `failed`",
        remedies: &[
            COPY_FIRST,
            READ,
            remedy(
                "mv -n {path} {root}/queue/.{id}",
                "hide it from nullmailer-send until you have looked at it, only if no file of that name is there",
            ),
        ],
        destroyers: &["the next run of nullmailer-send: what a server accepts of it is deleted"],
        fates: fates::CORRUPT,
        source: "src/send.cc, send_one; lib/address.cc; src/queue.cc, copyenv (what a whole one looks like)",
    },
    Treatment {
        rule: "wrong-owner-or-mode",
        shown: Shown::Always,
        next: "it is listed, without its sender, and every attempt fails (`Can't open file`), until it is older than \
               queuelifetime and is set aside in `failed`",
        remedies: &[
            remedy(
                "chown --reference={root}/queue {path} && chmod 600 {path}",
                "give it to the user of nullmailer",
            ),
            WAKE,
        ],
        destroyers: &[],
        fates: fates::WRONG_OWNER_OR_MODE,
        source: "src/send.cc, send_one (a failing open is a temporary failure); observed on 2.2",
    },
    Treatment {
        rule: "future-time",
        shown: Shown::Always,
        next: "it is tried like any other, but never grows old: its lifetime counts from the time of the file, which lies ahead",
        remedies: &[remedy("touch {path}", "set its time to now")],
        destroyers: &[],
        fates: fates::FUTURE_TIME,
        source: "src/send.cc, send_all (`time(0) - timestamp > queuelifetime`)",
    },
    Treatment {
        rule: "expired",
        shown: Shown::Always,
        next: "the next attempt that fails sets it aside in `failed` and returns it; that this has not happened says that \
               nullmailer-send does not run, hangs, or has no folder `failed`",
        remedies: &[
            remedy("pgrep -a nullmailer-send", "see whether it runs"),
            remedy("ls -ld {root}/failed {root}/trigger", "see whether the folder and the FIFO are there"),
            remedy("touch {path}", "give it a new lifetime before nullmailer-send is started"),
        ],
        destroyers: &[
            "starting nullmailer-send while the server is still away: all that is too old is set aside at once",
        ],
        fates: fates::EXPIRED,
        source: "src/send.cc, send_all, bounce_msg (`Can't rename file` keeps it for ever)",
    },
];
