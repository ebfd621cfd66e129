//! Messages arrive as they are.

use super::{Client, Random, Server, envelope, hand_in, not_taken, options};
use crate::act::smtp::{Fate, Verdict};
use crate::evidence::Text;
use crate::plan::Notify;
use std::io::Cursor;

const MESSAGE: &[u8] = b"Subject: hello\n\nHello.\n.\n..\n.hidden\nlast line without end";

/// A message as it arrives: CR LF at the end of each line, the last one too.
fn arrived(content: &[u8]) -> Vec<u8> {
    let mut lines: Vec<_> = content.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let mut whole = Vec::new();
    for line in lines {
        whole.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        whole.extend_from_slice(b"\r\n");
    }
    whole
}

#[test]
fn a_message_is_handed_in_with_its_envelope_and_the_queue_id_is_told() {
    let server = Server::start(&["SIZE 10000", "DSN"], |_| None);
    let handed = hand_in("smtp", &server, &["b@example.org", "c@example.org"], MESSAGE);
    let Verdict::Taken { queue_id, reply } = &handed.verdict else { panic!("{handed:?}") };
    assert_eq!(queue_id.as_deref(), Some("4bQx8k1dTyz9"));
    assert_eq!(reply.to_string(), "250 2.0.0 Ok: queued as 4bQx8k1dTyz9");
    assert!(handed.recipients.iter().all(|recipient| recipient.fate == Fate::Accepted));
    let seen = server.seen();
    assert_eq!(
        seen.commands,
        [
            "EHLO ghostq.test",
            "MAIL FROM:<a@example.org> SIZE=65",
            "RCPT TO:<b@example.org>",
            "RCPT TO:<c@example.org>",
            "DATA",
            "QUIT"
        ]
    );
    assert_eq!(seen.message(), arrived(MESSAGE));
    assert_eq!(seen.message().len(), 65, "the size that was told is the size that arrives");
}

#[test]
fn a_null_sender_stays_one_and_delivery_options_go_along() {
    let server = Server::start(&["DSN"], |_| None);
    let mut outgoing = envelope(&["b@example.org"]);
    outgoing.sender = Some(Text::default());
    outgoing.recipients[0].notify = Notify { never: true, ..Notify::default() };
    let mut client = Client::connect(&server.peer("smtp"), &options()).unwrap();
    assert!(matches!(client.send(&outgoing, &mut Cursor::new(MESSAGE), true).verdict, Verdict::Taken { .. }));
    client.quit();
    let seen = server.seen();
    assert!(seen.heard("MAIL FROM:<>") && seen.heard("RCPT TO:<b@example.org> NOTIFY=NEVER"), "{seen:?}");
}

#[test]
fn a_large_message_with_eight_bit_text_arrives_byte_for_byte() {
    let mut content = b"Subject: gr\xfc\xdfe\n\n".to_vec();
    let mut random = Random::new(1);
    while content.len() < 1 << 20 {
        content.push(u8::try_from(1 + random.next(255)).unwrap());
    }
    content.retain(|byte| *byte != b'\r');
    let server = Server::start(&["8BITMIME"], |_| None);
    let handed = hand_in("smtp", &server, &["b@example.org"], &content);
    assert!(matches!(handed.verdict, Verdict::Taken { .. }), "{:?}", handed.verdict);
    let seen = server.seen();
    assert!(seen.heard("MAIL FROM:<a@example.org> BODY=8BITMIME"));
    assert!(seen.message() == arrived(&content));
    assert!(handed.notes.is_empty() || handed.notes[0].contains("is sent as it is"), "{:?}", handed.notes);
}

#[test]
fn random_messages_arrive_one_after_the_other_over_one_connection() {
    let mut random = Random::new(42);
    let bodies: Vec<Vec<u8>> = (0..60)
        .map(|_| {
            let pieces: [&[u8]; 7] = [b".", b"..", b"\n", b"\r\n", b"a", b"\n.\n", b"\r\n.\r\n"];
            (0..random.next(40)).flat_map(|_| pieces[random.next(7)].to_vec()).collect()
        })
        .collect();
    let server = Server::start(&[], |_| None);
    let mut client = Client::connect(&server.peer("smtp"), &options()).unwrap();
    for body in &bodies {
        let handed = client.send(&envelope(&["b@example.org"]), &mut Cursor::new(body), true);
        assert!(matches!(handed.verdict, Verdict::Taken { .. }), "{handed:?}");
    }
    client.quit();
    let seen = server.seen();
    assert_eq!(seen.messages.len(), bodies.len(), "none was split into two");
    for (wire, body) in seen.messages.into_iter().zip(&bodies) {
        let one = super::Seen { messages: vec![wire], ..Default::default() };
        assert_eq!(one.message(), arrived(body), "{:?}", String::from_utf8_lossy(body));
    }
}

#[test]
fn what_a_server_does_not_offer_is_refused_before_a_word_of_the_message_is_said() {
    for (content, why) in [
        (&b"caf\xe9\n"[..], "8BITMIME"),
        (b"a\rb\n", "CR at byte 1"),
        (b"a\0b\n", "NUL at byte 1"),
        (&[b'a'; 200], "takes 100 at most"),
    ] {
        let server = Server::start(&["SIZE 100"], |_| None);
        assert!(not_taken(&hand_in("smtp", &server, &["b@example.org"], content)).contains(why));
        assert_eq!(server.seen().commands, ["EHLO ghostq.test", "QUIT"]);
    }
    let server = Server::start(&["8BITMIME"], |_| None);
    let handed = hand_in("smtp", &server, &["b\u{fc}cher@example.org"], MESSAGE);
    assert!(not_taken(&handed).contains("SMTPUTF8"));
    assert_eq!(server.seen().commands, ["EHLO ghostq.test", "QUIT"]);
}

#[test]
fn an_old_server_without_extensions_is_greeted_in_the_old_way() {
    let server = Server::start(&[], |said| {
        said.starts_with("EHLO").then_some(super::Does::Says("502 not implemented"))
    });
    let handed = hand_in("smtp", &server, &["b@example.org"], MESSAGE);
    assert!(matches!(handed.verdict, Verdict::Taken { .. }), "{handed:?}");
    assert!(server.seen().heard("HELO ghostq.test"));
}

/// The file grows between the two times it is read.
struct Growing(Cursor<Vec<u8>>, u32);

impl std::io::Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl std::io::Seek for Growing {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.1 += 1;
        if self.1 == 2 {
            self.0.get_mut().extend_from_slice(b"more\n");
        }
        self.0.seek(to)
    }
}

#[test]
fn a_message_that_changes_meanwhile_is_not_sent_to_its_end() {
    let server = Server::start(&[], |_| None);
    let mut client = Client::connect(&server.peer("smtp"), &options()).unwrap();
    let mut growing = Growing(Cursor::new(MESSAGE.to_vec()), 0);
    let handed = client.send(&envelope(&["b@example.org"]), &mut growing, true);
    assert!(not_taken(&handed).contains("was changed while it was sent"));
    assert!(!client.is_usable());
    drop(client);
    assert!(server.seen().messages.is_empty());
}

#[cfg(unix)]
#[test]
fn mail_is_handed_to_a_socket_of_this_host() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lmtp");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let thread = std::thread::spawn(move || {
        let mut seen = super::Seen::default();
        let stream = std::io::BufReader::new(listener.accept().unwrap().0);
        super::Session { stream, offers: &["PIPELINING"], script: |_| None, recipients: 0, seen: &mut seen }
            .run();
        seen
    });
    let peer = super::Peer::parse(&format!("lmtp:{}", path.display())).unwrap();
    let mut client = Client::connect(&peer, &options()).unwrap();
    let handed = client.send(&envelope(&["b@example.org", "c@example.org"]), &mut Cursor::new(MESSAGE), true);
    client.quit();
    assert!(matches!(handed.verdict, Verdict::Taken { .. }), "{handed:?}");
    assert_eq!(thread.join().unwrap().message(), arrived(MESSAGE));
}
