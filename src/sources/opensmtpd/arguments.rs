//! The arguments of sendmail(1) that begin a file in `offline`.
//!
//! They stand in the first line with `|` between them, as they were given. Source: OpenSMTPD `enqueue.c`, `enqueue_offline`
//! (writing), `enqueue` (`getopt`); `smtpd.c`, `offline_enqueue` (reading).

use crate::evidence::{Text, TimeKind};

/// Recipients that are kept; all are counted.
const MAX_RECIPIENTS: usize = 1_000;
/// Options that take a value. `E` and `J` take one only if it is attached.
const WITH_VALUE: &[u8] = b"ABbeFfLNopRrV";
/// The line of arguments is as long as a command line can be on most systems.
pub const MAX_LINE_BYTES: usize = 128 << 10;

/// What the arguments say.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The envelope sender; `None` if smtpd is to make it from the user.
    pub sender: Option<Text>,
    /// Recipients that are kept.
    pub recipients: Vec<Text>,
    /// All recipients.
    pub count: u64,
    /// Whether the header names recipients too (`-t`).
    pub from_header: bool,
}

impl Arguments {
    /// Reads the first line of a file, without its end.
    pub fn parse(line: &[u8]) -> Self {
        let mut arguments = Self::default();
        let mut words = line.split(|byte| *byte == b'|');
        let mut options = true;
        while let Some(word) = words.next() {
            match word {
                b"--" if options => options = false,
                [b'-', letters @ ..] if options && !letters.is_empty() => {
                    arguments.option(letters, &mut words);
                }
                address => arguments.recipient(address),
            }
        }
        arguments
    }

    fn option<'l>(&mut self, letters: &'l [u8], words: &mut impl Iterator<Item = &'l [u8]>) {
        for (index, letter) in letters.iter().enumerate() {
            if WITH_VALUE.contains(letter) {
                let attached = letters.get(index + 1..).filter(|rest| !rest.is_empty());
                let value = attached.or_else(|| words.next()).unwrap_or_default();
                if matches!(letter, b'f' | b'r') {
                    self.sender = Some(address(value));
                }
                return;
            }
            match letter {
                b'E' | b'J' => return,
                b't' => self.from_header = true,
                _ => {}
            }
        }
    }

    fn recipient(&mut self, word: &[u8]) {
        if word.is_empty() {
            return;
        }
        self.count += 1;
        if self.recipients.len() < MAX_RECIPIENTS {
            self.recipients.push(address(word));
        }
    }
}

/// An address without its angle brackets; the null sender is `<>`. Of that of a sender the second one is cut off before the
/// arguments are written (`enqueue.c`, `build_from`).
fn address(word: &[u8]) -> Text {
    let inner = word.strip_prefix(b"<").map(|word| word.strip_suffix(b">").unwrap_or(word));
    Text::new(inner.unwrap_or(word))
}

/// The time in a name `SECONDS.RANDOM` (`smtpctl.c`, `offline_file`).
pub fn made(name: &[u8]) -> Option<(TimeKind, i64)> {
    let text = std::str::from_utf8(name).ok()?;
    let (seconds, _) = text.split_once('.')?;
    let seconds = seconds.parse().ok().filter(|seconds| *seconds > 0)?;
    Some((TimeKind::Created, seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_and_the_recipients_are_told_from_the_options() {
        let read = Arguments::parse(b"-i|-f|a@lab.test|off3@grey.test");
        assert_eq!(read.sender, Some(Text::from("a@lab.test")));
        assert_eq!(read.recipients, [Text::from("off3@grey.test")]);
        let read = Arguments::parse(b"-it|-fb@lab.test|-oem|-F|Some One|--|-odd@grey.test|x@y.test");
        assert_eq!(read.sender, Some(Text::from("b@lab.test")));
        assert_eq!((read.count, read.from_header), (2, true));
        assert_eq!(Arguments::parse(b"-f|<>|x@y.test").sender, Some(Text::default()));
        assert_eq!(Arguments::parse(b"-f|<|x@y.test").sender, Some(Text::default()));
        assert_eq!(Arguments::parse(b"x@y.test").sender, None, "smtpd makes it from the user");
        assert_eq!(Arguments::parse(b"-f").sender, Some(Text::default()));
    }
}
