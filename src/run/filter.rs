//! What is reported.

use crate::evidence::{Duration, Text};
use crate::findings::{Class, Finding};

/// What is reported. A blocker always is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only findings of these rules.
    pub rules: Vec<String>,
    /// Only findings in these queues.
    pub queues: Vec<String>,
    /// Only messages whose sender contains this, without regard to case.
    pub from: Option<String>,
    /// Only messages of which a recipient contains this, without regard to case.
    pub to: Option<String>,
    /// Only messages that came in at least this long ago, in seconds.
    pub older_than: Option<Duration>,
    /// Not messages that came in or were last changed less than this long ago, in seconds.
    pub min_age: Option<Duration>,
}

impl Filter {
    /// Whether a finding is to be reported, judged at `now`.
    pub fn accepts(&self, finding: &Finding, now: crate::evidence::Time) -> bool {
        finding.class == Class::Blocker || self.matches(finding, now)
    }

    /// Whether a finding is one of those that were asked for, judged at `now`. A blocker is no exception: what is reported without
    /// being asked for is not acted upon.
    pub fn matches(&self, finding: &Finding, now: crate::evidence::Time) -> bool {
        let message = &finding.message;
        let age = finding.age(now);
        // The inode of a copy changed when it was copied, which may be after the clock by which is judged.
        let changed = message.stat().map(|stat| stat.changed).filter(|changed| *changed <= now);
        let youngest = [message.arrived(), changed].into_iter().flatten().max();
        self.names_rule(finding)
            && (self.queues.is_empty() || self.queues.iter().any(|q| q.eq_ignore_ascii_case(&message.queue)))
            && self.from.as_deref().is_none_or(|wanted| holds(sender(finding), wanted))
            && self.to.as_deref().is_none_or(|wanted| {
                message.envelope.recipients.iter().any(|recipient| holds(Some(&recipient.address), wanted))
            })
            && self.older_than.is_none_or(|least| age.is_some_and(|age| age >= least))
            && self
                .min_age
                .is_none_or(|least| youngest.is_none_or(|youngest| now.since(youngest).max(0) >= least))
    }

    /// Whether messages of which only this rule speaks are wanted one by one.
    pub fn wants_each(&self, rule: &str) -> bool {
        self.rules.iter().any(|wanted| wanted == rule)
    }

    fn names_rule(&self, finding: &Finding) -> bool {
        self.rules.is_empty() || finding.opinions.iter().any(|opinion| self.wants_each(&opinion.rule))
    }
}

fn sender(finding: &Finding) -> Option<&Text> {
    finding.message.envelope.sender.as_ref().or_else(|| finding.message.header("From"))
}

fn holds(text: Option<&Text>, wanted: &str) -> bool {
    text.is_some_and(|text| text.lossy().to_lowercase().contains(&wanted.to_lowercase()))
}
