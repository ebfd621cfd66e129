//! The connection: deadlines for everything, and replies one at a time.

use super::peer::{At, Peer};
use super::reply::{Answer, Collected, LONGEST_LINE};
use super::tls;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Long enough for a reply that is already there to be seen, short enough to be waited for with every message; a timeout of
/// zero would mean none at all.
const GLANCE: Duration = Duration::from_millis(1);

/// A socket whose every operation ends at a deadline.
#[derive(Debug)]
pub(super) struct Socket {
    raw: Raw,
    until: Until,
}

#[derive(Debug, Clone, Copy)]
enum Until {
    Deadline(Instant),
    Glance,
}

#[derive(Debug)]
enum Raw {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    /// Connects to the first address of a host that answers, or to a socket of this host.
    pub fn connect(at: &At, wait: Duration) -> Result<Self, String> {
        let raw = match at {
            At::Host { host, port } => Raw::Tcp(connect_tcp(host, *port, wait)?),
            #[cfg(unix)]
            At::Socket(path) => {
                Raw::Unix(UnixStream::connect(path).map_err(|error| format!("cannot be reached: {error}"))?)
            }
            #[cfg(not(unix))]
            At::Socket(_) => return Err("cannot be reached: this system has no such sockets".to_owned()),
        };
        Ok(Self { raw, until: Until::Deadline(Instant::now() + wait) })
    }

    /// Everything that is done from now on ends then.
    pub fn set_deadline(&mut self, wait: Duration) {
        self.until = Until::Deadline(Instant::now() + wait);
    }

    /// Whether nobody but this host can listen.
    pub fn is_local(&self) -> bool {
        match &self.raw {
            Raw::Tcp(tcp) => tcp.peer_addr().is_ok_and(|peer| peer.ip().to_canonical().is_loopback()),
            #[cfg(unix)]
            Raw::Unix(_) => true,
        }
    }

    /// What is left until the deadline.
    fn left(&self) -> io::Result<Duration> {
        let Until::Deadline(deadline) = self.until else { return Ok(GLANCE) };
        let left = deadline.saturating_duration_since(Instant::now());
        if left < GLANCE { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

fn connect_tcp(host: &str, port: u16, wait: Duration) -> Result<TcpStream, String> {
    let addresses =
        (host, port).to_socket_addrs().map_err(|error| format!("its name cannot be looked up: {error}"))?;
    let mut failed = "its name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, wait) {
            Ok(tcp) => {
                let _slower_without = tcp.set_nodelay(true);
                return Ok(tcp);
            }
            Err(error) => failed = format!("cannot be reached at {address}: {error}"),
        }
    }
    Err(failed)
}

/// Sockets of the Unix kind say `WouldBlock` when their time is up.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = Some(self.left()?);
        match &mut self.raw {
            Raw::Tcp(tcp) => tcp.set_read_timeout(left).and_then(|()| tcp.read(buffer)),
            #[cfg(unix)]
            Raw::Unix(unix) => unix.set_read_timeout(left).and_then(|()| unix.read(buffer)),
        }
        .map_err(timed_out)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = Some(self.left()?);
        match &mut self.raw {
            Raw::Tcp(tcp) => tcp.set_write_timeout(left).and_then(|()| tcp.write(bytes)),
            #[cfg(unix)]
            Raw::Unix(unix) => unix.set_write_timeout(left).and_then(|()| unix.write(bytes)),
        }
        .map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Stream {
    Plain(Socket),
    Tls(Box<tls::Stream>),
}

/// A connection on which commands and replies take turns.
pub(super) struct Wire {
    stream: Stream,
    /// What was read and not yet taken.
    waiting: Vec<u8>,
}

impl Wire {
    pub fn new(socket: Socket) -> Self {
        Self { stream: Stream::Plain(socket), waiting: Vec::new() }
    }

    pub fn over_tls(stream: tls::Stream) -> Self {
        Self { stream: Stream::Tls(Box::new(stream)), waiting: Vec::new() }
    }

    /// The bare socket, for TLS to begin on it. Refused when there are bytes that came before TLS and would be taken for
    /// bytes from inside it (CVE-2011-0411).
    pub fn into_socket(self) -> Result<Socket, String> {
        match self.stream {
            Stream::Plain(socket) if self.waiting.is_empty() => Ok(socket),
            Stream::Plain(_) => Err("it sent more than its reply before TLS began".to_owned()),
            Stream::Tls(_) => Err("TLS has begun already".to_owned()),
        }
    }

    pub fn is_encrypted(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    pub fn set_deadline(&mut self, wait: Duration) {
        self.wait_until(Until::Deadline(Instant::now() + wait));
    }

    fn wait_until(&mut self, until: Until) {
        match &mut self.stream {
            Stream::Plain(socket) => socket.until = until,
            Stream::Tls(stream) => stream.sock.until = until,
        }
    }

    /// Sends a command, and reads its reply. Both together take no longer than `wait`.
    pub fn ask(&mut self, command: &str, wait: Duration) -> Result<Answer, String> {
        if !self.waiting.is_empty() {
            return Err("it answers what it was not asked".to_owned());
        }
        self.send(format!("{command}\r\n").as_bytes(), wait).map_err(|error| lost(&error))?;
        self.read_reply()
    }

    /// Sends bytes, and makes sure that they have left this process. Sets the deadline.
    pub fn send(&mut self, bytes: &[u8], wait: Duration) -> io::Result<()> {
        self.set_deadline(wait);
        match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(bytes),
            // It keeps what could not be written and says so only when it is flushed.
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    /// Reads one reply until the deadline that was set last.
    pub fn read_reply(&mut self) -> Result<Answer, String> {
        let mut collected = Collected::default();
        loop {
            let line = self.read_line()?;
            if collected.take(&line)? {
                return Ok(collected.finish());
            }
        }
    }

    /// The next line without its CR LF.
    fn read_line(&mut self) -> Result<Vec<u8>, String> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.waiting) {
                let mut line: Vec<u8> = self.waiting.drain(..=end).collect();
                line.pop();
                if line.len() + 2 > LONGEST_LINE {
                    return Err(format!("it sent a line of more than {LONGEST_LINE} bytes"));
                }
                return match line.pop() {
                    Some(b'\r') => Ok(line),
                    _ => Err("it sent a line without CR LF at its end".to_owned()),
                };
            }
            if self.waiting.len() > LONGEST_LINE {
                return Err(format!("it sent a line of more than {LONGEST_LINE} bytes"));
            }
            match self.fill() {
                Ok(0) => return Err("it closed the connection".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(lost(&error)),
            }
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut buffer = [0; LONGEST_LINE];
        loop {
            let read = match &mut self.stream {
                Stream::Plain(socket) => socket.read(&mut buffer),
                Stream::Tls(stream) => stream.read(&mut buffer),
            };
            match read {
                Ok(read) => {
                    self.waiting.extend_from_slice(buffer.get(..read).unwrap_or_default());
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the peer said something, or hung up, while it was not its turn. Its words stay to be read.
    pub fn has_spoken(&mut self) -> bool {
        self.wait_until(Until::Glance);
        !self.waiting.is_empty()
            || !matches!(self.fill(), Err(error) if error.kind() == io::ErrorKind::TimedOut)
    }
}

/// Why nothing more can be said or heard.
pub(super) fn lost(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => "it did not answer in time".to_owned(),
        io::ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
        _ => format!("the connection broke: {}", super::reply::tame(error.to_string().as_bytes())),
    }
}

/// The name by which a peer proves who it is.
pub(super) fn host_of(peer: &Peer) -> &str {
    match &peer.at {
        At::Host { host, .. } => host,
        At::Socket(_) => "localhost",
    }
}
