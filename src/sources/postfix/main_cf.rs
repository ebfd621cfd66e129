//! `main.cf`: logical lines, the last setting of a name wins, `$name` is replaced by the value of another.
//!
//! Source: Postfix `util/readlline.c` (comments and continuation lines), `util/mac_parse.c` (`$name`, `${name}`,
//! `$(name)`), `global/mail_params.h` (defaults), `global/conv_time.c` and postconf(5) (units of time).

use crate::evidence::{Duration, parse_duration};
use std::collections::HashMap;

/// The file is read so far.
pub const MAX_BYTES: usize = 1 << 20;
/// Values that refer to each other in a circle end here.
const MAX_DEPTH: usize = 8;
/// Replacements for one value, on all levels taken together: a few hundred names on each of a few levels multiply to more
/// than can ever be done, even where all of them are empty.
const MAX_EXPANSIONS: usize = 1_000;
/// Values do not grow beyond this.
const MAX_VALUE_BYTES: usize = 8 << 10;

/// The settings of a `main.cf`.
#[derive(Debug, Default)]
pub struct MainCf {
    settings: HashMap<String, Setting>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The value as it stands there.
    pub value: String,
    /// The line on which it begins, counted from 1.
    pub line: u64,
}

impl MainCf {
    /// Reads settings. What is not `name = value` is passed over, as Postfix does with a warning.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut settings = HashMap::new();
        let mut keep = |logical: &str, line: u64| {
            if let Some((name, value)) = logical.split_once('=') {
                let setting = Setting { value: value.trim().to_owned(), line };
                settings.insert(name.trim().to_owned(), setting);
            }
        };
        let (mut logical, mut begins) = (String::new(), 0_u64);
        for (number, line) in (1_u64..).zip(bytes.split(|byte| *byte == b'\n')) {
            let text = String::from_utf8_lossy(line);
            let blank = text.trim_start();
            // A comment or blank line within a continued setting does not end it.
            if blank.is_empty() || blank.starts_with('#') {
                continue;
            }
            if blank.len() == text.len() {
                keep(&logical, begins);
                logical.clear();
                begins = number;
            }
            if logical.len() + text.len() <= MAX_VALUE_BYTES {
                logical.push_str(&text);
            }
        }
        keep(&logical, begins);
        Self { settings }
    }

    /// The setting of this name as it stands there.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.get(name)
    }

    /// The value of this name, or the default of Postfix, with everything in it replaced. `None` when there is neither, or
    /// when it uses something that is not understood here (conditions, settings without a default).
    pub fn value(&self, name: &str) -> Option<String> {
        self.expanded(name, MAX_DEPTH, &mut 0)
    }

    /// A length of time in seconds.
    pub fn duration(&self, name: &str) -> Option<Duration> {
        let unit = if name.ends_with("_queue_lifetime") { 'd' } else { 's' };
        parse_duration(&self.value(name)?, unit)
    }

    fn expanded(&self, name: &str, left: usize, done: &mut usize) -> Option<String> {
        let value =
            self.settings.get(name).map(|setting| setting.value.as_str()).or_else(|| default(name))?;
        let mut result = String::new();
        let mut rest = value;
        while let Some((before, after)) = rest.split_once('$') {
            result.push_str(before);
            rest = if let Some(after) = after.strip_prefix('$') {
                result.push('$');
                after
            } else {
                let (reference, after) = reference(after)?;
                *done += 1;
                if *done > MAX_EXPANSIONS {
                    return None;
                }
                result.push_str(&self.expanded(reference, left.checked_sub(1)?, done)?);
                after
            };
            if result.len() > MAX_VALUE_BYTES {
                return None;
            }
        }
        result.push_str(rest);
        Some(result)
    }
}

/// The name behind a `$`, and what follows it.
fn reference(text: &str) -> Option<(&str, &str)> {
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    };
    let (name, after) = if let Some(inner) = text.strip_prefix('{') {
        inner.split_once('}')?
    } else if let Some(inner) = text.strip_prefix('(') {
        inner.split_once(')')?
    } else {
        let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        text.split_at(end.unwrap_or(text.len()))
    };
    is_name(name).then_some((name, after))
}

/// The default of Postfix (`global/mail_params.h`).
pub fn default(name: &str) -> Option<&'static str> {
    Some(match name {
        "queue_directory" => "/var/spool/postfix",
        "hash_queue_names" => "deferred, defer",
        "hash_queue_depth" => "1",
        "enable_long_queue_ids" => "no",
        "mail_owner" => "postfix",
        "maximal_queue_lifetime" | "bounce_queue_lifetime" => "5d",
        "queue_run_delay" => "300s",
        "minimal_backoff_time" => "$queue_run_delay",
        "maximal_backoff_time" => "4000s",
        "multi_instance_name" | "multi_instance_directories" => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_postfix_reads_them() {
        let config = MainCf::parse(
            b"# comment\nqueue_run_delay = 600s\nhash_queue_names = incoming,\n# in between\n   deferred\n\
              maximal_queue_lifetime=2\nqueue_run_delay = 10m\n",
        );
        assert_eq!(config.value("hash_queue_names").unwrap().replace(' ', ""), "incoming,deferred");
        assert_eq!(config.duration("queue_run_delay"), Some(600), "the last one wins");
        assert_eq!(config.setting("queue_run_delay").unwrap().line, 7);
        assert_eq!(config.duration("maximal_queue_lifetime"), Some(172_800), "a bare number counts days");
        assert_eq!(config.duration("minimal_backoff_time"), Some(600), "its default is $queue_run_delay");
        assert_eq!(config.duration("maximal_backoff_time"), Some(4_000));
    }

    #[test]
    fn references_are_followed_but_not_in_circles() {
        let config = MainCf::parse(
            b"base = /srv/mail\nqueue_directory = ${base}/$(multi)$x\nmulti=out\nx=\na = $b\nb = $a$a\nc=${d?{e}}\n",
        );
        assert_eq!(config.value("queue_directory").as_deref(), Some("/srv/mail/out"));
        assert_eq!(config.value("a"), None);
        assert_eq!(config.value("c"), None, "conditions are not understood, and not guessed");
    }

    #[test]
    fn references_that_multiply_to_nothing_come_to_an_end() {
        let setting = |name: &str, next: &str, count: usize| format!("{name} = {}\n", next.repeat(count));
        let chain = [("queue_directory", "$a"), ("a", "$b"), ("b", "$c"), ("c", "$d"), ("d", "$h")];
        let mut text: String = chain.iter().map(|(name, next)| setting(name, next, 2_000)).collect();
        text.push_str(&setting("few", "$h", 500));
        text.push_str("h =\n");
        let config = MainCf::parse(text.as_bytes());
        assert_eq!(config.value("queue_directory"), None, "no Postfix was ever configured like this");
        assert_eq!(config.value("few").as_deref(), Some(""));
    }
}
