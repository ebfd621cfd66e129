//! Files in `queue` whose name is none of smtpd's.

use super::coding::Coding;
use super::envelope::Envelope;
use super::folder::CONTENT;
use super::id;
use super::message::{Draft, Spool};
use super::queue::records;
use crate::evidence::{Confidence, Fact, Locus, Part, PartKind, Record, Sign, Text};
use crate::read::disk::{EntryKind, Root};
use crate::read::mime;
use std::path::Path;

/// How much is looked at to tell what it is.
const HEAD_BYTES: usize = 16 << 10;
/// What NFS clients call a file that was removed while it was open.
const REMOVED_ON_NFS: &[u8] = b".nfs";

/// Reads such a file.
pub fn read(root: &Root, spool: &Spool, queue: &str, path: &Path) -> Vec<Record> {
    let name = id::last(path);
    let Ok((EntryKind::Regular, stat)) = root.stat(path) else { return vec![Record::Passed] };
    if name.bytes().starts_with(REMOVED_ON_NFS) {
        return vec![Record::Passed];
    }
    let head = match root.open_file(path).map(|file| file.head(HEAD_BYTES)) {
        Ok(Ok(head)) => head,
        Ok(Err(error)) => return vec![Record::Damage(root.refused(path, &error))],
        Err(damage) => return vec![Record::Damage(damage)],
    };
    let envelope = Envelope::parse(&head);
    let is_envelope = envelope.fault.is_none() && Coding::of(&head) == Coding::Plain;
    let is_mail = !is_envelope && mime::headers(&head).body_at.is_some();
    // A healthy message may lie beside it, and is another one as far as a listing goes.
    let beside_content = path.parent().is_some_and(|folder| root.exists(&folder.join(CONTENT)));
    let native = id::stem(name.bytes()).filter(|_| !beside_content);
    let mut draft = Draft::new(root, spool, queue, path, native);
    let (kind, what, confidence) = match (is_envelope, is_mail) {
        (true, _) => (PartKind::Envelope, "; its content is an envelope", Confidence::Certain),
        (_, true) => (PartKind::Content, "; its content is a message", Confidence::Certain),
        _ => (PartKind::Whole, "; what it is cannot be told", Confidence::Likely),
    };
    draft.message.size = Some(stat.size);
    draft.message.parts.push(Part::file(kind, path, &stat));
    let text = format!(
        "smtpd knows only folders of 2 and of 8 figures, files of 16, and `message`: all else it passes over{what}"
    );
    let fact = Fact::new(text, Locus::whole(Text::from_path(path)));
    draft.signs.add(Sign::ForeignName, confidence, path, vec![fact]);
    if is_envelope {
        draft.take(&envelope);
    }
    records(draft)
}
