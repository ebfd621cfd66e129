//! The log of a message, `msglog/ID`: what became of each delivery so far.
//!
//! Source: Exim `receive.c` ("Received from"), `deliver.c` (`deliver_msglog`). Its times are local and have no zone unless
//! `log_timezone` is set, so that none is taken from the text.

use super::done;
use crate::evidence::{Recipient, RecipientState, Text};
use crate::read::disk::OpenFile;
use std::collections::HashSet;
use std::io;

/// A log is read from its end on, so far.
const MAX_BYTES: usize = 64 << 10;
/// Recipients that are kept.
const MAX_RECIPIENTS: usize = 1_000;
/// What Exim writes when it has frozen a message.
const FROZEN: &[u8] = b"*** Frozen";
/// How much of a reason is kept.
const MAX_REASON_BYTES: usize = 500;

/// What a log says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The envelope sender.
    pub sender: Option<Text>,
    /// Recipients that it names, each with the last thing that it says of them.
    pub recipients: Vec<Recipient>,
    /// The last line that speaks of freezing or thawing.
    pub freezing: Option<Text>,
    /// Recipients that a transport was given under their own name, so that no alias stands between.
    own: HashSet<Vec<u8>>,
}

impl Log {
    /// Reads a log.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(file: &OpenFile) -> io::Result<Self> {
        let start = file.stat.size.saturating_sub(MAX_BYTES as u64);
        let mut log = Self::default();
        if start > 0 {
            // The first line names the sender, however long the log has grown.
            let head = file.head(4 << 10)?;
            log.line(first_line(&head));
        }
        let bytes = file.at(start, MAX_BYTES)?;
        let skipped = usize::from(start > 0);
        bytes.split(|byte| *byte == b'\n').skip(skipped).for_each(|line| log.line(line));
        if start > 0 {
            // What is skipped may name finished deliveries.
            log.doubt(|_| true);
        }
        Ok(log)
    }

    /// Those who are not done may be so.
    fn doubt(&mut self, of: impl Fn(&[u8]) -> bool) {
        for recipient in &mut self.recipients {
            if recipient.state == RecipientState::Pending && of(&done::key(recipient.address.bytes())) {
                recipient.state = RecipientState::Unknown;
            }
        }
    }

    /// What it says of this recipient.
    pub fn of(&self, address: &Text) -> Option<&Recipient> {
        self.recipients.iter().find(|recipient| done::same(recipient.address.bytes(), address.bytes()))
    }

    fn line(&mut self, line: &[u8]) {
        // This line alone is written without a time (`deliver.c`, "*** Frozen").
        let Some(text) = after_time(line).or_else(|| line.starts_with(FROZEN).then_some(line)) else {
            return;
        };
        if let Some(rest) = text.strip_prefix(b"Received from ") {
            self.received(rest);
        } else if let Some((who, what)) = split(text, b" defer (") {
            let why = split(what, b")").map_or(what, |(_, why)| why);
            let why = why.strip_prefix(b":").unwrap_or(why).trim_ascii();
            self.deferred(who, why);
        } else if let Some((who, _)) = split(text, b" succeeded").and_then(|(text, _)| split(text, b": ")) {
            self.succeeded(who);
        } else if let Some(who) = marked_delivered(text) {
            self.note(who, RecipientState::Done, None);
        } else if let Some(rest) = text.strip_prefix(b"routing failed for ") {
            let (who, why) = split(rest, b": ").unwrap_or((rest, b""));
            self.note(who, RecipientState::Unknown, Some(why));
        } else if text.starts_with(FROZEN) || text.starts_with(b"frozen") || text.starts_with(b"Unfrozen") {
            self.freezing = Some(Text::new(text));
        } else {
            self.failed(text.strip_prefix(b"** ").unwrap_or(text));
        }
    }

    /// `SENDER U=root P=local S=564 for RECIPIENT…`; the recipients only with `log_selector = +received_recipients`.
    fn received(&mut self, text: &[u8]) {
        let (sender, rest) = split(text, b" ").unwrap_or((text, b""));
        self.sender = Some(if sender == b"<>" { Text::default() } else { Text::new(sender) });
        if let Some((_, recipients)) = split(rest, b" for ") {
            for recipient in recipients.split(|byte| *byte == b' ').filter(|recipient| !recipient.is_empty())
            {
                self.note(recipient, RecipientState::Pending, None);
            }
        }
    }

    /// `ADDRESS R=… T=…` or `CHILD <PARENT> R=… T=…`, with the reason.
    fn deferred(&mut self, who: &[u8], why: &[u8]) {
        let Some((address, is_parent)) = recipient_of(who) else { return };
        if !is_parent && memchr::memmem::find(who, b" T=").is_some() {
            self.own.insert(done::key(address));
        }
        // A parent of which one child got it is not pending again because another did not.
        let is_unsure =
            self.of(&Text::new(address)).is_some_and(|known| known.state == RecipientState::Unknown);
        let state = if is_parent && is_unsure { RecipientState::Unknown } else { RecipientState::Pending };
        self.note(who, state, Some(why));
    }

    /// `ADDRESS: … transport succeeded`. Exim does not say there of which recipient an address is the child, so that one
    /// that was not named before may be the child of any that no transport has been given itself.
    fn succeeded(&mut self, who: &[u8]) {
        let Some((address, is_parent)) = recipient_of(who) else { return };
        if is_parent {
            return self.note(who, RecipientState::Unknown, None);
        }
        if self.of(&Text::new(address)).is_none() {
            let own = std::mem::take(&mut self.own);
            self.doubt(|recipient| !own.contains(recipient));
            self.own = own;
        }
        self.note(who, RecipientState::Done, None);
    }

    /// `ADDRESS R=… T=…: REASON` of a delivery that failed for good, and `ADDRESS: delivery cancelled by administrator`:
    /// whether the sender was told already is not said.
    fn failed(&mut self, text: &[u8]) {
        let (who, why) = split(text, b": ").unwrap_or((text, b""));
        let is_delivery =
            memchr::memmem::find(who, b" R=").is_some() || why.starts_with(b"delivery cancelled");
        if is_delivery {
            self.note(who, RecipientState::Unknown, Some(why));
        }
    }

    /// Notes what is said of a recipient. Who is done stays so: Exim never tries them again.
    fn note(&mut self, who: &[u8], state: RecipientState, reason: Option<&[u8]>) {
        let Some((address, _)) = recipient_of(who) else { return };
        let reason = reason
            .map(|reason| Text::new(reason.get(..MAX_REASON_BYTES.min(reason.len())).unwrap_or_default()));
        let known = self.recipients.iter_mut().rev().find(|known| done::same(known.address.bytes(), address));
        if let Some(known) = known {
            if known.state != RecipientState::Done {
                known.state = state;
            }
            known.reason = reason.or_else(|| known.reason.take());
        } else if self.recipients.len() < MAX_RECIPIENTS {
            self.recipients.push(Recipient { address: Text::new(address), state, reason });
        }
    }
}

/// `ADDRESS …`, or `CHILD <PARENT> …`, where the parent is the recipient of the envelope; whether it is one.
fn recipient_of(who: &[u8]) -> Option<(&[u8], bool)> {
    let mut words = who.split(|byte| *byte == b' ');
    let first = words.next()?;
    let parent = words.next().and_then(|word| word.strip_prefix(b"<")?.strip_suffix(b">"));
    let address = parent.unwrap_or(first);
    memchr::memchr(b'@', address)?;
    Some((address, parent.is_some()))
}

/// `address <ADDRESS> marked delivered by USER`.
fn marked_delivered(text: &[u8]) -> Option<&[u8]> {
    let (address, _) = split(text.strip_prefix(b"address <")?, b"> marked delivered by ")?;
    Some(address)
}

/// The first line, without the word at which it breaks off.
fn first_line(head: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', head).or_else(|| memchr::memrchr(b' ', head));
    end.and_then(|end| head.get(..end)).unwrap_or_default()
}

/// What follows `2026-11-24 01:12:57`, with a fraction, a zone and a process number if they are logged.
fn after_time(line: &[u8]) -> Option<&[u8]> {
    let (time, mut rest) = line.split_at_checked(19)?;
    if time.get(4) != Some(&b'-') || time.get(10) != Some(&b' ') || time.get(13) != Some(&b':') {
        return None;
    }
    let word = |text: &[u8]| text.iter().position(|byte| *byte == b' ').unwrap_or(text.len());
    if rest.first() == Some(&b'.') {
        rest = rest.get(word(rest)..)?;
    }
    rest = rest.strip_prefix(b" ")?;
    while matches!(rest, [b'+' | b'-' | b'[', b'0'..=b'9', ..]) {
        rest = rest.get(word(rest)..)?.strip_prefix(b" ")?;
    }
    Some(rest)
}

fn split<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let found = memchr::memmem::find(text, at)?;
    Some((text.get(..found)?, text.get(found + at.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Log {
        let mut log = Log::default();
        text.lines().for_each(|line| log.line(line.as_bytes()));
        log
    }

    #[test]
    fn the_last_word_on_each_recipient_counts() {
        let log = read(
            "2026-11-24 01:12:57 Received from sender@lab.test U=root P=local S=564\n\
             2026-11-24 01:12:57 H=127.0.0.2 [127.0.0.2] SMTP error from remote mail server after RCPT TO:<a@g.test>: 451\n\
             2026-11-24 01:12:57 a@g.test R=all T=smtp defer (-44) H=127.0.0.2 [127.0.0.2]: SMTP error: 451 4.7.1 Greylisted\n\
             2026-11-24 01:12:58.123 +0100 [77] b@g.test R=all T=smtp defer (111): Connection refused\n\
             2026-11-24 01:13:24 b@g.test: smtp transport succeeded\n\
             *** Frozen (delivery error message)\n",
        );
        assert_eq!(log.sender, Some("sender@lab.test".into()));
        let said: Vec<_> = log.recipients.iter().map(|r| (r.address.lossy(), r.state)).collect();
        assert_eq!(
            said,
            [("a@g.test".into(), RecipientState::Pending), ("b@g.test".into(), RecipientState::Done)]
        );
        assert!(
            log.of(&"a@g.test".into())
                .unwrap()
                .reason
                .as_ref()
                .unwrap()
                .lossy()
                .ends_with("451 4.7.1 Greylisted")
        );
        assert_eq!(log.freezing, Some("*** Frozen (delivery error message)".into()));
    }

    #[test]
    fn the_recipients_of_the_first_line_and_the_parents_of_aliases_are_known() {
        let log = read(
            "2026-11-24 01:12:57 Received from <> H=x P=smtp S=564 for a@g.test c@g.test\n\
             2026-11-24 01:12:57 child@h.test <a@g.test> R=all T=smtp defer (-1): no\n",
        );
        assert_eq!(log.sender, Some(Text::default()));
        assert_eq!(log.recipients.len(), 2);
        assert_eq!(log.of(&"a@g.test".into()).unwrap().reason, Some("no".into()));
        assert_eq!(read("no log at all\n2026"), Log::default());
    }

    fn states(text: &str) -> Vec<(String, RecipientState)> {
        read(text).recipients.iter().map(|r| (r.address.lossy().into_owned(), r.state)).collect()
    }

    const TWO: &str = "2026-11-24 01:12:57 Received from s@a.test H=x P=esmtp S=564 for a@g.test b@g.test\n";

    #[test]
    fn who_failed_is_neither_pending_nor_done() {
        use RecipientState::{Done, Unknown};
        for line in [
            "a@g.test R=all T=smtp H=h [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<a@g.test>: 550 no",
            "routing failed for a@g.test: Unrouteable address",
            "a@g.test: delivery cancelled by administrator",
            "** a@g.test R=all T=smtp: no",
        ] {
            let text = format!(
                "{TWO}2026-11-24 01:12:58 a@g.test R=all T=smtp defer (-44): 451\n2026-11-24 01:13:57 {line}\n"
            );
            assert_eq!(states(&text)[0].1, Unknown, "{line}");
        }
        assert_eq!(
            states(&format!("{TWO}2026-11-24 01:12:58 address <b@G.test> marked delivered by root\n"))[1].1,
            Done
        );
    }

    #[test]
    fn the_parent_of_a_child_that_got_it_is_neither_pending_nor_done() {
        use RecipientState::{Done, Pending, Unknown};
        let own = "2026-11-24 01:12:57 b@g.test R=all T=smtp defer (-44): 451\n";
        let late = "2026-11-24 01:12:58 c2@h.test <a@g.test> R=all T=smtp defer (-44): 451\n";
        for done in
            ["c1@h.test <a@g.test>: local transport succeeded", "c1@h.test: local transport succeeded"]
        {
            let text = format!("{TWO}{own}2026-11-24 01:12:58 {done}\n{late}");
            let states = states(&text);
            assert_eq!((states[0].1, states[1].1), (Unknown, Pending), "{done}");
        }
        assert_eq!(
            states(&format!("{TWO}2026-11-24 01:12:58 a@g.test: smtp transport succeeded\n"))[0].1,
            Done
        );
    }
}
