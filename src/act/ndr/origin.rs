//! Who handed a message in, as far as the mail system that holds it says so: its own record, which no sender can write.

use crate::evidence::{Attribute, Text};
use crate::read::mime::Headers;
use std::net::IpAddr;

/// Attributes that hold the name of a user who authenticated himself; empty ones and `<>` do not count.
///
/// Postfix: `sasl_username` (`smtpd/smtpd.c`, record of `MAIL_ATTR_SASL_USERNAME`). Exim: `auth_id`, but only beside `host_auth`, since
/// a local caller gets his login there (spec.txt, "Format of the -H file", and `$authenticated_id`). Sendmail: the macro
/// `auth_authen`, where the configuration makes it persistent; line `A` of the `qf` file is no proof, since local mail has one
/// too. Courier: `i` of the control file (`courier/comctlfile.h`, `COMCTLFILE_AUTHNAME`).
const AUTHENTICATED: &[&str] = &["sasl_username", "auth_id", "auth_authen", "authenticated sender"];

/// Attributes that hold the address of the client. Postfix keeps two: its own client, and the one that a content filter named
/// (XFORWARD); a message is local only if both are.
const CLIENT: &[&str] =
    &["client_address", "log_client_address", "host_address", "sockaddr", "client_addr", "client"];

/// Mail systems that take mail from programs of their own host and from nobody else: they have no SMTP server.
const LOCAL_ONLY: &[&str] = &["nullmailer", "dma"];

/// Received fields of a message that a program of this host handed in: its own hop, and one more where a submission program
/// passes it to the server (sendmail's MSP).
const MAX_LOCAL_HOPS: usize = 2;

/// Who handed a message in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A user who authenticated himself, with the name that the record has; empty where it has none.
    User(Text),
    /// A program on this host.
    Local,
    /// Somebody else, or it is not known.
    Unknown,
}

/// Who handed a message in, by the attributes that the source `source` gave it.
pub fn of(source: &str, attributes: &[Attribute], headers: &Headers) -> Origin {
    let clients = attributes.iter().filter(|(name, _)| CLIENT.contains(&&**name)).map(|(_, value)| value);
    if let Some(user) = user(source, attributes) {
        Origin::User(user)
    } else if is_local(source, attributes, clients, headers) && came_from_here(headers) {
        Origin::Local
    } else {
        Origin::Unknown
    }
}

fn user(source: &str, attributes: &[Attribute]) -> Option<Text> {
    let value = |wanted: &str| attributes.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    // OpenSMTPD keeps no name. It sets the flag for local programs as well (seen in its queue, 6.8.0p2), so that only with another
    // client it says that somebody gave a password; that is what the name of the flag says, and was not tried.
    let is_remote = value("sockaddr").is_some_and(|client| client.bytes() != b"local");
    if source == "opensmtpd" && is_remote {
        let flags = value("flags")?.lossy().to_ascii_lowercase();
        return flags.split([' ', ',', '|']).any(|flag| flag == "authenticated").then(Text::default);
    }
    if source == "exim" && value("host_auth").is_none() {
        return None;
    }
    let is_name = |value: &&Text| !value.is_empty() && value.bytes() != b"<>";
    AUTHENTICATED.iter().filter_map(|name| value(name)).find(is_name).cloned()
}

fn is_local<'a>(
    source: &str,
    attributes: &[Attribute],
    clients: impl Iterator<Item = &'a Text>,
    headers: &Headers,
) -> bool {
    let has = |name: &str, value: &str| {
        attributes.iter().any(|(known, found)| known == name && found.bytes() == value.as_bytes())
    };
    let begins = |name: &str, value: &str| {
        attributes.iter().any(|(known, found)| known == name && found.bytes().starts_with(value.as_bytes()))
    };
    let clients: Vec<_> = clients.collect();
    if !clients.iter().all(|client| is_here(client)) {
        return false;
    }
    // Postfix: pickup(8) writes no client; `rewrite_context` alone is no sign, since mynetworks may get it too
    // (`local_header_rewrite_clients`), so that it counts only without a client. Exim: spec.txt, `-local` and
    // `received_protocol` (`local`, `local-smtp`). qmail: the Received field that qmail-queue writes says who invoked it (`received.c`).
    !clients.is_empty()
        || LOCAL_ONLY.contains(&source)
        || (source == "postfix" && has("rewrite_context", "local"))
        || (source == "exim" && (has("local", "") || begins("received_protocol", "local")))
        || (source == "qmail" && invoked_by_user(attributes, headers))
        // A message that sendmail(1) left while smtpd did not run (`smtpd/enqueue.c`).
        || (source == "opensmtpd" && attributes.iter().any(|(name, _)| name == "sendmail-arguments"))
        || (source == "courier" && has("source", "local"))
}

/// Whether qmail-queue was invoked by a user, not by qmail-smtpd ("from network") and not for a bounce: it says so in the field that
/// it puts on top of everything it takes.
fn invoked_by_user(attributes: &[Attribute], headers: &Headers) -> bool {
    let noted = attributes.iter().find(|(name, _)| name == "qmail_queue").map(|(_, value)| value);
    let top = headers.raw("Received").filter(|value| value.bytes().starts_with(b"(qmail "));
    noted.or(top).is_some_and(|value| value.lossy().contains(" invoked by uid "))
}

/// Whether the record of a client names this host: a loopback address, `local` (OpenSMTPD), `root@localhost` (sendmail, `$_`).
fn is_here(client: &Text) -> bool {
    let text = client.lossy();
    let addresses = addresses(&text);
    if addresses.is_empty() {
        return text == "local" || text.ends_with("@localhost");
    }
    addresses.iter().all(is_loopback)
}

fn is_loopback(address: &IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Whether no hop of its own trace came from another host. What a content filter on this host hands back, what fetchmail fetched
/// and what a `.forward` sends on comes from here too, but it was not written here, and its trace shows that: no sender can take
/// away what later hops added on top.
fn came_from_here(headers: &Headers) -> bool {
    let hops: Vec<_> = headers.all("Received").map(|field| field.value.lossy()).collect();
    hops.len() <= MAX_LOCAL_HOPS
        && hops.iter().all(|hop| {
            let from = hop.split_once(" by ").map_or(&**hop, |(from, _)| from);
            addresses(from).iter().all(is_loopback)
        })
}

/// Everything in a text that reads as an address of the Internet Protocol: `[192.0.2.7]:4711` (Exim), `[IPv6:2001:db8::1]`
/// (RFC 5321 section 4.1.3).
fn addresses(text: &str) -> Vec<IpAddr> {
    let text = text.to_ascii_lowercase().replace("ipv6:", " ");
    let words = text.split(|c: char| !(c.is_ascii_hexdigit() || matches!(c, '.' | ':')));
    words.filter_map(|word| word.trim_end_matches('.').parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::mime;

    fn origin(source: &str, attributes: &[(&str, &str)], header: &str) -> Origin {
        let attributes: Vec<_> =
            attributes.iter().map(|(name, value)| ((*name).to_owned().into(), Text::from(*value))).collect();
        of(source, &attributes, &mime::headers(header.as_bytes()))
    }

    const HERE: &str =
        "Received: by lab.test (Postfix, from userid 0) id 1; Tue, 24 Nov 2026 07:57:29 +0000\n\n";
    const FETCHED: &str = "Received: from mx (mx.example [192.0.2.7])\n by a (fetchmail) for b; x\n\n";

    #[test]
    fn users_are_known_by_what_each_mail_system_records() {
        for (source, name) in
            [("postfix", "sasl_username"), ("exim", "auth_id"), ("courier", "authenticated sender")]
        {
            let with = |value| origin(source, &[(name, value), ("host_auth", "plain")], FETCHED);
            assert_eq!(with("joe"), Origin::User("joe".into()));
            assert_eq!(with(""), Origin::Unknown);
        }
        let remote = [("sockaddr", "192.0.2.1"), ("flags", "authenticated")];
        assert_eq!(origin("opensmtpd", &remote, FETCHED), Origin::User(Text::default()));
        assert_eq!(origin("opensmtpd", &remote[..1], FETCHED), Origin::Unknown);
    }

    #[test]
    fn the_login_of_a_local_caller_is_no_authentication() {
        // A program that fetches mail from elsewhere has a login as well.
        assert_eq!(origin("exim", &[("auth_id", "root"), ("local", "")], FETCHED), Origin::Unknown);
        assert_eq!(origin("sendmail", &[("auth_sender", "root@lab.test")], FETCHED), Origin::Unknown);
    }

    #[test]
    fn programs_of_this_host_are_known_by_their_client() {
        for (source, attributes) in [
            ("postfix", &[("rewrite_context", "local")][..]),
            ("postfix", &[("log_client_address", "127.0.0.1"), ("client_address", "::1")]),
            ("exim", &[("ident", "root"), ("received_protocol", "local")]),
            ("opensmtpd", &[("sockaddr", "local"), ("flags", "authenticated")]),
            ("sendmail", &[("client", "root@localhost")]),
            ("courier", &[("client", "dns; localhost (localhost [127.0.0.1])"), ("source", "local")]),
            ("qmail", &[("qmail_queue", "process 1110 invoked by uid 0")]),
            ("opensmtpd", &[("sendmail-arguments", "-i|-f|a@lab.test|b@lab.test")]),
            ("dma", &[]),
        ] {
            assert_eq!(origin(source, attributes, HERE), Origin::Local, "{source} {attributes:?}");
            assert_eq!(origin(source, attributes, FETCHED), Origin::Unknown, "{source} {attributes:?}");
        }
    }

    #[test]
    fn clients_from_elsewhere_are_not_of_this_host() {
        for (source, attributes) in [
            ("postfix", &[("rewrite_context", "local"), ("client_address", "192.0.2.1")][..]),
            ("postfix", &[("client_address", "127.0.0.1"), ("log_client_address", "192.0.2.1")]),
            ("exim", &[("host_address", "[192.0.2.7]:4711"), ("ident", "root")]),
            ("opensmtpd", &[("sockaddr", "2001:db8::1")]),
            ("sendmail", &[("client", "mx.example [192.0.2.1]")]),
            ("qmail", &[("qmail_queue", "process 1110 invoked from network")]),
            ("postfix", &[("client_address", "unknown")]),
            ("exchange", &[]),
        ] {
            assert_eq!(origin(source, attributes, HERE), Origin::Unknown, "{source} {attributes:?}");
        }
    }

    #[test]
    fn addresses_are_found_however_a_hop_writes_them() {
        let found =
            addresses("from x (HELO y) ([IPv6:2001:db8::1]) ::ffff:127.0.0.1 192.0.2.1. 12:30:00 added");
        let found: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, ["2001:db8::1", "::ffff:127.0.0.1", "192.0.2.1"]);
    }
}
