//! Handing in a message by SMTP or LMTP, with its true envelope, and telling exactly what became of it.
//!
//! It is written out here because no crate that was looked at serves. lettre 0.11 gives up at the first recipient that is
//! refused and knows no delivery status parameters. io-smtp 0.6 reads replies of any length, does not compare the codes of
//! their lines, drops what a server sends behind one, holds the whole message in memory, leaves a bare LF in it as it is, and
//! knows no LMTP.
//!
//! Commands are not pipelined: each reply belongs to what was asked last, or the connection is given up. Nothing is changed on
//! the way but line ends: a bare LF becomes CR LF, a dot at the start of a line is doubled, which the server undoes, and a last
//! line without an end gets one. What a server does not offer is never made up for: a message that needs it is refused, except
//! for delivery status parameters (RFC 3461), which are left out with a note.

mod connect;
mod content;
mod envelope;
mod options;
mod peer;
mod reply;
mod tls;
mod transaction;
mod verdict;
mod wire;
#[cfg(test)]
mod tests;

pub use connect::Client;
pub use content::{Content, Survey, survey};
pub use options::{Options, Secret, Timeouts, TlsPolicy};
pub use peer::{At, Peer, Protocol};
pub use reply::Reply;
pub use verdict::{Failure, Fate, Handed, RecipientResult, Verdict};
