//! The hash of a body as DKIM takes it, by which is shown that a signature still holds.

use sha2::Digest as _;

/// SHA-256 of the body with `simple` canonicalisation (RFC 6376 section 3.4.3), whatever line ends the bytes have on disk: a bare
/// LF counts as CRLF, since that is what it becomes on the wire, and empty lines at the end count as one CRLF.
#[derive(Debug, Default)]
pub struct BodyHash {
    hash: sha2::Sha256,
    /// What was seen of the header: nothing, or the last two relevant bytes.
    header: Header,
    /// CRLFs that count only if something follows them.
    waiting: u64,
    /// Whether a CR was seen that may belong to a line end.
    carriage: bool,
    /// Whether anything but line ends was seen in the body.
    any: bool,
}

/// Where the reading of the header is.
#[derive(Debug, Default, PartialEq, Eq)]
enum Header {
    /// At the start of a line.
    #[default]
    LineStart,
    /// At the start of a line, behind a CR.
    Carriage,
    /// Within a line.
    Line,
    /// The header is over.
    Over,
}

impl BodyHash {
    /// Takes in bytes of the message, from its first on.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while self.header != Header::Over {
            let Some((byte, rest)) = bytes.split_first() else { return };
            bytes = rest;
            self.header = match (&self.header, byte) {
                (Header::LineStart | Header::Carriage, b'\n') => Header::Over,
                (Header::LineStart, b'\r') => Header::Carriage,
                (_, b'\n') => Header::LineStart,
                _ => Header::Line,
            };
        }
        self.body(bytes);
    }

    fn body(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            if byte == b'\n' {
                self.carriage = false;
                self.waiting += 1;
                rest = after;
            } else if byte == b'\r' && !self.carriage {
                self.carriage = true;
                rest = after;
            } else {
                self.spend();
                let plain =
                    rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len()).max(1);
                let (text, after) = rest.split_at(plain);
                self.hash.update(text);
                self.any = true;
                rest = after;
            }
        }
    }

    /// Line ends, and a CR that was none, count now.
    fn spend(&mut self) {
        for _ in 0..std::mem::take(&mut self.waiting) {
            self.hash.update(b"\r\n");
        }
        if std::mem::take(&mut self.carriage) {
            self.hash.update(b"\r");
        }
    }

    /// The hash in lower-case hex.
    pub fn finish(mut self) -> String {
        if self.carriage {
            self.spend();
        }
        self.hash.update(b"\r\n");
        crate::read::streams::hex(&self.hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> String {
        let mut whole = BodyHash::default();
        whole.update(bytes);
        let mut bytewise = BodyHash::default();
        bytes.chunks(1).for_each(|byte| bytewise.update(byte));
        let whole = whole.finish();
        assert_eq!(whole, bytewise.finish(), "it does not matter in which pieces the bytes come");
        whole
    }

    #[test]
    fn the_empty_body_has_the_hash_that_rfc_6376_states() {
        // RFC 6376 section 3.4.3: base64 frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=
        let expected = "7eb70257593da06f682a3ddda54a9d260d4fc514f645237f5ca74b08f8da61a6";
        assert_eq!(of(b"Subject: x\n\n"), expected);
        assert_eq!(of(b"Subject: x\r\n\r\n\r\n\r\n"), expected);
    }

    #[test]
    fn line_ends_do_not_matter_and_everything_else_does() {
        assert_eq!(of(b"A: b\n\none\n\ntwo\n"), of(b"A: b\r\n\r\none\r\n\r\ntwo\r\n\r\n"));
        assert_eq!(of(b"A: b\n\nno line end"), of(b"A: b\n\nno line end\n"));
        assert_ne!(of(b"A: b\n\none\n\ntwo\n"), of(b"A: b\n\none\ntwo\n"));
        assert_ne!(of(b"A: b\n\none two\n"), of(b"A: b\n\none  two\n"));
        assert_ne!(of(b"A: b\n\n\none\n"), of(b"A: b\n\none\n"), "empty lines at the start count");
    }
}
