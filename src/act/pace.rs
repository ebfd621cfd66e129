//! How fast messages are handed in: a rate for all, and one for each recipient domain.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// A number of messages in a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Messages.
    pub messages: u32,
    /// In this time.
    pub per: Duration,
}

impl Rate {
    /// Reads `60/m`, `2/s`, `500/h`, or `60` (a minute).
    pub fn parse(text: &str) -> Option<Self> {
        let (number, unit) = text.split_once('/').unwrap_or((text, "m"));
        let seconds = match unit.trim() {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        let messages = number.trim().parse().ok().filter(|messages| *messages > 0)?;
        Some(Self { messages, per: Duration::from_secs(seconds) })
    }

    /// The time from one message to the next.
    pub fn gap(self) -> Duration {
        self.per / self.messages
    }
}

/// When the next message may go.
#[derive(Debug, Default)]
pub struct Pace {
    rate: Option<Rate>,
    per_domain: Option<Rate>,
    next: Option<Instant>,
    next_of_domain: HashMap<String, Instant>,
}

impl Pace {
    /// A pace with these limits.
    pub fn new(rate: Option<Rate>, per_domain: Option<Rate>) -> Self {
        Self { rate, per_domain, ..Self::default() }
    }

    /// How long a message to these domains has to wait at `now`.
    pub fn wait(&self, domains: &[String], now: Instant) -> Duration {
        let of_domains = domains.iter().filter_map(|domain| self.next_of_domain.get(domain));
        let until = self.next.iter().chain(of_domains).max();
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Notes that a message to these domains went at `now`.
    pub fn gone(&mut self, domains: &[String], now: Instant) {
        self.next = self.rate.map(|rate| now + rate.gap());
        if let Some(rate) = self.per_domain {
            for domain in domains {
                self.next_of_domain.insert(domain.clone(), now + rate.gap());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_as_people_write_it() {
        let gap = |text: &str| Rate::parse(text).map(Rate::gap);
        assert_eq!(gap("60/m"), Some(Duration::from_secs(1)));
        assert_eq!(gap("2/s"), Some(Duration::from_millis(500)));
        assert_eq!(gap("30"), Some(Duration::from_secs(2)));
        assert_eq!(gap("0/m"), None);
        assert_eq!(gap("many"), None);
    }

    #[test]
    fn one_domain_waits_while_another_goes_on() {
        let mut pace = Pace::new(None, Rate::parse("1/m"));
        let (now, slow, other) = (Instant::now(), ["slow.example".to_owned()], ["b.example".to_owned()]);
        assert_eq!(pace.wait(&slow, now), Duration::ZERO);
        pace.gone(&slow, now);
        assert_eq!(pace.wait(&slow, now), Duration::from_mins(1));
        assert_eq!(pace.wait(&other, now), Duration::ZERO);
    }

    #[test]
    fn the_rate_holds_for_all() {
        let mut pace = Pace::new(Rate::parse("1/s"), None);
        let (now, a, b) = (Instant::now(), ["a.example".to_owned()], ["b.example".to_owned()]);
        pace.gone(&a, now);
        assert_eq!(pace.wait(&b, now), Duration::from_secs(1));
    }
}
