//! What Courier does with what the rules find: listing, next step, remedies, and what would destroy the message.

use super::fates;
use crate::evidence::{Remedy, Shown, Treatment};

const fn remedy(command: &'static str, what: &'static str) -> Remedy {
    Remedy { command, what }
}

const STOP: Remedy = remedy("courier stop", "stop courierd first; it ends when its deliveries have ended");
const COPY_FIRST: Remedy =
    remedy("cp -a {path} /root/", "copy it out of the queue first, with owner, mode and time");
const START: Remedy = remedy("courier start", "then start it again");
const RESUBMIT: Remedy = remedy(
    "sendmail -f SENDER -- RECIPIENT… < {path}",
    "submit the content anew, to the recipients that are not delivered yet (`{path}` must be the D file)",
);
const START_UNLINKS: &str =
    "starting or restarting courierd: it removes the name in `msgq`, which is the last one of the envelope";

/// One treatment a rule.
pub static ALL: &[Treatment] = &[
    Treatment {
        rule: "body-without-envelope",
        shown: Shown::Never,
        next: "nothing while courierd runs. When it starts, it removes the name in `msgq`, with which the envelope is gone for good; \
               if that name has a second one elsewhere, it removes the content as well",
        remedies: &[
            STOP,
            remedy("cp -a {root}/msgq /root/", "save the other names of the control files"),
            COPY_FIRST,
            remedy(
                "ln {root}/msgq/TIME/C… {root}/msgs/BUCKET/C…",
                "give the control file its name back: the finding says where its other name is; the bucket is that of this file",
            ),
            START,
            RESUBMIT,
        ],
        destroyers: &[START_UNLINKS],
        fates: fates::BODY_WITHOUT_ENVELOPE,
        source: "cdmsgq.C, queuescan3 (unlinks all three); comctlfile.c, ctlfile_openfn (one name: unlink); observed on 1.0.16",
    },
    Treatment {
        rule: "envelope-without-body",
        shown: Shown::Never,
        next: "nothing that anybody sees: `mailq` passes over a control file without its data file, and there is nothing to send",
        remedies: &[
            COPY_FIRST,
            remedy("cat {path}", "read sender (s) and recipients (r), and tell the sender"),
            remedy("grep {id} /var/log/mail.log", "see what became of it"),
            remedy("cancelmsg {id}", "then cancel it"),
        ],
        destroyers: &[],
        fates: fates::ENVELOPE_WITHOUT_BODY,
        source: "mailq.c, main (stat of the D file); observed on 1.0.16",
    },
    Treatment {
        rule: "missing-part",
        shown: Shown::Always,
        next: "nothing, for ever: it is listed, and neither a flush nor a restart tries it. A name in `msgq` that is no hard link is \
               removed when courierd comes to it",
        remedies: &[
            STOP,
            remedy(
                "n=$(basename {path} | tr -d C); t=$(date +%s); mkdir -p {root}/msgq/$((t/10000)); ln {path} {root}/msgq/$((t/10000))/C$n.$t",
                "give the control file its second name anew (a hard link, and no other name besides)",
            ),
            remedy("chown --reference={root}/msgs {root}/msgq/*", "give a new folder to Courier"),
            START,
        ],
        destroyers: &["starting courierd on a copy without hard links: it removes every name in `msgq`"],
        fates: fates::MISSING_PART,
        source: "comctlfile.c, ctlfile_openfn (exactly two names); cdmsgq.C, queuescan; observed on 1.0.16",
    },
    Treatment {
        rule: "unclaimed",
        shown: Shown::Never,
        next: "courierd takes it over when it starts, and then it is listed and tried; its sender was told that it was accepted. After \
               48 hours courierd deletes it instead, without a word",
        remedies: &[
            remedy("cp -a {root}/tmp /root/", "if it is older than a day, copy it first"),
            remedy("pgrep -a courierd", "see whether courierd runs"),
            remedy("courier start", "start it"),
            remedy(
                "find {root}/tmp -type f -exec touch {} +",
                "before you start it after more than 48 hours: give all that waits a new time",
            ),
        ],
        destroyers: &["starting courierd more than 48 hours after it came in: it is deleted and not sent"],
        fates: fates::UNCLAIMED,
        source: "cdmsgq.C, tmpscan (48 * 60 * 60); observed on 1.0.16 (sendmail exits 0 while courierd is down)",
    },
    Treatment {
        rule: "unfinished",
        shown: Shown::Never,
        next: "nothing; courierd deletes it when it is older than 48 hours. The client was not told that it was accepted and has \
               probably sent it again",
        remedies: &[
            remedy(
                "cp -a $(dirname {path}) /root/",
                "copy its folder out of the queue first: control file and data file",
            ),
            remedy("cat {path}", "read sender (s) and recipients (r)"),
            remedy(
                "",
                "look whether the sender sent it again (same Message-ID) before you submit what there is of it",
            ),
        ],
        destroyers: &["waiting: after 48 hours courierd deletes it"],
        fates: fates::UNFINISHED,
        source: "submit2.C, SubmitFile; cdmsgq.C, tmpscan; submit killed with SIGKILL on 1.0.16",
    },
    Treatment {
        rule: "owner-gone",
        shown: Shown::Never,
        next: "nothing: the process that was to finish it is gone. After 48 hours courierd deletes it",
        remedies: &[COPY_FIRST],
        destroyers: &["waiting: after 48 hours courierd deletes it"],
        fates: fates::OWNER_GONE,
        source: "submit2.C, name1stctlfile; cdmsgq.C, tmpscan",
    },
    Treatment {
        rule: "corrupt",
        shown: Shown::Depends,
        next: "it is listed as far as it can be read. When courierd comes to it: without a recipient it takes it for delivered and \
               removes control file and content; without a time of expiry it gives it up and returns it; a recipient that is cut \
               gets a wrong address",
        remedies: &[
            STOP,
            remedy(
                "cp -a {path} $(echo {path} | sed 's/\\/C\\([0-9]*\\)$/\\/D\\1/') /root/",
                "copy both files out of the queue",
            ),
            remedy(
                "cat {path}",
                "read what there is of it: sender (s), recipients (r), those that are done (S, F)",
            ),
            remedy(
                "",
                "submit the content (the D file) anew to the recipients that are not done, and remove the message with `cancelmsg`",
            ),
        ],
        destroyers: &[
            "starting or flushing courierd: a control file without recipients is removed, and its content with it",
        ],
        fates: fates::CORRUPT,
        source: "cdmsgq3.C, done_message (successcnt + failcnt == nreceipients; no E record); observed on 1.0.16",
    },
    Treatment {
        rule: "empty-file",
        shown: Shown::Depends,
        next: "in `msgs` it is listed with size 0, and an empty message goes out at the next attempt",
        remedies: &[
            STOP,
            COPY_FIRST,
            remedy("df -h {root}; df -i {root}", "look whether the disk was or is full"),
            remedy("cancelmsg {id}", "cancel it, and tell the sender"),
        ],
        destroyers: &[],
        fates: fates::EMPTY_FILE,
        source: "mailq.c, showq; observed on 1.0.16",
    },
    Treatment {
        rule: "misfiled",
        shown: Shown::Always,
        next: "it is listed, and never tried again: courierd looks in the right folder only, and removes the name in `msgq` when it \
               starts",
        remedies: &[
            STOP,
            COPY_FIRST,
            remedy(
                "n=$(basename {path} | tr -d C); mkdir -p {root}/msgs/$((n%100)); ls {root}/msgs/$((n%100))/[CD]$n || mv -n $(dirname {path})/[CD]$n {root}/msgs/$((n%100))/",
                "put both files into the folder that the last two figures of the number name, only if no file of either name is \
                 there: what is there is another message, since inodes are used again",
            ),
            START,
        ],
        destroyers: &[START_UNLINKS],
        fates: fates::MISFILED,
        source: "comqueuename.c, qmsgsdir; cdmsgq.C, queuescan3; observed on 1.0.16",
    },
    Treatment {
        rule: "foreign-name",
        shown: Shown::Depends,
        next: "nothing, for ever: courierd looks for names of its own making only",
        remedies: &[
            COPY_FIRST,
            remedy("less {path}", "read it: it may be a part of a message that was renamed by hand"),
        ],
        destroyers: &["deleting it as a stray file: it may be the only copy"],
        fates: fates::FOREIGN_NAME,
        source: "cdmsgq.C, queuescan2; mailq.c, main",
    },
    Treatment {
        rule: "wrong-owner-or-mode",
        shown: Shown::Depends,
        next: "nothing, for ever: `mailq` shows it to root, and courierd, which does not schedule as root, cannot open it (`Cannot \
               read`)",
        remedies: &[
            remedy(
                "chown --reference={root}/msgs {path} && chmod 660 {path}",
                "give it to Courier; and its D file, too",
            ),
            remedy("courier flush {id}", "then try it"),
        ],
        destroyers: &[],
        fates: fates::WRONG_OWNER_OR_MODE,
        source: "comctlfile.c, ctlfile_openfn; cdmsgq.C, queuescan3; observed on 1.0.16",
    },
    Treatment {
        rule: "orphan-side-file",
        shown: Shown::Never,
        next: "courierd removes it when it starts: it is what a delivered message leaves, or all that is left of a lost one",
        remedies: &[
            remedy("cat {path}", "read it: sender (s), recipients (r), those that are done (S, F)"),
            remedy("grep {id} /var/log/mail.log", "find out what became of the message"),
        ],
        destroyers: &["starting courierd before the recipients are written down"],
        fates: fates::ORPHAN_SIDE_FILE,
        source: "comctlfile.c, ctlfile_openfn (`Happens all the time - delivery complete, hanging link`)",
    },
    Treatment {
        rule: "name-inode-mismatch",
        shown: Shown::Always,
        next: "it is tried as it is: courierd goes by the name. A new message can get the same number, and is then not taken over \
               (`QUEUE FILE CORRUPTION`) until this one is gone",
        remedies: &[remedy(
            "courier flush",
            "try everything soon after a restore, so that few old numbers are left when new mail comes in",
        )],
        destroyers: &[
            "letting a restored queue take much new mail: what is not taken over is deleted after 48 hours",
        ],
        fates: fates::NAME_INODE_MISMATCH,
        source: "cdmsgq.C, tmpscan (`QUEUE FILE CORRUPTION: inode`); observed on 1.0.16 (198 of 198 after a tar restore)",
    },
    Treatment {
        rule: "unlisted",
        shown: Shown::Depends,
        next: "unknown: no rule explains why the listing leaves it out. `mailq` shows to anybody but root only his own mail",
        remedies: &[
            remedy("mailq -batch", "list again, as root"),
            remedy("grep {id} /var/log/mail.log", "see whether it was just delivered"),
        ],
        destroyers: &[],
        fates: &[],
        source: "mailq.c, main",
    },
    Treatment {
        rule: "listed-not-on-disk",
        shown: Shown::Always,
        next: "most likely it was delivered between the listing and the scan: `mailq` lists what it reads on disk",
        remedies: &[
            remedy("mailq -batch", "list again"),
            remedy("grep {id} /var/log/mail.log", "see whether it was delivered"),
        ],
        destroyers: &[],
        fates: fates::LISTED_NOT_ON_DISK,
        source: "mailq.c, main",
    },
    Treatment {
        rule: "future-time",
        shown: Shown::Always,
        next: "nothing until that time, unless it is flushed",
        remedies: &[
            remedy("courier flush {id}", "try it now"),
            remedy("courier flush", "or try everything now"),
        ],
        destroyers: &["starting courierd while the clock is still wrong: messages may expire at once"],
        fates: fates::FUTURE_TIME,
        source: "cdmsgq.C, queuescan3; cdmsgq3.C, flushmsg; observed on 1.0.16",
    },
    Treatment {
        rule: "overdue",
        shown: Shown::Always,
        next: "the next queue scan tries it, if courierd runs. If it does run: the queue is full (`queuehi`), a delivery module hangs, \
               or the disk is nearly full",
        remedies: &[
            remedy("pgrep -a courier", "see whether courierd and its modules run"),
            remedy("courier flush {id}", "try it now"),
        ],
        destroyers: &[],
        fates: fates::OVERDUE,
        source: "cdmsgq.C, queuescan",
    },
    Treatment {
        rule: "expired",
        shown: Shown::Always,
        next: "the next attempt that fails returns it to its sender; a start of courierd after a long time returns all such mail at once",
        remedies: &[
            remedy("pgrep -a courierd", "see whether courierd runs"),
            remedy("courier flush {id}", "or try it now"),
        ],
        destroyers: &["starting courierd while the destination is still away: mail is returned instead"],
        fates: fates::EXPIRED,
        source: "cdmsgq3.C, done_message (E record)",
    },
    Treatment {
        rule: "duplicate-message",
        shown: Shown::Depends,
        next: "each control file that courierd sees is delivered by itself, so that recipients get it more than once",
        remedies: &[remedy("cancelmsg {id}", "cancel one of them when you have compared their recipients")],
        destroyers: &[
            "cancelling one before its recipients are compared: the two may not have the same ones left",
        ],
        fates: fates::DUPLICATE_MESSAGE,
        source: "cdmsgq.C, queuescan",
    },
];
