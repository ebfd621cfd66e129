//! A log in `defer`, `bounce` or `trace`: of no interest while its message exists, evidence of a lost one otherwise.

use super::defer_log;
use super::layout;
use super::message::{Entry, Spool, native_id};
use super::name::{self, Name};
use super::one_letter;
use crate::evidence::{
    Confidence, Damage, Fact, Locus, Message, Part, PartKind, Record, Sign, Signed, Text, TimeKind, Timed,
};
use crate::read::disk::{EntryKind, Root};
use std::path::{Path, PathBuf};

/// Where a message may be, the likeliest place first.
const MESSAGE_QUEUES: [&str; 7] = ["deferred", "active", "hold", "incoming", "maildrop", "corrupt", "saved"];
/// What the folders of a hashed queue are called: the first letters of short IDs, and of the microseconds of long ones.
const HASH_LETTERS: &str = "0123456789ABCDEF";

/// What a log of recipients says of one of them, in the facts.
const MAX_FACTS: usize = 20;

/// The folders of hashed queues that are there, by queue.
pub fn hash_folders(root: &Root) -> Vec<(&'static str, Vec<char>)> {
    let is_folder = |path: &Path| matches!(root.stat(path), Ok((EntryKind::Directory, _)));
    let letters_of = |queue: &str| -> Vec<char> {
        HASH_LETTERS.chars().filter(|letter| is_folder(&Path::new(queue).join(letter.to_string()))).collect()
    };
    let all = MESSAGE_QUEUES.into_iter().map(|queue| (queue, letters_of(queue)));
    all.filter(|(_, letters)| !letters.is_empty()).collect()
}

impl Spool {
    /// Reads a log: passed if its message is there.
    pub fn side_log(&self, entry: Entry<'_>) -> Record {
        let name = name::judge(entry.name);
        if name == Name::OneLetter {
            let place = Text::from_path(entry.path);
            let mut message = Message::at(entry.queue, Locus::whole(place.clone()));
            message.signs.extend(one_letter::signs(entry.queue, &place));
            return Record::Message(Box::new(message));
        }
        let id = native_id(&name, entry.name);
        // The queue manager moves files while they are looked for, so one miss is not enough: `postsuper` looks twice too.
        let there = |id: &Text| {
            entry.root.came_across(Path::new(""), id.bytes())
                || self.has_message(entry.root, id)
                || self.has_message(entry.root, id)
        };
        if id.as_ref().is_some_and(there) {
            return Record::Passed;
        }
        match self.lone_log(entry, &name, id) {
            Ok(message) => Record::Message(Box::new(message)),
            Err(damage) => Record::Damage(damage),
        }
    }

    /// Whether the message of this ID is in any queue: where it belongs, else where it would be if its queue were hashed
    /// otherwise, else in the folder of another letter, where it was misfiled.
    fn has_message(&self, root: &Root, id: &Text) -> bool {
        MESSAGE_QUEUES.iter().any(|queue| root.exists(&self.layout.path(queue, id.bytes())))
            || MESSAGE_QUEUES
                .iter()
                .any(|queue| self.elsewhere(queue, id).iter().any(|path| root.exists(path)))
    }

    /// Where else in this queue the message may be. Only folders that are there are looked into.
    fn elsewhere(&self, queue: &str, id: &Text) -> Vec<PathBuf> {
        let canonical = self.layout.depth_of(queue);
        let mut paths = Vec::new();
        if canonical != 0 {
            paths.push(layout::path_at_depth(queue, id.bytes(), 0));
        }
        let Some((_, letters)) = self.hash_folders.iter().find(|(known, _)| *known == queue) else {
            return paths;
        };
        let deeper = (1..=layout::PLAUSIBLE_DEPTH).filter(|depth| *depth != canonical);
        paths.extend(deeper.map(|depth| layout::path_at_depth(queue, id.bytes(), depth)));
        let name = String::from_utf8_lossy(id.bytes());
        paths.extend(letters.iter().map(|letter| Path::new(queue).join(letter.to_string()).join(&*name)));
        paths
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
        // The bounce service appends when an attempt has failed, and nothing sets the time of a log by hand.
        message.times.push(Timed::mtime(TimeKind::LastAttempt, &file.stat));
        message.envelope.recipients = log.iter().map(defer_log::Entry::to_recipient).collect();
        message.parts.push(Part::file(PartKind::Side, entry.path, &file.stat));
        Ok(message)
    }
}
