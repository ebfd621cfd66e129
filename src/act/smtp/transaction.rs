//! One message, from `MAIL` to the last reply.
//!
//! Everything turns on the final dot. Before it is sent the server must not deliver, so whatever goes wrong until then means
//! that nothing was taken. From its first byte on, only the server's answer tells.

use super::connect::Client;
use super::content::{Content, Encoder, Survey, blocks, survey};
use super::envelope::{Commands, commands};
use super::reply::{Answer, Reply};
use super::verdict::{Failure, Fate, Handed, RecipientResult, Verdict};
use super::wire::{Wire, lost};
use crate::plan::Outgoing;
use std::io;
use std::time::Duration;

/// How long is waited for the last words of a server that hung up in the middle.
const LAST_WORDS: Duration = Duration::from_secs(2);

impl Client {
    /// Hands in one message.
    ///
    /// The content is read twice: before a word is said, to see whether the server takes its like, and to be sent. With
    /// `all_or_nothing` a server that refuses one recipient is not sent the message for the others either. That holds for
    /// refusals before the message; by LMTP each recipient may still be refused after it.
    pub fn send(&mut self, outgoing: &Outgoing, content: &mut dyn Content, all_or_nothing: bool) -> Handed {
        self.send_told(outgoing, content, all_or_nothing, &mut || Ok(()))
    }

    /// The same; `before_end` is called when all of the message was sent and only the final dot is missing. If it fails, the dot
    /// is not sent, and nothing was taken.
    pub fn send_told(
        &mut self,
        outgoing: &Outgoing,
        content: &mut dyn Content,
        all_or_nothing: bool,
        before_end: &mut dyn FnMut() -> io::Result<()>,
    ) -> Handed {
        let result = |recipient: &crate::plan::OutgoingRecipient| RecipientResult {
            address: recipient.address.clone(),
            fate: Fate::NotTaken,
            reply: None,
        };
        let mut transaction = Transaction {
            recipients: outgoing.recipients.iter().map(result).collect(),
            lmtp: self.lmtp,
            all_or_nothing,
        };
        let mut notes = Vec::new();
        let verdict = match self.prepare(outgoing, content) {
            Err(failure) => Verdict::NotTaken { failure },
            Ok((seen, mut commands)) => {
                notes.append(&mut commands.notes);
                self.carry_out(&mut transaction, &commands, &seen, content, before_end)
            }
        };
        Handed { verdict, recipients: transaction.recipients, notes }
    }

    fn prepare(&self, outgoing: &Outgoing, content: &mut dyn Content) -> Result<(Survey, Commands), Failure> {
        let seen = survey(content).map_err(|error| unreadable(&error))?;
        Ok((seen, commands(outgoing, &self.offers, &seen)?))
    }

    fn carry_out(
        &mut self,
        transaction: &mut Transaction,
        commands: &Commands,
        seen: &Survey,
        content: &mut dyn Content,
        before_end: &mut dyn FnMut() -> io::Result<()>,
    ) -> Verdict {
        // The connection comes back only from a transaction after which both sides know where they are.
        let Some(wire) = self.wire.take() else {
            return Verdict::NotTaken { failure: Failure::broken("the connection is no longer there") };
        };
        let mut turn = Turn { wire, client: self, in_step: true };
        let verdict = match turn.until_data(transaction, commands) {
            Ok(()) => match turn.content(transaction, seen, content) {
                Ok(()) => match before_end() {
                    Ok(()) => turn.end(transaction),
                    Err(error) => {
                        turn.in_step = false;
                        Verdict::NotTaken { failure: Failure::broken(error.to_string()) }
                    }
                },
                Err(verdict) => verdict,
            },
            Err(failure) => Verdict::NotTaken { failure },
        };
        let Turn { wire, in_step, .. } = turn;
        self.wire = in_step.then_some(wire);
        verdict
    }
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::broken(format!("the message cannot be read: {error}"))
}

/// What is known of the recipients, and how they are treated.
struct Transaction {
    recipients: Vec<RecipientResult>,
    lmtp: bool,
    all_or_nothing: bool,
}

impl Transaction {
    /// Those that were accepted before the message.
    fn open(&mut self) -> impl Iterator<Item = &mut RecipientResult> {
        self.recipients.iter_mut().filter(|recipient| recipient.fate != Fate::Refused)
    }

    fn note(&mut self, at: usize, reply: Reply) {
        if let Some(recipient) = self.recipients.get_mut(at) {
            if reply.is_negative() {
                recipient.fate = Fate::Refused;
            }
            recipient.reply = Some(reply);
        }
    }

    fn set_open(&mut self, fate: Fate, reply: Option<&Reply>) {
        for recipient in self.open() {
            recipient.fate = fate;
            recipient.reply = reply.cloned().or_else(|| recipient.reply.take());
        }
    }

    /// Why nothing is sent, after what was said to the recipients.
    fn refusal(&self) -> Option<Failure> {
        let refused: Vec<_> =
            self.recipients.iter().filter(|recipient| recipient.fate == Fate::Refused).collect();
        let all = refused.len() == self.recipients.len();
        if refused.is_empty() || !(all || self.all_or_nothing) {
            return None;
        }
        let reply = refused.first().and_then(|recipient| recipient.reply.clone())?;
        let temporary =
            refused.iter().all(|recipient| recipient.reply.as_ref().is_some_and(Reply::is_temporary));
        let what = match (refused.len(), self.recipients.len()) {
            (1, 1) => "it refuses the recipient".to_owned(),
            (some, of) => format!("it refuses {some} of {of} recipients"),
        };
        Some(Failure { temporary, ..Failure::refused(&what, reply) })
    }
}

/// A connection during one transaction.
struct Turn<'a> {
    wire: Wire,
    client: &'a Client,
    /// Whether both sides are ready for another message.
    in_step: bool,
}

impl Turn<'_> {
    fn ask(&mut self, command: &str) -> Result<Answer, Failure> {
        self.wire.ask(command, self.client.timeouts.reply).map_err(|why| self.lose(why))
    }

    /// Gives the connection up.
    fn lose(&mut self, why: impl Into<String>) -> Failure {
        self.in_step = false;
        Failure::broken(why)
    }

    /// Takes back what was said of a message so far; whatever comes of that, nothing was sent.
    fn reset(&mut self) {
        self.in_step = self.ask("RSET").is_ok_and(|answer| answer.code == 250) && self.in_step;
    }

    /// All that comes before the message; from here on the server waits for it.
    fn until_data(&mut self, transaction: &mut Transaction, commands: &Commands) -> Result<(), Failure> {
        let reply = self.ask(&commands.mail)?.reply();
        if !reply.is_positive() {
            self.reset();
            return Err(Failure::refused("it refuses the sender", reply));
        }
        for (at, command) in commands.rcpt.iter().enumerate() {
            let reply = self.ask(command)?.reply();
            if !reply.is_positive() && !reply.is_negative() {
                return Err(self.lose(format!("it answers a recipient with {reply}")));
            }
            transaction.note(at, reply);
        }
        if let Some(failure) = transaction.refusal() {
            self.reset();
            return Err(failure);
        }
        let answer = self.ask("DATA")?;
        match answer.code {
            354 => Ok(()),
            400.. => {
                self.reset();
                Err(Failure::refused("it refuses the message", answer.reply()))
            }
            _ => Err(self.lose(format!("it answers DATA with {}", answer.reply()))),
        }
    }

    /// Sends the message without its end. After an error the connection is closed, so that the end is never sent.
    fn content(
        &mut self,
        transaction: &mut Transaction,
        seen: &Survey,
        content: &mut dyn Content,
    ) -> Result<(), Verdict> {
        let mut encoder = Encoder::default();
        let mut ready = Vec::new();
        let mut broken = None;
        let (wire, block) = (&mut self.wire, self.client.timeouts.block);
        let read = blocks(content, &mut |bytes| {
            ready.clear();
            encoder.encode(bytes, &mut |bytes| ready.extend_from_slice(bytes));
            wire.send(&ready, block).inspect_err(|error| broken = Some(lost(error)))
        });
        if let Some(why) = broken {
            return Err(self.interrupted(transaction, &why));
        }
        if let Err(error) = read {
            self.in_step = false;
            return Err(Verdict::NotTaken { failure: unreadable(&error) });
        }
        ready.clear();
        encoder.finish(&mut |bytes| ready.extend_from_slice(bytes));
        if encoder.survey != *seen {
            return Err(Verdict::NotTaken {
                failure: self.lose("the message was changed while it was sent"),
            });
        }
        if let Err(error) = self.wire.send(&ready, block) {
            return Err(self.interrupted(transaction, &lost(&error)));
        }
        // An answer before the end is none to the message. Were the end sent now, it could be taken for one.
        if self.wire.has_spoken() {
            return Err(self.interrupted(transaction, "it did not wait for it"));
        }
        Ok(())
    }

    /// The server stopped listening in the middle of the message. It may have said why; and should it say that it has the
    /// message, of which it never saw the end, then it is to be feared that it delivers what it has.
    fn interrupted(&mut self, transaction: &mut Transaction, why: &str) -> Verdict {
        self.in_step = false;
        self.wire.set_deadline(LAST_WORDS.min(self.client.timeouts.reply));
        let before = format!("before the end of the message was sent: {why}");
        match self.wire.read_reply().map(|answer| answer.reply()) {
            Ok(reply) if reply.is_positive() => {
                transaction.set_open(Fate::Unknown, None);
                Verdict::Unknown {
                    why: format!("it answered {reply} before the end of the message was sent"),
                }
            }
            Ok(reply) if reply.is_negative() => {
                Verdict::NotTaken { failure: Failure::refused("it broke off the message", reply) }
            }
            _ => Verdict::NotTaken { failure: Failure::broken(before) },
        }
    }

    /// Sends the end of the message, and reads what became of it.
    fn end(&mut self, transaction: &mut Transaction) -> Verdict {
        let wait = self.client.timeouts.end;
        if let Err(error) = self.wire.send(b".\r\n", wait) {
            self.in_step = false;
            transaction.set_open(Fate::Unknown, None);
            return Verdict::Unknown {
                why: format!("the end of the message may have been sent: {}", lost(&error)),
            };
        }
        if transaction.lmtp { self.end_of_lmtp(transaction) } else { self.end_of_smtp(transaction) }
    }

    /// The reply to the message, if there is one that means yes or no.
    fn last_reply(&mut self) -> Result<Reply, String> {
        let reply = self.wire.read_reply().map(|answer| answer.reply());
        let reply = reply.and_then(|reply| match reply.code / 100 {
            2 | 4 | 5 => Ok(reply),
            _ => Err(format!("it answered {reply}")),
        });
        self.in_step &= reply.is_ok();
        reply.map_err(|why| format!("the whole message was sent, and then: {why}"))
    }

    fn end_of_smtp(&mut self, transaction: &mut Transaction) -> Verdict {
        match self.last_reply() {
            Err(why) => {
                transaction.set_open(Fate::Unknown, None);
                Verdict::Unknown { why }
            }
            Ok(reply) if reply.is_positive() => {
                transaction.set_open(Fate::Accepted, Some(&reply));
                Verdict::Taken { queue_id: reply.queue_id(), reply }
            }
            Ok(reply) => Verdict::NotTaken { failure: Failure::refused("it refuses the message", reply) },
        }
    }

    /// One reply for each recipient that was accepted, in the order of `RCPT` (RFC 2033 section 4.2).
    fn end_of_lmtp(&mut self, transaction: &mut Transaction) -> Verdict {
        let mut unknown = None;
        let (mut taken, mut refused) = (None, None);
        for recipient in transaction.open() {
            if unknown.is_none() {
                // Deliveries are made one after the other, and each may take its time.
                self.wire.set_deadline(self.client.timeouts.end);
                match self.last_reply() {
                    Ok(reply) => {
                        let positive = reply.is_positive();
                        recipient.fate = if positive { Fate::Accepted } else { Fate::Refused };
                        recipient.reply = Some(reply.clone());
                        if positive { &mut taken } else { &mut refused }.get_or_insert(reply);
                        continue;
                    }
                    Err(why) => unknown = Some(why),
                }
            }
            recipient.fate = Fate::Unknown;
        }
        match (unknown, taken, refused) {
            (Some(why), ..) => Verdict::Unknown { why },
            (None, Some(reply), _) => Verdict::Taken { queue_id: reply.queue_id(), reply },
            (None, None, Some(reply)) => {
                Verdict::NotTaken { failure: Failure::refused("it refuses the message", reply) }
            }
            (None, None, None) => Verdict::Unknown { why: "it was asked for no recipient".to_owned() },
        }
    }
}
