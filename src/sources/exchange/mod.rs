//! Exchange.

use super::{About, Detected, Opened, Options, Place, Source};
use crate::evidence::Treatment;

/// Exchange.
pub struct Exchange;

impl Source for Exchange {
    fn name(&self) -> &'static str {
        "exchange"
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
