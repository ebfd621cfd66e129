//! Signs of one message, gathered from its files: one sign of each kind, with the facts of all files that show it.

use crate::evidence::{Confidence, Fact, Locus, Sign, Signed, Text};
use std::path::{Path, PathBuf};

/// Facts of one sign that are kept; the first ones say what happened.
const MAX_FACTS: usize = 8;

/// Signs of one message.
#[derive(Debug, Default)]
pub struct Signs {
    signs: Vec<(Signed, PathBuf)>,
    added: u64,
}

impl Signs {
    /// Adds a sign that this file shows; of a kind that is known already only the facts.
    pub fn add(&mut self, sign: Sign, confidence: Confidence, path: &Path, facts: Vec<Fact>) {
        let same = |signed: &Signed| std::mem::discriminant(&signed.sign) == std::mem::discriminant(&sign);
        self.added += 1;
        match self.signs.iter_mut().find(|(signed, _)| same(signed)) {
            Some((signed, _)) => {
                signed.confidence = signed.confidence.max(confidence);
                let room = MAX_FACTS.saturating_sub(signed.facts.len());
                signed.facts.extend(facts.into_iter().take(room));
            }
            None => self.signs.push((Signed { sign, confidence, facts }, path.to_owned())),
        }
    }

    /// Adds a sign beyond doubt with one fact about the file as a whole.
    pub fn certain(&mut self, sign: Sign, path: &Path, text: impl Into<String>) {
        let fact = Fact::new(text, Locus::whole(Text::from_path(path)));
        self.add(sign, Confidence::Certain, path, vec![fact]);
    }

    /// Adds a fact to all signs.
    pub fn note(&mut self, fact: &Fact) {
        self.signs.iter_mut().for_each(|(signed, _)| signed.facts.push(fact.clone()));
    }

    /// How often a sign was added, of a new kind or not.
    pub fn added(&self) -> u64 {
        self.added
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.signs.is_empty()
    }

    /// The file that shows the first sign.
    pub fn first_path(&self) -> Option<&Path> {
        self.signs.first().map(|(_, path)| path.as_path())
    }

    /// The signs.
    pub fn into_signs(self) -> Vec<Signed> {
        self.signs.into_iter().map(|(signed, _)| signed).collect()
    }
}
