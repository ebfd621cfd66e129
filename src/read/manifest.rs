//! A manifest: inodes, modes and owners of an original, for a copy that could not keep them.
//!
//! An archive keeps no inode numbers, an unprivileged copy no owners. Postfix and qmail write the inode into the file's
//! name, so that only the original's numbers can say whether they match. A manifest is one line an entry, as printed in
//! the spool folder by `find . -printf '%i\t%#m\t%U:%G\t%n\t%s\t%T@\t%y\t%P\n'` (GNU find).

use crate::evidence::{Stat, Text, Time};
use anyhow::{Context as _, Result, bail};
use std::collections::HashMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};

/// A manifest is read whole; this bounds it (about ten million entries).
const MAX_MANIFEST_BYTES: u64 = 2 << 30;

/// What one line of a manifest says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Inode number.
    pub inode: u64,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Hard links.
    pub links: u64,
    /// Size in bytes.
    pub size: u64,
    /// Modification time.
    pub modified: Time,
}

/// All entries, by path relative to the spool folder.
#[derive(Debug, Default)]
pub struct Manifest {
    entries: HashMap<Text, Entry>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is not of the form above: a manifest that is half understood would be
    /// worse than none.
    pub fn read(path: &Path) -> Result<Self> {
        let file =
            std::fs::File::open(path).with_context(|| format!("could not read `{}`", path.display()))?;
        let mut sections: Vec<(Text, Vec<(Text, Entry)>)> = vec![(Text::default(), Vec::new())];
        let reader = std::io::BufReader::new(std::io::Read::take(file, MAX_MANIFEST_BYTES));
        for (number, line) in reader.split(b'\n').enumerate() {
            let line = line.with_context(|| format!("could not read `{}`", path.display()))?;
            if line.is_empty() {
                continue;
            }
            if let Some(folder) = line.strip_prefix(b"# ") {
                sections.push((Text::new(folder), Vec::new()));
                continue;
            }
            match (parse_line(&line), sections.last_mut()) {
                (Some(found), Some((_, entries))) => entries.push(found),
                _ => bail!("`{}` line {} is not a manifest line", path.display(), number + 1),
            }
        }
        Ok(Self { entries: joined(sections) })
    }

    /// What the manifest says of this path.
    pub fn get(&self, path: &Text) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Entry {
    /// The metadata of the copy with what the manifest knows of the original.
    pub fn over(&self, copy: Stat) -> Stat {
        Stat {
            inode: self.inode,
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            links: self.links,
            modified: self.modified,
            ..copy
        }
    }
}

/// Sections (`# FOLDER` and the lines below it) of several folders are put below the folder that all of them lie in.
fn joined(sections: Vec<(Text, Vec<(Text, Entry)>)>) -> HashMap<Text, Entry> {
    let folders: Vec<PathBuf> = sections
        .iter()
        .filter(|(_, entries)| !entries.is_empty())
        .map(|(folder, _)| folder.to_path())
        .collect();
    let mut common = folders.first().cloned().unwrap_or_default();
    while !folders.iter().all(|folder| folder.starts_with(&common)) && common.pop() {}
    let mut found = HashMap::new();
    for (folder, entries) in sections {
        let below = folder.to_path().strip_prefix(&common).map(Path::to_path_buf).unwrap_or_default();
        for (name, entry) in entries {
            let path = if name.is_empty() { below.clone() } else { below.join(name.to_path()) };
            found.insert(Text::from_path(&path), entry);
        }
    }
    found
}

fn parse_line(line: &[u8]) -> Option<(Text, Entry)> {
    let mut fields = line.splitn(8, |byte| *byte == b'\t');
    let mut next = || fields.next().map(|field| String::from_utf8_lossy(field).into_owned());
    let inode = next()?.parse().ok()?;
    let mode = u32::from_str_radix(&next()?, 8).ok()? & 0o7777;
    let owner = next()?;
    let (uid, gid) = owner.split_once(':')?;
    let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
    let links = next()?.parse().ok()?;
    let size = next()?.parse().ok()?;
    let modified = parse_seconds(&next()?)?;
    let _kind = next()?;
    let path = line.splitn(8, |byte| *byte == b'\t').nth(7)?;
    Some((Text::new(path), Entry { inode, mode, uid, gid, links, size, modified }))
}

/// `%T@` prints seconds with ten decimals.
fn parse_seconds(text: &str) -> Option<Time> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let nanos: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    Some(Time::new(seconds.parse().ok()?, nanos.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_of_two_folders_are_put_below_the_one_that_holds_both() {
        let line = "7\t0700\t100:0\t1\t9\t1795481209.0\tf\tE/E649";
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = format!("# /var/spool/postfix/deferred\n{line}\n# /var/spool/postfix/defer\n{line}\n");
        std::fs::write(file.path(), text).unwrap();
        let manifest = Manifest::read(file.path()).unwrap();
        assert!(manifest.get(&Text::from("deferred/E/E649")).is_some());
        assert!(manifest.get(&Text::from("defer/E/E649")).is_some());
        assert!(manifest.get(&Text::from("E/E649")).is_none());
    }

    #[test]
    fn a_line_of_find_printf_is_understood() {
        let line = b"11584929\t0700\t100:0\t2\t4096\t1795481209.1530391590\td\tactive";
        let (path, entry) = parse_line(line).unwrap();
        assert_eq!(path, Text::from("active"));
        assert_eq!(entry.inode, 11_584_929);
        assert_eq!(entry.mode, 0o700);
        assert_eq!(entry.modified, Time::new(1_795_481_209, 153_039_159));
        assert!(parse_line(b"active 700").is_none());
    }
}
