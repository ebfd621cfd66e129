//! A server that answers what it wants.

use crate::input::Input;
use crate::{tally, tame};
use ghostq::act::smtp::{At, Client, Failure, Handed, Options, Peer, Protocol, Timeouts, Verdict};
use ghostq::plan::{Outgoing, OutgoingRecipient};
use std::io::{Cursor, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::time::Duration;

const MESSAGE: &[u8] = b"From: a@sender.example\nSubject: x\n\n.a line with a dot\nand \xe9\n";

/// Hands one message to a server whose answers are the parts: the first is the greeting, each other follows what it reads.
pub fn run(input: &Input) {
    let answers: Vec<Vec<u8>> = input.parts.iter().take(16).map(|(_, bytes)| bytes.clone()).collect();
    if input.choice % 2 == 1 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let at = At::Host { host: "127.0.0.1".to_owned(), port };
        let server =
            std::thread::spawn(move || listener.accept().map(|(stream, _)| answer(stream, &answers)));
        hand_in(Peer { protocol: Protocol::Smtp, user: None, at }, server);
    } else {
        let folder = tempfile::tempdir_in("/tmp").expect("a folder");
        let path = folder.path().join("lmtp");
        let listener = UnixListener::bind(&path).expect("a socket");
        let server =
            std::thread::spawn(move || listener.accept().map(|(stream, _)| answer(stream, &answers)));
        hand_in(Peer { protocol: Protocol::Lmtp, user: None, at: At::Socket(path) }, server);
    }
}

fn hand_in(peer: Peer, server: std::thread::JoinHandle<std::io::Result<Vec<u8>>>) {
    let short = Duration::from_millis(200);
    let timeouts = Timeouts { connect: Duration::from_secs(5), reply: short, block: short, end: short };
    let options = Options { timeouts, ..Options::greeting_as("host.example") };
    let recipient =
        |address: &str| OutgoingRecipient { address: address.into(), ..OutgoingRecipient::default() };
    let outgoing = Outgoing {
        sender: Some("a@sender.example".into()),
        recipients: vec![recipient("b@recipient.example"), recipient("c@recipient.example")],
        ..Outgoing::default()
    };
    let handed = Client::connect(&peer, &options).map(|mut client| {
        let handed = client.send(&outgoing, &mut Cursor::new(MESSAGE), false);
        drop(client);
        handed
    });
    let heard = server.join().expect("the server ends").expect("the server was asked");
    match handed {
        Ok(Handed { verdict, recipients, notes }) => {
            for reply in recipients.iter().filter_map(|recipient| recipient.reply.as_ref()) {
                tame::terminal("a reply", reply.to_string().as_bytes());
            }
            notes.iter().for_each(|note| tame::terminal("a note", note.as_bytes()));
            match verdict {
                Verdict::Taken { reply, .. } => {
                    tally::saw("handed in by", if peer.protocol == Protocol::Smtp { "SMTP" } else { "LMTP" });
                    tame::terminal("a reply", reply.to_string().as_bytes());
                    assert!(has_end(&heard), "taken before all of it was sent");
                }
                Verdict::NotTaken { failure } => show(&failure),
                Verdict::Unknown { why } => {
                    tame::terminal("a reason", why.as_bytes());
                }
            }
        }
        Err(failure) => show(&failure),
    }
}

fn has_end(heard: &[u8]) -> bool {
    heard.windows(5).any(|window| window == b"\r\n.\r\n")
}

fn show(failure: &Failure) {
    tame::terminal("a reason", failure.reason.as_bytes());
    tame::terminal("a hint", failure.hint.as_bytes());
}

/// Says its words, and returns all that it was told.
fn answer<S: Read + Write>(mut stream: S, answers: &[Vec<u8>]) -> Vec<u8> {
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    for (number, words) in answers.iter().enumerate() {
        if number > 0 {
            // Who said that it waits for the message hears it to its end.
            let waits = answers[number - 1].starts_with(b"354");
            loop {
                match stream.read(&mut buffer) {
                    Ok(0) | Err(_) => return heard,
                    Ok(count) => heard.extend_from_slice(&buffer[..count]),
                }
                if !waits || has_end(&heard) {
                    break;
                }
            }
        }
        if stream.write_all(words).is_err() {
            break;
        }
    }
    // What it is told after its last word it hears, and says nothing more: the other side has to hang up by itself.
    while let Ok(count) = stream.read(&mut buffer) {
        if count == 0 {
            break;
        }
        heard.extend_from_slice(&buffer[..count]);
    }
    heard
}
