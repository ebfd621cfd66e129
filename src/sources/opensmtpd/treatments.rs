//! What OpenSMTPD does with what the rules find: listing, next step, remedies, and what would destroy the message.

use super::fates;
use crate::evidence::{Remedy, Shown, Treatment};

const fn remedy(command: &'static str, what: &'static str) -> Remedy {
    Remedy { command, what }
}

/// At start `incoming` and `temporary` are moved to `purge` and removed (`queue_fs.c`, `queue_fs_init`; `queue_backend.c`,
/// `queue_init`).
const PURGE: &str =
    "a start of smtpd: it removes whatever is in `incoming` and `temporary` before it does anything else";
const REMOVE: &str = "`smtpctl remove {id}`: content and envelopes are deleted, and the sender is not told";
const COPY_FIRST: Remedy = remedy(
    "cp -a \"$(dirname {path})\" /root/",
    "copy its folder out of the spool first, with owner, mode and time",
);
const SHOW: Remedy = remedy(
    "smtpctl show message {id}",
    "read its content, also of a compressed queue; of an encrypted one it asks for the key",
);
const DISCOVER: Remedy = remedy(
    "smtpctl discover {id}",
    "have the running smtpd take it in; it is scheduled at once. It must not be listed yet",
);
const RESUBMIT: Remedy = remedy(
    "smtpctl show message {id} | sendmail -i -f SENDER -- RECIPIENT…",
    "submit its content anew, to the recipients that have not got it",
);
const READABLE: Remedy = remedy(
    "chown \"$(stat -c %u {root}/queue)\" {path} && chmod 600 {path}",
    "give it back to the user of the queue; folders need mode 700",
);

/// One treatment a rule.
pub static ALL: &[Treatment] = &[
    Treatment {
        rule: "unindexed",
        shown: Shown::Never,
        next: "nothing while this smtpd runs: it read its queue at start and knows of no other mail than what it took in \
               itself. The next start takes it in, unless its time lies ahead even of that",
        remedies: &[
            DISCOVER,
            remedy(
                "touch {path} && systemctl restart opensmtpd",
                "or set its time to now and restart (on other systems: the command that starts smtpd); look into `incoming` and `temporary` before that",
            ),
        ],
        destroyers: &[PURGE, "taking it for delivered and deleting it: nothing has tried it"],
        fates: fates::UNINDEXED,
        source: "queue_fs.c, fsqueue_qwalk (st_mtim > startup is skipped), queue_fs_envelope_walk (once); queue.c, \
                 queue_timeout; smtpctl(8), discover; observed on 6.8.0p2",
    },
    Treatment {
        rule: "corrupt",
        shown: Shown::Depends,
        next: "until the next start it may still be listed and delivered, from memory; after that smtpd passes over the \
               envelope with a message at debug level only, for ever. In `corrupt`, which versions before 6.4 made, nothing \
               happens to it at all",
        remedies: &[
            COPY_FIRST,
            remedy(
                "cat {path}",
                "read the envelope as far as it is whole: sender and recipient may still be there",
            ),
            SHOW,
            RESUBMIT,
            remedy(
                "cp {path} /root/ && cp OTHER-ENVELOPE {path} && smtpctl discover {id}",
                "or write the envelope anew from that of another message of the same kind: the name is its ID, the fields \
                 `sender`, `rcpt` and `dest` are to be changed",
            ),
        ],
        destroyers: &[
            REMOVE,
            "deleting the last whole envelope, or having it delivered: smtpd then removes the whole folder",
        ],
        fates: fates::CORRUPT,
        source: "envelope.c, envelope_load_buffer, ascii_load_field; queue_backend.c, queue_envelope_walk, \
                 envelope_validate; queue_fs.c, queue_fs_envelope_delete; observed on 6.8.0p2",
    },
    Treatment {
        rule: "empty-file",
        shown: Shown::Depends,
        next: "an empty envelope is passed over without a word from the next start on, an empty `message` is sent as an empty \
               message, an empty file in `offline` is deleted at the next start",
        remedies: &[
            COPY_FIRST,
            remedy("df -h {root}; df -i {root}", "look whether the disk is or was full"),
            SHOW,
            RESUBMIT,
            remedy(
                "grep {id} /var/log/mail.log",
                "find out sender and recipient (on OpenBSD: /var/log/maillog)",
            ),
        ],
        destroyers: &[REMOVE],
        fates: fates::EMPTY_FILE,
        source: "queue_fs.c, queue_fs_envelope_load (fread of 0 bytes); smtpd.c, offline_scan (st_size == 0: unlink); \
                 observed on 6.8.0p2",
    },
    Treatment {
        rule: "wrong-owner-or-mode",
        shown: Shown::Depends,
        next: "what smtpd cannot open at its start it passes over (`warn: queue-fs: fopen: Permission denied`, without a \
               name); until then it may be listed from memory, and with smtpd down `smtpctl show queue` reads the disk as root and \
               shows it. Where it is the content that cannot be opened, the envelope is \
               listed, every attempt fails, and in the end it is returned. A file in `offline` of another group is skipped \
               in silence",
        remedies: &[
            READABLE,
            remedy(
                "chown -R \"$(stat -c %u {root}/queue)\" \"$(dirname {path})\" && chmod 700 \"$(dirname {path})\"",
                "or set the whole folder right",
            ),
            DISCOVER,
        ],
        destroyers: &[REMOVE],
        fates: fates::WRONG_OWNER_OR_MODE,
        source: "queue.c, queue (setresuid to the user of the queue); queue_fs.c, queue_fs_envelope_load; smtpd.c, \
                 offline_scan (st_gid); observed on 6.8.0p2",
    },
    Treatment {
        rule: "unfinished",
        shown: Shown::Never,
        next: "the next start of smtpd deletes it. The client was not told that it was accepted and has probably sent it again",
        remedies: &[
            remedy(
                "cp -a {root}/incoming {root}/temporary {root}/offline /root/",
                "copy these folders out of the spool before smtpd is started",
            ),
            remedy("cat {path}", "read what there is of it"),
            remedy(
                "",
                "look whether the sender sent it again (same Message-ID) before you submit what there is of it",
            ),
            remedy("sendmail -i -f SENDER -- RECIPIENT… < {path}", "submit it anew if it is whole"),
        ],
        destroyers: &[PURGE],
        fates: fates::UNFINISHED,
        source: "queue_fs.c, queue_fs_init (mvpurge of incoming); queue_backend.c, queue_init (mvpurge of temporary); \
                 observed on 6.8.0p2",
    },
    Treatment {
        rule: "body-without-envelope",
        shown: Shown::Depends,
        next: "until the next start it may be listed from memory, and every attempt fails; from then on smtpd does not know of \
               it. Nothing removes the content",
        remedies: &[
            COPY_FIRST,
            SHOW,
            remedy(
                "grep {id} /var/log/mail.log",
                "find out to whom it was delivered already: smtpd removes the envelope of a recipient that has got it",
            ),
            RESUBMIT,
        ],
        destroyers: &[
            "a restart, as long as it is listed: sender and recipients are then known to the log only",
            REMOVE,
        ],
        fates: fates::BODY_WITHOUT_ENVELOPE,
        source: "queue_fs.c, fsqueue_qwalk (yields envelopes only), queue_fs_envelope_delete; observed on 6.8.0p2",
    },
    Treatment {
        rule: "envelope-without-body",
        shown: Shown::Always,
        next: "every attempt fails for the moment, until it expires and is returned with no content of its own; without a word \
               of what is missing",
        remedies: &[
            remedy(
                "smtpctl pause envelope {id}",
                "keep it from being returned while you look for the content",
            ),
            remedy(
                "cp -np BACKUP \"$(dirname {path})\"/message && smtpctl schedule {id}",
                "put the content back, only if no file of that name is there, with the owner of the envelope and mode 600",
            ),
            remedy("smtpctl show envelope {id}", "read from whom and to whom it is"),
            remedy("smtpctl remove {id}", "or give it up, when the sender has been told"),
        ],
        destroyers: &[],
        fates: fates::ENVELOPE_WITHOUT_BODY,
        source: "queue_fs.c, queue_fs_message_fd_r; queue.c, queue_imsg (could not get message fd); observed on 6.8.0p2",
    },
    Treatment {
        rule: "foreign-name",
        shown: Shown::Never,
        next: "nothing, for ever: smtpd passes over every name but its own, with a message at debug level at most. When the last \
               envelope of the message beside it is delivered, the folder goes with all that is in it",
        remedies: &[
            COPY_FIRST,
            remedy(
                "mv -n {path} \"$(dirname {path})\"/EVPID && smtpctl discover EVPID",
                "give an envelope back its name, 16 figures of which the first 8 are the name of its folder, only if no file of \
                 that name is there and its recipient was not served (see the log)",
            ),
            remedy("cat {path}", "read it"),
        ],
        destroyers: &[
            "waiting: it is deleted together with the message in whose folder it lies",
            "deleting it as a stray backup: it may be the only copy",
        ],
        fates: fates::FOREIGN_NAME,
        source: "queue_fs.c, fsqueue_qwalk, queue_fs_message_walk (names), queue_fs_message_delete (rmtree)",
    },
    Treatment {
        rule: "misfiled",
        shown: Shown::Never,
        next: "nothing: smtpd finds the name at its start and then looks for the file at the place that its ID gives. Nothing \
               moves it there",
        remedies: &[
            COPY_FIRST,
            remedy(
                "mkdir -p {root}/queue/BUCKET && mv -nT \"$(dirname {path})\" {root}/queue/BUCKET/{id}",
                "move its folder to where it belongs, only if nothing of that name is there: the bucket is the first two figures of the ID, and belongs to the user of the queue with mode 700",
            ),
            DISCOVER,
        ],
        destroyers: &[REMOVE],
        fates: fates::MISFILED,
        source: "queue_fs.c, fsqueue_envelope_path, fsqueue_qwalk; smtpd.c, offline_scan (fts_level); observed on 6.8.0p2",
    },
    Treatment {
        rule: "unclaimed",
        shown: Shown::Never,
        next: "smtpd takes it one second after its next start, and looks there at no other time. Programs were told that \
               sending failed (exit code 75), and may have sent it again",
        remedies: &[
            remedy("smtpctl show status", "see whether smtpd runs"),
            remedy(
                "head -1 {path}",
                "read from whom and to whom it is: the arguments that sendmail(1) was given",
            ),
            remedy(
                "systemctl restart opensmtpd",
                "start smtpd anew (on OpenBSD: rcctl restart smtpd); look into `incoming` and `temporary` before that",
            ),
            remedy(
                "tail -n +2 {path} | sendmail -i -f SENDER -- RECIPIENT…",
                "or submit it by hand while smtpd runs, and then move the file out of `offline`",
            ),
        ],
        destroyers: &[PURGE],
        fates: fates::UNCLAIMED,
        source: "smtpd.c, offline_scan (one second after start, once), offline_enqueue; enqueue.c, enqueue_offline \
                 (EX_TEMPFAIL); observed on 6.8.0p2",
    },
    Treatment {
        rule: "held",
        shown: Shown::Always,
        next: "nothing until somebody resumes it: `smtpctl schedule all` leaves it alone. A restart forgets that it was suspended, \
               and it is tried then",
        remedies: &[
            remedy("smtpctl resume envelope {id}", "release it"),
            remedy("smtpctl show envelope {id}", "read from whom and to whom it is"),
            remedy("smtpctl show status", "see whether all of the MDA or MTA is paused too"),
        ],
        destroyers: &[REMOVE, "a restart, if it must not go out"],
        fates: fates::HELD,
        source: "scheduler_ramqueue.c, rq_envelope_suspend (in memory only); smtpctl(8), pause envelope; observed on 6.8.0p2",
    },
    Treatment {
        rule: "future-time",
        shown: Shown::Depends,
        next: "it does not expire before its time. If the time of the file lies ahead as well, no start before that time takes it in",
        remedies: &[DISCOVER, remedy("smtpctl schedule {id}", "or try it now, if it is listed")],
        destroyers: &[],
        fates: fates::FUTURE_TIME,
        source: "queue_fs.c, fsqueue_qwalk; scheduler_ramqueue.c (expire is creation and ttl); observed on 6.8.0p2",
    },
    Treatment {
        rule: "unlisted",
        shown: Shown::Depends,
        next: "unknown. The usual reasons that a file does not show: its `dispatcher` is no `action` of smtpd.conf any more (`warn: \
               invalid envelope …: unknown dispatcher`), the key or the compression of the queue was changed, or smtpd failed \
               to load it at an attempt and dropped it from its memory",
        remedies: &[
            remedy("smtpctl show queue", "list again: it may have come in while the listing was taken"),
            remedy(
                "grep 'invalid envelope' /var/log/mail.log",
                "look for what smtpd complained of at its start",
            ),
            remedy(
                "grep '^dispatcher' {path}",
                "see which `action` of smtpd.conf it needs (in its envelope)",
            ),
            DISCOVER,
        ],
        destroyers: &[REMOVE],
        fates: &[],
        source: "queue_backend.c, envelope_validate, queue_envelope_load; queue.c; OpenSMTPD issues 739 and 797",
    },
    Treatment {
        rule: "listed-not-on-disk",
        shown: Shown::Always,
        next: "smtpd lists its memory. Every attempt fails once it needs the file; at the next start the entry is gone, without a \
               bounce",
        remedies: &[
            remedy("smtpctl show queue {id}", "write down from whom and to whom it is, before any restart"),
            remedy("smtpctl pause envelope {id}", "keep it from being tried while you look for a backup"),
            remedy(
                "",
                "put its folder back from a backup to `queue`, with owner and mode; the entry in memory is still good",
            ),
            remedy("grep {id} /var/log/mail.log", "see whether it was delivered"),
        ],
        destroyers: &["a restart of smtpd: the listing is then all that was known of it"],
        fates: fates::LISTED_NOT_ON_DISK,
        source: "scheduler_ramqueue.c; queue_fs.c, queue_fs_message_fd_r; observed on 6.8.0p2",
    },
    Treatment {
        rule: "other-queue",
        shown: Shown::Never,
        next: "the listing is that of another system: each smtpd has the one spool that was compiled into it",
        remedies: &[remedy(
            "smtpctl show queue",
            "list in the system, container or chroot to which this spool belongs",
        )],
        destroyers: &[],
        fates: &[],
        source: "smtpd.h, PATH_SPOOL, SMTPD_SOCKET",
    },
    Treatment {
        rule: "duplicate-message",
        shown: Shown::Depends,
        next: "each of them that smtpd knows is delivered by itself, so that recipients get it more than once",
        remedies: &[
            remedy("smtpctl pause envelope {id}", "hold one of them until you have compared them"),
            remedy("smtpctl show envelope {id}", "compare the recipients"),
        ],
        destroyers: &[
            "deleting one before its recipients are compared: the two may not have the same ones left",
        ],
        fates: fates::DUPLICATE_MESSAGE,
        source: "queue_fs.c; smtpctl(8)",
    },
];
