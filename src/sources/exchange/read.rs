//! One file of a mailroot: to which folder it belongs, and who reads it.

use super::layout::{Folder, FolderKind};
use super::names::{self, NameKind};
use super::queue::{self, StreamsSeen};
use super::{badmail, pickup};
use crate::evidence::{
    Damage, DamageKind, Fact, Ids, Locus, Message, Part, PartKind, Record, Sign, Signed, Text, TimeKind,
    Timed,
};
use crate::read::disk::{EntryKind, Root, not_regular};
use crate::read::streams;
use crate::sources::{Emit, Unit};
use std::path::{Component, Path, PathBuf};

/// What is known about a mailroot before its files are read.
#[derive(Debug)]
pub struct State {
    /// The folders.
    pub folders: Vec<Folder>,
    /// Whether streams survived the way to this machine.
    pub streams: StreamsSeen,
    /// Whether files are read to their end.
    pub deep: bool,
}

/// What came of a file: a message, nothing of interest, or damage.
pub type Outcome = Result<Option<Message>, Damage>;

/// Reads one file. Each gives one record, so that it makes no difference whether more are wanted.
pub fn unit(state: &State, unit: Unit<'_>, emit: &mut Emit<'_>) {
    let path: PathBuf = unit.path.components().filter(|part| *part != Component::CurDir).collect();
    let outcome = match unit.kind {
        EntryKind::Directory => Ok(None),
        EntryKind::Symlink | EntryKind::Special => Err(not_regular(&path, unit.kind)),
        EntryKind::Regular | EntryKind::Unknown => regular(state, unit.root, &path),
    };
    let _wanted = emit(match outcome {
        Ok(Some(message)) => Record::Message(Box::new(message)),
        Ok(None) => Record::Passed,
        Err(damage) => Record::Damage(damage),
    });
}

fn regular(state: &State, root: &Root, path: &Path) -> Outcome {
    let parent = path.parent().unwrap_or(Path::new(""));
    let Some(folder) = state.folders.iter().find(|folder| folder.path == parent) else {
        return Err(Damage::new(
            DamageKind::Limit,
            Locus::whole(Text::from_path(path)),
            "it lies in a folder within a mail folder, where the SMTP service neither puts nor takes mail",
            "if it is mail, name that folder itself: `ghostq scan --source exchange FOLDER`",
        ));
    };
    if names::kind_of(path) == NameKind::StreamFile {
        return stream_file(root, folder, path);
    }
    match folder.kind {
        FolderKind::Queue | FolderKind::QueueAside => queue::read(state, root, folder, path),
        FolderKind::Badmail => badmail::read(state, root, folder, path),
        FolderKind::Pickup | FolderKind::Replay | FolderKind::Drop | FolderKind::Temporary => {
            pickup::read(state, root, folder, path)
        }
        FolderKind::Database => Ok(None),
    }
}

/// A stream that lies here as a file belongs to its message, which reports it; without its message it is all there is.
fn stream_file(root: &Root, folder: &Folder, path: &Path) -> Outcome {
    let name = path.file_name().map(|name| Text::from_path(Path::new(name))).unwrap_or_default();
    let Some((file, suffix)) = streams::split_colon_name(name.bytes()) else { return Ok(None) };
    let file = Text::new(file);
    if root.exists(&path.with_file_name(file.to_path())) {
        return readable(root, path).map(|()| None);
    }
    let stream = streams::beside(&root.open_file(path)?, path, suffix);
    if streams::is_bystander(&stream.name) {
        return Ok(None);
    }
    let place = Locus::whole(Text::from_path(path));
    let mut message = Message::at(folder.label.clone(), place.clone());
    message.ids = Ids { native: Some(file.clone()), message_id: None };
    super::eml::add_stream(&mut message, &stream);
    add_modified(&mut message);
    let text = format!("a named stream of `{}` lies here and that file does not", file.lossy());
    let envelope = matches!(folder.kind, FolderKind::Queue | FolderKind::QueueAside);
    let sign = if envelope { Sign::BodyLost } else { Sign::SideFileAlone };
    message.signs.push(Signed::likely(sign, Fact::new(text, place)));
    Ok(Some(message))
}

/// Adds a file that belongs to a message, with its hash. If it cannot be read the message is still worth having; the file's
/// own turn reports the damage (see [`readable`]).
pub fn side_file(message: &mut Message, root: &Root, path: &Path, kind: PartKind) {
    if let Err(damage) = add_side_file(message, root, path, kind) {
        let name = names::extension_upper(path);
        message.attributes.push((format!("{name} not read").into(), damage.what.into()));
    }
}

/// A file that another one reports is only looked at for whether it can be read.
pub fn readable(root: &Root, path: &Path) -> Result<(), Damage> {
    root.open_file(path).map(drop)
}

/// When a side file was last changed is all that is known of its time.
pub fn add_modified(message: &mut Message) {
    if let Some(stat) = message.stat() {
        let at = stat.modified;
        message.times.push(Timed { kind: TimeKind::Modified, at, original: at.rfc3339().into() });
    }
}

fn add_side_file(message: &mut Message, root: &Root, path: &Path, kind: PartKind) -> Result<(), Damage> {
    let file = root.open_file(path)?;
    let refused = |error| root.refused(path, &error);
    let digest = streams::digest(file.reader().map_err(refused)?, file.stat.size).map_err(refused)?;
    let name = names::extension_upper(path);
    let (sha256, addresses) = digest.map_or((None, Vec::new()), |(hash, seen)| (Some(hash), seen));
    if sha256.is_none() {
        let text = format!("{} bytes, too large to be hashed", file.stat.size);
        message.attributes.push((format!("{name} not read").into(), text.into()));
    }
    let (locus, size) = (Locus::whole(Text::from_path(path)), Some(file.stat.size));
    message.parts.push(Part { kind, locus, size, sha256, stat: Some(file.stat) });
    if kind == PartKind::OpaqueStream {
        super::eml::seen(message, &name, &addresses);
    }
    Ok(())
}
