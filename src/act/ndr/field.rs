//! Values of header fields from text that strangers wrote: no line break, no control character, no line that is too long.

use crate::evidence::Text;
use std::fmt::Write as _;

/// The length at which lines are folded (RFC 5322 section 2.1.1 recommends 78 without the line end).
const WIDTH: usize = 78;
/// No value gets longer than this, so that with its name it stays below the 998 bytes of RFC 5322 section 2.1.1 even where there is
/// no blank at which it could be folded.
const MAX_VALUE: usize = 800;
/// What is put at the end of a value that was cut.
const CUT: &str = " ...";

/// The name of a host as it can stand in an address; `localhost` where nothing of it can.
pub fn host(name: &str) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name: String = name.chars().filter(fits).take(253).collect();
    let name = name.trim_matches('.');
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

/// A value in printable ASCII on one line: runs of white space become one blank, everything else `?`.
pub fn ascii(text: &Text) -> String {
    let shown = one_line(text);
    cut(shown.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect())
}

/// A value for people on one line: nothing in it breaks the line, moves a cursor or turns the direction of the text.
pub fn readable(text: &Text) -> String {
    cut(one_line(text))
}

fn one_line(text: &Text) -> String {
    let lossy = text.lossy();
    let words = lossy.split(|c: char| c.is_whitespace() || c == '\0').filter(|word| !word.is_empty());
    let tame = |word: &str| word.chars().map(|c| if is_unseen(c) { '?' } else { c }).collect::<String>();
    words.map(tame).collect::<Vec<_>>().join(" ")
}

/// Control characters, and characters of no width or that turn the direction of what follows.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffc}' | '\u{e0000}'..='\u{e0fff}')
}

fn cut(mut text: String) -> String {
    if text.len() > MAX_VALUE {
        let mut end = MAX_VALUE - CUT.len();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(CUT);
    }
    text
}

/// An address as it stands, blanks in a quoted local part kept; bytes that are not UTF-8 become `\xE9`, control characters `?`.
pub fn address(text: &Text) -> String {
    let mut shown = String::new();
    for chunk in text.bytes().utf8_chunks() {
        shown.extend(chunk.valid().chars().map(|c| if is_unseen(c) { '?' } else { c }));
        for byte in chunk.invalid() {
            // Writing into a string cannot fail.
            let _ = write!(shown, "\\x{byte:02X}");
        }
    }
    cut(shown)
}

/// An address as it can stand in the field `To`, with the same meaning: a local part with special characters is quoted. `None`
/// where there is no such form, or where the address is cut by the limits of a line.
pub fn mailbox(text: &Text) -> Option<String> {
    let address = text.as_str().filter(|text| text.len() <= MAX_VALUE && !text.chars().any(is_unseen))?;
    let (local, domain) = match address.rsplit_once('@') {
        Some((local, domain)) => (local, Some(domain)),
        None => (address, None),
    };
    let special = |c: char| c.is_whitespace() || "()<>[]:;@\\,\"".contains(c);
    let bare = |text: &str| !text.is_empty() && !text.contains(special);
    let local = if bare(local) || is_quoted(local) {
        local.to_owned()
    } else if local.is_empty() || local.contains(['<', '>', '@', '"', '\\']) {
        // Whoever wrote that did not mean one address.
        return None;
    } else {
        format!("\"{local}\"")
    };
    let Some(domain) = domain else { return Some(local) };
    let inner = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let fits = inner.map_or_else(
        || bare(domain),
        |inner| inner.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-')),
    );
    fits.then(|| format!("{local}@{domain}"))
}

/// Whether it is a quoted string of RFC 5322 from its first to its last character.
fn is_quoted(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    let mut hidden = false;
    for c in inner.chars() {
        match c {
            _ if hidden => hidden = false,
            '\\' => hidden = true,
            '"' => return false,
            _ => {}
        }
    }
    !hidden && text.len() > 1
}

/// The Message-ID of another message as it can stand in `In-Reply-To`.
pub fn reference(id: &Text) -> Option<&str> {
    let id = id.as_str().filter(|id| id.len() <= MAX_VALUE)?;
    let inner = id.strip_prefix('<')?.strip_suffix('>')?;
    let fits = inner.contains('@') && inner.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>'));
    fits.then_some(id)
}

/// A field that may be folded at its blanks.
pub fn folded(name: &str, value: &str) -> String {
    let mut field = format!("{name}:");
    let mut width = field.len();
    for word in value.split(' ').filter(|word| !word.is_empty()) {
        if width + 1 + word.len() > WIDTH && width > 1 {
            field.push_str("\n ");
            width = 1 + word.len();
        } else {
            field.push(' ');
            width += 1 + word.len();
        }
        field.push_str(word);
    }
    field.push('\n');
    field
}

/// A field with a value in which every blank counts; it may begin on a line of its own.
pub fn unfolded(name: &str, kind: &str, value: &str) -> String {
    let start = format!("{name}:{}{kind}", if kind.is_empty() { "" } else { " " });
    let fold = if start.len() + 1 + value.len() > WIDTH { "\n" } else { "" };
    format!("{start}{fold} {value}\n")
}

/// xtext of RFC 3461 section 4.
pub fn xtext(text: &Text) -> String {
    let mut coded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'+' | b'=') {
            coded.push(char::from(*byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(coded, "+{byte:02X}");
        }
    }
    coded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_on_its_line() {
        let hostile =
            Text::new(b"550 no\r\nBcc: all@world.example\r\n\r\nbody\0\x1b[2J caf\xe9 \xe2\x80\xae");
        assert_eq!(ascii(&hostile), "550 no Bcc: all@world.example body ?[2J caf? ?");
        let long = folded("Diagnostic-Code", &ascii(&Text::new(vec![b'x'; 5_000])));
        assert!(long.lines().all(|line| line.len() < 998));
    }

    #[test]
    fn long_values_are_folded_at_their_blanks_and_nowhere_else() {
        let field = folded("Subject", &"word ".repeat(40));
        assert!(field.lines().count() > 2);
        assert!(field.lines().all(|line| line.len() <= WIDTH));
        assert!(field.lines().skip(1).all(|line| line.starts_with(" word")));
    }

    #[test]
    fn an_address_keeps_its_meaning_in_a_header() {
        let to = |text: &str| mailbox(&text.into());
        assert_eq!(to("joe@a.example"), Some("joe@a.example".to_owned()));
        assert_eq!(to("\"joe  r\"@a.example"), Some("\"joe  r\"@a.example".to_owned()));
        assert_eq!(to("a,b@a.example"), Some("\"a,b\"@a.example".to_owned()));
        assert_eq!(to("joe@[192.0.2.1]"), Some("joe@[192.0.2.1]".to_owned()));
        for unfit in ["a@b\r\nBcc: c@d", "a@b, c@d", "\"a@b", "@b", "a@", "a@b>"] {
            assert_eq!(to(unfit), None, "{unfit}");
        }
    }

    #[test]
    fn only_a_message_id_is_referred_to() {
        assert_eq!(reference(&"<1@a.example>".into()), Some("<1@a.example>"));
        for unfit in ["1@a.example", "<1>", "<1@a> <2@b>", "<1@a\r\nBcc: x>", "<caf\u{e9}@a>"] {
            assert_eq!(reference(&unfit.into()), None, "{unfit}");
        }
    }
}
