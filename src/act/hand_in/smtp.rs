//! Handing in by SMTP or LMTP.

use super::{Committing, Handed};
use crate::act::smtp::{Client, Fate, Options, Peer, Secret, Verdict};
use crate::act::vault::{MESSAGE, Vault};
use crate::plan::Outgoing;
use crate::plan::entry::Outcome;
use std::fs::File;
use std::path::Path;

/// Where the server is, and what it wants.
pub struct Server<'a> {
    /// As it was typed.
    pub url: &'a str,
    /// The file with the password.
    pub password_file: Option<&'a Path>,
    /// The file with further certificate authorities.
    pub ca_file: Option<&'a Path>,
    /// The name by which ghostq greets.
    pub hello: &'a str,
}

/// Hands the message in, to all recipients or to none: a server that refuses one does not get it for the others either. (By LMTP one
/// may still be refused when the others have it; then it is known which.)
pub fn hand_in(
    vault: &Vault,
    server: &Server<'_>,
    outgoing: &Outgoing,
    committing: &mut Committing<'_>,
) -> Handed {
    let mut client = match connect(server) {
        Ok(client) => client,
        Err(why) => return Handed::NotTaken(format!("{}: {why}", server.url)),
    };
    let mut message = match File::open(vault.file(MESSAGE)) {
        Ok(file) => file,
        Err(error) => return Handed::NotTaken(format!("could not read it from the vault: {error}")),
    };
    let handed = client.send_told(outgoing, &mut message, true, committing);
    if client.is_usable() {
        client.quit();
    }
    let notes = handed.notes.join("; ");
    let with_notes = |text: String| if notes.is_empty() { text } else { format!("{text} ({notes})") };
    let of = |fate: Fate| {
        let those = handed.recipients.iter().filter(move |recipient| recipient.fate == fate);
        those.map(|recipient| recipient.address.clone()).collect::<Vec<_>>()
    };
    match handed.verdict {
        Verdict::NotTaken { failure } => Handed::NotTaken(format!("{}: {failure}", server.url)),
        Verdict::Unknown { why } => Handed::Unknown(format!("{}: {why}", server.url)),
        Verdict::Taken { ref reply, ref queue_id } => Handed::Taken(Outcome {
            note: with_notes(reply.to_string()),
            queue_id: queue_id.clone(),
            refused: of(Fate::Refused),
            by_looking: false,
        }),
    }
}

fn connect(server: &Server<'_>) -> Result<Client, String> {
    let peer = Peer::parse(server.url).map_err(|error| format!("{error:#}"))?;
    let mut options = Options::greeting_as(server.hello);
    options.ca = server.ca_file.map(Path::to_owned);
    options.password =
        server.password_file.map(Secret::from_file).transpose().map_err(|error| format!("{error:#}"))?;
    Client::connect(&peer, &options).map_err(|failure| failure.to_string())
}
