//! Looking for a message that may have been handed in: by the trace field that ghostq put on top of it.

use crate::read::disk::{EntryKind, Root};
use memchr::memmem;
use std::path::{Path, PathBuf};

/// The header of a message lies in the first part of the file that holds it.
const HEAD: usize = 256 << 10;
/// Files that are looked into; a spool that holds more cannot be searched in a reasonable time, and the question stays open.
const MAX_FILES: usize = 2_000_000;
/// Folders within folders.
const MAX_DEPTH: usize = 8;
/// Files with the mark that are of interest: a message has one or two.
const MAX_FOUND: usize = 16;

/// Looks for any of these marks in the files below a folder: their paths below it.
///
/// # Errors
/// When the folder cannot be opened.
pub fn seek(folder: &Path, marks: &[&str]) -> std::io::Result<Vec<PathBuf>> {
    let root = Root::open(folder)?;
    let finders: Vec<_> = marks.iter().map(|mark| memmem::Finder::new(mark.as_bytes())).collect();
    let mut waiting = vec![(PathBuf::from("."), 0)];
    let mut found = Vec::new();
    let mut seen = 0;
    while let Some((folder, depth)) = waiting.pop() {
        let Ok(names) = root.list(&folder) else { continue };
        for (name, kind) in names.flatten() {
            let path = if folder == Path::new(".") { name } else { folder.join(name) };
            let kind = match kind {
                EntryKind::Unknown => root.stat(&path).map_or(kind, |(kind, _)| kind),
                known => known,
            };
            match kind {
                EntryKind::Directory if depth < MAX_DEPTH => waiting.push((path, depth + 1)),
                EntryKind::Regular => {
                    seen += 1;
                    let head = root.open_file(&path).ok().and_then(|open| open.head(HEAD).ok());
                    if head.is_some_and(|head| finders.iter().any(|finder| finder.find(&head).is_some())) {
                        found.push(path);
                    }
                }
                _ => {}
            }
            if seen >= MAX_FILES || found.len() >= MAX_FOUND {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// Whether a file with the mark shows that the mail system took the message, and is not what was left of an attempt: a mail system
/// that was stopped while it took a message leaves a part of it, which it never delivers. Where the layout does not tell for
/// certain (Courier, and whatever is not known here), it is no.
///
/// `ended`: whether the command that took it came to its end by itself.
pub fn is_finished(source: &str, folder: &Path, path: &Path, ended: bool) -> bool {
    let Ok(root) = Root::open(folder) else { return false };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let first = path.components().next().map(|first| first.as_os_str().to_string_lossy());
    let in_folder = |names: &[&str]| first.as_ref().is_some_and(|first| names.contains(&first.as_ref()));
    match source {
        // Until a queue file is whole, its owner may not execute it (`global/mail_stream.c`, `mail_stream_finish`: S_IXUSR).
        "postfix" => {
            in_folder(&["maildrop", "incoming", "active", "deferred", "hold"])
                && root.stat(path).is_ok_and(|(_, stat)| stat.mode & 0o100 != 0)
        }
        // The body is written first, and the header under another name before it is renamed (`spool_out.c`, `spool_write_header`).
        "exim" => name.ends_with("-H"),
        // The header lies in the control file, which is `tf` until it is whole (`queue.c`, `queueup`).
        "sendmail" => ["qf", "hf"].iter().any(|kind| name.starts_with(kind)),
        // From `incoming` it is moved once it is whole (`queue_fs.c`, `queue_fs_message_commit`); into `offline` sendmail(1) writes
        // for a daemon that does not run, and nothing shows whether it came to the end (`enqueue.c`, `offline_file`).
        "opensmtpd" => in_folder(&["queue"]) || (ended && in_folder(&["offline"])),
        // From `tmp` it is linked once it is whole (`queue.cc`, `deliver`).
        "nullmailer" => in_folder(&["queue"]),
        // The content comes before the envelope (`spool.c`, `linkspool`).
        "dma" => name.strip_prefix('M').is_some_and(|id| root.exists(&path.with_file_name(format!("Q{id}")))),
        // `qmail-queue.c`: a message is queued once its number is in `todo`; qmail-send then writes `info`.
        "qmail" => {
            let split = path.parent().and_then(Path::file_name).unwrap_or_default();
            let number = Path::new(name.as_ref());
            let places = [
                Path::new("todo").join(number),
                Path::new("todo").join(split).join(number),
                Path::new("info").join(split).join(number),
            ];
            in_folder(&["mess"]) && places.iter().any(|place| root.exists(place))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_being_written_was_not_taken() {
        let spool = tempfile::tempdir().unwrap();
        for path in ["tmp/1072", "tmp_fAk3s0", "temporary/5/m", "tmp/179567/D1", "queue/1795672705.38"] {
            let path = spool.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "Received: by a\n\tid ghostq-1-2;\n").unwrap();
        }
        assert!(seek(spool.path(), &["ghostq-1-1;"]).unwrap().is_empty());
        let found = seek(spool.path(), &["ghostq-1-2;"]).unwrap();
        assert_eq!(found.len(), 5);
        for source in ["nullmailer", "dma", "opensmtpd", "courier"] {
            let finished: Vec<_> =
                found.iter().filter(|path| is_finished(source, spool.path(), path, true)).collect();
            let is_queue = source == "nullmailer" || source == "opensmtpd";
            assert_eq!(
                finished,
                if is_queue { vec![Path::new("queue/1795672705.38")] } else { vec![] },
                "{source}"
            );
        }
    }
}
