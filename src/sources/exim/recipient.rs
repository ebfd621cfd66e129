//! A recipient in an envelope file: an address, and what may stand behind it, read from its end.
//!
//! Source: Exim `spool_in.c`, `spool_read_header` ("Look back from the end of the line"), `spool_out.c`.

/// What a recipient's line says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// The address.
    pub address: &'a [u8],
    /// The original recipient that the client gave (RFC 3461).
    pub original: Option<&'a [u8]>,
    /// Where errors are to go instead of to the sender.
    pub errors_to: Option<&'a [u8]>,
    /// What the client asked to be told (`macros.h`, `rf_notify_*`).
    pub notify: usize,
}

/// Reads a line. `None`: it is empty, which Exim calls a format error.
pub fn parse(line: &[u8]) -> Option<Line<'_>> {
    if line.is_empty() {
        return None;
    }
    let bare = trim_digits(line);
    Some(match bare.last() {
        // Exim 3: `ADDRESS N,PARENT,N`.
        Some(b',') => match split_numbers(line, b",") {
            Some((rest, _)) => Line { address: trim_spaces(rest), ..Line::default() },
            None => Line { address: line, ..Line::default() },
        },
        // The first form of Exim 4: `ADDRESS PARENT`.
        Some(b' ') => Line { address: trim_spaces(bare), ..Line::default() },
        // Now: `ADDRESS ORIGINAL LENGTH,DSN ERRORS_TO LENGTH,PARENT#BITS`.
        Some(b'#') => marked(bare, line.get(bare.len()..).unwrap_or_default()),
        _ => Line { address: line, ..Line::default() },
    })
}

fn marked<'a>(bare: &'a [u8], bits: &[u8]) -> Line<'a> {
    let bits = number(bits).unwrap_or(0);
    let mut rest = bare.strip_suffix(b"#").unwrap_or(bare);
    let mut line = Line::default();
    if bits & 1 != 0 {
        (rest, line.errors_to, _) = counted(rest);
    }
    if bits & 2 != 0 {
        (rest, line.original, line.notify) = counted(rest);
    }
    line.address = trim_spaces(rest);
    line
}

/// Splits `REST TEXT LENGTH,NUMBER` into its rest, the text, which has that length, and the number.
fn counted(text: &[u8]) -> (&[u8], Option<&[u8]>, usize) {
    let Some((rest, numbers)) = split_numbers(text, b",-") else { return (text, None, 0) };
    let mut numbers = numbers.split(|byte| *byte == b',').map(|digits| number(digits).unwrap_or(0));
    let (length, other) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    match rest.len().checked_sub(length).and_then(|at| rest.split_at_checked(at)) {
        Some((rest, value)) => {
            (rest.strip_suffix(b" ").unwrap_or(rest), Some(value).filter(|value| !value.is_empty()), other)
        }
        None => (rest, None, other),
    }
}

/// Splits off figures and these bytes at the end, with the space before them.
fn split_numbers<'a>(text: &'a [u8], also: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = text.iter().rposition(|byte| !byte.is_ascii_digit() && !also.contains(byte))?;
    let rest = text.get(..start)?;
    (text.get(start) == Some(&b' ')).then(|| (rest, text.get(start + 1..).unwrap_or_default()))
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn trim_digits(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |at| at + 1);
    text.get(..end).unwrap_or_default()
}

fn trim_spaces(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte != b' ').map_or(0, |at| at + 1);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(line: &str) -> String {
        String::from_utf8_lossy(parse(line.as_bytes()).unwrap().address).into_owned()
    }

    #[test]
    fn every_form_that_exim_has_written_gives_the_address() {
        assert_eq!(address("a@b.test"), "a@b.test");
        assert_eq!(address("\"a b\"@b.test 3,2,1"), "\"a b\"@b.test", "Exim 3");
        assert_eq!(address("\"a b\"@b.test 7"), "\"a b\"@b.test", "early Exim 4");
        assert_eq!(address("a@b.test  0,-1#1"), "a@b.test");
        assert_eq!(address("a@b.test err@c.test 10,-1#1"), "a@b.test");
        assert_eq!(address("a@b.test  0,0  0,-1#3"), "a@b.test");
        assert_eq!(address("a@b.test rfc822;x@y.test 15,8 e@c.test 8,-1#3"), "a@b.test");
        assert_eq!(address("12345"), "12345");
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn the_original_recipient_and_the_address_for_errors_are_kept() {
        let line = parse(b"a@b.test rfc822;x@y.test 15,8 e@c.test 8,-1#3").unwrap();
        assert_eq!(line.original, Some(&b"rfc822;x@y.test"[..]));
        assert_eq!(line.errors_to, Some(&b"e@c.test"[..]));
        assert_eq!(line.notify, 8, "a report of failure");
        assert_eq!(parse(b"a@b.test  0,3  0,-1#3").unwrap().original, None);
    }

    #[test]
    fn lengths_that_lie_do_no_harm() {
        for line in ["a 99999999999999999999,1#3", "#3", "#", " 1,1#1", "a#3", "a 5,-1 9,-1#3", ",", " "] {
            assert!(parse(line.as_bytes()).is_some(), "{line}");
        }
    }
}
