//! Whom to talk to, as the operator wrote it.

use anyhow::{Context as _, Result, bail};
use std::fmt;
use std::path::PathBuf;

const EXAMPLES: &str =
    "write `smtp://HOST:PORT`, `smtps://HOST:PORT`, `lmtp://HOST:PORT` or `lmtp:/path/to/socket`";

/// How a peer is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// SMTP (RFC 5321), with STARTTLS where it is offered.
    Smtp,
    /// SMTP inside TLS from the first byte (RFC 8314).
    Smtps,
    /// LMTP (RFC 2033): one reply for each recipient after the message.
    Lmtp,
}

/// Where a peer listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// A host and a port.
    Host {
        /// Its name or address, an IPv6 address without brackets.
        host: String,
        /// Its port.
        port: u16,
    },
    /// A Unix domain socket.
    Socket(PathBuf),
}

/// A server that takes mail, by its URL. It holds no password. `to_string` gives a URL that parses to the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Who logs in there, if anybody does.
    pub user: Option<String>,
    /// Where it listens.
    pub at: At,
}

impl Peer {
    /// Reads a URL. Without a port it is 25, 465 or 24, by the scheme.
    ///
    /// # Errors
    /// When it is none, with what to write instead.
    pub fn parse(url: &str) -> Result<Self> {
        let Some((scheme, rest)) = url.split_once(':') else {
            bail!("`{url}` is no address of a server; {EXAMPLES}")
        };
        let (protocol, port) = match scheme.to_ascii_lowercase().as_str() {
            "smtp" => (Protocol::Smtp, 25),
            "smtps" => (Protocol::Smtps, 465),
            "lmtp" => (Protocol::Lmtp, 24),
            other => bail!("`{other}:` is no way to hand in mail; {EXAMPLES}"),
        };
        let host = rest.strip_prefix("//");
        if let Some(path) = host.unwrap_or(rest).strip_prefix('/') {
            if protocol != Protocol::Lmtp || path.is_empty() {
                bail!("`{url}` names no host; {EXAMPLES}");
            }
            let at = At::Socket(PathBuf::from(format!("/{}", path.trim_start_matches('/'))));
            return Ok(Self { protocol, user: None, at });
        }
        let Some(authority) = host else { bail!("`{url}` lacks the `//` before the host; {EXAMPLES}") };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        if authority.contains(['/', '?', '#']) {
            bail!("`{url}` goes on behind the host and port; {EXAMPLES}");
        }
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user_name(user)?), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place, port).with_context(|| format!("`{url}` cannot be used"))?;
        Ok(Self { protocol, user, at: At::Host { host, port } })
    }
}

/// The user of a URL; never with a password, since command lines are seen by everybody on the host.
fn user_name(text: &str) -> Result<String> {
    if text.contains(':') {
        bail!("a password on a command line is seen by everybody on this host; put it into a file");
    }
    let user = decode(text).context("a `%` in the user's name is written `%25`")?;
    if user.is_empty() || user.chars().any(char::is_control) {
        bail!("the user's name before `@` is empty or holds control characters");
    }
    Ok(user)
}

/// Undoes percent-encoding (RFC 3986 section 2.1).
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        decoded.push(match byte {
            b'%' => digit(bytes.next()?)? * 16 + digit(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn host_and_port(place: &str, usual: u16) -> Result<(String, u16)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(literal) => {
            let Some((address, after)) = literal.split_once(']') else { bail!("`[` is not closed") };
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                bail!("`[{address}]` is no IPv6 address");
            }
            (address, after.strip_prefix(':').map_or_else(|| (!after.is_empty()).then_some(after), Some))
        }
        None if place.matches(':').count() > 1 => bail!("an IPv6 address stands in brackets: `[{place}]`"),
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    if host.is_empty() {
        bail!("it names no host");
    }
    if !host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:".contains(c)) {
        bail!("`{host}` is no host name; one with other letters is written in its `xn--` form");
    }
    let port = match port {
        None => usual,
        Some(text) => match text.parse::<u16>() {
            Ok(port) if port > 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => port,
            _ => bail!("`{text}` is no port; it is a number from 1 to 65535"),
        },
    };
    Ok((host.to_owned(), port))
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.protocol {
            Protocol::Smtp => "smtp:",
            Protocol::Smtps => "smtps:",
            Protocol::Lmtp => "lmtp:",
        })?;
        let (host, port) = match &self.at {
            At::Socket(path) => return write!(f, "{}", path.display()),
            At::Host { host, port } => (host, port),
        };
        f.write_str("//")?;
        if let Some(user) = &self.user {
            for character in user.chars() {
                match character {
                    '%' | ':' | '/' | '?' | '#' | ' ' => write!(f, "%{:02X}", u32::from(character))?,
                    other => write!(f, "{other}")?,
                }
            }
            f.write_str("@")?;
        }
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::{At, Peer, Protocol};

    fn host(url: &str) -> (Protocol, Option<String>, String, u16) {
        let peer = Peer::parse(url).unwrap_or_else(|error| panic!("{url}: {error:#}"));
        assert_eq!(Peer::parse(&peer.to_string()).unwrap(), peer, "{url} and {peer} mean the same");
        let At::Host { host, port } = peer.at else { panic!("{url} is a host") };
        (peer.protocol, peer.user, host, port)
    }

    #[test]
    fn a_peer_is_written_as_a_url_and_has_the_usual_port() {
        assert_eq!(host("smtp://mail"), (Protocol::Smtp, None, "mail".into(), 25));
        assert_eq!(
            host("SMTPS://mail.example.org/"),
            (Protocol::Smtps, None, "mail.example.org".into(), 465)
        );
        assert_eq!(host("lmtp://127.0.0.1"), (Protocol::Lmtp, None, "127.0.0.1".into(), 24));
        assert_eq!(host("smtp://[::1]:2525"), (Protocol::Smtp, None, "::1".into(), 2525));
        assert_eq!(host("smtp://[2001:db8::1]"), (Protocol::Smtp, None, "2001:db8::1".into(), 25));
        let user = |name: &str| (Protocol::Smtp, Some(name.to_owned()), "mail".to_owned(), 587);
        assert_eq!(host("smtp://bob@mail:587"), user("bob"));
        assert_eq!(host("smtp://bob%40example.org@mail:587"), user("bob@example.org"));
        assert_eq!(host("smtp://bob@example.org@mail:587"), user("bob@example.org"));
        assert_eq!(host("smtp://a%25%3Ab@mail:587"), user("a%:b"));
    }

    #[test]
    fn lmtp_speaks_to_a_socket_too() {
        for url in ["lmtp:/run/dovecot/lmtp", "lmtp:///run/dovecot/lmtp"] {
            let peer = Peer::parse(url).unwrap();
            assert_eq!(peer.at, At::Socket("/run/dovecot/lmtp".into()));
            assert_eq!(peer.to_string(), "lmtp:/run/dovecot/lmtp");
        }
    }

    #[test]
    fn what_is_no_peer_is_answered_with_what_to_write() {
        for (url, advice) in [
            ("mail.example.org", "write `smtp://HOST:PORT`"),
            ("http://mail", "write `smtp://HOST:PORT`"),
            ("smtp:mail", "lacks the `//`"),
            ("smtp:/run/socket", "names no host"),
            ("smtp://", "names no host"),
            ("smtp://:25", "names no host"),
            ("lmtp:/", "names no host"),
            ("smtp://mail/inbox", "goes on behind the host"),
            ("smtp://mail:0", "from 1 to 65535"),
            ("smtp://mail:65536", "from 1 to 65535"),
            ("smtp://mail:+25", "from 1 to 65535"),
            ("smtp://::1", "in brackets: `[::1]`"),
            ("smtp://[::1", "not closed"),
            ("smtp://[mail]", "no IPv6 address"),
            ("smtp://[::1]25x", "from 1 to 65535"),
            ("smtp://ma il", "no host name"),
            ("smtp://bücher.example", "`xn--`"),
            ("smtp://bob:secret@mail", "put it into a file"),
            ("smtp://@mail", "is empty"),
            ("smtp://50%@mail", "`%25`"),
        ] {
            let error = format!("{:#}", Peer::parse(url).unwrap_err());
            assert!(error.contains(advice), "{url}: {error}");
            assert!(!error.contains("secret"), "the password is not repeated: {error}");
        }
    }
}
