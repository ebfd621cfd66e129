//! The files that belong to one message, looked for by name.

use super::layout::Layout;
use crate::evidence::{Part, PartKind, Stat, Text};
use crate::read::disk::{EntryKind, Root};
use std::path::{Path, PathBuf};

/// A file of a message.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Its path below the queue.
    pub path: PathBuf,
    /// Its metadata.
    pub stat: Stat,
}

impl Piece {
    /// The file of this message in this folder: beside the other half, or where it belongs.
    pub fn find(
        root: &Root,
        layout: &Layout,
        folder: &str,
        number: u64,
        beside: Option<&str>,
    ) -> Option<Self> {
        layout.likely(folder, number, beside).into_iter().find_map(|path| Self::at(root, path))
    }

    /// The same, in any numbered folder.
    pub fn search(root: &Root, layout: &Layout, folder: &str, number: u64) -> Option<Self> {
        layout.anywhere(folder, number).find_map(|path| Self::at(root, path))
    }

    fn at(root: &Root, path: PathBuf) -> Option<Self> {
        match root.stat(&path) {
            Ok((EntryKind::Regular, stat)) => Some(Self { path, stat }),
            _ => None,
        }
    }

    /// It as a part of a message.
    pub fn part(&self, kind: PartKind) -> Part {
        Part::file(kind, &self.path, &self.stat)
    }

    /// Its path as text.
    pub fn place(&self) -> Text {
        Text::from_path(&self.path)
    }
}

/// What there is of a message besides its content.
#[derive(Debug, Clone, Default)]
pub struct Pieces {
    /// The envelope in the making.
    pub intd: Option<Piece>,
    /// The envelope, not yet preprocessed.
    pub todo: Option<Piece>,
    /// The sender.
    pub info: Option<Piece>,
    /// Local recipients.
    pub local: Option<Piece>,
    /// Remote recipients.
    pub remote: Option<Piece>,
    /// Recipients that were given up.
    pub bounce: Option<Piece>,
}

/// The states of a message. Source: `INTERNALS.md` section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// S2: its content is being written, or nothing else is left of it.
    Content,
    /// S3: its envelope is being written.
    Envelope,
    /// S4: queued, and not yet preprocessed.
    Queued,
    /// S5: waiting for delivery.
    Preprocessed,
    /// No state of qmail: recipients or a bounce without a sender.
    Stripped,
}

impl Pieces {
    /// Looks for everything, in the order in which a message passes through its states, so that one on its way is not
    /// missed in all of them.
    pub fn of(root: &Root, layout: &Layout, number: u64, beside: Option<&str>) -> Self {
        let find = |folder: &str| Piece::find(root, layout, folder, number, beside);
        let mut pieces = Self {
            intd: find("intd"),
            todo: find("todo"),
            info: find("info"),
            local: find("local"),
            remote: find("remote"),
            bounce: find("bounce"),
        };
        // It may have moved on between two of these looks.
        if pieces.todo.is_none() && pieces.info.is_none() {
            pieces.todo = find("todo");
            pieces.info = find("info");
        }
        if pieces.todo.is_none() && pieces.info.is_none() {
            pieces.info = Piece::search(root, layout, "info", number);
        }
        pieces
    }

    /// The state of the message.
    pub fn state(&self) -> State {
        if self.todo.is_some() {
            State::Queued
        } else if self.info.is_some() {
            State::Preprocessed
        } else if self.local.is_some() || self.remote.is_some() || self.bounce.is_some() {
            State::Stripped
        } else if self.intd.is_some() {
            State::Envelope
        } else {
            State::Content
        }
    }

    /// The files with recipients.
    pub fn channels(&self) -> impl Iterator<Item = &Piece> {
        self.local.iter().chain(&self.remote)
    }

    /// All of them as parts of a message.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let envelope = [&self.todo, &self.intd, &self.info, &self.local, &self.remote];
        let envelope = envelope.into_iter().flatten().map(|piece| piece.part(PartKind::Envelope));
        envelope.chain(self.bounce.iter().map(|piece| piece.part(PartKind::Side)))
    }
}

/// The folder below the queue folder in which a file lies, if there is one: the `7` of `mess/7/11463706`.
pub fn part_of(path: &Path) -> Option<&str> {
    let parent = path.parent()?;
    parent.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    parent.file_name()?.to_str()
}
