//! Postfix.

use super::{About, Detected, Opened, Options, Place, Source};
use crate::evidence::Treatment;

/// Postfix.
pub struct Postfix;

impl Source for Postfix {
    fn name(&self) -> &'static str {
        "postfix"
    }

    fn about(&self) -> &'static About {
        &About { title: "", text: "", checked: "", formats: &[] }
    }

    fn detect(&self, _place: &Place<'_>) -> Option<Detected> {
        None
    }

    fn open(&self, _detected: &Detected, _options: &Options) -> anyhow::Result<Opened> {
        anyhow::bail!("not yet")
    }

    fn treatments(&self) -> &'static [Treatment] {
        &[]
    }
}
