//! Replies of a server that may be hostile: bounded, and tamed before anybody sees them.

use serde::{Deserialize, Serialize};

/// The longest line that is read, with its line end. RFC 5321 section 4.5.3.1.5 allows 512 bytes.
pub(super) const LONGEST_LINE: usize = 4096;
/// The most lines of one reply.
pub(super) const MOST_LINES: usize = 100;
/// The most characters of a reply that are kept.
const MOST_KEPT: usize = 1000;
/// The longest queue ID that is believed.
const LONGEST_ID: usize = 64;

/// What a server answered, fit for a journal and a terminal: letters, digits, ASCII signs and spaces; everything else is
/// written as an escape. Texts of more than 1000 characters are cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The three digits: 200 to 599.
    pub code: u16,
    /// The text of all its lines, joined by spaces.
    pub text: String,
}

impl Reply {
    /// Whether it says yes.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// Whether it says no, for now (4xx) or for good (5xx).
    pub fn is_negative(&self) -> bool {
        self.code >= 400
    }

    /// Whether it says no for now only.
    pub fn is_temporary(&self) -> bool {
        self.code / 100 == 4
    }

    /// The status code of RFC 3463 (`5.1.1`) at its beginning, if it belongs to its code.
    pub fn status(&self) -> Option<&str> {
        let word = self.text.split(' ').next()?;
        let parts: Vec<_> = word.split('.').collect();
        let [class, subject, detail] = parts.as_slice() else { return None };
        let number = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        let fits = class.parse() == Ok(self.code / 100) && number(subject) && number(detail);
        fits.then_some(word)
    }

    /// The ID under which the server says that it has the message, where it says so in one of the usual ways.
    pub fn queue_id(&self) -> Option<String> {
        let text = self.status().and_then(|status| self.text.strip_prefix(status)).unwrap_or(&self.text);
        self.is_positive().then(|| queue_id(text)).flatten()
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// Postfix: `queued as ID` (`smtpd/smtpd.c`); Exim: `id=ID` (`smtp_in.c`); sendmail and OpenSMTPD: `ID Message accepted for
/// delivery` (`srvrsmtp.c`, `smtp_session.c`); qmail: `qp ID` (`qmail-smtpd.c`, a process number); Exchange: `[InternalId=ID,`
/// as its protocol logs show it.
fn queue_id(text: &str) -> Option<String> {
    let behind = |mark: &str| text.split_once(mark).map(|(_, after)| after);
    let before = |mark: &str| text.split_once(mark).and_then(|(before, _)| before.split(' ').next_back());
    let candidate = behind("queued as ")
        .or_else(|| behind(" id="))
        .or_else(|| behind("InternalId="))
        .or_else(|| before(" Message accepted for delivery"))
        .or_else(|| behind(" qp "))?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let id: String = candidate.chars().take_while(|c| is_part(*c)).take(LONGEST_ID + 1).collect();
    let id = id.trim_end_matches('.');
    let has_digit = id.chars().any(|c| c.is_ascii_digit());
    (has_digit && id.len() <= LONGEST_ID).then(|| id.to_owned())
}

/// A reply as it came, line by line, without codes and line ends.
#[derive(Debug)]
pub(super) struct Answer {
    pub code: u16,
    pub lines: Vec<Vec<u8>>,
}

impl Answer {
    pub fn reply(&self) -> Reply {
        Reply { code: self.code, text: tame(&self.lines.join(&b' ')) }
    }
}

/// Puts together the lines of one reply.
#[derive(Debug, Default)]
pub(super) struct Collected {
    code: Option<u16>,
    lines: Vec<Vec<u8>>,
}

impl Collected {
    /// Takes the next line, its CR LF cut off. True when it was the last of the reply.
    pub fn take(&mut self, line: &[u8]) -> Result<bool, String> {
        let garbage = || format!("it answered what is no reply: `{}`", tame(line));
        let digits =
            line.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit)).ok_or_else(garbage)?;
        let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
        let last = match line.get(3) {
            None | Some(b' ') => true,
            Some(b'-') => false,
            Some(_) => return Err(garbage()),
        };
        if !(200..=599).contains(&code) || line.contains(&b'\r') {
            return Err(garbage());
        }
        if self.code.is_some_and(|first| first != code) {
            return Err("the lines of its reply have different codes".to_owned());
        }
        if self.lines.len() >= MOST_LINES {
            return Err(format!("its reply has more than {MOST_LINES} lines"));
        }
        self.code = Some(code);
        self.lines.push(line.get(4..).unwrap_or_default().to_vec());
        Ok(last)
    }

    pub fn finish(self) -> Answer {
        Answer { code: self.code.unwrap_or_default(), lines: self.lines }
    }
}

/// Text of a stranger, fit for a journal and a terminal.
pub(super) fn tame(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut tamed = String::new();
    for (kept, character) in text.chars().enumerate() {
        if kept == MOST_KEPT {
            tamed.push_str(" [...]");
            break;
        }
        if character == ' ' || character.is_ascii_graphic() || character.is_alphanumeric() {
            tamed.push(character);
        } else {
            tamed.extend(character.escape_default());
        }
    }
    tamed
}

#[cfg(test)]
mod tests {
    use super::{Collected, Reply, tame};

    fn reply(text: &str) -> Reply {
        Reply { code: 250, text: text.to_owned() }
    }

    #[test]
    fn the_queue_id_is_found_in_the_replies_of_the_usual_servers() {
        for (text, id) in [
            ("2.0.0 Ok: queued as 4bQx8k1dTyz9", "4bQx8k1dTyz9"),
            ("2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 9C1D220A", "9C1D220A"),
            ("OK id=1tF3Xk-00000001abc-2Qx1", "1tF3Xk-00000001abc-2Qx1"),
            ("2.0.0 4AQ5xxYz012345 Message accepted for delivery", "4AQ5xxYz012345"),
            ("2.0.0 5f2e1a3b Message accepted for delivery", "5f2e1a3b"),
            ("ok 1700000000 qp 12345", "12345"),
            ("2.6.0 <a@b> [InternalId=236223201281, Hostname=X] Queued mail for delivery", "236223201281"),
        ] {
            assert_eq!(reply(text).queue_id().as_deref(), Some(id), "{text}");
        }
        for text in ["Ok", "2.0.0 Ok: queued as", "2.0.0 Message accepted for delivery", "queued as \\u{1b}"]
        {
            assert_eq!(reply(text).queue_id(), None, "{text}");
        }
        assert_eq!(reply(&format!("queued as {}", "1".repeat(5000))).queue_id(), None);
    }

    #[test]
    fn the_status_is_told_apart_from_other_words() {
        let status = |code, text: &str| Reply { code, text: text.to_owned() }.status().map(str::to_owned);
        assert_eq!(status(550, "5.1.1 no such user").as_deref(), Some("5.1.1"));
        assert_eq!(status(550, "2.0.0 odd"), None);
        assert_eq!(status(550, "5.1 odd"), None);
        assert_eq!(status(550, "no such user"), None);
    }

    #[test]
    fn a_reply_cannot_paint_the_terminal_or_fill_the_journal() {
        assert_eq!(tame(b"ok\x1b[2J\r\xff"), "ok\\u{1b}[2J\\r\\u{fffd}");
        assert_eq!(tame("abc\u{202e}def\u{200b} büro".as_bytes()), "abc\\u{202e}def\\u{200b} büro");
        assert!(tame(&vec![b'a'; 100_000]).len() < 1100);
    }

    #[test]
    fn lines_with_different_codes_are_no_reply() {
        let mut lines = Collected::default();
        assert_eq!(lines.take(b"250-first"), Ok(false));
        assert!(lines.take(b"550 second").unwrap_err().contains("different codes"));
        for garbage in [&b"hello"[..], b"25", b"250xok", b"150 no", b"600 no", b"2\xb20 no", b"250 a\rb", b""]
        {
            assert!(Collected::default().take(garbage).is_err(), "{garbage:?}");
        }
    }
}
