//! What lies in `queue`, and in the `corrupt` of old versions.

use super::folder::{self, CONTENT, Folder};
use super::id;
use super::message::{Draft, Spool};
use super::stray;
use crate::evidence::{Confidence, Damage, Fact, Locus, Record, Sign, Text};
use crate::read::disk::{EntryKind, Root};
use std::path::{Path, PathBuf};

/// Reads a file of `queue` or `corrupt`.
pub fn read(root: &Root, spool: &Spool, queue: &str, path: &Path) -> Vec<Record> {
    let name = id::last(path);
    if name.bytes() == CONTENT.as_bytes() {
        content(root, spool, queue, path)
    } else if let Some((envelope, message)) = id::envelope(name.bytes()) {
        self::envelope(root, spool, queue, path, (envelope, message))
    } else if queue == "corrupt" {
        vec![Record::Passed]
    } else {
        stray::read(root, spool, queue, path)
    }
}

/// A content file speaks for its message.
fn content(root: &Root, spool: &Spool, queue: &str, path: &Path) -> Vec<Record> {
    let Some(parent) = path.parent() else { return vec![Record::Passed] };
    let folder_name = id::last(parent);
    let named = match queue {
        // An ID that was set aside twice has a number behind it.
        "corrupt" => id::message(folder_name.bytes()).or_else(|| id::stem(folder_name.bytes())),
        _ => id::message(folder_name.bytes()),
    };
    let listed = Folder::list(root, parent, named);
    let stat = match root.stat(path) {
        Ok((EntryKind::Regular, stat)) => stat,
        Ok(_) => return vec![Record::Passed],
        Err(error) => return vec![Record::Damage(root.refused(path, &error))],
    };
    let folder = match listed {
        Ok(folder) => folder,
        Err(damage) => return vec![Record::Damage(damage)],
    };
    let mut draft = Draft::new(root, spool, queue, path, folder.id.as_deref());
    draft.content(path, stat);
    if queue == "corrupt" {
        let text = "smtpd set it aside as damaged, and never looks into `corrupt` again";
        draft.signs.certain(Sign::Corrupt { offset: 0 }, path, text);
        draft.envelopes(&folder, false);
        return records(draft);
    }
    place_signs(&mut draft, path, folder.id.as_deref());
    folder_signs(&mut draft, root, spool, parent);
    draft.envelopes(&folder, true);
    if let Some(fact) = spool.reader.refused_file(path, &stat) {
        let mut facts = vec![fact, spool.reader.fact.clone()];
        facts.push(Fact::new(
            "this is the content: the envelopes are listed, and every attempt fails for want of it",
            Locus::whole(Text::from_path(path)),
        ));
        draft.signs.add(Sign::OwnerOrMode, Confidence::Certain, path, facts);
    }
    if stat.size == 0 {
        let text = "the content has no bytes: the envelopes are listed, and an empty message would be sent";
        let fact = Fact::new(text, Locus::metadata(Text::from_path(path)));
        draft.signs.add(Sign::EmptyFile, Confidence::Certain, path, vec![fact]);
    }
    if folder.count == 0 {
        draft.signs.certain(Sign::EnvelopeLost, path, lost_envelopes(folder.strays));
    }
    records(draft)
}

fn lost_envelopes(strays: u64) -> String {
    let others = match strays {
        0 => String::new(),
        1 => "; 1 file of another name lies beside it".to_owned(),
        more => format!("; {more} files of other names lie beside it"),
    };
    format!(
        "there is no envelope in its folder, so that smtpd finds nothing to deliver at its next start{others}"
    )
}

/// An envelope speaks only where there is no content, or where it lies in the folder of another message.
fn envelope(
    root: &Root,
    spool: &Spool,
    queue: &str,
    path: &Path,
    (name, message): (&str, &str),
) -> Vec<Record> {
    let Some(parent) = path.parent() else { return vec![Record::Passed] };
    let own_folder = id::last(parent);
    let elsewhere = id::message(own_folder.bytes()).is_some_and(|folder| folder != message);
    if queue == "queue" && elsewhere {
        return misplaced(root, spool, path, (name, message));
    }
    if root.exists(&parent.join(CONTENT)) || !folder::leads(root, path) {
        return vec![Record::Passed];
    }
    let folder = match Folder::list(root, parent, Some(message)) {
        Ok(folder) => folder,
        Err(damage) => return vec![Record::Damage(damage)],
    };
    let mut draft = Draft::new(root, spool, queue, path, Some(message));
    if queue == "corrupt" {
        let text = "smtpd set it aside as damaged, and never looks into `corrupt` again";
        draft.signs.certain(Sign::Corrupt { offset: 0 }, path, text);
        draft.envelopes(&folder, false);
        return records(draft);
    }
    let text =
        "there is no file `message` in its folder: smtpd lists it, and every attempt fails until it expires";
    draft.signs.certain(Sign::BodyLost, path, text);
    place_signs(&mut draft, path, Some(message));
    folder_signs(&mut draft, root, spool, parent);
    draft.envelopes(&folder, true);
    records(draft)
}

/// An envelope in the folder of another message: at start smtpd takes the ID from its name, and looks for it elsewhere.
fn misplaced(root: &Root, spool: &Spool, path: &Path, (name, message): (&str, &str)) -> Vec<Record> {
    let expected = id::folder(message).join(name);
    let mut draft = Draft::new(root, spool, "queue", path, Some(message));
    let text = format!(
        "it lies in the folder of another message; smtpd looks for it at `{}` only",
        expected.display()
    );
    draft.signs.certain(Sign::Misfiled { expected: Text::from_path(&expected) }, path, text);
    let alone = Folder {
        path: path.parent().unwrap_or(path).to_owned(),
        id: Some(message.to_owned()),
        envelopes: vec![name.to_owned()],
        count: 1,
        strays: 0,
    };
    draft.envelopes(&alone, true);
    records(draft)
}

/// smtpd computes the folder of a message from its ID (`queue_fs.c`, `fsqueue_message_path`).
fn place_signs(draft: &mut Draft<'_>, path: &Path, message: Option<&str>) {
    let Some(message) = message else {
        let text = "neither its folder nor an envelope in it is named by a message ID";
        draft.signs.certain(Sign::ForeignName, path, text);
        return;
    };
    let expected: PathBuf = id::folder(message);
    if path.parent() != Some(expected.as_path()) {
        let text = format!("smtpd looks for this message at `{}` only", expected.display());
        let expected = path.file_name().map(|name| expected.join(name)).unwrap_or_default();
        draft.signs.certain(Sign::Misfiled { expected: Text::from_path(&expected) }, path, text);
    }
}

/// The folder of the message, and its bucket, must be open to smtpd.
fn folder_signs(draft: &mut Draft<'_>, root: &Root, spool: &Spool, folder: &Path) {
    for path in folder.ancestors().take(2).filter(|path| path.components().count() > 1) {
        let Ok((EntryKind::Directory, stat)) = root.stat(path) else { continue };
        if let Some(fact) = spool.reader.refused_folder(path, &stat) {
            let facts = vec![fact, spool.reader.fact.clone()];
            draft.signs.add(Sign::OwnerOrMode, Confidence::Certain, path, facts);
        }
    }
}

/// The message, and what ghostq itself was refused while it was read.
pub fn records(mut draft: Draft<'_>) -> Vec<Record> {
    let refused: Option<Damage> = draft.refused.take();
    let message = Record::Message(Box::new(draft.finish()));
    std::iter::once(message).chain(refused.map(Record::Damage)).collect()
}
