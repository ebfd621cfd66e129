//! Queue IDs: what a file's name says of its making.
//!
//! Source: Postfix `global/mail_queue.h` (`MQID_*`), `global/mail_queue.c` (`mail_queue_enter`, `mail_queue_id_ok`),
//! `global/safe_ultostr.c` (the alphabet).

use std::borrow::Cow;

/// Digits of long queue IDs: figures and consonants. `z` is digit 51 and so never part of a base-51 inode.
const SAFE_DIGITS: &[u8; 52] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
/// Characters of the time in a short ID.
const SHORT_MICROSECONDS_WIDTH: usize = 5;
/// Characters of the microseconds in a long ID.
const LONG_MICROSECONDS_WIDTH: usize = 4;
/// Least characters of the time in a long ID: six of seconds, four of microseconds.
const LONG_TIME_WIDTH: usize = 10;
/// Longest name that Postfix looks at (`VALID_HOSTNAME_LEN`).
const MAX_NAME_BYTES: usize = 255;

/// What a queue ID says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueId {
    /// The inode of the file to which the name was given.
    pub inode: u64,
    /// Seconds and microseconds of the making; short IDs do not have the seconds.
    pub made: Option<(i64, u32)>,
}

impl QueueId {
    /// Whether it is a long ID, which does not repeat.
    pub fn is_long(self) -> bool {
        self.made.is_some()
    }
}

/// Whether Postfix would look at a file of this name at all (`mail_queue_id_ok`).
pub fn is_legal(name: &[u8]) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

/// Reads a queue ID.
pub fn decode(name: &[u8]) -> Option<QueueId> {
    if !is_legal(name) {
        return None;
    }
    let Some(separator) = long_separator(name) else {
        let (microseconds, inode) = name.split_at_checked(SHORT_MICROSECONDS_WIDTH)?;
        hexadecimal(microseconds)?;
        return Some(QueueId { inode: hexadecimal(inode)?, made: None });
    };
    let (seconds, microseconds) =
        name.get(..separator)?.split_at_checked(separator - LONG_MICROSECONDS_WIDTH)?;
    let microseconds = u32::try_from(number(microseconds, 52)?).ok().filter(|part| *part < 1_000_000)?;
    let seconds = i64::try_from(number(seconds, 52)?).ok()?;
    Some(QueueId { inode: number(name.get(separator + 1..)?, 51)?, made: Some((seconds, microseconds)) })
}

/// The text from which the subfolders of a hashed queue are made: the ID itself, or for a long ID its microseconds as
/// five hex digits (`MQID_LG_GET_HEX_USEC`, which takes 0 for what it cannot read).
pub fn hash_key(name: &[u8]) -> Cow<'_, [u8]> {
    match long_separator(name) {
        Some(separator) => {
            let microseconds = name
                .get(separator - LONG_MICROSECONDS_WIDTH..separator)
                .and_then(|digits| number(digits, 52))
                .unwrap_or(0);
            Cow::Owned(format!("{microseconds:05X}").into_bytes())
        }
        None => Cow::Borrowed(name),
    }
}

/// The last `z`, if the time fits before it (`MQID_FIND_LG_INUM_SEPARATOR`).
fn long_separator(name: &[u8]) -> Option<usize> {
    name.iter().rposition(|byte| *byte == b'z').filter(|separator| *separator >= LONG_TIME_WIDTH)
}

fn number(digits: &[u8], base: u64) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |sum, digit| {
        let value = SAFE_DIGITS.iter().position(|known| known == digit)? as u64;
        if value < base { sum.checked_mul(base)?.checked_add(value) } else { None }
    })
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_id_ends_in_the_inode_of_its_file() {
        assert_eq!(decode(b"3B367B0C773"), Some(QueueId { inode: 0x00B0_C773, made: None }));
        assert_eq!(decode(b"3B367"), None, "there is no inode in it");
        assert_eq!(decode(b"E649CB0E031.bak"), None);
        assert_eq!(decode(b"README"), None);
    }

    #[test]
    fn a_long_id_has_the_time_and_the_inode() {
        // The example of postconf(5), enable_long_queue_ids: 3Pt2mN2VXxznjll.
        let id = decode(b"3Pt2mN2VXxznjll").unwrap();
        let (seconds, microseconds) = id.made.unwrap();
        assert!(
            (1_293_840_000..1_325_376_000).contains(&seconds),
            "made in 2011, as Postfix 2.9 was: {seconds}"
        );
        assert!(microseconds < 1_000_000);
        assert!(id.is_long());
        assert_eq!(*hash_key(b"3Pt2mN2VXxznjll"), *format!("{microseconds:05X}").as_bytes());
    }

    #[test]
    fn an_inode_too_big_for_a_number_is_no_queue_id() {
        assert_eq!(decode(b"3B367FFFFFFFFFFFFFFFFF"), None);
        assert_eq!(decode(b"3Pt2mN2VXxzyyyyyyyyyyyyyyyyyyyy"), None);
    }
}
