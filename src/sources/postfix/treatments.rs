//! What Postfix does with what the rules find: listing, next step, remedies, and what would destroy the message.

use super::fates;
use crate::evidence::{Remedy, Shown, Treatment};

/// The obvious actions that lose mail which Postfix regards as unfinished (`postsuper/postsuper.c`, `MAX_TEMP_AGE`;
/// `conf/postfix-script`: start and reload run postsuper).
const PURGE: &str = "`postfix start`, `postfix reload` and `postsuper -p` delete it without a word once its mtime is more \
                     than 7 days past";
const REQUEUE_DAMAGED: &str =
    "`postsuper -r`, or moving it to `maildrop`: pickup deletes a damaged file after one warning";
const NEVER_BY_ID: &str = "`postsuper -d`, `-r` or `-h` with this ID: it may by now be the ID of a newer message, since \
                           short IDs are used again";

const fn remedy(command: &'static str, what: &'static str) -> Remedy {
    Remedy { command, what }
}

const COPY_FIRST: Remedy =
    remedy("cp -a {path} /root/", "copy it out of the spool first, with owner, mode and time");
const READ: Remedy = remedy("postcat {path}", "read it: envelope, header and body");
const RESUBMIT: Remedy = remedy(
    "postcat -bh {path} | sendmail -i -f SENDER -- RECIPIENT…",
    "submit its content anew, to the recipients that are not delivered yet, and check that it is whole before you do",
);

/// One treatment a rule.
pub static ALL: &[Treatment] = &[
    Treatment {
        rule: "queue-blocker",
        shown: Shown::Never,
        next: "the queue manager takes it at its next scan (at once after `postqueue -f`), cannot open it, and dies; master \
               starts it again, and it dies again: nothing is delivered any more, not even new mail. On a name of one letter \
               it dies in `incoming` and `deferred`; in these, `active` and `hold` every listing fails, and in these and \
               the folders of logs `postsuper`, so that Postfix does not start (`Postfix integrity check failed`)",
        remedies: &[
            remedy(
                "chown postfix {path} && chmod 700 {path}",
                "give it to the user of Postfix; it is then delivered",
            ),
            remedy(
                "mv -n {path} /root/",
                "or move it out of the spool, if no file of that name is there, and deliver the rest first; this is the only cure for a name of one letter",
            ),
            remedy("postfix check", "find others of its kind: it prints `not owned by postfix`"),
        ],
        destroyers: &[
            "`postqueue -f`, a restart or a reload before it is cured: nothing is lost, but all other mail stops at once",
            "`postsuper -H` on a held file of another owner: it becomes such a blocker",
        ],
        fates: fates::QUEUE_BLOCKER,
        source: "qmgr/qmgr_message.c, qmgr_message_open (fatal: open active ID: Permission denied); qmgr/qmgr_move.c; \
                 util/scan_dir.c, scan_dir_push (a name of one letter); observed on 3.7.11",
    },
    Treatment {
        rule: "wrong-owner-or-mode",
        shown: Shown::Never,
        next: "nothing: queue manager and listing skip it in silence. `postsuper -s` may rename it to fit its inode and \
               leaves it as hidden as it was",
        remedies: &[
            COPY_FIRST,
            remedy(
                "chown postfix {path} && chmod 700 {path}",
                "give it to the user of Postfix and make it ready; the next queue run takes it",
            ),
            remedy("postqueue -i {id}", "then try it at once"),
        ],
        destroyers: &[PURGE],
        fates: fates::WRONG_OWNER_OR_MODE,
        source: "global/mail_open_ok.c (mode & S_IRWXU must be 0700); showq/showq.c; postsuper/postsuper.c, super; \
                 observed on 3.7.11",
    },
    Treatment {
        rule: "unfinished",
        shown: Shown::Never,
        next: "nothing while its writer lives. If the writer is dead, Postfix ignores it for 7 days and then deletes it. The \
               client was not told that it was accepted and has probably sent it again",
        remedies: &[
            COPY_FIRST,
            READ,
            remedy(
                "",
                "look whether the sender sent it again (same Message-ID) before you submit what there is of it",
            ),
            RESUBMIT,
        ],
        destroyers: &[
            PURGE,
            "`chmod 700` or `chmod 744`: it has no end record, so pickup deletes it and the queue manager sets it aside as corrupt",
        ],
        fates: fates::UNFINISHED,
        source: "global/mail_stream.c, mail_stream_finish_file (fchmod is the last act); postsuper/postsuper.c, super; \
                 pickup/pickup.c, file_read_error; observed on 3.7.11",
    },
    Treatment {
        rule: "owner-gone",
        shown: Shown::Never,
        next: "nothing: the process that was to give it a queue ID is gone. After 7 days it is deleted",
        remedies: &[COPY_FIRST, READ, RESUBMIT],
        destroyers: &[PURGE],
        fates: fates::OWNER_GONE,
        source: "global/mail_queue.c, mail_queue_enter (MICROSECONDS.PID); postsuper/postsuper.c, super",
    },
    Treatment {
        rule: "corrupt",
        shown: Shown::Depends,
        next: "in `corrupt` nothing, for ever: no listing shows it and postsuper refuses that queue by name. Elsewhere the \
               next attempt moves it to `corrupt`, unless the damage is of a kind that the queue manager only warns of. \
               One with its sender after a recipient makes showq crash, and the listing ends there",
        remedies: &[
            COPY_FIRST,
            remedy(
                "postcat {path}",
                "read it as far as it is whole; `postcat -q` does not look into `corrupt`, so give the path",
            ),
            RESUBMIT,
            remedy("postfix check", "list the others: it prints `damaged message`"),
            remedy(
                "grep {id} /var/log/mail.log",
                "find out why Postfix set it aside (`message rejected`, `saving corrupt file`)",
            ),
        ],
        destroyers: &[REQUEUE_DAMAGED],
        fates: fates::CORRUPT,
        source: "qmgr/qmgr_message.c, qmgr_message_read; qmgr/qmgr_active.c, qmgr_active_corrupt; global/mark_corrupt.c; \
                 pickup/pickup.c, file_read_error; conf/postfix-script, check-warn; observed on 3.7.11",
    },
    Treatment {
        rule: "empty-file",
        shown: Shown::Never,
        next: "there is no mail in it. In `maildrop` pickup deletes it, in `incoming` and `deferred` the queue manager sets it \
               aside as corrupt",
        remedies: &[
            remedy("df -h {root}; df -i {root}", "look whether the disk was or is full"),
            remedy("grep {id} /var/log/mail.log", "find out whose message it was to be"),
        ],
        destroyers: &[],
        fates: fates::EMPTY_FILE,
        source: "qmgr/qmgr_message.c, qmgr_message_read (missing end record); pickup/pickup.c, copy_segment",
    },
    Treatment {
        rule: "foreign-name",
        shown: Shown::Never,
        next: "nothing, for ever: Postfix skips names that are not letters, figures and `_`; `postsuper -s` warns of a bogus \
               file name. A name that ends in `#FIX` is set right by `postsuper -s`",
        remedies: &[
            COPY_FIRST,
            remedy(
                "postfix stop && mv -n {path} {root}/deferred/{id} && postsuper -s && postfix start",
                "give it back its queue ID, only if `find {root} -name {id}` finds no message of that name; `postsuper -s` puts it where it belongs",
            ),
            READ,
        ],
        destroyers: &["deleting it as a stray backup: it may be the only copy"],
        fates: fates::FOREIGN_NAME,
        source: "global/mail_queue.c, mail_queue_id_ok; global/mail_open_ok.c; postsuper/postsuper.c, super; observed on \
                 3.7.11",
    },
    Treatment {
        rule: "misfiled",
        shown: Shown::Never,
        next: "the next start or reload, which runs `postsuper -s`, moves it to where it belongs, and old mail goes out then. \
               In a subfolder whose name is longer than one letter it stays unseen",
        remedies: &[
            remedy("postfix stop && postsuper -s && postfix start", "put every file where it belongs"),
            remedy("postconf hash_queue_names hash_queue_depth", "look how Postfix hashes its queues"),
            remedy(
                "mv -n {path} {root}/deferred/ && postsuper -s",
                "with Postfix stopped, if it is in a subfolder with a long name, and only if no file of that name is there",
            ),
        ],
        destroyers: &[],
        fates: fates::MISFILED,
        source: "global/mail_queue.c, mail_queue_path; global/mail_open_ok.c (ENOENT is silent); postsuper/postsuper.c, \
                 super; observed on 3.7.11",
    },
    Treatment {
        rule: "orphan-side-file",
        shown: Shown::Never,
        next: "nothing: postsuper takes care not to delete logs. If a new message gets the same ID, Postfix reads this log as \
               that message's",
        remedies: &[
            remedy(
                "cat {path}",
                "read it: it names the recipients of a message that is no longer there, and why they waited",
            ),
            remedy("grep {id} /var/log/mail.log", "find out what became of the message"),
            remedy("mv -n {path} /root/", "then keep it outside the spool, if no file of that name is there"),
        ],
        destroyers: &[
            "deleting it before the recipients are written down: it may be all that is left of the message",
        ],
        fates: fates::ORPHAN_SIDE_FILE,
        source: "postsuper/postsuper.c, super (`Be careful not to delete bounce or defer logs`); global/bounce_log.c; \
                 observed on 3.7.11",
    },
    Treatment {
        rule: "unlisted",
        shown: Shown::Depends,
        next: "unknown: no rule explains why the listing leaves it out",
        remedies: &[
            remedy(
                "postqueue -j",
                "list again: it may have moved from queue to queue while the listing was taken",
            ),
            remedy("grep 'showq.*warning' /var/log/mail.log", "look for what the listing complained of"),
            remedy("postfix check", "let Postfix look at owners and modes"),
            READ,
        ],
        destroyers: &[PURGE, REQUEUE_DAMAGED],
        fates: &[],
        source: "showq/showq.c, showq_service",
    },
    Treatment {
        rule: "listed-not-on-disk",
        shown: Shown::Always,
        next: "most likely it was delivered between the listing and the scan: Postfix lists what it reads on disk and keeps \
               no other index",
        remedies: &[
            remedy("postqueue -j", "list again"),
            remedy("grep {id} /var/log/mail.log", "see whether it was delivered: `removed`"),
        ],
        destroyers: &[],
        fates: fates::LISTED_NOT_ON_DISK,
        source: "showq/showq.c, showq_service (reads the queue folders)",
    },
    Treatment {
        rule: "other-queue",
        shown: Shown::Never,
        next: "its own instance delivers it, if that runs. What lies in `saved` nobody reads",
        remedies: &[
            remedy("postmulti -l", "list the instances and whether they are enabled"),
            remedy("postmulti -x postqueue -p", "list the queues of all instances"),
            remedy("postqueue -c DIR -p", "list one instance by its configuration folder"),
            remedy("postfix -c DIR start", "start it, if it does not run"),
        ],
        destroyers: &["removing the instance (`postmulti -e destroy`): its queue goes with it"],
        fates: fates::OTHER_QUEUE,
        source: "postqueue/postqueue.c; MULTI_INSTANCE_README; global/mail_queue.h; observed on 3.7.11",
    },
    Treatment {
        rule: "held",
        shown: Shown::Always,
        next: "nothing until somebody releases it: not even `postqueue -f` touches it, and it does not expire",
        remedies: &[
            remedy("postsuper -H {id}", "release it"),
            remedy("postsuper -r {id}", "release it and run it through the filters and maps again"),
            remedy(
                "postsuper -e {id} && postsuper -H {id}",
                "return it to its sender (Postfix 3.5 and later)",
            ),
            remedy("postcat -q {id}", "read it first"),
        ],
        destroyers: &["`postsuper -d {id}`: deleted for good, the sender is not told"],
        fates: fates::HELD,
        source: "qmgr/qmgr.c (scans incoming and deferred only); postsuper(1); observed on 3.7.11",
    },
    Treatment {
        rule: "unclaimed",
        shown: Shown::Always,
        next: "the pickup service takes it within a minute once it runs; then it is new mail with a new queue ID",
        remedies: &[
            remedy(
                "postfix status; postconf -M pickup/unix",
                "see whether Postfix and its pickup service run",
            ),
            remedy("postfix start", "start Postfix"),
            remedy(
                "postfix set-permissions && postfix check",
                "repair the owners and modes of `maildrop` and postdrop",
            ),
        ],
        destroyers: &[],
        fates: fates::UNCLAIMED,
        source: "pickup/pickup.c, pickup_service; observed on 3.7.11",
    },
    Treatment {
        rule: "future-time",
        shown: Shown::Always,
        next: "nothing until that time: every queue run skips a file whose mtime lies ahead, and the listing does not say so",
        remedies: &[
            remedy("postqueue -i {id}", "try it now"),
            remedy("postqueue -f", "or try everything now"),
            remedy("touch {path}", "or set its time to now; the next queue run takes it"),
        ],
        destroyers: &["starting Postfix while the clock is still wrong: messages may expire at once"],
        fates: fates::FUTURE_TIME,
        source: "qmgr/qmgr_active.c, qmgr_active_feed (skips st_mtime > now + 1); observed on 3.7.11",
    },
    Treatment {
        rule: "name-inode-mismatch",
        shown: Shown::Always,
        next: "it is delivered as it is. The next start or reload renames it to fit its inode, so that IDs in logs no longer \
               match; until then a new message may get the same ID and take its place",
        remedies: &[
            remedy(
                "postfix stop && postsuper -s && postfix start",
                "rename before any new mail comes in; repeat until it renames nothing",
            ),
            remedy("postqueue -j > before.json", "write down the old IDs first"),
        ],
        destroyers: &[
            "letting a restored spool take new mail before `postsuper -s`: equal names overwrite each other",
            NEVER_BY_ID,
        ],
        fates: fates::NAME_INODE_MISMATCH,
        source: "postsuper/postsuper.c, fix_queue_id; postsuper(1), -s; observed on 3.7.11 (197 of 197 renamed)",
    },
    Treatment {
        rule: "overdue",
        shown: Shown::Always,
        next: "the next queue run tries it, if Postfix runs. If it does run and does not try it: the destination is dead or \
               deferred by `defer_transports`, the active queue is full, or a delivery agent hangs on it",
        remedies: &[
            remedy("postfix status", "see whether Postfix runs"),
            remedy("postqueue -i {id}", "try it now"),
            remedy(
                "postconf defer_transports; qshape active",
                "look for a transport that is switched off or jammed",
            ),
        ],
        destroyers: &[],
        fates: fates::OVERDUE,
        source: "qmgr/qmgr_scan.c; qmgr/qmgr_active.c, qmgr_active_feed; postconf(5), queue_run_delay",
    },
    Treatment {
        rule: "expired",
        shown: Shown::Always,
        next: "the next attempt that fails returns it to its sender, or drops it if the sender is null; a start of Postfix \
               after a long time returns all such mail at once",
        remedies: &[
            remedy(
                "postconf -e maximal_queue_lifetime=30d && postfix reload",
                "give old mail more time before Postfix tries it",
            ),
            remedy(
                "postsuper -h ALL",
                "or hold everything before the start, look, and release with `postsuper -H`",
            ),
            remedy("postqueue -i {id}", "or try it now"),
        ],
        destroyers: &[
            "`postfix start` with the old lifetime: mail that could still be delivered is returned instead",
        ],
        fates: fates::EXPIRED,
        source: "qmgr/qmgr_active.c, qmgr_active_done_3_generic (create_time against maximal_queue_lifetime)",
    },
    Treatment {
        rule: "duplicate-message",
        shown: Shown::Depends,
        next: "each file that Postfix sees is delivered by itself, so that recipients get it more than once",
        remedies: &[
            remedy("find {root} -samefile {path}", "find the other names of the same file"),
            remedy("postsuper -h {id}", "hold one of them until you have compared them"),
            READ,
        ],
        destroyers: &[
            "deleting one before its recipients are compared: the two may not have the same ones left to deliver to",
        ],
        fates: fates::DUPLICATE_MESSAGE,
        source: "global/mail_open_ok.c (`file has N links` is a warning); observed on 3.7.11",
    },
];
