//! Which messages are meant.

use crate::evidence::Text;
use crate::findings::{Finding, Summary};
use anyhow::{Context as _, Result, bail};
use std::collections::HashSet;
use std::io::BufRead as _;
use std::path::Path;

/// A line of a report is one finding; the longest that ghostq writes is far below this.
const MAX_LINE: u64 = 16 << 20;
/// Findings that are taken from a report.
const MAX_FINDINGS: usize = 1_000_000;

/// Which messages are meant, beyond the filter of the scan.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Queue IDs, Message-IDs, paths or names of findings; none: all that the filter lets through.
    pub ids: Vec<String>,
    /// Names of findings that a report holds.
    pub findings: Option<HashSet<String>>,
    /// Whether they are those of an operation that is carried on, and so were chosen before.
    pub again: bool,
}

/// What a report says about where to look.
#[derive(Debug, Default)]
pub struct FromReport {
    /// Names of findings.
    pub findings: HashSet<String>,
    /// The roots they were found in, as far as their places are called by them.
    pub roots: Vec<Text>,
    /// Whether some were found in a place that has another name than its path.
    pub elsewhere: bool,
}

impl Selection {
    /// Whether each message was chosen by itself, and not by what it has in common with others.
    pub fn one_by_one(&self) -> bool {
        !self.ids.is_empty() || self.again
    }

    /// Whether a finding is meant, and by which of the IDs.
    pub fn takes(&self, finding: &Finding, summary: &Summary) -> Option<Option<usize>> {
        if self.findings.as_ref().is_some_and(|findings| !findings.contains(&finding.id)) {
            return None;
        }
        if self.ids.is_empty() {
            return Some(None);
        }
        let called =
            |id: &String| finding.id == *id || crate::run::show::is_called(summary, &finding.message, id);
        self.ids.iter().position(called).map(Some)
    }
}

/// Reads the findings of a JSON lines report, as `ghostq scan --format jsonl` writes it.
///
/// # Errors
/// When it cannot be read, or a line is no finding.
pub fn from_report(path: &Path) -> Result<FromReport> {
    use std::io::Read as _;
    let failed = || format!("could not read the report `{}`", path.display());
    let file: Box<dyn std::io::Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).with_context(failed)?)
    };
    let mut input = std::io::BufReader::new(file);
    let mut found = FromReport::default();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let count = input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).with_context(failed)?;
        if count == 0 {
            break;
        }
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let value: serde_json::Value =
            serde_json::from_slice(text).map_err(|_| not_a_finding(path, number))?;
        let text = |name: &str| value.get(name).and_then(serde_json::Value::as_str);
        let (Some("ghostq.finding/1"), Some(id)) = (text("schema"), text("id")) else {
            return Err(not_a_finding(path, number));
        };
        if found.findings.len() >= MAX_FINDINGS {
            bail!("`{}` holds more than {MAX_FINDINGS} findings; split it", path.display());
        }
        found.findings.insert(id.to_owned());
        match text("instance").filter(|label| Path::new(label).is_absolute()) {
            Some(root) if !found.roots.contains(&root.into()) => found.roots.push(root.into()),
            Some(_) => {}
            None => found.elsewhere = true,
        }
    }
    Ok(found)
}

fn not_a_finding(path: &Path, number: u64) -> anyhow::Error {
    anyhow::anyhow!(
        "line {number} of `{}` is no finding (ghostq.finding/1); write the report with `ghostq scan --format jsonl`, and \
         without `--fields`",
        path.display()
    )
}
