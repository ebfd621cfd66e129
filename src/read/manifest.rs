//! A manifest: inodes, modes and owners of an original, for a copy that could not keep them.
//!
//! An archive keeps no inode numbers, an unprivileged copy no owners. Postfix and qmail write the inode into the file's
//! name, so that only the original's numbers can say whether they match. A manifest is one line an entry, as printed in
//! the spool folder by `find . -printf '%i\t%#m\t%U:%G\t%n\t%s\t%T@\t%y\t%P\n'` (GNU find).

use crate::evidence::{Stat, Text, Time};
use anyhow::{Context as _, Result, bail};
use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

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
        let mut entries = HashMap::new();
        let reader = std::io::BufReader::new(std::io::Read::take(file, MAX_MANIFEST_BYTES));
        for (number, line) in reader.split(b'\n').enumerate() {
            let line = line.with_context(|| format!("could not read `{}`", path.display()))?;
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            match parse_line(&line) {
                Some((name, entry)) => entries.insert(name, entry),
                None => bail!("`{}` line {} is not a manifest line", path.display(), number + 1),
            };
        }
        Ok(Self { entries })
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
