//! What became of a message is told exactly: taken, not taken, or not known.

use super::{Client, Does, Random, Script, Server, envelope, hand_in, not_taken, options};
use crate::act::smtp::{Fate, Handed, Peer, Verdict};
use std::io::{Cursor, Read as _, Write as _};
use std::net::Shutdown;

const MESSAGE: &[u8] = b"Subject: hello\n\nHello.\n";

fn fates(handed: &Handed) -> Vec<Fate> {
    handed.recipients.iter().map(|recipient| recipient.fate).collect()
}

/// Hands a message for two recipients to a server with this script.
fn outcome(scheme: &str, script: Script) -> (Handed, super::Seen) {
    let server = Server::start(&[], script);
    let handed = hand_in(scheme, &server, &["b@example.org", "c@example.org"], MESSAGE);
    (handed, server.seen())
}

fn unknown(handed: &Handed) -> &str {
    match &handed.verdict {
        Verdict::Unknown { why } => why,
        other => panic!("{other:?}"),
    }
}

fn refuses_b(said: &str) -> Option<Does> {
    (said == "RCPT TO:<b@example.org>").then_some(Does::Says("550-5.1.1 no such\n550 5.1.1 user"))
}

#[test]
fn a_message_is_never_half_sent_because_one_recipient_is_refused() {
    let (handed, seen) = outcome("smtp", refuses_b);
    assert_eq!(not_taken(&handed), "it refuses 1 of 2 recipients: 550 5.1.1 no such 5.1.1 user");
    assert_eq!(fates(&handed), [Fate::Refused, Fate::NotTaken]);
    let reply = handed.recipients[0].reply.as_ref().unwrap();
    assert_eq!((reply.code, reply.status()), (550, Some("5.1.1")));
    assert!(seen.heard("RCPT TO:<c@") && seen.heard("RSET") && !seen.heard("DATA"), "{seen:?}");
}

#[test]
fn the_others_get_it_where_that_is_wanted() {
    let server = Server::start(&[], refuses_b);
    let mut client = Client::connect(&server.peer("smtp"), &options()).unwrap();
    let outgoing = envelope(&["b@example.org", "c@example.org"]);
    let handed = client.send(&outgoing, &mut Cursor::new(MESSAGE), false);
    assert!(matches!(handed.verdict, Verdict::Taken { .. }), "{handed:?}");
    assert_eq!(fates(&handed), [Fate::Refused, Fate::Accepted]);
    client.quit();
    assert_eq!(server.seen().messages.len(), 1);
}

#[test]
fn nothing_is_sent_when_all_are_refused() {
    let server = Server::start(&[], |said| said.starts_with("RCPT").then_some(Does::Says("450 4.2.0 later")));
    let mut client = Client::connect(&server.peer("smtp"), &options()).unwrap();
    let handed = client.send(&envelope(&["b@example.org"]), &mut Cursor::new(MESSAGE), false);
    assert_eq!(not_taken(&handed), "it refuses the recipient: 450 4.2.0 later");
    let Verdict::NotTaken { failure } = &handed.verdict else { panic!() };
    assert!(failure.temporary);
    assert!(client.is_usable(), "the next message can go over the same connection");
    client.quit();
    assert!(!server.seen().heard("DATA"));
}

#[test]
fn a_server_that_says_no_has_not_taken_it() {
    let cases: [(Script, &str); 5] = [
        (|s| s.starts_with("MAIL").then_some(Does::Says("451 4.3.0 later")), "it refuses the sender: 451"),
        (|s| (s == "DATA").then_some(Does::Says("451 4.3.0 later")), "it refuses the message: 451"),
        (|s| (s == "DATA").then_some(Does::Says("554 5.5.1 no")), "it refuses the message: 554"),
        (|s| (s == ".").then_some(Does::Says("552 5.3.4 too big")), "it refuses the message: 552"),
        (|s| (s == ".").then_some(Does::Says("421 4.3.2 going down")), "it refuses the message: 421"),
    ];
    for (script, why) in cases {
        let (handed, _) = outcome("smtp", script);
        assert!(not_taken(&handed).starts_with(why), "{handed:?}");
        assert_eq!(fates(&handed), [Fate::NotTaken, Fate::NotTaken]);
    }
}

#[test]
fn a_connection_that_is_lost_before_the_end_of_the_message_has_not_taken_it() {
    let cases: [Script; 6] = [
        |said| said.starts_with("MAIL").then_some(Does::Leaves),
        |said| said.starts_with("RCPT TO:<c").then_some(Does::Leaves),
        |said| said.starts_with("RCPT TO:<c").then_some(Does::Sleeps),
        |said| (said == "DATA").then_some(Does::Leaves),
        |said| (said == "DATA").then_some(Does::Says("250 what?")),
        |said| (said == "DATA").then_some(Does::SaysAndLeaves("354 go on", 10)),
    ];
    let large = vec![b'a'; 4 << 20];
    for script in cases {
        let server = Server::start(&[], script);
        let handed = hand_in("smtp", &server, &["b@example.org", "c@example.org"], &large);
        not_taken(&handed);
        assert_eq!(fates(&handed), [Fate::NotTaken, Fate::NotTaken]);
        assert!(server.seen().messages.is_empty());
    }
}

#[test]
fn after_the_end_of_the_message_only_an_answer_tells() {
    let cases: [(Script, &str); 6] = [
        (|s| (s == ".").then_some(Does::Leaves), "closed the connection"),
        (|s| (s == ".").then_some(Does::Sleeps), "did not answer in time"),
        (|s| (s == ".").then_some(Does::Says("hello there")), "no reply: `hello there`"),
        (|s| (s == ".").then_some(Does::Says("354 go on")), "answered 354"),
        (|s| (s == ".").then_some(Does::Says("250-ok\n550 no")), "different codes"),
        (|s| (s == ".").then_some(Does::Writes(b"250 o".to_vec())), "did not answer in time"),
    ];
    for (script, why) in cases {
        let (handed, seen) = outcome("smtp", script);
        assert!(unknown(&handed).contains("the whole message was sent"), "{handed:?}");
        assert!(unknown(&handed).contains(why), "{handed:?}");
        assert_eq!(fates(&handed), [Fate::Unknown, Fate::Unknown]);
        assert_eq!(seen.messages.len(), 1, "it did arrive");
        assert!(!seen.heard("QUIT"), "nothing more is said on a connection that is out of step");
    }
}

#[test]
fn an_answer_before_the_end_is_not_taken_for_one_to_the_message() {
    let (handed, seen) = outcome("smtp", |s| (s == "DATA").then_some(Does::Blurts("452 4.3.1 disk full")));
    assert!(not_taken(&handed).contains("it broke off the message: 452 4.3.1 disk full"));
    assert!(seen.messages.is_empty(), "the end is not sent");
    let (handed, _) = outcome("smtp", |s| (s == "DATA").then_some(Does::Blurts("250 got it")));
    assert!(unknown(&handed).contains("250 got it before the end"));
    assert_eq!(fates(&handed), [Fate::Unknown, Fate::Unknown]);
}

#[test]
fn a_server_that_answers_more_than_it_was_asked_is_left() {
    let (handed, seen) =
        outcome("smtp", |s| s.starts_with("MAIL").then_some(Does::Says("250 Ok\n250 Ok\n250 Ok\n354 go")));
    assert!(not_taken(&handed).contains("answers what it was not asked"));
    assert!(!seen.heard("DATA"));
}

#[test]
fn replies_without_end_are_cut_off() {
    let endless: [(Script, &str); 3] = [
        (|s| s.starts_with("MAIL").then(|| Does::Writes(vec![b'2'; 1 << 20])), "more than 4096 bytes"),
        (
            |s| s.starts_with("MAIL").then(|| Does::Writes(b"250-a\r\n".repeat(100_000))),
            "more than 100 lines",
        ),
        (|s| s.starts_with("MAIL").then(|| Does::Writes(b"250 ok\n".to_vec())), "without CR LF"),
    ];
    for (script, why) in endless {
        let (handed, _) = outcome("smtp", script);
        assert!(not_taken(&handed).contains(why), "{handed:?}");
    }
}

#[test]
fn a_server_that_talks_nonsense_is_never_believed() {
    let mut random = Random::new(3);
    for _ in 0..200 {
        let pieces = ["250", "2", "-", " ", "\r", "\n", "\r\n", "550", "\u{1b}[2J", "\0", "é", "999", "354 "];
        let nonsense: String = (0..random.next(60)).map(|_| pieces[random.next(pieces.len())]).collect();
        let server = Server::on(move |mut stream| {
            let _ = stream.write_all(format!("220 hello\r\n{nonsense}").as_bytes());
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
            super::Seen::default()
        });
        if let Ok(mut client) = Client::connect(&server.peer("smtp"), &options()) {
            let handed = client.send(&envelope(&["b@example.org"]), &mut Cursor::new(MESSAGE), true);
            assert!(!matches!(handed.verdict, Verdict::Taken { .. }), "{handed:?}");
        }
        server.seen();
    }
}

#[test]
fn lmtp_tells_of_each_recipient() {
    let (handed, _) =
        outcome("lmtp", |s| (s == ".").then_some(Does::Says("250 2.0.0 Saved\n552 5.2.2 full")));
    assert!(matches!(handed.verdict, Verdict::Taken { .. }), "{handed:?}");
    assert_eq!(fates(&handed), [Fate::Accepted, Fate::Refused]);
    assert_eq!(handed.recipients[1].reply.as_ref().unwrap().to_string(), "552 5.2.2 full");

    let (handed, _) = outcome("lmtp", |s| (s == ".").then_some(Does::Says("451 later\n552 5.2.2 full")));
    assert!(not_taken(&handed).contains("451 later"));
    assert_eq!(fates(&handed), [Fate::Refused, Fate::Refused]);
}

#[test]
fn lmtp_that_breaks_off_between_its_replies_leaves_the_rest_unknown() {
    let (handed, _) = outcome("lmtp", |s| (s == ".").then_some(Does::SaysAndLeaves("250 2.0.0 Saved", 0)));
    assert!(unknown(&handed).contains("closed the connection"));
    assert_eq!(fates(&handed), [Fate::Accepted, Fate::Unknown]);
}

#[test]
fn lmtp_answers_only_for_those_it_accepted() {
    let server = Server::start(&[], |said| match said {
        "RCPT TO:<b@example.org>" => Some(Does::Says("550 5.1.1 no such user")),
        "." => Some(Does::Says("250 2.0.0 Saved")),
        _ => None,
    });
    let mut client = Client::connect(&server.peer("lmtp"), &options()).unwrap();
    let outgoing = envelope(&["b@example.org", "c@example.org"]);
    let handed = client.send(&outgoing, &mut Cursor::new(MESSAGE), false);
    assert!(matches!(handed.verdict, Verdict::Taken { .. }), "{handed:?}");
    assert_eq!(fates(&handed), [Fate::Refused, Fate::Accepted]);
    client.quit();
    server.seen();
}

#[test]
fn a_connection_that_is_out_of_step_is_not_used_again() {
    let server = Server::start(&[], |s| (s == ".").then_some(Does::Sleeps));
    let mut client = Client::connect(&server.peer("smtp"), &options()).unwrap();
    let outgoing = envelope(&["b@example.org"]);
    client.send(&outgoing, &mut Cursor::new(MESSAGE), true);
    assert!(!client.is_usable());
    let again = client.send(&outgoing, &mut Cursor::new(MESSAGE), true);
    assert!(not_taken(&again).contains("no longer there"));
    client.quit();
    assert_eq!(server.seen().messages.len(), 1);
}

#[test]
fn a_server_that_does_not_want_to_talk_is_told_of() {
    let cases: [(Script, &str); 4] = [
        (|s| (s == "greeting").then_some(Does::Says("554 5.3.2 go away")), "554 5.3.2 go away"),
        (|s| (s == "greeting").then_some(Does::Leaves), "closed the connection"),
        (|s| (s == "greeting").then_some(Does::Sleeps), "did not answer in time"),
        (|s| s.starts_with("EHLO").then_some(Does::Says("550 who are you")), "refuses the greeting: 550 who"),
    ];
    for (script, why) in cases {
        let server = Server::start(&[], script);
        let failure = Client::connect(&server.peer("smtp"), &options()).err().expect("it fails");
        assert!(failure.to_string().contains(why), "{failure}");
        server.seen();
    }
    let nobody = Peer::parse("smtp://127.0.0.1:1").unwrap();
    let failure = Client::connect(&nobody, &options()).err().expect("nobody listens there");
    assert!(
        failure.temporary && failure.to_string().contains("cannot be reached at 127.0.0.1:1"),
        "{failure}"
    );
}

#[test]
fn what_became_of_a_message_can_be_written_down_and_read_again() {
    let (handed, _) = outcome("smtp", refuses_b);
    let written = serde_json::to_string(&handed).unwrap();
    assert_eq!(serde_json::from_str::<Handed>(&written).unwrap(), handed);
}
