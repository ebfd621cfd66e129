//! Message IDs: what a name says of the message's making.
//!
//! Source: Exim `local_scan.h` (`MESSAGE_ID_*`), `receive.c` (`Now build the unique message id`), `string.c`
//! (`string_base62`). Up to 4.96 `tttttt-pppppp-ss`, from 4.97 on `tttttt-ppppppppppp-ssss`.

/// Characters of an ID of Exim 4.96 and earlier.
pub const OLD_LENGTH: usize = 16;
/// Characters of an ID of Exim 4.97 and later.
pub const NEW_LENGTH: usize = 23;
/// Characters of the seconds in an ID.
const TIME_LENGTH: usize = 6;
/// 1994-01-01: there was no Exim before.
const EARLIEST: u64 = 757_382_400;
/// Three centuries later a base-36 ID is out of digits, and a base-62 one is not plausible.
const LATEST: u64 = EARLIEST + 300 * 31_557_600;

/// What an ID says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageId {
    /// When it was made, in seconds; `None` if the digits make no plausible time.
    pub seconds: Option<i64>,
    /// The process that received the message.
    pub process: u64,
    /// The fraction of the second, in a unit that depends on version, system and `localhost_number`.
    pub fraction: u64,
    /// Whether it is of the kind of Exim 4.97 and later.
    pub new: bool,
}

/// Reads an ID.
pub fn decode(id: &[u8]) -> Option<MessageId> {
    let new = match id.len() {
        OLD_LENGTH => false,
        NEW_LENGTH => true,
        _ => return None,
    };
    let (process_length, fraction_length) = if new { (11, 4) } else { (6, 2) };
    let (seconds, rest) = id.split_at_checked(TIME_LENGTH)?;
    let (process, rest) = rest.strip_prefix(b"-")?.split_at_checked(process_length)?;
    let fraction = rest.strip_prefix(b"-").filter(|digits| digits.len() == fraction_length)?;
    if ![seconds, process, fraction].into_iter().flatten().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let base = base(seconds);
    Some(MessageId {
        seconds: number(seconds, base)
            .filter(|seconds| (EARLIEST..LATEST).contains(seconds))
            .and_then(|seconds| i64::try_from(seconds).ok()),
        process: number(process, base).unwrap_or(0),
        fraction: number(fraction, base).unwrap_or(0),
        new,
    })
}

/// The ID at the start of a name.
pub fn at_start(name: &[u8]) -> Option<(&[u8], MessageId)> {
    [NEW_LENGTH, OLD_LENGTH].into_iter().find_map(|length| {
        let id = name.get(..length)?;
        Some((id, decode(id)?))
    })
}

/// The letter of the folder in which the message lies if the spool is split: the last digit of the seconds
/// (`functions.h`, `set_subdir_str`).
pub fn letter(id: &[u8]) -> Option<char> {
    id.get(TIME_LENGTH - 1).map(|byte| char::from(*byte))
}

/// The ID that `exim_id_update` gives to this message when it changes old IDs to new ones or back
/// (`exim_id_update.src`, `do_file`). It leaves the message logs under their old names.
pub fn converted(id: &[u8]) -> Option<Vec<u8>> {
    let part = |from: usize, to: usize| id.get(from..to);
    if decode(id)?.new {
        Some([part(0, 7)?, part(12, 18)?, b"-", part(19, 21)?].concat())
    } else {
        Some([part(0, 7)?, b"00000", part(7, 13)?, b"-", part(14, 16)?, b"00"].concat())
    }
}

/// Exim counts in base 62, and in base 36 where file names have no case (Darwin, Cygwin). Which of them is not written
/// anywhere: base 36 is assumed where it alone gives a plausible time.
fn base(seconds: &[u8]) -> u64 {
    let plausible =
        |base: u64| number(seconds, base).is_some_and(|seconds| (EARLIEST..LATEST).contains(&seconds));
    if plausible(36) && !plausible(62) { 36 } else { 62 }
}

fn number(digits: &[u8], base: u64) -> Option<u64> {
    digits.iter().try_fold(0_u64, |sum, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            b'a'..=b'z' => digit - b'a' + 36,
            _ => return None,
        };
        let value = u64::from(value);
        if value < base { sum.checked_mul(base)?.checked_add(value) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_when_and_by_which_process_the_message_was_received() {
        let id = decode(b"1xVf5d-00002O-0X").unwrap();
        assert_eq!(id.seconds, Some(1_795_482_777), "the second on the fourth line of its -H");
        assert_eq!((id.process, id.fraction, id.new), (2 * 62 + 24, 33, false));
        assert_eq!(letter(b"1xVf5d-00002O-0X"), Some('d'));
        let long = decode(b"1xVf5e-0000000007x-0002").unwrap();
        assert_eq!((long.seconds, long.new), (Some(1_795_482_778), true));
        assert_eq!(long.process, decode(b"1xVf5e-00007x-02").unwrap().process);
    }

    #[test]
    fn what_is_no_id_is_not_taken_for_one() {
        for name in [
            &b"1xVf5d-00002O-0"[..],
            b"1xVf5d-00002O-0X-",
            b"1xVf5d_00002O-0X",
            b"1xVf5d-00002O_0X",
            b"1xVf5d-00002.-0X",
            b"",
        ] {
            assert_eq!(decode(name), None, "{}", String::from_utf8_lossy(name));
        }
        assert_eq!(decode(b"zzzzzz-zzzzzz-zz").unwrap().seconds, None, "the year 3769");
        assert_eq!(at_start(b"1xVf5d-00002O-0X-H.bak").unwrap().0, b"1xVf5d-00002O-0X");
        assert_eq!(at_start(b"hdr.1xVf5d-00002O-0X"), None);
    }

    #[test]
    fn ids_of_systems_whose_file_names_have_no_case_are_read_as_well() {
        // 1795482777 in base 36.
        assert_eq!(decode(b"TOZFDL-00002O-0X").unwrap().seconds, Some(1_795_482_777));
    }

    #[test]
    fn the_tool_of_exim_changes_ids_in_both_directions() {
        let new = converted(b"1xVf5e-00007x-02").unwrap();
        assert_eq!(new, b"1xVf5e-0000000007x-0200");
        assert_eq!(converted(&new).unwrap(), b"1xVf5e-00007x-02");
    }
}
