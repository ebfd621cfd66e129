//! What a file's name says of the file, before it is opened.

use super::message_id::{self, MessageId};

/// Which file of a message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// `ID-H`: envelope and header.
    Header,
    /// `ID-D`: the body.
    Data,
    /// `ID-J`: the journal of finished deliveries.
    Journal,
}

impl Half {
    /// The end of its name.
    pub fn ending(self) -> &'static [u8] {
        match self {
            Self::Header => b"-H",
            Self::Data => b"-D",
            Self::Journal => b"-J",
        }
    }
}

/// What a name in an `input` folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name<'a> {
    /// `ID-H`, `ID-D` or `ID-J`, and what may have been put behind it (`.bak`).
    Half {
        /// The ID.
        id: &'a [u8],
        /// What the ID says.
        made: MessageId,
        /// Which file it is.
        half: Half,
        /// What stands behind the name, by which Exim does not know the file any more.
        tail: &'a [u8],
    },
    /// `hdr.ID`: an envelope that is being written (`spool_out.c`, `spool_write_header`).
    HeaderInMaking {
        /// The ID.
        id: &'a [u8],
        /// What the ID says.
        made: MessageId,
    },
    /// `ID-PID-K`: what a transport writes to sign it (`exim_id_update.src`).
    Signing {
        /// The ID.
        id: &'a [u8],
        /// What the ID says.
        made: MessageId,
    },
    /// Anything else.
    Other,
}

/// Judges a name in an `input` folder.
pub fn judge(name: &[u8]) -> Name<'_> {
    if let Some(id) = name.strip_prefix(b"hdr.")
        && let Some(made) = message_id::decode(id)
    {
        return Name::HeaderInMaking { id, made };
    }
    let Some((id, made)) = message_id::at_start(name) else { return Name::Other };
    let rest = name.get(id.len()..).unwrap_or_default();
    let half = match rest.get(..2) {
        Some(b"-H") => Half::Header,
        Some(b"-D") => Half::Data,
        Some(b"-J") => Half::Journal,
        _ if is_signing(rest) => return Name::Signing { id, made },
        _ => return Name::Other,
    };
    let tail = rest.get(2..).unwrap_or_default();
    // `ID-Hx` is no file of this ID with something behind it; `ID-H.bak`, `ID-H~` and `ID-H-old` are.
    if tail.first().is_some_and(u8::is_ascii_alphanumeric) {
        return Name::Other;
    }
    Name::Half { id, made, half, tail }
}

fn is_signing(rest: &[u8]) -> bool {
    rest.strip_prefix(b"-")
        .and_then(|rest| rest.strip_suffix(b"-K"))
        .is_some_and(|process| !process.is_empty() && process.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(name: &[u8]) -> Option<(Half, &[u8])> {
        match judge(name) {
            Name::Half { half, tail, .. } => Some((half, tail)),
            _ => None,
        }
    }

    #[test]
    fn names_are_told_apart_without_opening_the_file() {
        assert_eq!(half(b"1xVf5d-00002O-0X-H"), Some((Half::Header, &b""[..])));
        assert_eq!(half(b"1xVf5e-0000000007x-0002-D"), Some((Half::Data, &b""[..])));
        assert_eq!(half(b"1xVf64-0000hA-2Y-J"), Some((Half::Journal, &b""[..])));
        assert_eq!(half(b"1xVf5e-00008O-0F-H.bak"), Some((Half::Header, &b".bak"[..])));
        assert!(matches!(judge(b"hdr.1xVf5e-00008X-0J"), Name::HeaderInMaking { .. }));
        assert!(matches!(judge(b"1xVf5e-00008X-0J-4711-K"), Name::Signing { .. }));
        for other in
            [&b"1xVf5e-00008X-0J"[..], b"1xVf5e-00008X-0J-Hx", b"core", b"hdr.", b"1xVf5e-00008X-0J--K"]
        {
            assert_eq!(judge(other), Name::Other, "{}", String::from_utf8_lossy(other));
        }
    }
}
