//! Message IDs and envelope IDs.
//!
//! A message ID is 32 random bits, printed `%08x`; an envelope ID has the message ID in its upper half, printed `%016x`; the
//! bucket is the first byte of the message ID, printed `%02x`. Source: OpenSMTPD `queue_fs.c`, `fsqueue_envelope_path`,
//! `fsqueue_message_path`; `queue_backend.c`, `queue_generate_evpid`.

use crate::evidence::Text;
use std::path::{Path, PathBuf};

const MESSAGE_DIGITS: usize = 8;
const ENVELOPE_DIGITS: usize = 16;
const BUCKET_DIGITS: usize = 2;

/// The message ID that this name is.
pub fn message(name: &[u8]) -> Option<&str> {
    digits(name, MESSAGE_DIGITS)
}

/// The envelope ID that this name is, and the message ID in it.
pub fn envelope(name: &[u8]) -> Option<(&str, &str)> {
    let id = digits(name, ENVELOPE_DIGITS)?;
    Some((id, id.get(..MESSAGE_DIGITS)?))
}

/// The message ID with which a name begins that is neither: `3252b9b1cdfe3647.bak`, `3252b9b1.comp`.
pub fn stem(name: &[u8]) -> Option<&str> {
    let end = name.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
    let stem = name.get(..end)?;
    message(stem).or_else(|| envelope(stem).map(|(_, message)| message))
}

/// The folder in which the queue process looks for this message.
pub fn folder(message: &str) -> PathBuf {
    Path::new("queue").join(message.get(..BUCKET_DIGITS).unwrap_or_default()).join(message)
}

/// The last component of a path, byte for byte.
pub fn last(path: &Path) -> Text {
    path.file_name().map_or_else(Text::default, |name| Text::from_path(Path::new(name)))
}

/// smtpd prints its IDs in lower case and looks for them as printed; a name in upper case is another name.
fn digits(name: &[u8], count: usize) -> Option<&str> {
    let lower_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if name.len() == count && name.iter().all(lower_hex) { std::str::from_utf8(name).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_id_begins_with_the_id_of_its_message() {
        assert_eq!(envelope(b"3252b9b1cdfe3647"), Some(("3252b9b1cdfe3647", "3252b9b1")));
        assert_eq!(message(b"3252b9b1"), Some("3252b9b1"));
        assert_eq!(message(b"3252B9B1"), None, "smtpd would look for `3252b9b1`");
        assert_eq!(envelope(b"3252b9b1cdfe364"), None);
        assert_eq!(folder("3252b9b1"), Path::new("queue/32/3252b9b1"));
    }

    #[test]
    fn a_foreign_name_may_begin_with_an_id() {
        assert_eq!(stem(b"3252b9b1cdfe3647.bak"), Some("3252b9b1"));
        assert_eq!(stem(b"3252b9b1.comp"), Some("3252b9b1"));
        assert_eq!(stem(b"message~"), None);
        assert_eq!(stem(b"3252b9b1cdfe3647"), None, "that is one");
    }
}
