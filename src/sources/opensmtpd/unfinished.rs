//! What lies in `incoming` and `temporary`: messages that are being received.
//!
//! The envelopes go to `incoming/ID/`, the content to `temporary/ID`; once the message is whole the content is moved to
//! `incoming/ID/message` and then the folder to `queue`. At start smtpd moves both folders to `purge` and removes what is in
//! them. Source: OpenSMTPD `queue_fs.c`, `queue_fs_message_create`, `queue_fs_message_commit`, `queue_fs_init`;
//! `queue_backend.c`, `queue_message_path`, `queue_init` (`mvpurge`).

use super::folder::{self, CONTENT, Folder};
use super::id;
use super::message::{Draft, Spool};
use super::queue::records;
use crate::evidence::{Damage, Fact, Locus, Record, Sign, Stat, Text};
use crate::read::disk::{EntryKind, Root};
use std::path::{Path, PathBuf};

/// The file in which an envelope is written anew before it takes the place of the old one (`PATH_EVPTMP`).
const ENVELOPE_BEING_WRITTEN: &[u8] = b"envelope.tmp";

/// Reads a file of `temporary` or `incoming`.
pub fn read(root: &Root, spool: &Spool, queue: &str, path: &Path) -> Vec<Record> {
    let name = id::last(path);
    let stat = match root.stat(path) {
        Ok((EntryKind::Regular, stat)) => stat,
        Ok(_) => return vec![Record::Passed],
        Err(error) => return vec![Record::Damage(root.refused(path, &error))],
    };
    if queue == "temporary" {
        return temporary(root, spool, path, stat);
    }
    let Some(parent) = path.parent().filter(|parent| *parent != Path::new("incoming")) else {
        return if name.bytes() == ENVELOPE_BEING_WRITTEN || stat.size == 0 {
            vec![Record::Passed]
        } else {
            half(root, spool, "incoming", path, None, Some(stat))
        };
    };
    let folder = id::last(parent);
    let message = id::message(folder.bytes()).map(str::to_owned);
    if name.bytes() == CONTENT.as_bytes() {
        return half(root, spool, "incoming", path, message.as_deref(), Some(stat));
    }
    let content_elsewhere = message.as_ref().is_some_and(|id| root.exists(&Path::new("temporary").join(id)));
    if content_elsewhere || root.exists(&parent.join(CONTENT)) || !folder::leads(root, path) {
        return vec![Record::Passed];
    }
    // While smtpd runs, a session that has named its recipients may wait for minutes before it sends the content; what a
    // dead smtpd left is older than the one that runs.
    if spool.live_since.is_some_and(|since| stat.modified >= since) {
        return vec![Record::Passed];
    }
    half(root, spool, "incoming", path, message.as_deref(), None)
}

fn temporary(root: &Root, spool: &Spool, path: &Path, stat: Stat) -> Vec<Record> {
    let name = id::last(path);
    if let Some(message) = id::message(name.bytes()) {
        return half(root, spool, "temporary", path, Some(message), Some(stat));
    }
    // `ID.comp` and `ID.enc` are made from `ID`, and take its place when they are done (`queue_message_commit`).
    let made_from = id::stem(name.bytes());
    let whole = made_from.is_some_and(|message| root.exists(&Path::new("temporary").join(message)));
    if whole || stat.size == 0 {
        return vec![Record::Passed];
    }
    half(root, spool, "temporary", path, made_from, Some(stat))
}

fn half(
    root: &Root,
    spool: &Spool,
    queue: &str,
    path: &Path,
    message: Option<&str>,
    content: Option<Stat>,
) -> Vec<Record> {
    let mut draft = Draft::new(root, spool, queue, path, message);
    let incoming: Option<PathBuf> = match queue {
        "temporary" => message.map(|id| Path::new("incoming").join(id)),
        _ => path.parent().map(Path::to_owned),
    };
    let listed: Result<Folder, Damage> = match (&incoming, message) {
        (Some(folder), Some(_)) => Folder::list(root, folder, message),
        _ => Ok(Folder::default()),
    };
    let folder = match listed {
        Ok(folder) => folder,
        Err(damage) if folder::is_gone(&damage) => Folder::default(),
        Err(damage) => return vec![Record::Damage(damage)],
    };
    if let Some(stat) = content {
        draft.content(path, stat);
    }
    draft.envelopes(&folder, false);
    let text = match (content, queue) {
        (None, _) => "envelopes without content: the session ended before the message was whole".to_owned(),
        (Some(stat), "temporary") => {
            format!("smtpd received {} bytes of it and did not come to commit it", stat.size)
        }
        (Some(stat), _) => format!(
            "its content, {} bytes, is whole: smtpd was stopped just before it put it into the queue",
            stat.size
        ),
    };
    draft.signs.certain(Sign::Unfinished, path, text);
    let text = match folder.count {
        1 => "1 envelope is there".to_owned(),
        count => format!("{count} envelopes are there"),
    };
    let place = incoming.unwrap_or_else(|| path.to_owned());
    draft.signs.note(&Fact::new(text, Locus::whole(Text::from_path(&place))));
    records(draft)
}
