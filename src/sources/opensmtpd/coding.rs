//! Compressed and encrypted queues.
//!
//! `queue compression` makes every file a gzip stream, `queue encryption` prepends a version byte, and what was compressed
//! is encrypted after that. Source: OpenSMTPD `queue_backend.c`, `queue_envelope_dump_buffer`; `compress_gzip.c`
//! (`deflateInit2` with window bits 15+16); `crypto.c` (`API_VERSION`, then 12 bytes IV, AES-256-GCM, 16 bytes tag).

/// The head of a gzip stream (RFC 1952 section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The version byte of an encrypted file.
const ENCRYPTED: u8 = 1;

/// How a file of the queue is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As text.
    Plain,
    /// Compressed with gzip.
    Compressed,
    /// Encrypted, and perhaps compressed before that.
    Encrypted,
}

impl Coding {
    /// How a file that begins like this is written.
    pub fn of(head: &[u8]) -> Self {
        match head.first() {
            Some(&ENCRYPTED) => Self::Encrypted,
            _ if head.starts_with(&GZIP) => Self::Compressed,
            _ => Self::Plain,
        }
    }

    /// What people call it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Plain => "plain text",
            Self::Compressed => "compressed (it begins like a gzip stream)",
            Self::Encrypted => "encrypted (it begins with the version byte 1)",
        }
    }
}
