//! conf-split: into how many folders the queue is split. It is compiled into qmail and stands in no file.
//!
//! Source: notqmail `conf-split`, `hier.c` (makes the folders 0 to conf-split - 1 in `mess`, `info`, `local` and
//! `remote`), `readsubdir.c` (reads just these, and waits for ever for one that is missing).

use super::name;
use crate::evidence::{Confidence, Fact, Locus};
use crate::read::disk::{EntryKind, Root};
use std::collections::BTreeSet;
use std::path::Path;

/// The folders that are split.
pub const SPLIT: [&str; 4] = ["mess", "info", "local", "remote"];
/// Names that are read of one of them; conf-split is 23 by default, and a few hundred on large servers.
const MAX_NAMES: usize = 8_192;
/// Messages whose places are looked at, and how many of one folder.
const SAMPLE: usize = 2_000;
const SAMPLE_OF_FOLDER: usize = 40;
/// So many messages can speak against the folders.
const ENOUGH: usize = 8;

/// How the queue is split.
#[derive(Debug, Clone, Default)]
pub struct Split {
    /// conf-split; `None` if it cannot be told.
    pub number: Option<u64>,
    /// A second reading of the same queue, under which most messages lie where they belong.
    pub other: Option<u64>,
    /// Numbered folders there are, the highest number plus one.
    pub folders: u64,
    /// How sure that is.
    pub confidence: Option<Confidence>,
    /// How it was told.
    pub facts: Vec<Fact>,
}

impl Split {
    /// Tells conf-split from the folders and from where messages lie.
    pub fn of(root: &Root) -> Self {
        let folders: Vec<(&str, BTreeSet<u64>)> =
            SPLIT.iter().filter_map(|folder| Some((*folder, numbered_folders(root, folder)?))).collect();
        let sample = sample(root, &folders);
        Self::judge(&folders, &sample)
    }

    fn judge(folders: &[(&str, BTreeSet<u64>)], sample: &[(u64, u64)]) -> Self {
        let fits = |split: u64| {
            let fits = sample.iter().filter(|(part, number)| number.checked_rem(split) == Some(*part));
            fits.count()
        };
        let highest =
            folders.iter().filter_map(|(_, numbers)| numbers.last()).max().map_or(0, |last| last + 1);
        let mut candidates: Vec<u64> = folders.iter().map(|(_, numbers)| consecutive(numbers)).collect();
        candidates.extend(folders.iter().filter_map(|(_, numbers)| Some(numbers.last()? + 1)));
        candidates.retain(|split| *split > 0);
        let votes = |split: u64| candidates.iter().filter(|candidate| **candidate == split).count();
        let Some(best) = candidates.iter().copied().max_by_key(|split| (fits(*split), votes(*split), *split))
        else {
            let fact = Fact::new(
                "the queue has no numbered folders: how it is split cannot be told",
                Locus::whole("mess"),
            );
            return Self { facts: vec![fact], ..Self::default() };
        };
        let agree = folders.len() == SPLIT.len()
            && folders
                .iter()
                .all(|(_, numbers)| consecutive(numbers) == best && numbers.len() as u64 == best);
        let good = fits(best);
        let mut split = Self { number: Some(best), folders: highest, ..Self::default() };
        // Of a handful of messages most may well lie in the wrong place; of more than that, the folders may be wrong.
        if sample.len() >= ENOUGH && good * 2 < sample.len() {
            split.confidence = Some(Confidence::Possible);
            let readings = 1..=highest.min(MAX_NAMES as u64);
            split.other = readings.max_by_key(|n| fits(*n)).filter(|n| fits(*n) * 10 >= sample.len() * 9);
            split.facts.push(doubt(best, &split, good, sample.len()));
        } else {
            split.confidence = Some(if agree { Confidence::Certain } else { Confidence::Likely });
            split.facts.push(fact(best, good, sample.len()));
        }
        split.facts.extend(irregular(folders, best));
        split
    }

    /// Whether a message lies in the right folder, as far as can be told.
    pub fn fits(&self, number: u64, part: &str) -> bool {
        let Some(split) = self.number else { return true };
        let right = |split: u64| number.checked_rem(split).is_some_and(|right| right.to_string() == part);
        right(split) || self.other.is_some_and(right)
    }
}

fn fact(split: u64, good: usize, all: usize) -> Fact {
    let text =
        format!("conf-split is {split}: so many numbered folders, and {good} of {all} messages lie by it");
    Fact::new(text, Locus::whole("mess"))
}

fn doubt(folders: u64, split: &Split, good: usize, all: usize) -> Fact {
    let other = match split.other {
        Some(other) => format!("; more of them would fit conf-split {other}"),
        None => String::new(),
    };
    let text = format!(
        "conf-split cannot be told: there are {folders} numbered folders, but only {good} of {all} messages lie by \
         that{other}; ask `qmail-showctl`"
    );
    Fact::new(text, Locus::whole("mess"))
}

/// Folders that do not have what the others have.
fn irregular(folders: &[(&str, BTreeSet<u64>)], split: u64) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (folder, numbers) in folders {
        if let Some(gap) = (0..split).find(|number| !numbers.contains(number)) {
            let text =
                format!("`{folder}/{gap}` is missing: qmail-send would wait for it for ever when it starts");
            facts.push(Fact::new(text, Locus::whole(*folder)));
        }
        if let Some(beyond) = numbers.range(split..).next() {
            let text = format!("`{folder}/{beyond}` lies beyond conf-split: qmail never looks there");
            facts.push(Fact::new(text, Locus::whole(*folder)));
        }
    }
    facts
}

/// The numbers of the folders in a folder; `None` if it is not there.
fn numbered_folders(root: &Root, folder: &str) -> Option<BTreeSet<u64>> {
    let entries = root.list(Path::new(folder)).ok()?;
    let folders = entries.flatten().take(MAX_NAMES).filter_map(|(name, kind)| {
        let number = part(name.to_str()?)?;
        let directory = match kind {
            EntryKind::Unknown => {
                matches!(root.stat(&Path::new(folder).join(&name)), Ok((EntryKind::Directory, _)))
            }
            kind => kind == EntryKind::Directory,
        };
        directory.then_some(number)
    });
    Some(folders.filter(|number| *number < MAX_NAMES as u64).collect())
}

/// The number of a numbered folder, `0` included.
pub fn part(name: &str) -> Option<u64> {
    if name == "0" { Some(0) } else { name::number(name.as_bytes()) }
}

/// How many folders there are from 0 on without a gap.
fn consecutive(numbers: &BTreeSet<u64>) -> u64 {
    (0..).zip(numbers).take_while(|(expected, number)| expected == *number).count() as u64
}

/// Folders and numbers of some messages, by `mess`, or by `info` if there are none.
fn sample(root: &Root, folders: &[(&str, BTreeSet<u64>)]) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    for (folder, numbers) in folders.iter().filter(|(folder, _)| matches!(*folder, "mess" | "info")) {
        for number in numbers {
            if found.len() >= SAMPLE {
                break;
            }
            let Ok(entries) = root.list(&Path::new(folder).join(number.to_string())) else { continue };
            let names = entries
                .flatten()
                .take(SAMPLE_OF_FOLDER)
                .filter_map(|(name, _)| Some((*number, name::number(name.to_str()?.as_bytes())?)));
            found.extend(names);
        }
        if !found.is_empty() {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(counts: [u64; 4]) -> Vec<(&'static str, BTreeSet<u64>)> {
        SPLIT.into_iter().zip(counts.map(|count| (0..count).collect())).collect()
    }

    fn messages(split: u64) -> Vec<(u64, u64)> {
        (11_463_661..11_463_761).map(|number| (number % split, number)).collect()
    }

    #[test]
    fn folders_that_agree_with_each_other_and_with_the_messages_are_proof() {
        let split = Split::judge(&folders([23; 4]), &messages(23));
        assert_eq!((split.number, split.confidence), (Some(23), Some(Confidence::Certain)));
        let empty = Split::judge(&folders([151; 4]), &[]);
        assert_eq!((empty.number, empty.confidence), (Some(151), Some(Confidence::Certain)));
    }

    #[test]
    fn a_message_in_the_wrong_folder_does_not_change_the_split() {
        let mut lost = messages(23);
        lost[0].0 = (lost[0].0 + 1) % 23;
        let split = Split::judge(&folders([23; 4]), &lost);
        assert_eq!(split.number, Some(23));
        assert!(!split.fits(lost[0].1, &lost[0].0.to_string()));
        assert!(split.fits(lost[1].1, &lost[1].0.to_string()));
    }

    #[test]
    fn a_folder_beyond_the_others_is_not_part_of_the_queue() {
        let split = Split::judge(&folders([24, 23, 23, 23]), &messages(23));
        assert_eq!((split.number, split.confidence), (Some(23), Some(Confidence::Likely)));
        assert!(split.facts.iter().any(|fact| fact.text.contains("`mess/23` lies beyond")), "{split:?}");
    }

    #[test]
    fn folders_that_a_copy_lost_are_missed_and_named() {
        let mut copied = folders([23; 4]);
        copied[0].1.remove(&4);
        copied[1].1.clear();
        let split = Split::judge(&copied, &messages(23));
        assert_eq!((split.number, split.confidence), (Some(23), Some(Confidence::Likely)));
        assert!(split.facts.iter().any(|fact| fact.text.contains("`mess/4` is missing")));
    }

    #[test]
    fn after_a_change_of_conf_split_both_readings_count_and_nothing_is_guessed() {
        let split = Split::judge(&folders([151; 4]), &messages(23));
        assert_eq!(split.confidence, Some(Confidence::Possible));
        assert_eq!(split.other, Some(23));
        assert!(messages(23).iter().all(|(part, number)| split.fits(*number, &part.to_string())));
        assert!(split.facts[0].text.contains("cannot be told"));
    }

    #[test]
    fn a_queue_without_numbered_folders_is_said_to_be_unknown() {
        let split = Split::judge(&folders([0; 4]), &[]);
        assert_eq!(split.number, None);
        assert!(split.fits(7, "anything"));
    }
}
