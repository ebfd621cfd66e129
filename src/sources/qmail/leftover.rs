//! Files of messages outside `mess`: of no interest while their message is there, evidence of it otherwise.

use super::draft::{Draft, modified};
use super::envelope::Kind;
use super::message::{Entry, Outcome, Queue, piece_of};
use super::name;
use super::pieces::{Piece, Pieces, part_of};
use crate::evidence::{Confidence, Damage, Fact, Locus, PartKind, Sign, Signed, TimeKind};
use crate::read::disk::Root;

impl Queue {
    /// Reads a file that is not in `mess`.
    ///
    /// # Errors
    /// [`Damage`] if it cannot be looked at.
    pub fn leftover(&self, entry: Entry<'_>, damages: &mut Vec<Damage>) -> Result<Outcome, Damage> {
        if entry.folder == "pid" {
            return self.temporary(entry);
        }
        let piece = piece_of(entry)?;
        let Some(number) = name::number(entry.name) else {
            return Ok(Outcome::Message(Box::new(self.stray(entry, &piece))));
        };
        let part = part_of(entry.path);
        if self.has_other_half(entry, number, part) {
            return Ok(Outcome::Passed);
        }
        if matches!(entry.folder, "intd") && self.is_young(&piece) {
            return Ok(Outcome::Passed);
        }
        // Numbers are used again at once: what is gone by now was of a message that was finished with.
        let piece = piece_of(Entry { path: &piece.path, ..entry })?;
        if self.has_other_half(entry, number, part) {
            return Ok(Outcome::Passed);
        }
        let mut draft = Draft::new(entry, Some(number), &piece, PartKind::Envelope);
        match entry.folder {
            "info" => self.lone_info(&mut draft, entry.root, number, &piece, part),
            "todo" => self.lone_todo(&mut draft, entry.root, &piece),
            "intd" => lone_intd(&mut draft, entry.root, &piece),
            _ => self.lone_list(&mut draft, entry, &piece),
        }
        damages.append(&mut draft.damages);
        Ok(Outcome::Message(Box::new(draft.finish())))
    }

    /// Whether a file exists under which this one is reported.
    fn has_other_half(&self, entry: Entry<'_>, number: u64, part: Option<&str>) -> bool {
        let find = |folder: &str| Piece::find(entry.root, &self.layout, folder, number, part).is_some();
        let others: &[&str] = match entry.folder {
            "todo" => &["mess"],
            "info" | "intd" => &["mess", "todo"],
            _ => &["mess", "info", "todo"],
        };
        others.iter().any(|folder| find(folder))
            || Piece::search(entry.root, &self.layout, "mess", number).is_some()
    }

    fn lone_info(&self, draft: &mut Draft, root: &Root, number: u64, info: &Piece, part: Option<&str>) {
        let find = |folder: &str| Piece::find(root, &self.layout, folder, number, part);
        let pieces = Pieces {
            local: find("local"),
            remote: find("remote"),
            bounce: find("bounce"),
            ..Pieces::default()
        };
        draft.message.parts.extend(pieces.parts());
        // That there is no content is worse than whatever is wrong with these.
        let _faults = draft.read(root, info, Kind::Info);
        for list in pieces.channels() {
            let _faults = draft.read(root, list, Kind::Channel);
        }
        let text = "qmail would send it from `mess`, and there is no such file: its content is lost";
        self.body_lost(draft, info, text);
        if let Some(signed) = part
            .filter(|part| !self.layout.split.fits(number, part))
            .and_then(|_| self.misfiled(number, info))
        {
            draft.message.signs.push(signed);
        }
        draft.message.times.push(modified(TimeKind::Arrival, info));
        draft.message.times.extend(self.attempts(&pieces));
        draft.add_bounces(root, &pieces);
    }

    fn lone_todo(&self, draft: &mut Draft, root: &Root, todo: &Piece) {
        let faults = draft.read(root, todo, Kind::Todo);
        self.body_lost(draft, todo, "it is queued, and its content in `mess` is not there");
        let faults: Vec<_> = faults.into_iter().map(|fault| (todo, fault)).collect();
        draft.damaged(&faults);
        draft.message.times.push(modified(TimeKind::Created, todo));
    }

    fn body_lost(&self, draft: &mut Draft, piece: &Piece, text: &str) {
        let confidence = self.unless_missing("mess", Confidence::Certain);
        let facts = vec![Fact::new(text, Locus::whole(piece.place()))];
        draft.message.signs.push(Signed { sign: Sign::BodyLost, confidence, facts });
    }

    /// Recipients or a bounce without sender and content: a note of a message that is gone.
    fn lone_list(&self, draft: &mut Draft, entry: Entry<'_>, piece: &Piece) {
        let text = "there is no message of this number: neither `mess` nor `info` nor `todo` has it";
        let mut pieces = Pieces::default();
        if entry.folder == "bounce" {
            pieces.bounce = Some(piece.clone());
            draft.add_bounces(entry.root, &pieces);
        } else {
            let _faults = draft.read(entry.root, piece, Kind::Channel);
        }
        let confidence = self.unless_missing("mess", self.unless_missing("info", Confidence::Certain));
        let facts = vec![Fact::new(text, Locus::whole(piece.place()))];
        draft.message.signs.push(Signed { sign: Sign::SideFileAlone, confidence, facts });
        draft.message.times.push(modified(TimeKind::Modified, piece));
        if let Some(part) = draft.message.parts.first_mut() {
            part.kind = PartKind::Side;
        }
    }

    /// A file whose name is no number, where names of messages should be: in `todo` it may be mail, elsewhere it is a copy
    /// of some part.
    fn stray(&self, entry: Entry<'_>, piece: &Piece) -> crate::evidence::Message {
        if matches!(entry.folder, "todo" | "intd") {
            return self.foreign(entry, piece, PartKind::Envelope);
        }
        let mut draft = Draft::new(entry, name::stem(entry.name), piece, PartKind::Side);
        let text = "its name is no number, so that it belongs to no message";
        let fact = Fact::new(text, Locus::whole(piece.place()));
        draft.message.signs.push(Signed::certain(Sign::SideFileAlone, fact));
        draft.message.times.push(modified(TimeKind::Modified, piece));
        draft.finish()
    }

    /// A file that qmail-queue made to get a number from its inode, and did not come to link into `mess`.
    fn temporary(&self, entry: Entry<'_>) -> Result<Outcome, Damage> {
        let piece = piece_of(entry)?;
        if self.is_young(&piece) {
            return Ok(Outcome::Passed);
        }
        let mut draft = Draft::new(entry, None, &piece, PartKind::Content);
        let fact = |text: String| Fact::new(text, Locus::whole(piece.place()));
        let text = if piece.stat.size == 0 {
            "qmail-queue made it to get a number, and got no further: there is no mail in it yet"
        } else {
            "qmail-queue made it to get a number, and did not take its name away"
        };
        draft.message.signs.push(Signed::certain(Sign::Unfinished, fact(text.to_owned())));
        if let Some(pid) = name::process(entry.name) {
            let text = format!("it was made by process {pid}");
            draft.message.signs.push(Signed::certain(Sign::OwnedByProcess { pid }, fact(text)));
        }
        draft.message.size = Some(piece.stat.size);
        draft.message.times.push(modified(TimeKind::Created, &piece));
        Ok(Outcome::Message(Box::new(draft.finish())))
    }
}

fn lone_intd(draft: &mut Draft, root: &Root, intd: &Piece) {
    // It ends where qmail-queue was when it died; that is no damage.
    let _faults = draft.read(root, intd, Kind::Todo);
    let text = "an envelope that was begun, without content in `mess` and not put into `todo`";
    let fact = Fact::new(text, Locus::whole(intd.place()));
    draft.message.signs.push(Signed::certain(Sign::Unfinished, fact));
    draft.message.times.push(modified(TimeKind::Created, intd));
}
