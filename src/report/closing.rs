//! What a table ends with: notes, what was not judged or read, what to type next, and what not to type.

use super::escape::{clip, for_terminal};
use super::{place, table};
use crate::findings::{Class, Finding, Note, Outlook, Summary};
use std::io::{self, Write};

/// How much of what could not be read is shown.
const SHOWN_DAMAGES: usize = 10;
/// How many commands of each kind are proposed.
const SHOWN_COMMANDS: usize = 3;
/// How many ways to destroy mail are shown: each of them is one that a known rule of a known mail system has.
const SHOWN_DESTROYERS: usize = 12;
/// Columns that one value may take.
const LONGEST: usize = 400;

/// What was gathered from the findings as they passed.
#[derive(Default)]
pub struct Closing {
    shows: Vec<String>,
    rules: Vec<String>,
    destroyers: Vec<(String, String)>,
    warned: Vec<(&'static str, String)>,
}

impl Closing {
    /// Remembers what the end will need.
    pub fn note(&mut self, finding: &Finding, summary: &Summary) {
        if self.shows.is_empty() {
            let again: Vec<String> = summary.again.iter().map(|word| quoted(word)).collect();
            let id = quoted(&place::id_in_words(finding).lossy());
            let command = format!("ghostq show {id} {}", again.join(" "));
            self.shows.push(clip(command.trim_end(), LONGEST));
        }
        let rule = finding.rule();
        if self.rules.len() < SHOWN_COMMANDS && !self.rules.iter().any(|known| known == rule) {
            self.rules.push(rule.to_owned());
        }
        // What would destroy a held message is no news before what would destroy a ghost.
        if finding.class <= Class::Ghost {
            self.note_destroyers(finding.message.instance, &finding.outlook, summary);
        }
    }

    /// What would destroy the first message of a rule would destroy the others: it is said once.
    fn note_destroyers(&mut self, instance: usize, outlook: &[Outlook], summary: &Summary) {
        let source = place::instance_names(summary, instance).map_or("", |(source, _)| source);
        for one in outlook {
            let warned = (source, one.rule.clone());
            if self.warned.contains(&warned) {
                continue;
            }
            self.warned.push(warned);
            for text in &one.destroyers {
                let room = self.destroyers.len() < SHOWN_DESTROYERS;
                if room && !self.destroyers.iter().any(|(known, _)| known == text) {
                    self.destroyers.push((text.clone(), one.rule.clone()));
                }
            }
        }
    }

    /// Prints the end.
    pub fn write(mut self, summary: &Summary, colour: bool, out: &mut dyn Write) -> io::Result<()> {
        // On a copy nothing can be destroyed by what only a mail system at work would do.
        let running = |note: &&Note| summary.instances.get(note.instance).is_some_and(|i| i.live.is_some());
        for note in summary.notes.iter().filter(running) {
            self.note_destroyers(note.instance, note.outlook.as_slice(), summary);
        }
        section("worth knowing", summary.notes.iter().map(|n| note_line(n, summary)), out)?;
        section("not judged", not_judged(summary).into_iter(), out)?;
        write_damages(summary, out)?;
        section("about this scan", summary.warnings.iter().map(|w| clip(w, LONGEST)), out)?;
        let explain = self.rules.iter().map(|rule| format!("ghostq explain {}", for_terminal(rule)));
        section("what next", self.shows.iter().cloned().chain(explain), out)?;
        self.write_destroyers(colour, out)
    }

    fn write_destroyers(&self, colour: bool, out: &mut dyn Write) -> io::Result<()> {
        if self.destroyers.is_empty() {
            return Ok(());
        }
        let warning =
            table::painted("WARNING: before anything else, know what would destroy this mail:", colour);
        writeln!(out, "\n{warning}")?;
        for (text, rule) in &self.destroyers {
            writeln!(out, "  - {} ({})", clip(text, LONGEST), for_terminal(rule))?;
        }
        Ok(())
    }
}

fn section(title: &str, lines: impl Iterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    for (number, line) in lines.enumerate() {
        if number == 0 {
            writeln!(out, "\n{title}:")?;
        }
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// `name-inode-mismatch: 197 of 200 messages in /var/spool/postfix: the file name …`.
fn note_line(note: &Note, summary: &Summary) -> String {
    let count = match summary.messages.get(note.instance) {
        Some(all) => format!("{} of {}", note.count, place::count_in_words(*all, "message", "messages")),
        None => place::count_in_words(note.count, "message", "messages"),
    };
    let label = place::instance_names(summary, note.instance).map(|(_, label)| for_terminal(label));
    let at = label.map(|label| format!(" in {label}")).unwrap_or_default();
    let rule = for_terminal(&note.rule);
    format!("{rule}: {count}{at}: {}", clip(&note.why, LONGEST))
}

/// Silent rules, those that lacked the same on one line.
fn not_judged(summary: &Summary) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for silent in &summary.silent {
        let rule = for_terminal(&silent.rule);
        match reasons.iter_mut().find(|(why, _)| *why == silent.why) {
            Some((_, rules)) => rules.push(rule),
            None => reasons.push((&silent.why, vec![rule])),
        }
    }
    reasons.iter().map(|(why, rules)| format!("{}: {}", rules.join(", "), clip(*why, LONGEST))).collect()
}

fn write_damages(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let title = format!("could not be read ({})", summary.damage_count);
    let lines = summary.damages.iter().take(SHOWN_DAMAGES).map(|damage| {
        let place = clip(&place::in_words(&damage.locus), LONGEST);
        let hint = clip(&damage.hint, LONGEST);
        let hint = if hint.is_empty() { hint } else { format!(" ({hint})") };
        format!("{place}: {}{hint}", clip(&damage.what, LONGEST))
    });
    let shown = summary.damages.len().min(SHOWN_DAMAGES) as u64;
    let more = summary.damage_count.saturating_sub(shown);
    let rest = (more > 0).then(|| format!("… and {more} more: `ghostq scan --format json` lists up to 1000"));
    section(&title, lines.chain(rest), out)
}

/// A word for the shell: quoted unless it is plain.
fn quoted(word: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-:+@%,".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
