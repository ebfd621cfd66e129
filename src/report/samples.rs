//! Findings and summaries for the tests of the reports.

use crate::evidence::{
    At, Confidence, Damage, DamageKind, EntryState, Envelope, Epoch, EpochOrigin, Fact, Header, Ids,
    Instance, Limits, Live, Locus, Message, Part, PartKind, Recipient, RecipientState, Stamp, Stat, Text,
    Time, TimeKind, Timed,
};
use crate::findings::{
    Advice, Class, Counts, Finding, ListedAs, ListingSummary, Note, Opinion, Outlook, Sighting, Silent,
    Summary, Visibility,
};

/// The clock of the samples: 2026-11-24T06:00:00Z.
pub const CLOCK: Time = Time::from_unix(1_795_500_000);
/// Nine days and four hours before it.
pub const ARRIVED: Time = Time::from_unix(1_795_500_000 - 9 * 86_400 - 4 * 3_600);

/// A Postfix spool of which the listing shows 412 of 449 messages.
pub fn summary() -> Summary {
    Summary {
        tool_version: "0.1.0",
        scan_id: "20261124T060000Z-7f3a".to_owned(),
        host: "mx1.example.org".to_owned(),
        as_of: CLOCK,
        as_of_given: true,
        instances: vec![instance("/var/spool/postfix")],
        messages: vec![449],
        bytes: vec![1_048_576],
        listings: vec![listing(0, 412)],
        reported: 37,
        again: vec!["/var/spool/postfix".to_owned()],
        counts: Counts {
            ghosts: 37,
            hidden: 37,
            oldest_hidden: Some(CLOCK.since(ARRIVED)),
            ..Counts::default()
        },
        notes: Vec::new(),
        damages: Vec::new(),
        damage_count: 0,
        interrupted: false,
        silent: Vec::new(),
        warnings: Vec::new(),
    }
}

/// A summary in which nothing is empty.
pub fn full_summary() -> Summary {
    let mut summary = summary();
    summary.notes = vec![Note {
        rule: "name-inode-mismatch".to_owned(),
        instance: 0,
        count: 197,
        why: "the file name does not encode the inode of the file: the spool was copied".to_owned(),
        examples: vec![Fact::new(
            "the name encodes inode 41, the file has 97",
            Locus::metadata("deferred/A/A41"),
        )],
        outlook: Some(outlook("name-inode-mismatch")),
    }];
    summary.damages = vec![Damage::new(
        DamageKind::Unreadable,
        Locus::whole("deferred/B/B\x1b[2J"),
        "permission denied",
        "run as root, or copy the spool with `cp -a`",
    )];
    summary.damage_count = 12;
    summary.silent = ["stale-stamp", "unindexed"]
        .map(|rule| Silent { rule: rule.to_owned(), why: "no epoch was given".to_owned() })
        .to_vec();
    summary.warnings = vec!["access times could not be kept".to_owned()];
    summary
}

/// A Postfix instance.
pub fn instance(root: &str) -> Instance {
    Instance {
        source: "postfix",
        label: root.to_owned(),
        root: Text::from(root),
        queues: vec!["deferred".to_owned(), "hold".to_owned()],
        live: Some(Live { pid: 812, since: ARRIVED }),
        at_home: false,
        epochs: vec![Epoch {
            stamp: Some(stamp()),
            since: Some(ARRIVED),
            origin: EpochOrigin::Process,
            witnesses: 1,
            fact: Fact::new("the master runs as process 812", Locus::line("pid/master.pid", 1)),
        }],
        limits: Limits { maximal_backoff: Some(4_000), ..Limits::default() },
        last_activity: None,
        facts: vec![Fact::new("mail_version is 3.7.11", Locus::line("/etc/postfix/main.cf", 2))],
        unlisted_queues: vec!["corrupt"],
        listing_blind_spot: None,
    }
}

/// A live listing of an instance.
pub fn listing(instance: usize, entries: u64) -> ListingSummary {
    ListingSummary {
        instances: vec![instance],
        format: "postqueue -j",
        origin: Text::from("/usr/sbin/postqueue -j"),
        entries,
        on_disk: entries,
        cut: None,
        live: true,
    }
}

/// A ghost of which nearly everything is known.
pub fn finding() -> Finding {
    Finding {
        id: "postfix:7c9f2ab1".to_owned(),
        class: Class::Ghost,
        visibility: Visibility::Hidden,
        confidence: Confidence::Certain,
        opinions: vec![Opinion {
            rule: "wrong-owner-or-mode".to_owned(),
            class: Class::Ghost,
            confidence: Confidence::Certain,
            why: "the queue manager skips it, since its mode is not 0700".to_owned(),
            facts: vec![Fact::new("the mode is 0600", Locus::metadata("deferred/7/7ABC"))],
        }],
        silent: vec![Silent { rule: "stale-stamp".to_owned(), why: "no epoch was given".to_owned() }],
        message: message(),
        sightings: Vec::new(),
        listed_as: None,
        outlook: vec![outlook("wrong-owner-or-mode")],
    }
}

/// A finding of which nothing is known but where it lies.
pub fn bare_finding() -> Finding {
    let mut finding = finding();
    finding.id = "postfix:00000000".to_owned();
    finding.visibility = Visibility::Unknown;
    finding.message = Message::at("corrupt", Locus::whole("corrupt/9DEF"));
    finding.silent.clear();
    finding.outlook.clear();
    finding
}

/// A finding in which every optional part is there.
pub fn full_finding() -> Finding {
    let mut finding = finding();
    finding.sightings = vec![Sighting {
        instance: 0,
        queue: "maildrop".to_owned(),
        place: Locus { path: Text::from("maildrop/5EE"), at: At::Stream("user.copy".to_owned()) },
        matched_by: "Message-ID".to_owned(),
        confidence: Confidence::Likely,
    }];
    finding.listed_as = Some(ListedAs {
        locus: Locus::line("postqueue.json", 7),
        state: EntryState::Held,
        matched_by: "queue ID".to_owned(),
        reason: Some(Text::from("connection timed out")),
    });
    finding
}

/// A finding whose subject, sender and file name are these bytes.
pub fn hostile(bytes: &[u8]) -> Finding {
    let mut finding = finding();
    finding.message.headers[0].value = Text::new(bytes);
    finding.message.envelope.sender = Some(Text::new(bytes));
    finding.message.envelope.recipients[1].address = Text::new(bytes);
    finding.message.place.path = Text::new(bytes);
    finding.message.attributes = vec![("client".into(), Text::new(bytes))];
    finding.opinions[0].why = String::from_utf8_lossy(bytes).into_owned();
    finding
}

fn message() -> Message {
    let mut message = Message::at("deferred", Locus::whole("deferred/7/7ABC"));
    message.ids = Ids { native: Some(Text::from("7ABC")), message_id: Some(Text::from("<1@example.org>")) };
    message.size = Some(1_234);
    message.stamp = Some(stamp());
    message.headers = vec![
        Header { name: "Subject".to_owned(), value: Text::from("Quarterly figures") },
        Header { name: "From".to_owned(), value: Text::from("Alice <alice@example.org>") },
    ];
    message.envelope = Envelope {
        sender: Some(Text::from("alice@example.org")),
        recipients: vec![
            recipient("bob@example.com", RecipientState::Done, None),
            recipient("carol@example.net", RecipientState::Pending, Some("451 4.7.1 try again later")),
        ],
        recipient_count: None,
    };
    message.times = vec![
        Timed { kind: TimeKind::Arrival, at: ARRIVED, original: "1794707999 0".into() },
        Timed { kind: TimeKind::NextAttempt, at: CLOCK.plus(600), original: "mtime".into() },
    ];
    message.parts = vec![Part {
        kind: PartKind::Whole,
        locus: Locus::bytes("deferred/7/7ABC", 0, 1_234),
        size: Some(1_234),
        sha256: None,
        stat: Some(stat()),
    }];
    message
}

fn recipient(address: &str, state: RecipientState, reason: Option<&str>) -> Recipient {
    Recipient { address: Text::from(address), state, reason: reason.map(Text::from) }
}

fn stat() -> Stat {
    Stat {
        device: 2_049,
        inode: 131_074,
        mode: 0o600,
        uid: 89,
        gid: 89,
        links: 1,
        size: 1_234,
        accessed: CLOCK,
        modified: CLOCK,
        changed: ARRIVED,
    }
}

fn stamp() -> Stamp {
    Stamp { original: "0x01".to_owned(), guid: None, time: Some(ARRIVED), hex: Some("01".to_owned()) }
}

fn outlook(rule: &str) -> Outlook {
    Outlook {
        rule: rule.to_owned(),
        next: "it stays where it is".to_owned(),
        remedies: vec![
            Advice {
                command: "chmod 0700 deferred/7/7ABC".to_owned(),
                what: "let the queue manager see it".to_owned(),
            },
            Advice { command: String::new(), what: "then flush the queue".to_owned() },
        ],
        destroyers: vec!["`postsuper -r ALL` deletes a damaged file".to_owned()],
        source: "postfix src/global/mail_open_ok.c".to_owned(),
    }
}
