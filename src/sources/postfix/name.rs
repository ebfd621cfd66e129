//! What a file's name says of the file, before it is opened.

use super::queue_id::{self, QueueId};

/// What a name in a queue folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A queue ID.
    Id(QueueId),
    /// A legal name that is no queue ID: Postfix lists and tries it, `postsuper -s` calls it bogus.
    Legal,
    /// One letter, which Postfix takes for a subfolder (`global/mail_scan_dir.c`).
    OneLetter,
    /// `MICROSECONDS.PID`: a file that has not yet got its queue ID (`global/mail_queue.c`, `mail_queue_enter`).
    Temporary {
        /// The process that made it.
        pid: u32,
    },
    /// `NEWID#FIX`: `postsuper -s` was interrupted while it renamed (`postsuper/postsuper.c`, `SUFFIX`).
    HalfRenamed,
    /// Anything else: Postfix skips it.
    Foreign,
}

/// Judges a name.
pub fn judge(name: &[u8]) -> Name {
    if let Some(id) = queue_id::decode(name) {
        Name::Id(id)
    } else if name.len() == 1 {
        Name::OneLetter
    } else if queue_id::is_legal(name) {
        Name::Legal
    } else if let Some(pid) = temporary(name) {
        Name::Temporary { pid }
    } else if name.strip_suffix(b"#FIX").is_some_and(|stem| queue_id::decode(stem).is_some()) {
        Name::HalfRenamed
    } else {
        Name::Foreign
    }
}

/// The queue ID at the start of a name that is none itself: `E649CB0E031` of `E649CB0E031.bak`.
pub fn stem(name: &[u8]) -> Option<&[u8]> {
    let end = name.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
    name.get(..end).filter(|stem| queue_id::decode(stem).is_some())
}

fn temporary(name: &[u8]) -> Option<u32> {
    let (microseconds, pid) = std::str::from_utf8(name).ok()?.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let in_range = microseconds.parse::<u32>().is_ok_and(|microseconds| microseconds < 1_000_000);
    if digits(microseconds) && digits(pid) && in_range { pid.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_without_opening_the_file() {
        assert!(matches!(judge(b"3B367B0C773"), Name::Id(_)));
        assert_eq!(judge(b"911520.4711"), Name::Temporary { pid: 4711 });
        assert_eq!(judge(b"1234567.4711"), Name::Foreign, "there is no such microsecond");
        assert_eq!(judge(b"3B367B0C773#FIX"), Name::HalfRenamed);
        assert_eq!(judge(b"E649CB0E031.bak"), Name::Foreign);
        assert_eq!(judge(b"README"), Name::Legal);
        assert_eq!(judge(b"X"), Name::OneLetter);
    }

    #[test]
    fn a_foreign_name_may_begin_with_the_id_that_it_had() {
        assert_eq!(stem(b"E649CB0E031.bak"), Some(&b"E649CB0E031"[..]));
        assert_eq!(stem(b"3B367B0C773#FIX"), Some(&b"3B367B0C773"[..]));
        assert_eq!(stem(b"core.4711"), None);
        assert_eq!(stem(b".E649CB0E031"), None);
    }
}
