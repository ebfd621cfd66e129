//! A server in a thread that does as it is told, and what became of the mail that was handed to it.

mod messages;
mod outcomes;
mod security;

use super::{Client, Handed, Options, Peer, Verdict};
use crate::evidence::Text;
use crate::plan::{Outgoing, OutgoingRecipient};
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the server does instead of being polite.
pub enum Does {
    /// Answers this; line ends are made CR LF.
    Says(&'static str),
    /// Writes these bytes as they are.
    Writes(Vec<u8>),
    /// Answers this, reads so many bytes of what follows, and hangs up.
    SaysAndLeaves(&'static str, usize),
    /// Answers this at once, and reads on as if it had not.
    Blurts(&'static str),
    /// Hangs up.
    Leaves,
    /// Says nothing until the client hangs up.
    Sleeps,
}

/// What is done about a command, `greeting` or the final `.`; `None` is what a polite server does.
pub type Script = fn(&str) -> Option<Does>;

/// What the server saw.
#[derive(Debug, Default)]
pub struct Seen {
    /// The commands, without line ends.
    pub commands: Vec<String>,
    /// The messages that arrived whole, as they were on the wire, without the final dot.
    pub messages: Vec<Vec<u8>>,
}

impl Seen {
    /// Whether a command was given that begins like this.
    pub fn heard(&self, start: &str) -> bool {
        self.commands.iter().any(|command| command.starts_with(start))
    }

    /// The only message, with the dots taken off again that keep it from ending.
    pub fn message(&self) -> Vec<u8> {
        let [wire] = self.messages.as_slice() else { panic!("{} messages arrived", self.messages.len()) };
        let mut message = Vec::with_capacity(wire.len());
        for line in wire.split_inclusive(|byte| *byte == b'\n') {
            assert!(line.ends_with(b"\r\n"), "each line ends in CR LF");
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        message
    }
}

/// A server for one connection.
pub struct Server {
    pub port: u16,
    thread: JoinHandle<Seen>,
}

pub trait Duplex: Read + Write {}
impl<T: Read + Write> Duplex for T {}

impl Server {
    /// One that offers this, in the words of EHLO, and follows this script.
    pub fn start(offers: &'static [&'static str], script: Script) -> Self {
        Self::on(move |stream| {
            let mut seen = Seen::default();
            Session { stream: BufReader::new(stream), offers, script, recipients: 0, seen: &mut seen }.run();
            seen
        })
    }

    /// One that does this with its connection.
    pub fn on(serve: impl FnOnce(TcpStream) -> Seen + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            serve(stream)
        });
        Self { port, thread }
    }

    pub fn peer(&self, scheme: &str) -> Peer {
        Peer::parse(&format!("{scheme}://127.0.0.1:{}", self.port)).unwrap()
    }

    /// What it saw, once the client has hung up.
    pub fn seen(self) -> Seen {
        self.thread.join().unwrap()
    }
}

/// A polite server, except for its script.
pub struct Session<'a, S: Duplex> {
    pub stream: BufReader<S>,
    pub offers: &'static [&'static str],
    pub script: Script,
    pub recipients: usize,
    pub seen: &'a mut Seen,
}

impl<S: Duplex> Session<'_, S> {
    /// Serves until somebody hangs up, or until STARTTLS is agreed on (true).
    pub fn run(&mut self) -> bool {
        self.answer("greeting") && self.go_on()
    }

    /// The same without a greeting, as it goes on inside TLS.
    pub fn go_on(&mut self) -> bool {
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).unwrap_or_default() == 0 {
                return false;
            }
            let command = line.trim_end().to_owned();
            self.seen.commands.push(command.clone());
            if !self.answer(&command) {
                return false;
            }
            if command == "STARTTLS" {
                return true;
            }
            if command == "DATA"
                && (self.script)("DATA").is_none_or(|does| matches!(does, Does::Blurts(_)))
                && !self.take_message()
            {
                return false;
            }
        }
    }

    fn take_message(&mut self) -> bool {
        let mut message = Vec::new();
        loop {
            let start = message.len();
            if self.stream.read_until(b'\n', &mut message).unwrap_or_default() == 0 {
                return false;
            }
            if &message[start..] == b".\r\n" {
                message.truncate(start);
                self.seen.messages.push(message);
                return self.answer(".");
            }
        }
    }

    /// Answers; false when it has hung up.
    fn answer(&mut self, command: &str) -> bool {
        match (self.script)(command) {
            None => {
                let polite = self.polite(command);
                self.say(&polite)
            }
            Some(Does::Says(reply)) => self.say(reply),
            Some(Does::Writes(bytes)) => self.stream.get_mut().write_all(&bytes).is_ok(),
            Some(Does::Blurts(reply)) => self.say("354 go on") && self.say(reply),
            Some(Does::Leaves) => false,
            Some(Does::SaysAndLeaves(reply, bytes)) => {
                self.say(reply);
                let _ = self.stream.read_exact(&mut vec![0; bytes]);
                false
            }
            Some(Does::Sleeps) => {
                let _ = self.stream.read_to_end(&mut Vec::new());
                false
            }
        }
    }

    fn polite(&mut self, command: &str) -> String {
        let verb = command.split([' ', ':']).next().unwrap_or_default();
        match verb {
            "EHLO" | "LHLO" => {
                let words: Vec<_> = std::iter::once("mail.test").chain(self.offers.iter().copied()).collect();
                let last = words.len() - 1;
                let line = |(at, word)| format!("250{}{word}\n", if at == last { ' ' } else { '-' });
                words.into_iter().enumerate().map(line).collect::<Vec<_>>().concat()
            }
            "MAIL" => {
                self.recipients = 0;
                "250 2.1.0 Ok".to_owned()
            }
            "RCPT" => {
                self.recipients += 1;
                "250 2.1.5 Ok".to_owned()
            }
            "DATA" => "354 go on".to_owned(),
            "." if self.seen.heard("LHLO") => "250 2.0.0 Saved\n".repeat(self.recipients),
            "." => "250 2.0.0 Ok: queued as 4bQx8k1dTyz9".to_owned(),
            "greeting" | "STARTTLS" => "220 mail.test".to_owned(),
            "QUIT" => "221 bye".to_owned(),
            _ => "250 Ok".to_owned(),
        }
    }

    fn say(&mut self, reply: &str) -> bool {
        let bytes = reply.lines().fold(String::new(), |bytes, line| bytes + line + "\r\n");
        self.stream.get_mut().write_all(bytes.as_bytes()).is_ok()
    }
}

/// Options with which a test does not last.
pub fn options() -> Options {
    let mut options = Options::greeting_as("ghostq.test");
    options.timeouts.reply = Duration::from_secs(2);
    options.timeouts.block = Duration::from_secs(10);
    options.timeouts.end = Duration::from_secs(2);
    options
}

/// An envelope from `a@example.org` to these.
pub fn envelope(recipients: &[&str]) -> Outgoing {
    let recipient =
        |address: &&str| OutgoingRecipient { address: Text::from(*address), ..Default::default() };
    Outgoing {
        sender: Some(Text::from("a@example.org")),
        recipients: recipients.iter().map(recipient).collect(),
        ..Outgoing::default()
    }
}

/// Hands in a message, and says goodbye.
pub fn hand_in(scheme: &str, server: &Server, recipients: &[&str], content: &[u8]) -> Handed {
    let mut client = Client::connect(&server.peer(scheme), &options()).unwrap();
    let handed = client.send(&envelope(recipients), &mut Cursor::new(content), true);
    client.quit();
    handed
}

/// Why nothing was taken.
pub fn not_taken(handed: &Handed) -> String {
    match &handed.verdict {
        Verdict::NotTaken { failure } => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Numbers that look random and are the same in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, below this one.
    pub fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}
