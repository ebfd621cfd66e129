//! The ledger: sixteen bytes for every message, to find those that were seen more than once.

use super::keys::{Key, MatchedBy};
use std::collections::HashMap;

/// Every key that was seen, with where.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<(Key, Place)>,
}

/// Where a key was seen: the instance, and what kind of key it is.
type Place = u64;

impl Ledger {
    /// Writes down one key of one message. `identity` tells two copies from one file seen twice: its device and inode, or
    /// its row.
    pub fn note(&mut self, key: Key, instance: usize, matched_by: MatchedBy, identity: u64) {
        let instance = (instance as u64 & 0xff) << 56;
        let kind = (matched_by as u64) << 52;
        self.entries.push((key, instance | kind | (identity & 0x000f_ffff_ffff_ffff)));
    }

    /// Keys under which at least two different things were seen, with what they have in common. At most `limit` of them.
    pub fn repeated(&mut self, limit: usize) -> HashMap<Key, MatchedBy> {
        self.entries.sort_unstable();
        self.entries.dedup();
        let mut found = HashMap::new();
        for pair in self.entries.windows(2) {
            if let [(key, place), (next, _)] = pair
                && key == next
                && found.len() < limit
            {
                found.insert(*key, kind(*place));
            }
        }
        found
    }
}

fn kind(place: Place) -> MatchedBy {
    match place >> 52 & 0xf {
        0 => MatchedBy::Native,
        1 => MatchedBy::MessageId,
        2 => MatchedBy::Content,
        _ => MatchedBy::Subject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_seen_twice_is_not_two_messages() {
        let mut ledger = Ledger::default();
        ledger.note(7, 0, MatchedBy::Native, 11);
        ledger.note(7, 0, MatchedBy::Native, 11);
        assert!(ledger.repeated(10).is_empty());
        ledger.note(7, 0, MatchedBy::Native, 12);
        assert_eq!(ledger.repeated(10), HashMap::from([(7, MatchedBy::Native)]));
    }
}
