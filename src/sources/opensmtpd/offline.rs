//! What lies in `offline`: mail that was handed to sendmail(1) while smtpd was down.
//!
//! smtpd looks there once, a second after it started. Source: OpenSMTPD `smtpd.c`, `offline_scan`, `offline_enqueue`;
//! `smtpctl.c`, `offline_file`; `enqueue.c`, `enqueue_offline`.

use super::arguments::{self, Arguments, MAX_LINE_BYTES};
use super::id;
use super::message::{Draft, MAX_HEADER_BYTES, Spool};
use super::queue::records;
use crate::evidence::{
    Confidence, Fact, Locus, Recipient, RecipientState, Record, Sign, Stat, Text, Time, Timed,
};
use crate::read::content::add_headers;
use crate::read::disk::{EntryKind, Root};
use std::path::Path;

/// Reads a file of `offline`.
pub fn read(root: &Root, spool: &Spool, path: &Path) -> Vec<Record> {
    let stat = match root.stat(path) {
        Ok((EntryKind::Regular, stat)) => stat,
        Ok(_) => return vec![Record::Passed],
        Err(error) => return vec![Record::Damage(root.refused(path, &error))],
    };
    let name = id::last(path);
    let native = String::from_utf8_lossy(name.bytes()).into_owned();
    let mut draft = Draft::new(root, spool, "offline", path, Some(&native));
    draft.content(path, stat);
    judge_place(&mut draft, spool, path, &stat);
    if let Some((kind, seconds)) = arguments::made(name.bytes()) {
        draft.message.times.push(Timed { kind, at: Time::from_unix(seconds), original: native.into() });
    }
    if stat.size == 0 {
        let text = "sendmail(1) left it empty, as when the disk was full; smtpd removes it at its next start";
        draft.signs.certain(Sign::EmptyFile, path, text);
        return records(draft);
    }
    let head = match root.open_file(path).map(|file| file.head(MAX_LINE_BYTES + MAX_HEADER_BYTES)) {
        Ok(Ok(head)) => head,
        Ok(Err(error)) => return vec![Record::Damage(root.refused(path, &error))],
        Err(damage) => {
            draft.refused = Some(damage);
            return records(draft);
        }
    };
    fill(&mut draft, path, &head);
    records(draft)
}

/// Files are taken only at depth 1, of the group of the folder, and with one name.
fn judge_place(draft: &mut Draft<'_>, spool: &Spool, path: &Path, stat: &Stat) {
    if path.parent() != Some(Path::new("offline")) {
        let expected = Path::new("offline").join(path.file_name().unwrap_or_default());
        let text = "smtpd takes only what lies in `offline` itself";
        draft.signs.certain(Sign::Misfiled { expected: Text::from_path(&expected) }, path, text);
    }
    let metadata = |text: String| Fact::new(text, Locus::metadata(Text::from_path(path)));
    if let Some(gid) = spool.offline_gid.filter(|gid| *gid != stat.gid) {
        let text =
            format!("its group is {}: smtpd takes only files of the group of the folder, {gid}", stat.gid);
        draft.signs.add(Sign::OwnerOrMode, Confidence::Certain, path, vec![metadata(text)]);
    }
    if stat.links > 1 {
        let text = format!("it has {} names: smtpd refuses a file with more than one", stat.links);
        draft.signs.add(Sign::OwnerOrMode, Confidence::Certain, path, vec![metadata(text)]);
    }
}

fn fill(draft: &mut Draft<'_>, path: &Path, head: &[u8]) {
    let end = memchr::memchr(b'\n', head);
    let line = head.get(..end.unwrap_or(head.len())).unwrap_or_default();
    let read = Arguments::parse(line);
    let message = &mut draft.message;
    message.envelope.sender = read.sender;
    let pending = |address| Recipient { address, state: RecipientState::Pending, reason: None };
    message.envelope.recipients = read.recipients.into_iter().map(pending).collect();
    if read.count > message.envelope.recipients.len() as u64 {
        message.envelope.recipient_count = Some(read.count);
    }
    message.attributes.push(("sendmail-arguments".into(), Text::new(line)));
    let Some(end) = end else {
        let text = "the line of arguments with which it begins has no end: sendmail(1) did not finish it, and smtpd leaves it lying";
        draft.signs.certain(Sign::Unfinished, path, text);
        return;
    };
    let body = head.get(end + 1..).unwrap_or_default();
    add_headers(&mut draft.message, body.get(..MAX_HEADER_BYTES.min(body.len())).unwrap_or_default());
    if draft.signs.is_empty() {
        let text = "handed to sendmail(1) while smtpd was down; it said that it failed (exit code 75), and yet kept the mail";
        draft.signs.certain(Sign::Unclaimed, path, text);
    }
}
