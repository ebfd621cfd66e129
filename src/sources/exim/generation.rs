//! Whether the Exim of this spool reads IDs of 23 characters.
//!
//! Exim 4.96 and earlier see names of one length only (`queue.c`, `queue_get_spool_list`); 4.97 and later read both and make
//! long ones. Which version a spool belongs to is written nowhere, so that it is inferred: after an upgrade, every old ID
//! is older than every new one.

use super::message_id::{self, MessageId};
use super::queues;
use super::spot::Spot;
use crate::evidence::{Fact, Locus, Text, Time};
use crate::read::disk::Root;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Names that are looked at, at most.
const MAX_NAMES: usize = 200_000;
/// An ID from further ahead than this comes from a clock that was wrong, and says nothing of versions.
const SLACK: i64 = 3_600;

/// What the names in a spool say of the Exim that made them.
#[derive(Debug, Default)]
pub struct Generation {
    survey: OnceLock<Survey>,
    queues: Vec<PathBuf>,
    bare: bool,
    reached: Option<Time>,
}

#[derive(Debug, Default)]
struct Survey {
    old: u64,
    newest_old: Option<(i64, Text)>,
}

impl Generation {
    /// For these queues of a spool that was busy until `reached`.
    pub fn new(queues: Vec<PathBuf>, bare: bool, reached: Option<Time>) -> Self {
        Self { survey: OnceLock::new(), queues, bare, reached }
    }

    /// Why an Exim of this spool does not see a message of this ID, if it seems not to. The names are looked at when the
    /// first long ID is met.
    pub fn refusal(&self, root: &Root, made: &MessageId) -> Option<Fact> {
        if !made.new {
            return None;
        }
        let survey = self.survey.get_or_init(|| self.look(root));
        let (seconds, name) = survey.newest_old.as_ref()?;
        (Some(*seconds) >= made.seconds).then(|| {
            let text = format!(
                "its ID has 23 characters, as of Exim 4.97; {} IDs here have 16, and the newest of them is no older than this \
                 one, so that an earlier Exim, which passes over long IDs, has been at work since",
                survey.old
            );
            Fact::new(text, Locus::whole(name.clone()))
        })
    }

    fn look(&self, root: &Root) -> Survey {
        let mut survey = Survey::default();
        let mut left = MAX_NAMES;
        for queue in &self.queues {
            let input = if self.bare { PathBuf::new() } else { queue.join("input") };
            let letters =
                ('0'..='9').chain('A'..='Z').chain('a'..='z').map(|letter| input.join(letter.to_string()));
            for folder in std::iter::once(input.clone()).chain(letters) {
                self.look_into(root, &folder, &mut survey, &mut left);
            }
        }
        survey
    }

    fn look_into(&self, root: &Root, folder: &Path, survey: &mut Survey, left: &mut usize) {
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if !queues::is_folder(root, here) {
            return;
        }
        let Ok(names) = root.list(here) else { return };
        for (name, _) in names.filter_map(Result::ok).take(*left) {
            *left = left.saturating_sub(1);
            let path = folder.join(&name);
            let Some(spot) = Spot::of(&path, self.bare) else { continue };
            let Some(made) = spot.name.strip_suffix(b"-H").and_then(message_id::decode) else { continue };
            let Some(seconds) = made.seconds.filter(|seconds| !made.new && !self.is_ahead(*seconds)) else {
                continue;
            };
            survey.old += 1;
            if survey.newest_old.as_ref().is_none_or(|(newest, _)| *newest < seconds) {
                survey.newest_old = Some((seconds, Text::from_path(&path)));
            }
        }
    }

    fn is_ahead(&self, seconds: i64) -> bool {
        self.reached.is_some_and(|reached| seconds > reached.seconds.saturating_add(SLACK))
    }
}
