//! What dma does with what the rules find: listing, next step, remedies, and what would destroy the message.

use super::fates;
use crate::evidence::{Remedy, Shown, Treatment};

const fn remedy(command: &'static str, what: &'static str) -> Remedy {
    Remedy { command, what }
}

const COPY_FIRST: Remedy =
    remedy("cp -a {path} /root/", "copy it out of the spool first, with owner, mode and time");
const TRY: Remedy = remedy("dma -q", "try everything now; run it as root or as the user `mail`");
const RESUBMIT: Remedy = remedy(
    "dma -i -f SENDER RECIPIENT < {path}",
    "submit the content anew, to the recipient that it was for",
);

/// One treatment a rule.
pub static ALL: &[Treatment] = &[
    Treatment {
        rule: "body-without-envelope",
        shown: Shown::Never,
        next: "nothing, for ever: dma looks for Q files only",
        remedies: &[
            COPY_FIRST,
            remedy(
                "grep {id} /var/log/mail.log",
                "find out sender and recipient (`new mail from`, `queued as`)",
            ),
            remedy(
                "printf 'ID: {id}\\nSender: %s\\nRecipient: %s\\n' SENDER RECIPIENT > {root}/Q{id}",
                "write the Q file anew, then give it owner and mode: `chown mail:mail`, `chmod 660`",
            ),
            RESUBMIT,
        ],
        destroyers: &["deleting it as a stray file: it may be the only copy"],
        fates: fates::BODY_WITHOUT_ENVELOPE,
        source: "spool.c, load_queue; observed on 0.13",
    },
    Treatment {
        rule: "envelope-without-body",
        shown: Shown::Never,
        next: "nothing, for ever: every run logs `could not pick up queue file` and passes over it. The content is gone unless \
               another recipient's M file has it",
        remedies: &[
            remedy("cat {path}", "read sender and recipient, and tell the sender"),
            remedy("grep {id} /var/log/mail.log", "see when it came in, and who else was to have it"),
            remedy(
                "find {root} -name 'M*' -inum $((16#$(echo {id} | cut -d. -f1)))",
                "look for the content under the name of another recipient (the ID begins with its inode), and link it: `ln`",
            ),
        ],
        destroyers: &[],
        fates: fates::ENVELOPE_WITHOUT_BODY,
        source: "spool.c, load_queue, linkspool; observed on 0.13",
    },
    Treatment {
        rule: "corrupt",
        shown: Shown::Depends,
        next: "a Q file without all three fields is passed over for ever (`malformed queue file`). One whose last line does not end \
               is listed and tried, to an address that lacks its last character",
        remedies: &[
            COPY_FIRST,
            remedy("cat {path}", "read what there is of it"),
            remedy(
                "grep {id} /var/log/mail.log",
                "find out sender and recipient (`new mail from`, `queued as`)",
            ),
            remedy(
                "printf 'ID: {id}\\nSender: %s\\nRecipient: %s\\n' SENDER RECIPIENT > {path}",
                "write the three lines anew; the next `dma -q` takes it",
            ),
        ],
        destroyers: &[
            "`dma -q` while the last line does not end: the mail goes to a wrong address, or is returned",
        ],
        fates: fates::CORRUPT,
        source: "spool.c, readqueuef (`chop newline`); observed on 0.13",
    },
    Treatment {
        rule: "empty-file",
        shown: Shown::Always,
        next: "the next `dma -q` sends an empty message and deletes both files",
        remedies: &[
            COPY_FIRST,
            remedy("df -h {root}; df -i {root}", "look whether the disk was or is full"),
            remedy("cat {path}", "read sender and recipient, and tell the sender"),
        ],
        destroyers: &["`dma -q`"],
        fates: fates::EMPTY_FILE,
        source: "spool.c, load_queue, delqueue; net.c, deliver_remote",
    },
    Treatment {
        rule: "unfinished",
        shown: Shown::Never,
        next: "nothing, for ever: nobody looks at such a name again. The recipients were only in the process, unless they stand in \
               the header",
        remedies: &[
            COPY_FIRST,
            remedy("less {path}", "read it, and look whether its end is there"),
            RESUBMIT,
        ],
        destroyers: &["deleting it as a stray temporary file: the program that sent it may not have noticed"],
        fates: fates::UNFINISHED,
        source: "spool.c, newspoolf, linkspool; dma killed with SIGKILL on 0.13",
    },
    Treatment {
        rule: "duplicate-message",
        shown: Shown::Never,
        next: "nothing: the name was left over after the file had been queued, from where it is sent",
        remedies: &[
            remedy("find {root} -samefile {path}", "look for its other names"),
            remedy("rm {path}", "remove this name, if one of the others begins with M and has its Q file"),
        ],
        destroyers: &[],
        fates: fates::DUPLICATE_MESSAGE,
        source: "spool.c, linkspool",
    },
    Treatment {
        rule: "foreign-name",
        shown: Shown::Never,
        next: "nothing, for ever: dma passes over it",
        remedies: &[
            COPY_FIRST,
            remedy("less {path}", "read it: it may be a message that was renamed by hand"),
        ],
        destroyers: &[],
        fates: fates::FOREIGN_NAME,
        source: "spool.c, load_queue",
    },
    Treatment {
        rule: "wrong-owner-or-mode",
        shown: Shown::Depends,
        next: "nothing, for ever: a Q file that dma may not read is passed over (`could not pick up queue file`); if it may only \
               not read the M file, the message is listed, and every attempt fails",
        remedies: &[
            remedy("chown mail:mail {root}/?{id} && chmod 660 {root}/?{id}", "give both files to dma"),
            TRY,
        ],
        destroyers: &[],
        fates: fates::WRONG_OWNER_OR_MODE,
        source: "spool.c, load_queue, acquirespool; dma.c, main (`We never run as root`); observed on 0.13",
    },
    Treatment {
        rule: "unlisted",
        shown: Shown::Depends,
        next: "unknown: no rule explains why the listing leaves it out",
        remedies: &[
            remedy("dma -bp", "list again"),
            remedy("grep 'could not pick up' /var/log/mail.log", "look for what dma complained of"),
        ],
        destroyers: &[],
        fates: &[],
        source: "dma.c, show_queue",
    },
    Treatment {
        rule: "listed-not-on-disk",
        shown: Shown::Always,
        next: "most likely it was delivered between the listing and the scan: dma lists what it reads on disk",
        remedies: &[
            remedy("dma -bp", "list again"),
            remedy("grep {id} /var/log/mail.log", "see whether it was delivered (`delivery successful`)"),
        ],
        destroyers: &[],
        fates: fates::LISTED_NOT_ON_DISK,
        source: "spool.c, load_queue",
    },
    Treatment {
        rule: "future-time",
        shown: Shown::Always,
        next: "it is tried like any other, but never given up: its lifetime counts from the time of the Q file, which lies ahead",
        remedies: &[remedy("touch {path}", "set its time to now")],
        destroyers: &[],
        fates: fates::FUTURE_TIME,
        source: "dma.c, deliver (`now.tv_sec - st.st_mtim.tv_sec > MAX_TIMEOUT`)",
    },
    Treatment {
        rule: "expired",
        shown: Shown::Always,
        next: "the next attempt that fails returns it to its sender; that this has not happened says that nobody runs `dma -q`, or \
               that a process holds the Q file and hangs",
        remedies: &[
            remedy("cat /etc/cron.d/dma", "see whether cron runs `dma -q`"),
            remedy("fuser -v {path}", "see whether a process holds it"),
            remedy("touch {path}", "give it five more days before you run `dma -q`"),
        ],
        destroyers: &["`dma -q` while the server is still away: all that is too old is returned at once"],
        fates: fates::EXPIRED,
        source: "dma.c, deliver",
    },
];
