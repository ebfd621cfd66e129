//! Addresses, before they leave: what is hostile in one must not become a second recipient, an option or a program.

use crate::evidence::Text;

/// More than any real address; RFC 5321 section 4.5.3.1.3 asks servers for 256 bytes only.
const LONGEST: usize = 1000;

/// Whether an address can be named in an SMTP command. The null sender is not an address.
///
/// Quoted local parts pass if they are closed, but white space and angle brackets do not, even within quotes: RFC 5321
/// allows them there, and servers that read commands naively take them for the end of the address.
///
/// # Errors
/// Why not: lower-case, without a full stop.
pub fn check(address: &Text) -> Result<(), String> {
    let Some(text) = address.as_str() else { return Err("it is neither ASCII nor UTF-8".to_owned()) };
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    if let Some(character) = text.chars().find(|c| c.is_control() || c.is_whitespace() || "<>".contains(*c)) {
        return Err(format!("it holds {}", name(character)));
    }
    let (mut quoted, mut escaped) = (false, false);
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
    }
    if quoted || escaped {
        return Err("it has a quote or a backslash that is not closed".to_owned());
    }
    Ok(())
}

/// Whether an address can be given to a `sendmail` command behind `--`, or behind `-f`, as one address.
///
/// Programs of that name read each argument as a list of addresses in the manner of RFC 5322, with comments, groups, quotes
/// and routes, and some deliver a local part that begins with `|` or `/` to a program or a file. So only what means the same
/// to all of them passes: letters, digits and harmless signs, with one `@` at most.
///
/// # Errors
/// Why not, and what to do instead: lower-case, without a full stop.
pub fn check_for_command_line(address: &Text) -> Result<(), String> {
    plain(address)
        .map_err(|why| format!("{why}, which a sendmail command may misread; use `--via smtp://localhost`"))
}

fn plain(address: &Text) -> Result<(), String> {
    check(address)?;
    let text = address.as_str().unwrap_or_default();
    if let Some(character) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || HARMLESS.contains(*c))) {
        return Err(format!("it holds {}", name(character)));
    }
    if let Some(first) = text.chars().next().filter(|c| "-/".contains(*c)) {
        return Err(format!("it begins with {}", name(first)));
    }
    let mut parts = text.split('@');
    let (local, domain, more) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    if more.is_some() {
        return Err("it holds more than one `@`".to_owned());
    }
    if local.is_empty() || local.contains(['[', ']']) {
        return Err("its local part is missing or odd".to_owned());
    }
    match domain {
        Some(domain) if !is_domain(domain) => Err("its domain is missing or odd".to_owned()),
        _ => Ok(()),
    }
}

/// The signs of an atom (RFC 5322 section 3.2.3) without `!`, `%` and `|`, which are routes and programs to some, and without
/// the backtick; and `.`, `@`, `[`, `]`, whose places are checked.
const HARMLESS: &str = "#$&'*+-/=?^_{}~.@[]";

fn is_domain(text: &str) -> bool {
    if let Some(literal) = text.strip_prefix('[') {
        return literal
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<std::net::Ipv4Addr>().is_ok());
    }
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
}

/// A character as it can be printed anywhere.
fn name(character: char) -> String {
    match character {
        ' ' => "a space".to_owned(),
        '\r' | '\n' => "a line end".to_owned(),
        c if c.is_ascii_graphic() => format!("`{c}`"),
        c => format!("the character U+{:04X}", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::{check, check_for_command_line};
    use crate::evidence::Text;

    #[test]
    fn addresses_of_all_decent_kinds_can_be_named_in_smtp() {
        for address in [
            "a@example.org",
            "root",
            "\"a,b\"@example.org",
            "bücher@example.org",
            "a+b=c@[192.0.2.1]",
            "a!b%c@d",
        ] {
            assert_eq!(check(&Text::from(address)), Ok(()), "{address}");
        }
    }

    #[test]
    fn an_address_cannot_end_its_command_and_begin_another() {
        for (address, why) in [
            (&b"a@b\r\nDATA"[..], "a line end"),
            (b"a@b\nDATA", "a line end"),
            (b"a@b\0", "U+0000"),
            (b"a@b> NOTIFY=NEVER", "`>`"),
            (b"<a@b", "`<`"),
            (b"a b@c", "a space"),
            (b"a@b\x1b[2J", "U+001B"),
            (b"a@\xc2\x85b", "U+0085"),
            (b"a@\xe2\x80\xa8b", "U+2028"),
            (b"\"a@b", "not closed"),
            (b"a\\", "not closed"),
            (b"caf\xe9@b", "neither ASCII nor UTF-8"),
            (b"", "empty"),
            (&[b'a'; 2000], "longer"),
        ] {
            let refused = check(&Text::new(address)).unwrap_err();
            assert!(refused.contains(why), "{address:?}: {refused}");
        }
    }

    #[test]
    fn an_ordinary_address_goes_on_a_command_line() {
        for address in [
            "a@example.org",
            "root",
            "a.b+c=d@mail-1.example.org",
            "o'neil@x",
            "SRS0=a/b=c@x.example",
            "a@[192.0.2.1]",
        ] {
            assert_eq!(check_for_command_line(&Text::from(address)), Ok(()), "{address}");
        }
    }

    #[test]
    fn an_address_on_a_command_line_is_no_option_program_file_or_list() {
        for address in [
            "-oQ/tmp",
            "-bi",
            "|/bin/sh",
            "/etc/passwd",
            ":include:/etc/shadow",
            "\\root",
            "a,b@c",
            "a;b",
            "a b",
            "a(b)c",
            "<a@b>",
            "\"a\"@b",
            "`id`@b",
            "a@b@c",
            "@a:b@c",
            "g:a@b;",
            "a!b",
            "a%b@c",
            "x|y@z",
            "@b",
            "a@",
            "a@[b",
            "a@b[1]",
            "[a]@b",
            "bücher@b",
            "a\n@b",
            "a@-b,c",
            "",
        ] {
            let refused = check_for_command_line(&Text::from(address)).unwrap_err();
            assert!(refused.contains("--via smtp://"), "{address}: {refused}");
        }
    }
}
