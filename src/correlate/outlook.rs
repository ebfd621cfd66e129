//! What will happen and what can be done, filled in for one message.

use crate::evidence::{Message, Shown, Text, Treatment};
use crate::findings::{Advice, Outlook};

/// Shell characters that a queue ID, a path or an address may hold without being quoted.
const PLAIN: &str = "@%+=:,./-_";

/// Fills a treatment in for one message: `{id}`, `{root}`, and `{path}`, which begins with the root.
pub fn fill(treatment: &Treatment, message: Option<&Message>, root: &Text) -> Outlook {
    let id = message.and_then(|message| message.ids.native.as_ref());
    let path = message.map(|message| join(root, &message.place.path));
    let fill = |text: &str| {
        let mut text = text.replace("{root}", &quoted(root));
        text = text.replace("{id}", &id.map_or_else(|| "ID".into(), quoted));
        text.replace("{path}", &path.as_ref().map_or_else(|| "FILE".into(), quoted))
    };
    Outlook {
        rule: treatment.rule.to_owned(),
        next: fill(treatment.next),
        remedies: treatment
            .remedies
            .iter()
            .map(|remedy| Advice { command: fill(remedy.command), what: fill(remedy.what) })
            .collect(),
        destroyers: treatment.destroyers.iter().map(|text| fill(text)).collect(),
        source: treatment.source.to_owned(),
    }
}

/// Whether the mail system's own listing shows such a message, as far as that is known.
pub fn shown(treatment: Option<&Treatment>) -> Shown {
    treatment.map_or(Shown::Depends, |treatment| treatment.shown)
}

fn join(root: &Text, path: &Text) -> Text {
    if path.bytes().first() == Some(&b'/') || root.is_empty() {
        return path.clone();
    }
    let mut whole = root.bytes().to_vec();
    if whole.last() != Some(&b'/') {
        whole.push(b'/');
    }
    whole.extend_from_slice(path.bytes());
    Text::new(whole)
}

/// A command that is printed will be pasted into a root shell; a file name in a spool is written by strangers.
fn quoted(text: &Text) -> String {
    let Some(plain) = text.as_str() else { return "'…'".into() };
    if !plain.is_empty()
        && !plain.starts_with('-')
        && plain.chars().all(|c| c.is_ascii_alphanumeric() || PLAIN.contains(c))
    {
        return plain.to_owned();
    }
    let safe: String = plain.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    format!("'{}'", safe.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_cannot_break_out_of_a_command() {
        assert_eq!(quoted(&Text::from("3A36DB0E025")), "3A36DB0E025");
        assert_eq!(quoted(&Text::from("$(reboot)")), "'$(reboot)'");
        assert_eq!(quoted(&Text::from("a'; reboot; '")), r"'a'\''; reboot; '\'''");
        assert_eq!(quoted(&Text::from("-rf")), "'-rf'");
        assert_eq!(quoted(&Text::from("a\nreboot")), "'a?reboot'");
    }
}
