//! From the first byte to the point where mail can be handed in.

use super::options::{Options, Timeouts, TlsPolicy};
use super::peer::{Peer, Protocol};
use super::reply::Answer;
use super::tls::{self, Trust};
use super::verdict::Failure;
use super::wire::{Socket, Wire, host_of};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a server offers (RFC 5321 section 4.1.1.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are keywords of EHLO")]
pub(super) struct Offers {
    pub starttls: bool,
    pub eight_bit_mime: bool,
    pub smtputf8: bool,
    pub dsn: bool,
    /// Whether it knows `SIZE`.
    pub size: bool,
    /// The largest message, in bytes, if it names one.
    pub largest: Option<u64>,
    /// Ways to log in, in upper case.
    pub auth: Vec<String>,
}

impl Offers {
    /// Those of a reply to EHLO or LHLO, whose first line is a greeting.
    pub fn of(answer: &Answer) -> Self {
        let mut offers = Self::default();
        for line in answer.lines.iter().skip(1) {
            // Old servers wrote `AUTH=PLAIN LOGIN`.
            let line = String::from_utf8_lossy(line).to_ascii_uppercase().replace("AUTH=", "AUTH ");
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("STARTTLS") => offers.starttls = true,
                Some("8BITMIME") => offers.eight_bit_mime = true,
                Some("SMTPUTF8") => offers.smtputf8 = true,
                Some("DSN") => offers.dsn = true,
                Some("SIZE") => {
                    offers.size = true;
                    // Zero means that there is no limit (RFC 1870 section 4).
                    offers.largest = words.next().and_then(|size| size.parse().ok()).filter(|size| *size > 0);
                }
                Some("AUTH") => offers.auth.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        offers
    }
}

/// A connection to a server that is ready to take mail.
///
/// It hangs up when it is dropped; [`Client::quit`] says goodbye before. Neither changes what became of a message.
pub struct Client {
    /// `None` once the connection cannot be used any more.
    pub(super) wire: Option<Wire>,
    pub(super) lmtp: bool,
    pub(super) offers: Offers,
    pub(super) timeouts: Timeouts,
}

impl Client {
    /// Connects, greets, begins TLS and logs in, as far as that is wanted.
    ///
    /// # Errors
    /// When one of it fails; no message was handed in then.
    pub fn connect(peer: &Peer, options: &Options) -> Result<Self, Failure> {
        check_hello(&options.hello)?;
        let timeouts = options.timeouts;
        let socket = Socket::connect(&peer.at, timeouts.connect)
            .map_err(|why| Failure::broken(format!("{peer} {why}")))?;
        let local = socket.is_local();
        if options.insecure && !local {
            return Err(Failure::lasting(
                format!("{peer} is not on this host, and its certificate has to be checked"),
                "give the authority that signed it in a file, instead of taking any certificate",
            ));
        }
        let mut opening = Opening { peer, options, local };
        let mut wire = match peer.protocol {
            Protocol::Smtps => opening.begin_tls(socket)?,
            Protocol::Smtp | Protocol::Lmtp => Wire::new(socket),
        };
        wire.set_deadline(timeouts.reply);
        let greeting = wire.read_reply().map_err(|why| opening.broken(&why))?;
        if greeting.code != 220 {
            return Err(Failure::refused("it does not want to talk", greeting.reply()));
        }
        let mut offers = opening.hello(&mut wire)?;
        if opening.wants_starttls(&wire, &offers)? {
            wire = opening.starttls(wire)?;
            // What was offered before TLS began may have been written by anybody (RFC 3207 section 4.2).
            offers = opening.hello(&mut wire)?;
        }
        opening.log_in(&mut wire, &offers)?;
        Ok(Self { wire: Some(wire), lmtp: peer.protocol == Protocol::Lmtp, offers, timeouts })
    }

    /// Whether another message can be handed in over this connection.
    pub fn is_usable(&self) -> bool {
        self.wire.is_some()
    }

    /// Whether TLS is in use.
    pub fn is_encrypted(&self) -> bool {
        self.wire.as_ref().is_some_and(Wire::is_encrypted)
    }

    /// Says goodbye and hangs up. What the server says to that is of no importance.
    pub fn quit(mut self) {
        if let Some(mut wire) = self.wire.take() {
            let _unimportant = wire.ask("QUIT", self.timeouts.reply.min(std::time::Duration::from_secs(5)));
        }
    }
}

/// A name in EHLO comes from the host's configuration; a space in it would begin a parameter.
fn check_hello(name: &str) -> Result<(), Failure> {
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._:[]".contains(c)) {
        return Ok(());
    }
    Err(Failure::lasting(
        "the name of this host is no host name",
        "give the name by which to greet the server",
    ))
}

/// What does not change while a connection opens.
struct Opening<'a> {
    peer: &'a Peer,
    options: &'a Options,
    local: bool,
}

impl Opening<'_> {
    fn broken(&self, why: &str) -> Failure {
        Failure::broken(format!("{}: {why}", self.peer))
    }

    fn ask(&self, wire: &mut Wire, command: &str) -> Result<Answer, Failure> {
        wire.ask(command, self.options.timeouts.reply).map_err(|why| self.broken(&why))
    }

    fn hello(&self, wire: &mut Wire) -> Result<Offers, Failure> {
        let name = &self.options.hello;
        let lmtp = self.peer.protocol == Protocol::Lmtp;
        let answer = self.ask(wire, &format!("{} {name}", if lmtp { "LHLO" } else { "EHLO" }))?;
        match answer.code {
            250 => Ok(Offers::of(&answer)),
            // A server without extensions (RFC 5321 section 3.2); after that nothing is offered.
            500 | 502 | 504 if !lmtp => {
                let answer = self.ask(wire, &format!("HELO {name}"))?;
                let offers = Offers::default();
                if answer.code == 250 { Ok(offers) } else { Err(Self::refused_hello(&answer)) }
            }
            _ => Err(Self::refused_hello(&answer)),
        }
    }

    fn refused_hello(answer: &Answer) -> Failure {
        Failure::refused("it refuses the greeting", answer.reply())
    }

    fn wants_starttls(&self, wire: &Wire, offers: &Offers) -> Result<bool, Failure> {
        if wire.is_encrypted() {
            return Ok(false);
        }
        match self.options.tls {
            TlsPolicy::Off => Ok(false),
            TlsPolicy::Opportunistic => Ok(offers.starttls && (!self.local || self.peer.user.is_some())),
            TlsPolicy::Required if offers.starttls => Ok(true),
            TlsPolicy::Required => Err(Failure::lasting(
                format!("{} does not offer STARTTLS", self.peer),
                "use `smtps://` if it speaks that, or do not require TLS",
            )),
        }
    }

    fn starttls(&mut self, mut wire: Wire) -> Result<Wire, Failure> {
        let answer = self.ask(&mut wire, "STARTTLS")?;
        if answer.code != 220 {
            return Err(Failure::refused("it offers STARTTLS and refuses it", answer.reply()));
        }
        if wire.has_spoken() {
            return Err(Failure::lasting(
                format!("{} sent more than its reply before TLS began", self.peer),
                "somebody may stand between; look at the way to this server",
            ));
        }
        let socket = wire.into_socket().map_err(|why| self.broken(&why))?;
        self.begin_tls(socket)
    }

    fn begin_tls(&mut self, mut socket: Socket) -> Result<Wire, Failure> {
        let trust = match &self.options.ca {
            _ if self.options.insecure => Trust::Anyone,
            Some(path) => Trust::File(path),
            None => Trust::System,
        };
        socket.set_deadline(self.options.timeouts.connect);
        let stream = tls::start(socket, host_of(self.peer), trust).map_err(|why| {
            Failure::lasting(
                format!("{}: no TLS: {why}", self.peer),
                "name the host as its certificate does, and give the authority that signed it if this system does not \
                 know it",
            )
        })?;
        Ok(Wire::over_tls(stream))
    }

    fn log_in(&self, wire: &mut Wire, offers: &Offers) -> Result<(), Failure> {
        let Some(user) = &self.peer.user else { return Ok(()) };
        let Some(password) = &self.options.password else {
            return Err(Failure::lasting(
                format!("there is no password for `{user}`"),
                "put it into a file that only you can read, and name that",
            ));
        };
        if !wire.is_encrypted() && !self.local {
            return Err(Failure::lasting(
                format!("{} offers no TLS, and the password would be sent in clear text", self.peer),
                "use `smtps://` or a server that offers STARTTLS",
            ));
        }
        let password = password.reveal();
        if password.contains('\0') || user.contains('\0') {
            return Err(Failure::lasting("the user or the password holds a NUL", ""));
        }
        let offered = |way: &str| offers.auth.iter().any(|offer| offer == way);
        let answer = if offered("PLAIN") {
            let both = STANDARD.encode(format!("\0{user}\0{password}"));
            self.ask(wire, &format!("AUTH PLAIN {both}"))?
        } else if offered("LOGIN") {
            self.auth_login(wire, user, password)?
        } else {
            return Err(Failure::lasting(
                format!("{} offers no way to log in that is known here (PLAIN, LOGIN)", self.peer),
                "leave out the user if it takes mail from this host without",
            ));
        };
        if answer.code == 235 {
            return Ok(());
        }
        Err(Failure::refused(&format!("it does not let `{user}` in"), answer.reply()))
    }

    /// draft-murchison-sasl-login-00: two questions, answered whatever their words are.
    fn auth_login(&self, wire: &mut Wire, user: &str, password: &str) -> Result<Answer, Failure> {
        let mut answer = self.ask(wire, "AUTH LOGIN")?;
        for word in [user, password] {
            if answer.code != 334 {
                break;
            }
            answer = self.ask(wire, &STANDARD.encode(word))?;
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Offers};

    #[test]
    fn offers_are_read_in_any_case_and_unknown_ones_are_passed_over() {
        let lines =
            ["dsn", "dsn", "size 1000", "8bitmime", "AUTH=LOGIN", "AUTH PLAIN", "X-DSN", "CHUNKING", ""];
        let lines = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        let offers = Offers::of(&Answer { code: 250, lines });
        assert!(offers.dsn && offers.eight_bit_mime && offers.size && !offers.smtputf8 && !offers.starttls);
        assert_eq!((offers.largest, offers.auth), (Some(1000), vec!["LOGIN".to_owned(), "PLAIN".to_owned()]));
        for (line, largest) in [("SIZE 0", None), ("SIZE", None), ("SIZE x", None), ("SIZE 7", Some(7))] {
            let lines = vec![b"mail".to_vec(), line.as_bytes().to_vec()];
            assert_eq!(Offers::of(&Answer { code: 250, lines }).largest, largest, "{line}");
        }
    }
}
