//! The optional lines of an envelope file: `-name value`, `--name value` for what came from outside (tainted), and
//! `--(lookup)name value` for what is quoted for a lookup besides.
//!
//! Source: Exim `spool_in.c`, `spool_read_header`; unknown names are ignored there, and here.

use crate::evidence::{Attribute, Text, Time};

/// A message from the network has so many values that are kept.
const USUAL_ATTRIBUTES: usize = 12;
/// Names whose values are kept as evidence.
const KEPT: [&str; 25] = [
    "auth_id",
    "auth_sender",
    "host_auth",
    "host_auth_pubname",
    "host_address",
    "host_name",
    "helo_name",
    "interface_address",
    "active_hostname",
    "ident",
    "received_protocol",
    "received_time_complete",
    "tls_cipher",
    "tls_ver",
    "tls_peerdn",
    "tls_sni",
    "dsn_envid",
    "dsn_ret",
    "spam_score",
    "local",
    "localerror",
    "manual_thaw",
    "sender_set_untrusted",
    "smtputf8",
    "N",
];
/// Attributes that are kept, and how much of each.
const MAX_ATTRIBUTES: usize = 32;
const MAX_VALUE_BYTES: usize = 1_024;
/// What the reader allows an ACL variable of the old form (`count > 16384`); of the new form it allows any length.
const MAX_OLD_ACL_BYTES: i64 = 16_384;

/// An optional line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed<'a> {
    /// A name and its value, which may be empty.
    Option {
        /// The name.
        name: &'a [u8],
        /// The value.
        value: &'a [u8],
    },
    /// An ACL variable: its value follows on the next lines, so many bytes and a line feed.
    Value {
        /// `aclc`, `aclm` or `acl`.
        name: &'a [u8],
        /// The name of the variable.
        value: &'a [u8],
        /// The length of its value.
        length: u64,
    },
}

/// What the optional lines say.
#[derive(Debug, Default)]
pub struct Options {
    /// Names and values that are kept.
    pub attributes: Vec<Attribute>,
    /// Since when it is frozen.
    pub frozen: Option<Time>,
    /// Whether deliveries are only pretended (`-N`).
    pub pretended: bool,
    /// Lines of the body as they were counted on reception.
    pub body_lines: Option<u64>,
    /// Whether the body stands as it came over the wire.
    pub wire_format: bool,
    /// ACL variables.
    pub variables: u64,
}

impl Options {
    /// Counts an ACL variable.
    pub fn count(&mut self, _name: &[u8]) {
        self.variables += 1;
    }

    /// Takes an option.
    ///
    /// # Errors
    /// What is wrong with its value, where Exim minds.
    pub fn take(&mut self, name: &[u8], value: &[u8]) -> Result<(), String> {
        match name {
            b"frozen" => match leading_number(value) {
                Some((seconds, _)) => self.frozen = Some(Time::from_unix(seconds)),
                None => return Err("expected a time after `-frozen`".into()),
            },
            b"N" => self.pretended = true,
            b"body_linecount" => {
                self.body_lines = leading_number(value).and_then(|(count, _)| u64::try_from(count).ok());
            }
            b"spool_file_wireformat" => self.wire_format = true,
            _ => {}
        }
        let known = KEPT.into_iter().find(|known| known.as_bytes() == name);
        if let Some(name) = known
            && self.attributes.len() < MAX_ATTRIBUTES
        {
            if self.attributes.is_empty() {
                self.attributes.reserve(USUAL_ATTRIBUTES);
            }
            let value = value.get(..MAX_VALUE_BYTES.min(value.len())).unwrap_or_default();
            let value = if value.is_empty() { Text::from("yes") } else { Text::new(value) };
            self.attributes.push((name.into(), value));
        }
        Ok(())
    }
}

/// Reads a line that begins with `-`.
///
/// # Errors
/// What is wrong with it.
pub fn parse(line: &[u8]) -> Result<Parsed<'_>, String> {
    let rest = line.strip_prefix(b"-").unwrap_or(line);
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    let rest = if rest.first() == Some(&b'(') {
        let end = rest.iter().position(|byte| *byte == b')');
        match end.and_then(|end| rest.get(end + 1..)) {
            Some(rest) => rest,
            None => return Err("expected `)` after the name of a lookup".into()),
        }
    } else {
        rest
    };
    let (name, value) = match rest.iter().position(|byte| *byte == b' ') {
        Some(space) => rest.split_at(space),
        None => (rest, &b""[..]),
    };
    let value = value.strip_prefix(b" ").unwrap_or(value);
    match name {
        b"aclc" | b"aclm" => variable(name, value),
        b"acl" => old_variable(name, value),
        _ => Ok(Parsed::Option { name, value }),
    }
}

fn variable<'a>(name: &'a [u8], value: &'a [u8]) -> Result<Parsed<'a>, String> {
    let parts = value.iter().position(|byte| *byte == b' ').map(|space| value.split_at(space));
    let length = parts.and_then(|(_, length)| leading_number(length)).map(|(length, _)| length);
    match (parts, length.and_then(|length| u64::try_from(length).ok())) {
        (Some((value, _)), Some(length)) => Ok(Parsed::Value { name, value, length }),
        _ => Err("expected the name and the length of an ACL variable".into()),
    }
}

/// `-acl INDEX LENGTH`, before variables had names.
fn old_variable<'a>(name: &'a [u8], value: &'a [u8]) -> Result<Parsed<'a>, String> {
    let numbers = leading_number(value).and_then(|(index, rest)| Some((index, leading_number(rest)?.0)));
    match numbers {
        Some((index @ 0..20, length @ 0..=MAX_OLD_ACL_BYTES)) => {
            let digits = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
            let _ = index;
            let value = value.get(..digits).unwrap_or_default();
            Ok(Parsed::Value { name, value, length: u64::try_from(length).unwrap_or(0) })
        }
        _ => Err("expected the number (0 to 19) and the length of an ACL variable".into()),
    }
}

/// A number at the start, after white space, as `sscanf` reads `%d`; and what follows it.
pub fn leading_number(text: &[u8]) -> Option<(i64, &[u8])> {
    let text = text.trim_ascii_start();
    let sign = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let digits = text.get(sign..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at_checked(sign + digits)?;
    let number = std::str::from_utf8(number).ok()?.parse().ok()?;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_from_outside_are_read_like_others() {
        let option = |name: &'static str, value: &'static str| {
            Ok(Parsed::Option { name: name.as_bytes(), value: value.as_bytes() })
        };
        assert_eq!(parse(b"-helo_name x"), option("helo_name", "x"));
        assert_eq!(parse(b"--helo_name x y"), option("helo_name", "x y"));
        assert_eq!(parse(b"--(mysql)auth_id o'hara"), option("auth_id", "o'hara"));
        assert_eq!(parse(b"-local"), option("local", ""));
        assert!(parse(b"--(mysql").is_err());
    }

    #[test]
    fn the_length_of_an_acl_variable_is_read_and_must_be_one() {
        let value = |name: &'static str, value: &'static str, length| {
            Ok(Parsed::Value { name: name.as_bytes(), value: value.as_bytes(), length })
        };
        assert_eq!(parse(b"-aclm spam_score 12"), value("aclm", "spam_score", 12));
        assert_eq!(parse(b"--aclc 0 3"), value("aclc", "0", 3));
        assert_eq!(parse(b"-acl 10 5"), value("acl", "10", 5));
        assert!(parse(b"-aclm x -1").is_err());
        assert!(parse(b"-aclm x").is_err());
        assert!(parse(b"-acl 20 5").is_err());
        assert!(parse(b"-acl 1 16385").is_err());
    }

    #[test]
    fn a_frozen_message_says_since_when() {
        let mut options = Options::default();
        options.take(b"frozen", b"1795482783").unwrap();
        assert_eq!(options.frozen, Some(Time::from_unix(1_795_482_783)));
        assert!(options.take(b"frozen", b"").is_err());
        assert!(options.attributes.is_empty());
        options.take(b"N", b"").unwrap();
        assert!(options.pretended);
        assert_eq!(options.attributes, [("N".into(), Text::from("yes"))]);
    }
}
