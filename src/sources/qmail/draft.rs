//! A message that is being put together from its files.

use super::bounce_log;
use super::envelope::{Envelope, Kind};
use super::message::Entry;
use super::pieces::{Piece, Pieces};
use crate::evidence::{
    Confidence, Damage, DamageKind, Fact, Locus, Message, PartKind, Recipient, Sign, Signed, Text, TimeKind,
    Timed,
};
use crate::read::disk::Root;
use crate::sources::Fault;
use std::collections::HashMap;

/// A message that is being put together.
pub struct Draft {
    /// The message.
    pub message: Message,
    /// Its envelope so far.
    pub envelope: Envelope,
    /// Files of it that could not be read.
    pub damages: Vec<Damage>,
}

impl Draft {
    /// A message of which only one file is known.
    pub fn new(entry: Entry<'_>, number: Option<u64>, piece: &Piece, kind: PartKind) -> Self {
        let mut message = Message::at(entry.folder, Locus::whole(piece.place()));
        message.ids.native = number.map(|number| Text::from(number.to_string()));
        message.parts.push(piece.part(kind));
        Self { message, envelope: Envelope::default(), damages: Vec::new() }
    }

    /// Reads an envelope file; one that went away meanwhile was finished with.
    pub fn read(&mut self, root: &Root, piece: &Piece, kind: Kind) -> Vec<Fault> {
        let read = root.open_file(&piece.path).and_then(|file| {
            let failed = |error: std::io::Error| root.refused(&piece.path, &error);
            file.reader().and_then(|input| self.envelope.read(kind, input)).map_err(failed)
        });
        match read {
            Ok(faults) => faults,
            Err(damage) => {
                if damage.kind != DamageKind::Vanished {
                    self.damages.push(damage);
                }
                Vec::new()
            }
        }
    }

    /// Makes a sign of what is wrong with its envelope files.
    pub fn damaged(&mut self, faults: &[(&Piece, Fault)]) {
        let certain = faults.iter().position(|(_, fault)| fault.confidence == Confidence::Certain);
        let at = certain.unwrap_or(0);
        let Some((_, leading)) = faults.get(at) else { return };
        let fact = |(piece, fault): &(&Piece, Fault)| {
            let text = format!("`{}`: {}", piece.path.display(), fault.text);
            Fact::new(text, Locus::bytes(piece.place(), fault.start, fault.end))
        };
        let mut facts: Vec<Fact> = faults.iter().skip(at).take(1).map(fact).collect();
        let recipients = match self.envelope.count {
            0 => "none of its recipients".to_owned(),
            1 => "one recipient".to_owned(),
            count => format!("{count} recipients"),
        };
        let text = format!("can still be read: {recipients}");
        facts.push(Fact::new(text, self.message.place.clone()));
        facts.extend(
            faults.iter().enumerate().filter(|(index, _)| *index != at).map(|(_, fault)| fact(fault)),
        );
        let sign = Sign::Corrupt { offset: leading.start };
        self.message.signs.push(Signed { sign, confidence: leading.confidence, facts });
    }

    /// The message.
    pub fn finish(mut self) -> Message {
        if self.envelope.count > self.envelope.recipients.len() as u64 {
            self.message.envelope.recipient_count = Some(self.envelope.count);
        }
        self.message.envelope.sender = self.envelope.sender;
        self.message.envelope.recipients.append(&mut self.envelope.recipients);
        self.message.attributes.append(&mut self.envelope.attributes);
        self.message
    }

    /// Gives each recipient in the bounce log its reason. One that is in no list any more is added: it is done with.
    pub fn add_bounces(&mut self, root: &Root, pieces: &Pieces) {
        let Some(bounce) = &pieces.bounce else { return };
        let Ok(file) = root.open_file(&bounce.path) else { return };
        let Ok(bytes) = file.head(bounce_log::MAX_LOG_BYTES) else { return };
        let mut told: HashMap<Text, Recipient> = bounce_log::parse(&bytes)
            .into_iter()
            .map(|recipient| (recipient.address.clone(), recipient))
            .collect();
        for recipient in &mut self.envelope.recipients {
            if let Some(bounced) = told.remove(&recipient.address) {
                recipient.reason = bounced.reason;
            }
        }
        let mut rest: Vec<Recipient> = told.into_values().collect();
        rest.sort_by(|one, other| one.address.cmp(&other.address));
        self.envelope.count += rest.len() as u64;
        self.envelope.recipients.append(&mut rest);
    }
}

/// The modification time of a file, with this meaning.
pub fn modified(kind: TimeKind, piece: &Piece) -> Timed {
    let at = piece.stat.modified;
    Timed { kind, at, original: format!("mtime of {} {}", piece.path.display(), at.rfc3339()).into() }
}
