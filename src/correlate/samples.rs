//! Messages and mail systems for the tests of rules.

use crate::evidence::{
    Instance, Limits, Live, Locus, Message, Part, PartKind, Shown, Stat, Text, Time, TimeKind, Timed,
    Treatment,
};
use std::path::Path;

/// A Postfix.
pub fn postfix(live: Option<Live>, at_home: bool) -> Instance {
    Instance {
        source: "postfix",
        label: String::new(),
        root: Text::from("/var/spool/postfix"),
        queues: Vec::new(),
        live,
        at_home,
        epochs: Vec::new(),
        limits: Limits::default(),
        last_activity: Some(Time::from_unix(500)),
        facts: Vec::new(),
        unlisted_queues: Vec::new(),
        listing_blind_spot: None,
    }
}

/// A message of Postfix in this queue, whose file the kernel says was changed at one time, and which is said to be of another.
pub fn stamped(queue: &str, changed: i64, modified: i64) -> Message {
    let path = Path::new("somewhere/A0");
    let time = Time::from_unix;
    let stat = Stat {
        device: 1,
        inode: 1,
        mode: 0o700,
        uid: 1,
        gid: 1,
        links: 1,
        size: 1,
        accessed: time(changed),
        modified: time(modified),
        changed: time(changed),
    };
    let mut message = Message::at(queue, Locus::whole(Text::from_path(path)));
    message.parts.push(Part::file(PartKind::Whole, path, &stat));
    message.times.push(Timed::mtime(TimeKind::NextAttempt, &stat));
    message
}

/// A treatment of which only the rule matters.
pub const fn treatment(rule: &'static str) -> Treatment {
    Treatment {
        rule,
        shown: Shown::Depends,
        next: "",
        remedies: &[],
        destroyers: &[],
        fates: &[],
        source: "",
    }
}
