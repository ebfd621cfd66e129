//! What a few envelopes say of the whole queue: whether it is compressed or encrypted, and of which age smtpd is.
//!
//! It is settings of smtpd that decide this, so that it is the same for all files, unless the settings were changed while
//! mail was waiting.

use super::coding::Coding;
use super::envelope::{CURRENT, Envelope};
use super::id;
use crate::evidence::{Fact, Locus, Text};
use crate::read::disk::Root;
use std::path::{Path, PathBuf};

/// Buckets of which one envelope is looked at each.
const MAX_BUCKETS: usize = 64;
/// Names that are looked at in a folder.
const MAX_NAMES: usize = 4_096;
/// The version is in the first line.
const HEAD_BYTES: usize = 64;

/// What a few envelopes say of the whole queue.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    plain: u64,
    compressed: u64,
    encrypted: u64,
    current: u64,
    older: u64,
}

impl Sample {
    /// Looks at one envelope of each of the first buckets.
    pub fn of(root: &Root) -> Self {
        let mut sample = Self::default();
        let is_bucket = |name: &[u8]| name.len() == 2;
        for bucket in names(root, Path::new("queue"), is_bucket).into_iter().take(MAX_BUCKETS) {
            let bucket = Path::new("queue").join(bucket);
            let Some(folder) = names(root, &bucket, |name| id::message(name).is_some()).into_iter().next()
            else {
                continue;
            };
            let folder = bucket.join(folder);
            let first = names(root, &folder, |name| id::envelope(name).is_some()).into_iter().next();
            if let Some(name) = first
                && let Ok(file) = root.open_file(&folder.join(name))
                && let Ok(head) = file.head(HEAD_BYTES)
            {
                sample.add(&head);
            }
        }
        sample
    }

    fn add(&mut self, head: &[u8]) {
        match Coding::of(head) {
            Coding::Compressed => self.compressed += 1,
            Coding::Encrypted => self.encrypted += 1,
            Coding::Plain => match Envelope::parse(head).version() {
                Some(CURRENT) => {
                    self.plain += 1;
                    self.current += 1;
                }
                Some(_) => {
                    self.plain += 1;
                    self.older += 1;
                }
                // Garbage says nothing.
                None => {}
            },
        }
    }

    /// How the files of this queue are written, as far as that can be told.
    pub fn coding(&self) -> Coding {
        if self.encrypted > self.plain {
            Coding::Encrypted
        } else if self.compressed > self.plain {
            Coding::Compressed
        } else {
            Coding::Plain
        }
    }

    /// Whether plain envelopes are all that was seen, and enough of them.
    pub fn is_plain(&self) -> bool {
        self.plain >= 3 && self.plain > 8 * (self.compressed + self.encrypted)
    }

    /// Whether the smtpd of this queue writes version 3, so that it reads no other.
    pub fn is_current(&self) -> bool {
        self.current > 0
    }

    /// What there is to say of it.
    pub fn facts(&self) -> Vec<Fact> {
        let fact = |text: &str| Fact::new(text, Locus::whole("queue"));
        let mut facts = Vec::new();
        match self.coding() {
            Coding::Plain => {}
            coding => facts.push(fact(&format!(
                "the queue is {}: what is in its envelopes and messages cannot be judged",
                coding.describe()
            ))),
        }
        if self.older > 0 && self.current == 0 {
            facts.push(fact(
                "the envelopes are of version 1 or 2, as smtpd before 6.4 writes them; smtpd 6.4 and later pass over \
                 every one of them",
            ));
        }
        facts
    }
}

fn names(root: &Root, folder: &Path, wanted: impl Fn(&[u8]) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = root.list(folder) else { return Vec::new() };
    let mut names: Vec<PathBuf> = entries
        .take(MAX_NAMES)
        .filter_map(Result::ok)
        .map(|(name, _)| name)
        .filter(|name| wanted(Text::from_path(name).bytes()))
        .collect();
    names.sort_unstable();
    names
}
