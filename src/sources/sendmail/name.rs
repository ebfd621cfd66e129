//! What a file's name says of the file, before it is opened.
//!
//! Source: sendmail `sendmail/sendmail.h` (`*_LETTER`), `sendmail/queue.c` (`gatherq`, `assign_queueid`).

use crate::evidence::Time;

/// `gatherq` passes over names of `MAXQFNAME` (21) bytes and more.
pub const LONGEST: usize = 20;
/// The digits in which `assign_queueid` writes times.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// An ID of 8.12 and later: eight digits of time and sequence, then the process in at least six.
const SHORTEST_DATED: usize = 14;

/// Which of its three queues a control file is in: each has a listing of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// `qf`: what is listed and tried.
    Normal,
    /// `hf`: held by a rule or by hand.
    Quarantined,
    /// `Qf`: set aside because sendmail did not trust or understand it.
    Lost,
}

/// What a file in a queue folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Envelope and header.
    Control(Queue),
    /// `df`: the body.
    Data,
    /// `xf`: the transcript of a delivery.
    Transcript,
    /// `tf`: a control file that is being rewritten; `Tf`: one that was found so and moved out of the way.
    Temporary,
    /// `nf`, `lf`: marks of sendmail before 8.10, of no content.
    Mark,
}

impl Queue {
    /// What sendmail calls it, where it is not the one that people mean.
    pub fn label(self) -> Option<&'static str> {
        match self {
            Self::Normal => None,
            Self::Quarantined => Some("quarantined"),
            Self::Lost => Some("lost"),
        }
    }
}

/// The kind and the ID of a name; `None` if it is not one of sendmail's.
pub fn judge(name: &[u8]) -> Option<(Kind, &[u8])> {
    let (letters, id) = name.split_at_checked(2)?;
    let kind = match letters {
        b"qf" => Kind::Control(Queue::Normal),
        b"hf" => Kind::Control(Queue::Quarantined),
        b"Qf" => Kind::Control(Queue::Lost),
        b"df" => Kind::Data,
        b"xf" => Kind::Transcript,
        b"tf" | b"Tf" => Kind::Temporary,
        b"nf" | b"lf" => Kind::Mark,
        _ => return None,
    };
    (!id.is_empty()).then_some((kind, id))
}

/// Whether some version of sendmail makes such an ID: letters and figures of a time, and a process number at the end.
pub fn is_queue_id(id: &[u8]) -> bool {
    let process = id.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    (7..LONGEST - 1).contains(&id.len()) && process >= 5 && id.iter().all(u8::is_ascii_alphanumeric)
}

/// The queue ID that a longer name begins with.
pub fn stem(id: &[u8]) -> Option<&[u8]> {
    let end = id.iter().position(|byte| !byte.is_ascii_alphanumeric())?;
    id.get(..end).filter(|stem| is_queue_id(stem))
}

/// When the ID was made, to the second. Only the year modulo 60 is in it: the one nearest to `around` is meant.
pub fn made(id: &[u8], around: Time) -> Option<Time> {
    if id.len() < SHORTEST_DATED || !is_queue_id(id) {
        return None;
    }
    let digit = |at: usize| DIGITS.iter().position(|digit| Some(digit) == id.get(at));
    let sixty = i32::try_from(digit(0)?).ok().filter(|year| *year < 60)?;
    let (month, day, hour) = (digit(1)? + 1, digit(2)?, digit(3)?);
    let (minute, second) = (digit(4)?, digit(5)?);
    let near = around.year();
    let year = (0..4).map(|turn| 1900 + sixty + 60 * turn).min_by_key(|year| (year - near).abs())?;
    Time::parse(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_by_their_first_two_letters() {
        assert_eq!(judge(b"qf6AO0BMtP000928"), Some((Kind::Control(Queue::Normal), &b"6AO0BMtP000928"[..])));
        assert_eq!(judge(b"Qf6AO0BMtP000928"), Some((Kind::Control(Queue::Lost), &b"6AO0BMtP000928"[..])));
        assert_eq!(judge(b"Tf6AO0BMtP000928"), Some((Kind::Temporary, &b"6AO0BMtP000928"[..])));
        for other in [&b"qf"[..], b"q", b"", b"sm-client.pid", b".hoststat", b"QF6AO0BMtP000928"] {
            assert_eq!(judge(other), None);
        }
    }

    #[test]
    fn ids_of_every_version_are_known() {
        // 8.12 and later, with a long process number, 8.10, and 8.9.
        for id in [&b"6AO0BMtP000928"[..], b"6AO0BMtP4194304", b"f7L8Rx12345", b"KAA12345"] {
            assert!(is_queue_id(id), "{}", String::from_utf8_lossy(id));
        }
        for other in [&b"6AO0BMtP000928.bak"[..], b"", b"AA1", b"6AO0BMtP00092800000000000", b"notanumber"] {
            assert!(!is_queue_id(other));
        }
        assert_eq!(stem(b"6AO0BMtP000928.backup"), Some(&b"6AO0BMtP000928"[..]));
    }

    #[test]
    fn an_id_tells_when_it_was_made() {
        let around = Time::parse("2026-11-30").unwrap();
        let time = made(b"6AO0BMtP000928", around).unwrap();
        assert_eq!(time.rfc3339(), "2026-11-24T00:11:22Z");
        assert_eq!(made(b"KAA12345", around), None, "older IDs hold the hour only");
        assert_eq!(made(b"6zz0BMtP000928", around), None, "there is no such month");
    }
}
