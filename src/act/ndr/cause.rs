//! What a report says about why: one entry for each rule, keyed by its name, since acting does not see the rules.

/// Why a message is returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// The rule that leads the finding.
    pub rule: &'static str,
    /// The enhanced status code (RFC 3463), always of class 5: a report is written when the message has left the queue, so its
    /// `Action` is `failed` and nothing will be tried again.
    pub status: &'static str,
    /// The short reason that stands behind each address: lower-case, without a full stop.
    pub reason: &'static str,
    /// What happened, for the sender: whole sentences.
    pub what: &'static str,
}

/// Delivery time expired (RFC 3463 section 3.5: the message "remained on that host too long"). Of class 5 and not 4, since nothing
/// tries again when the report is written, and readers that go by the class alone, as software for lists does, take class 4 for
/// a delay. To Sisimai 4.25.15 the reason `expired` is a soft bounce with either; flufl.bounce 6.0.0 looks at the Action only.
const TOO_LATE: &str = "5.4.7";
/// Other or undefined mail system status (RFC 3463 section 3.4).
const SYSTEM: &str = "5.3.0";
/// Other or undefined media error (RFC 3463 section 3.7): what can be sent is not what was handed in.
const CONTENT: &str = "5.6.0";

/// What is said where the rule is not known.
pub static OTHER: Cause = held_too_long("", "It was left lying in the queue, and was not delivered in time.");

/// What is said for each rule.
pub static ALL: &[Cause] = &[
    broken(
        "queue-blocker",
        "A file that the mail system could not open stopped its queue, and the message was stuck in it.",
    ),
    held_too_long(
        "stale-stamp",
        "It belonged to an earlier run of the mail system, and the mail system that runs now did not take it up.",
    ),
    damaged(
        "corrupt",
        "What was stored of it is damaged or cut off, so that it could not be delivered as you wrote it.",
    ),
    damaged("empty-file", "Nothing of its content was stored, probably because a disk was full."),
    broken("unfinished", "The program that stored it died before it was done."),
    broken("owner-gone", "The program that was to pass it on died, and no other program took it up."),
    broken(
        "body-without-envelope",
        "The record of its recipients was lost, so that it could not be delivered.",
    ),
    damaged("envelope-without-body", "Its content was lost, and only the record of its recipients was left."),
    broken("foreign-name", "It was stored under a name that the mail system does not look at."),
    broken("misfiled", "It was stored in a place in which the mail system does not look."),
    broken("wrong-owner-or-mode", "The mail system had no permission to open it."),
    broken(
        "missing-part",
        "A part of the mail system's own records of it was lost, without which it is not delivered.",
    ),
    broken("unindexed", "It was put into the queue in a way that the running mail system did not notice."),
    held_too_long("other-queue", "It lay in a queue that nobody looked at."),
    held_too_long(
        "older-than-epoch",
        "It was left over from before the mail system was last started, and was not taken up since.",
    ),
    held_too_long("held", "It was put on hold, and was not released."),
    held_too_long("unclaimed", "It was handed in, and the mail system never picked it up."),
    held_too_long("future-time", "A wrong clock put its next delivery attempt too far into the future."),
    held_too_long("expired", "It was older than the time for which the mail system keeps trying."),
    held_too_long("overdue", "The time of its next delivery attempt passed, and the mail system made none."),
    held_too_long("unlisted", "The mail system did not know of it any more, and did not try to deliver it."),
    broken("listed-not-on-disk", "The mail system still knew of it, but what was stored of it was gone."),
    broken("delivery-journal-left", "The mail system was interrupted while it delivered it."),
    broken("orphan-side-file", "Only the mail system's notes about it were left."),
    held_too_long("duplicate-message", "A second copy of it was left lying in the queue."),
    broken(
        "name-inode-mismatch",
        "The queue was restored from a copy, and the mail system lost track of it.",
    ),
];

const fn held_too_long(rule: &'static str, what: &'static str) -> Cause {
    Cause {
        rule,
        status: TOO_LATE,
        reason: "delivery time expired, since the message was held too long",
        what,
    }
}

const fn broken(rule: &'static str, what: &'static str) -> Cause {
    Cause { rule, status: SYSTEM, reason: "mail system failure, the message could not be processed", what }
}

const fn damaged(rule: &'static str, what: &'static str) -> Cause {
    Cause { rule, status: CONTENT, reason: "the content of the message is damaged or lost", what }
}

/// What is said for the rule of this name; [`OTHER`] for one that is not known.
pub fn of(rule: &str) -> &'static Cause {
    ALL.iter().find(|cause| cause.rule == rule).unwrap_or(&OTHER)
}
