//! What the operator wants of a connection.

use anyhow::{Context as _, Result, bail};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How the server is spoken to.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name by which ghostq greets: that of this host.
    pub hello: String,
    /// How long is waited for what.
    pub timeouts: Timeouts,
    /// Whether TLS is used. `smtps` uses it whatever stands here.
    pub tls: TlsPolicy,
    /// The certificate authorities that are trusted, in PEM, instead of those that this system trusts.
    pub ca: Option<PathBuf>,
    /// Takes any certificate; only from a server on this host.
    pub insecure: bool,
    /// The password of the user in the URL.
    pub password: Option<Secret>,
}

impl Options {
    /// The usual ones, greeting by this name.
    pub fn greeting_as(hello: impl Into<String>) -> Self {
        Self {
            hello: hello.into(),
            timeouts: Timeouts::default(),
            tls: TlsPolicy::default(),
            ca: None,
            insecure: false,
            password: None,
        }
    }
}

/// Whether TLS is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsPolicy {
    /// Where the server offers it. The certificate must be good then. Not with a server on this host, unless it wants a
    /// password: nobody stands between, and its certificate is seldom made out to `localhost`.
    #[default]
    Opportunistic,
    /// Always; a server that does not offer it is left alone.
    Required,
    /// Never.
    Off,
}

/// How long is waited; each is for a whole reply or block, however slowly it drips.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the connection, to each address of the host, and for TLS to begin.
    pub connect: Duration,
    /// For the reply to a command.
    pub reply: Duration,
    /// For 16 KiB of the message to be taken.
    pub block: Duration,
    /// For the reply after the message. Too short a time makes an unknown outcome out of a delivery.
    pub end: Duration,
}

/// Those of RFC 5321 section 4.5.3.2, except for the connection.
impl Default for Timeouts {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self { connect: Duration::from_secs(30), reply: minutes(5), block: minutes(3), end: minutes(10) }
    }
}

/// A password. It is not shown in debug output.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// The first line of a file.
    ///
    /// # Errors
    /// When it cannot be read, or holds no password.
    pub fn from_file(path: &Path) -> Result<Self> {
        const LONGEST: u64 = 4096;
        let mut text = String::new();
        let file = std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        file.take(LONGEST)
            .read_to_string(&mut text)
            .with_context(|| format!("cannot read {}", path.display()))?;
        match text.lines().next() {
            Some(line) if !line.is_empty() => Ok(Self::new(line)),
            _ => bail!("the first line of {} is empty; it is the password", path.display()),
        }
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}
