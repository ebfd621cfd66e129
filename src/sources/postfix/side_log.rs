//! A log in `defer`, `bounce` or `trace`: of no interest while its message exists, evidence of a lost one otherwise.

use super::defer_log;
use super::layout;
use super::message::{Entry, Spool, native_id, one_letter_signs};
use super::name::{self, Name};
use crate::evidence::{
    Confidence, Damage, Fact, Locus, Message, Part, PartKind, Record, Sign, Signed, Text, TimeKind, Timed,
};
use std::path::PathBuf;

/// Where a message may be, the likeliest place first.
const MESSAGE_QUEUES: [&str; 7] = ["deferred", "active", "hold", "incoming", "maildrop", "corrupt", "saved"];

/// What a log of recipients says of one of them, in the facts.
const MAX_FACTS: usize = 20;

impl Spool {
    /// Reads a log: passed if its message is there.
    pub fn side_log(&self, entry: Entry<'_>) -> Record {
        let name = name::judge(entry.name);
        if name == Name::OneLetter {
            let place = Text::from_path(entry.path);
            let mut message = Message::at(entry.queue, Locus::whole(place.clone()));
            message.signs.extend(one_letter_signs(&place));
            return Record::Message(Box::new(message));
        }
        let id = native_id(&name, entry.name);
        let exists = |id: &Text| self.places(id).iter().any(|place| entry.root.exists(place));
        // The queue manager moves files while they are looked for, so one miss is not enough: `postsuper` looks twice too.
        if id.as_ref().is_some_and(|id| exists(id) || exists(id)) {
            return Record::Passed;
        }
        match self.lone_log(entry, &name, id) {
            Ok(message) => Record::Message(Box::new(message)),
            Err(damage) => Record::Damage(damage),
        }
    }

    /// Where the message of this ID may be: where it belongs, or flat in its queue.
    fn places(&self, id: &Text) -> Vec<PathBuf> {
        let mut places = Vec::with_capacity(MESSAGE_QUEUES.len() * 2);
        for queue in MESSAGE_QUEUES {
            places.push(self.layout.path(queue, id.bytes()));
            if self.layout.depth_of(queue) > 0 {
                places.push(layout::path_at_depth(queue, id.bytes(), 0));
            }
        }
        places
    }

    fn lone_log(&self, entry: Entry<'_>, name: &Name, id: Option<Text>) -> Result<Message, Damage> {
        let file = entry.root.open_file(entry.path)?;
        let bytes =
            file.head(defer_log::MAX_LOG_BYTES).map_err(|error| entry.root.refused(entry.path, &error))?;
        let place = Text::from_path(entry.path);
        let log = defer_log::parse(&bytes);
        let known_id = matches!(name, Name::Id(_));
        let text = if known_id {
            format!("there is no message `{}` in any queue", String::from_utf8_lossy(entry.name))
        } else {
            "no message has this name".to_owned()
        };
        let mut facts = vec![Fact::new(text, Locus::whole(place.clone()))];
        if !self.missing.is_empty() {
            let text =
                format!("this copy has no folder {}, where the message may be", self.missing.join(", "));
            facts.push(Fact::new(text, Locus::whole(".")));
        }
        facts.extend(log.iter().take(MAX_FACTS).map(|line| {
            let text = format!("{} ({}): {}", line.recipient.lossy(), line.action, line.reason.lossy());
            Fact::new(text, Locus::bytes(place.clone(), 0, bytes.len() as u64))
        }));
        let confidence = match (known_id, self.missing.is_empty()) {
            (true, true) => Confidence::Certain,
            (false, true) => Confidence::Likely,
            (_, false) => Confidence::Possible,
        };
        let mut message = Message::at(entry.queue, Locus::whole(place.clone()));
        message.ids.native = id;
        message.signs.push(Signed { sign: Sign::SideFileAlone, confidence, facts });
        message.times.push(Timed {
            // The bounce service appends when an attempt has failed, and nothing sets the time of a log by hand.
            kind: TimeKind::LastAttempt,
            at: file.stat.modified,
            original: format!("mtime {}", file.stat.modified.rfc3339()),
        });
        message.envelope.recipients = log.iter().map(defer_log::Entry::to_recipient).collect();
        message.parts.push(Part {
            kind: PartKind::Side,
            locus: Locus::whole(place),
            size: Some(file.stat.size),
            sha256: None,
            stat: Some(file.stat),
        });
        Ok(message)
    }
}
