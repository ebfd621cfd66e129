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

/// Looks for a mark in the files below a folder: the path of the first that holds it.
///
/// # Errors
/// When the folder cannot be opened.
pub fn seek(folder: &Path, mark: &str) -> std::io::Result<Option<PathBuf>> {
    let root = Root::open(folder)?;
    let finder = memmem::Finder::new(mark.as_bytes());
    let mut waiting = vec![(PathBuf::from("."), 0)];
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
                EntryKind::Regular if is_in_making(&path) => {}
                EntryKind::Regular => {
                    seen += 1;
                    let head = root.open_file(&path).ok().and_then(|open| open.head(HEAD).ok());
                    if head.is_some_and(|head| finder.find(&head).is_some()) {
                        return Ok(Some(path));
                    }
                }
                _ => {}
            }
            if seen >= MAX_FILES {
                return Ok(None);
            }
        }
    }
    Ok(None)
}

/// Whether a mail system writes here what it has not accepted yet: nullmailer-queue and Courier's submit below `tmp`
/// (nullmailer `src/queue.cc`, `deliver`; Courier `courier/submit2.C`), smtpd below `temporary` (`usr.sbin/smtpd/queue_fs.c`),
/// dma into files `tmp_…` (`spool.c`, `newspoolf`). The rest of it may never come.
fn is_in_making(path: &Path) -> bool {
    let mut parts = path.iter().map(|part| part.to_string_lossy());
    parts.any(|part| part == "tmp" || part == "temporary" || part.starts_with("tmp_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_being_written_was_not_taken() {
        let spool = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = spool.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "Received: by a\n\tid ghostq-1-2;\n").unwrap();
        };
        for path in ["tmp/1072", "tmp_fAk3s0", "temporary/5/m", "tmp/179567/D1"] {
            write(path);
        }
        assert_eq!(seek(spool.path(), "ghostq-1-2;").unwrap(), None);
        write("queue/1795672705.38");
        assert_eq!(seek(spool.path(), "ghostq-1-2;").unwrap(), Some(PathBuf::from("queue/1795672705.38")));
        assert_eq!(seek(spool.path(), "ghostq-1-1;").unwrap(), None);
    }
}
