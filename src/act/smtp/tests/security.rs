//! TLS, passwords, and who may stand between.

use super::{Client, Does, Duplex, Script, Seen, Server, Session, envelope, options};
use crate::act::smtp::{Failure, Options, Peer, Secret, TlsPolicy, Verdict};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufReader, Cursor};
use std::net::TcpStream;
use std::sync::Arc;

/// A certificate that vouches for itself, in a file, and a server's half of TLS with it.
struct Certificate {
    file: tempfile::NamedTempFile,
    config: Arc<ServerConfig>,
}

impl Certificate {
    fn of(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), made.cert.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        Self { file, config: Arc::new(config) }
    }

    /// Options that trust it.
    fn trusted(&self) -> Options {
        Options { ca: Some(self.file.path().to_owned()), tls: TlsPolicy::Required, ..options() }
    }

    /// A server that begins TLS at once.
    fn smtps(&self, offers: &'static [&'static str], script: Script) -> Server {
        let config = Arc::clone(&self.config);
        Server::on(move |tcp| {
            let mut seen = Seen::default();
            session(inside(&config, tcp), offers, script, &mut seen).run();
            seen
        })
    }

    /// A server that begins TLS when it is asked to.
    fn starttls(&self, offers: &'static [&'static str], script: Script) -> Server {
        let config = Arc::clone(&self.config);
        Server::on(move |tcp| {
            let mut seen = Seen::default();
            let mut plain = session(tcp, offers, script, &mut seen);
            if plain.run() {
                let tcp = plain.stream.into_inner();
                session(inside(&config, tcp), &["SMTPUTF8", "AUTH PLAIN"], script, &mut seen).go_on();
            }
            seen
        })
    }
}

fn inside(config: &Arc<ServerConfig>, tcp: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), tcp)
}

fn session<'a, S: Duplex>(
    stream: S,
    offers: &'static [&'static str],
    script: Script,
    seen: &'a mut Seen,
) -> Session<'a, S> {
    Session { stream: BufReader::new(stream), offers, script, recipients: 0, seen }
}

/// Hands in one message, which is taken.
fn deliver(peer: &Peer, options: &Options) {
    let mut client = Client::connect(peer, options).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(client.is_encrypted());
    let content: Vec<u8> = b"Subject: hello\n\n".iter().copied().chain(b"Hello.\n".repeat(20_000)).collect();
    let handed = client.send(&envelope(&["b@example.org"]), &mut Cursor::new(content), true);
    assert!(matches!(handed.verdict, Verdict::Taken { .. }), "{handed:?}");
    client.quit();
}

fn refused(peer: &Peer, options: &Options) -> Failure {
    Client::connect(peer, options).err().expect("it is refused")
}

#[test]
fn a_message_goes_through_tls_from_the_first_byte() {
    let certificate = Certificate::of("127.0.0.1");
    let server = certificate.smtps(&["SIZE"], |_| None);
    deliver(&server.peer("smtps"), &certificate.trusted());
    assert_eq!(server.seen().message().len(), 160_018);
}

#[test]
fn a_message_goes_through_starttls_and_what_was_offered_before_is_forgotten() {
    let certificate = Certificate::of("127.0.0.1");
    let server = certificate.starttls(&["STARTTLS", "DSN"], |_| None);
    let mut client = Client::connect(&server.peer("smtp"), &certificate.trusted()).unwrap();
    assert!(client.is_encrypted());
    assert!(client.offers.smtputf8 && !client.offers.dsn);
    let handed = client.send(&envelope(&["b@example.org"]), &mut Cursor::new(b"Subject: hello\n"), true);
    assert!(matches!(handed.verdict, Verdict::Taken { .. }), "{handed:?}");
    client.quit();
    let seen = server.seen();
    assert_eq!(seen.commands.iter().filter(|command| command.starts_with("EHLO")).count(), 2);
    assert_eq!(seen.messages.len(), 1);
}

#[test]
fn an_answer_that_does_not_come_is_unknown_inside_tls_too() {
    let certificate = Certificate::of("127.0.0.1");
    for script in [(|said| (said == ".").then_some(Does::Leaves)) as Script, |said| {
        (said == ".").then_some(Does::Sleeps)
    }] {
        let server = certificate.smtps(&[], script);
        let mut client = Client::connect(&server.peer("smtps"), &certificate.trusted()).unwrap();
        let handed = client.send(&envelope(&["b@example.org"]), &mut Cursor::new(b"a\n"), true);
        assert!(matches!(handed.verdict, Verdict::Unknown { .. }), "{handed:?}");
        drop(client);
        server.seen();
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not_taken() {
    let (certificate, other) = (Certificate::of("127.0.0.1"), Certificate::of("127.0.0.1"));
    let server = certificate.smtps(&[], |_| None);
    let failure = refused(&server.peer("smtps"), &other.trusted());
    assert!(failure.reason.contains("no TLS: invalid peer certificate"), "{failure}");
    assert!(failure.hint.contains("authority"), "{failure}");
    assert!(server.seen().commands.is_empty(), "nothing was said to it");
}

#[test]
fn a_certificate_of_another_host_is_not_taken() {
    let certificate = Certificate::of("mail.example.org");
    let server = certificate.starttls(&["STARTTLS"], |_| None);
    let failure = refused(&server.peer("smtp"), &certificate.trusted());
    assert!(failure.reason.contains("not valid for name"), "{failure}");
    assert!(!server.seen().heard("MAIL"));
}

#[test]
fn any_certificate_is_good_enough_on_this_host_if_that_is_asked_for() {
    let certificate = Certificate::of("mail.example.org");
    let server = certificate.smtps(&[], |_| None);
    deliver(&server.peer("smtps"), &Options { insecure: true, ..options() });
    assert_eq!(server.seen().messages.len(), 1);
}

#[test]
fn on_this_host_tls_is_not_asked_for_unless_it_is_wanted() {
    let server = Server::start(&["STARTTLS"], |_| None);
    let client = Client::connect(&server.peer("smtp"), &options()).unwrap();
    assert!(!client.is_encrypted());
    client.quit();
    assert!(!server.seen().heard("STARTTLS"));
}

#[test]
fn a_server_without_tls_is_left_alone_where_it_is_required() {
    let required = Options { tls: TlsPolicy::Required, ..options() };
    let server = Server::start(&[], |_| None);
    assert!(refused(&server.peer("smtp"), &required).reason.contains("does not offer STARTTLS"));
    assert_eq!(server.seen().commands, ["EHLO ghostq.test"]);

    let server =
        Server::start(&["STARTTLS"], |said| (said == "STARTTLS").then_some(Does::Says("454 4.7.0 not now")));
    assert!(refused(&server.peer("smtp"), &required).reason.contains("refuses it: 454"));
    server.seen();
}

#[test]
fn words_slipped_in_before_tls_begins_are_not_taken_for_words_from_inside() {
    for reply in [&b"220 go ahead\r\n250-evil\r\n250 SIZE\r\n"[..], b"220 go ahead\r\n2"] {
        let certificate = Certificate::of("127.0.0.1");
        let script: Script = if reply.len() > 20 {
            |said| {
                (said == "STARTTLS")
                    .then(|| Does::Writes(b"220 go ahead\r\n250-evil\r\n250 SIZE\r\n".to_vec()))
            }
        } else {
            |said| (said == "STARTTLS").then(|| Does::Writes(b"220 go ahead\r\n2".to_vec()))
        };
        let server = certificate.starttls(&["STARTTLS"], script);
        let failure = refused(&server.peer("smtp"), &certificate.trusted());
        assert!(failure.reason.contains("sent more than its reply before TLS began"), "{failure}");
        assert!(!server.seen().heard("MAIL"));
    }
}

/// `bob` with this password, at this server.
fn as_bob(server: &Server, password: Option<&str>) -> (Peer, Options) {
    let peer = Peer::parse(&format!("smtp://bob@127.0.0.1:{}", server.port)).unwrap();
    (peer, Options { password: password.map(Secret::new), tls: TlsPolicy::Off, ..options() })
}

#[test]
fn a_user_logs_in_the_way_the_server_offers() {
    let server = Server::start(&["AUTH LOGIN PLAIN"], |said| {
        said.starts_with("AUTH").then_some(Does::Says("235 2.7.0 welcome"))
    });
    let (peer, options) = as_bob(&server, Some("s3cret"));
    Client::connect(&peer, &options).unwrap().quit();
    assert!(server.seen().heard("AUTH PLAIN AGJvYgBzM2NyZXQ="));

    let server = Server::start(&["AUTH LOGIN"], |said| match said {
        "AUTH LOGIN" => Some(Does::Says("334 VXNlcm5hbWU6")),
        "Ym9i" => Some(Does::Says("334 UGFzc3dvcmQ6")),
        "czNjcmV0" => Some(Does::Says("235 2.7.0 welcome")),
        _ => None,
    });
    let (peer, options) = as_bob(&server, Some("s3cret"));
    Client::connect(&peer, &options).unwrap().quit();
    assert_eq!(server.seen().commands[1..], ["AUTH LOGIN", "Ym9i", "czNjcmV0", "QUIT"]);
}

#[test]
fn a_password_goes_through_tls_where_it_is_offered_even_on_this_host() {
    let certificate = Certificate::of("127.0.0.1");
    let server = certificate.starttls(&["STARTTLS", "AUTH PLAIN"], |said| {
        said.starts_with("AUTH").then_some(Does::Says("235 2.7.0 welcome"))
    });
    let peer = Peer::parse(&format!("smtp://bob@127.0.0.1:{}", server.port)).unwrap();
    let password = Some(Secret::new("s3cret"));
    let client =
        Client::connect(&peer, &Options { tls: TlsPolicy::Opportunistic, password, ..certificate.trusted() });
    assert!(client.is_ok_and(|client| client.is_encrypted()));
    let commands = server.seen().commands;
    let at = |start: &str| commands.iter().position(|command| command.starts_with(start)).unwrap();
    assert!(at("STARTTLS") < at("AUTH PLAIN"), "{commands:?}");
}

#[test]
fn a_user_who_is_not_let_in_is_told_why() {
    let server = Server::start(&["AUTH PLAIN"], |said| {
        said.starts_with("AUTH").then_some(Does::Says("535 5.7.8 authentication failed"))
    });
    let (peer, options) = as_bob(&server, Some("wrong"));
    let failure = refused(&peer, &options);
    assert_eq!(failure.reason, "it does not let `bob` in: 535 5.7.8 authentication failed");
    assert!(!failure.temporary);
    server.seen();

    let server = Server::start(&["AUTH GSSAPI"], |_| None);
    let (peer, options) = as_bob(&server, Some("s3cret"));
    assert!(refused(&peer, &options).reason.contains("no way to log in that is known here"));
    server.seen();

    let server = Server::start(&["AUTH PLAIN"], |_| None);
    let (peer, options) = as_bob(&server, None);
    assert!(refused(&peer, &options).reason.contains("there is no password for `bob`"));
    server.seen();
}

#[test]
fn a_password_is_read_from_a_file_and_shown_to_nobody() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "s3cret\nsecond line\n").unwrap();
    let secret = Secret::from_file(file.path()).unwrap();
    assert_eq!(secret.reveal(), "s3cret");
    assert!(!format!("{:?}", Options { password: Some(secret), ..options() }).contains("s3cret"));
    std::fs::write(file.path(), "\n").unwrap();
    assert!(Secret::from_file(file.path()).unwrap_err().to_string().contains("first line"));
}

#[test]
fn a_file_without_certificates_is_told_of() {
    let certificate = Certificate::of("127.0.0.1");
    let server = certificate.smtps(&[], |_| None);
    let empty = tempfile::NamedTempFile::new().unwrap();
    let options = Options { ca: Some(empty.path().to_owned()), ..options() };
    assert!(refused(&server.peer("smtps"), &options).reason.contains("holds no certificate in PEM"));
    server.seen();
}
