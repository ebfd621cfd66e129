//! What a file's name says of the file.

/// The number of a message, if the name is one as qmail writes it: plain decimal, no sign, no leading zero
/// (`fmtqfn.c`; `readsubdir.c` reads the name as a number and then looks for the number, so that `007` is never found).
pub fn number(name: &[u8]) -> Option<u64> {
    let plain = !name.is_empty() && name.iter().all(u8::is_ascii_digit) && name.first() != Some(&b'0');
    std::str::from_utf8(name).ok().filter(|_| plain)?.parse().ok()
}

/// The number at the start of a name that is none itself: `11463706` of `11463706.bak`.
pub fn stem(name: &[u8]) -> Option<u64> {
    let end = name.iter().position(|byte| !byte.is_ascii_digit())?;
    name.get(..end).and_then(number)
}

/// The process in a name in `pid`: `PID.TIME.SEQUENCE` (`qmail-queue.c`, `pidfmt`).
pub fn process(name: &[u8]) -> Option<u32> {
    let mut parts = std::str::from_utf8(name).ok()?.split('.');
    let digits = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (process, time, sequence) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = [process, time, sequence].iter().all(digits) && parts.next().is_none();
    if whole { process.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_number_names_a_message() {
        assert_eq!(number(b"11463706"), Some(11_463_706));
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for name in [&b""[..], b"0", b"007", b"+7", b"-7", b"7.bak", b"18446744073709551616", b"\xff"] {
            assert_eq!(number(name), None, "{}", String::from_utf8_lossy(name));
        }
    }

    #[test]
    fn a_foreign_name_may_begin_with_the_number_that_it_had() {
        assert_eq!(stem(b"11463706.bak"), Some(11_463_706));
        assert_eq!(stem(b".11463706"), None);
        assert_eq!(stem(b"core"), None);
    }

    #[test]
    fn a_name_in_pid_holds_the_process_that_made_it() {
        assert_eq!(process(b"1443.1795480374.1"), Some(1443));
        for name in [&b"1443"[..], b"1443.1", b"1443.1.1.1", b"a.1.1", b"99999999999.1.1"] {
            assert_eq!(process(name), None);
        }
    }
}
