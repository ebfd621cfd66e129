//! Which addresses need no delivery any more, and whether all of them are known.

use crate::evidence::{RecipientState, Text};
use std::collections::HashSet;

/// Addresses that are kept.
const MAX_NAMES: usize = 50_000;
/// The same in bytes.
const MAX_BYTES: usize = 4 << 20;

/// Addresses that need no delivery any more.
#[derive(Debug, Default)]
pub struct Done {
    names: HashSet<Vec<u8>>,
    bytes: usize,
    /// Lines that break off: each may be the start of any of these addresses.
    starts: Vec<Vec<u8>>,
    /// Whether there are others that are not known.
    incomplete: bool,
}

impl Done {
    /// Notes an address.
    pub fn add(&mut self, address: &[u8]) {
        if self.names.len() < MAX_NAMES && self.bytes + address.len() <= MAX_BYTES {
            self.bytes += address.len();
            self.names.insert(key(address));
        } else {
            self.incomplete = true;
        }
    }

    /// Notes the start of an address of which the rest is lost.
    pub fn add_start(&mut self, start: &[u8]) {
        self.starts.push(key(start));
    }

    /// Notes that there are addresses which are not known.
    pub fn lack_some(&mut self) {
        self.incomplete = true;
    }

    /// Whether this address is among them.
    pub fn has(&self, address: &[u8]) -> bool {
        self.names.contains(&key(address))
    }

    /// Where a recipient stands that is not said to be done elsewhere: pending only if all that are done are known.
    pub fn state(&self, address: &Text) -> RecipientState {
        if self.names.is_empty() && self.starts.is_empty() && !self.incomplete {
            return RecipientState::Pending;
        }
        let address = key(address.bytes());
        if self.names.contains(&address) {
            RecipientState::Done
        } else if self.incomplete || self.starts.iter().any(|start| address.starts_with(start)) {
            RecipientState::Unknown
        } else {
            RecipientState::Pending
        }
    }
}

/// An address as Exim compares it: it writes domains in lower case to the journal and to the tree, but a recipient of the
/// envelope as the client gave it (`deliver.c`, "lowercase the domain" of `addr->unique`). Local parts keep their case.
pub fn key(address: &[u8]) -> Vec<u8> {
    let mut key = address.to_vec();
    if let Some(at) = memchr::memrchr(b'@', address)
        && let Some(domain) = key.get_mut(at..)
    {
        domain.make_ascii_lowercase();
    }
    key
}

/// Whether two addresses are the same to Exim.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    let Some(at) = memchr::memrchr(b'@', one) else { return one == other };
    let parts = one.split_at_checked(at).zip(other.split_at_checked(at));
    one.len() == other.len()
        && parts.is_some_and(|((name, domain), (other_name, other_domain))| {
            name == other_name && domain.eq_ignore_ascii_case(other_domain)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_compared_without_case_and_local_parts_with_it() {
        let mut done = Done::default();
        done.add(b"Joe@x.test");
        assert!(done.has(b"Joe@X.Test"));
        assert!(!done.has(b"joe@x.test"));
        assert!(same(b"Joe@X.test", b"Joe@x.Test"));
        assert!(!same(b"joe@x.test", b"Joe@x.test"));
        assert!(!same(b"joe", b"Joe"));
    }

    #[test]
    fn nobody_is_pending_when_some_that_are_done_are_not_known() {
        let mut done = Done::default();
        done.add_start(b"a@x.te");
        assert_eq!(done.state(&"a@X.test".into()), RecipientState::Unknown, "it may be this one");
        assert_eq!(done.state(&"b@x.test".into()), RecipientState::Pending);
        for number in 0..=MAX_NAMES {
            done.add(format!("u{number}@x.test").as_bytes());
        }
        assert_eq!(done.state(&"u1@x.test".into()), RecipientState::Done);
        assert_eq!(done.state(&"b@x.test".into()), RecipientState::Unknown);
    }
}
