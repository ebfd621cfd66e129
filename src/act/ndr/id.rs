//! Names that nothing else has.

use super::field;
use crate::evidence::Time;
use crate::read::streams::hex;
use sha2::{Digest as _, Sha256};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Hexadecimal digits of a name: 120 bits.
const DIGITS: usize = 30;

/// A Message-ID that no other message has, with its angle brackets.
///
/// It need only be unique (RFC 5322 section 3.6.4), not secret: it is made from the time, the process, a counter, and the keys
/// that the standard library draws from the operating system for its hash tables.
pub fn unique_id(host: &str, now: Time) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let drawn = RandomState::new().hash_one(count);
    let from = format!("{drawn} {count} {} {} {}", std::process::id(), now.seconds, now.nanos);
    format!("<{}.ghostq@{}>", digest(&from), field::host(host))
}

/// Hexadecimal digits that depend on all of a text.
pub fn digest(text: &str) -> String {
    let mut digits = hex(&Sha256::digest(text.as_bytes()));
    digits.truncate(DIGITS);
    digits
}
