//! What owner, mode and inode of a file say: Postfix decides by them, before it reads a byte, whether it will touch it.
//!
//! Source: Postfix `global/mail_open_ok.c` (the owner's bits must be `rwx`), `global/mail_queue.h` (`MAIL_QUEUE_STAT_*`),
//! `global/mark_corrupt.c`, `qmgr/qmgr_message.c` (`qmgr_message_open`: failing to open is fatal), `qmgr/qmgr_move.c`,
//! `pickup/pickup.c` (`pickup_file`), `showq/showq.c`.

use super::name::Name;
use super::owner::Owner;
use crate::evidence::{Confidence, Fact, Locus, Sign, Signed, Stat, Text};

/// The owner's bits of a finished file.
const READY: u32 = 0o700;
/// The mode of a file in which a delivery agent found damage.
const MARKED_CORRUPT: u32 = 0o400;
/// The mode of a file that cleanup has not finished.
const BEGUN: u32 = 0o600;
/// Anybody may read.
const READ_BY_OTHERS: u32 = 0o004;

/// A file as its metadata show it.
pub struct Seen<'a> {
    /// The queue.
    pub queue: &'a str,
    /// Its path below the spool.
    pub path: &'a Text,
    /// Its metadata.
    pub stat: &'a Stat,
    /// Whose it should be.
    pub owner: &'a Owner,
}

impl Seen<'_> {
    /// Whether Postfix regards the file as finished.
    pub fn is_ready(&self) -> bool {
        !self.is_known() || self.stat.mode & READY == READY
    }

    /// The system from which this was read may know neither modes nor inodes; then nothing is judged by them.
    fn is_known(&self) -> bool {
        self.stat.mode != 0 || self.stat.inode != 0
    }

    fn fact(&self, text: impl Into<String>) -> Fact {
        Fact::new(text, Locus::metadata(self.path.clone()))
    }

    fn is_foreign(&self) -> bool {
        self.owner.uid.is_some_and(|uid| uid != self.stat.uid)
    }

    /// The signs that owner and mode give.
    pub fn signs(&self) -> Vec<Signed> {
        let mut signs = Vec::new();
        if !self.is_known() || matches!(self.queue, "corrupt" | "saved") {
            return signs;
        }
        if self.is_ready() {
            self.judge_owner(&mut signs);
        } else {
            self.judge_mode(&mut signs);
        }
        if self.is_ready() && self.stat.links > 1 {
            let text = format!(
                "the file has {} names; Postfix takes it for one message and logs a warning, but a second name in a \
                 queue would be delivered as well",
                self.stat.links
            );
            signs.push(Signed {
                sign: Sign::SecondCopy,
                confidence: Confidence::Possible,
                facts: vec![self.fact(text)],
            });
        }
        signs
    }

    fn judge_mode(&self, signs: &mut Vec<Signed>) {
        let mode = self.stat.mode;
        let own = !self.is_foreign();
        let unfinished = match self.queue {
            // Whatever a program leaves unfinished there is without the x bit: postdrop sets it last.
            "maildrop" => true,
            "incoming" => mode == BEGUN && own,
            _ => false,
        };
        if unfinished {
            let writer = if self.queue == "maildrop" { "postdrop" } else { "cleanup" };
            let text =
                format!("mode {mode:04o}: {writer} sets the x bit as its last act, and did not come to that");
            signs.push(Signed::certain(Sign::Unfinished, self.fact(text)));
        } else if mode == MARKED_CORRUPT && own {
            let text = "mode 0400: a delivery agent found damage in it and marked it";
            signs.push(Signed::certain(Sign::Corrupt { offset: 0 }, self.fact(text)));
        } else {
            let mut facts = vec![self.fact(format!(
                "mode {mode:04o}: Postfix opens only what its owner may read, write and execute"
            ))];
            if !own {
                facts.extend([
                    self.fact(format!("it belongs to uid {}", self.stat.uid)),
                    self.owner.fact.clone(),
                ]);
            }
            signs.push(Signed { sign: Sign::OwnerOrMode, confidence: Confidence::Certain, facts });
        }
    }

    fn judge_owner(&self, signs: &mut Vec<Signed>) {
        if !self.is_foreign() {
            return;
        }
        if self.queue == "maildrop" {
            if self.stat.mode & READ_BY_OTHERS == 0 {
                let text = format!(
                    "mode {:04o}, uid {}: the pickup service runs as the user of Postfix and may not read it",
                    self.stat.mode, self.stat.uid
                );
                let facts = vec![self.fact(text), self.owner.fact.clone()];
                signs.push(Signed { sign: Sign::OwnerOrMode, confidence: Confidence::Certain, facts });
            }
            return;
        }
        let mut facts =
            vec![self.fact(format!("it belongs to uid {}", self.stat.uid)), self.owner.fact.clone()];
        if self.queue == "hold" {
            facts
                .push(self.fact("once it is released with `postsuper -H`, the queue manager will die on it"));
        }
        if matches!(self.queue, "incoming" | "active" | "deferred") {
            let mut facts = facts.clone();
            facts.push(self.fact(format!(
                "mode {:04o}: it looks ready, so the queue manager will take it, fail to open it and die, again and again",
                self.stat.mode
            )));
            signs.push(Signed { sign: Sign::BlocksQueue, confidence: Confidence::Certain, facts });
        }
        signs.push(Signed { sign: Sign::OwnerOrMode, confidence: Confidence::Certain, facts });
    }

    /// The sign that an inode in the name gives, if it is not the file's (`postsuper/postsuper.c`, `MQID_GET_INUM`).
    pub fn inode_sign(&self, name: &Name) -> Option<Signed> {
        let Name::Id(id) = name else { return None };
        let checked = matches!(self.queue, "maildrop" | "incoming" | "active" | "deferred" | "hold");
        if !checked || self.stat.inode == 0 || id.inode == self.stat.inode {
            return None;
        }
        let mut text =
            format!("the name was made for inode {}, the file has inode {}", id.inode, self.stat.inode);
        if id.is_long() {
            text.push_str("; a long queue ID does not repeat, so that nothing collides, and only `postsuper -S` renames it");
        }
        let sign = Sign::NameInode { named: id.inode, actual: self.stat.inode };
        Some(Signed::certain(sign, self.fact(text)))
    }
}
