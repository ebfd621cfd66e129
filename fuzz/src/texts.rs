//! Files that are read beside a spool: listings, reports, manifests, journals.

use crate::input::Input;
use crate::{tally, tame};
use ghostq::evidence::Text;
use ghostq::read::manifest::Manifest;
use ghostq::report::plan as report;
use ghostq::run::act::undo::Target;
use ghostq::run::act::{resume, select, undo};
use ghostq::sources::{ALL, ListingFormat};
use sha2::Digest as _;
use std::path::Path;

fn in_a_file(name: &str, bytes: &[u8], read: impl FnOnce(&Path, &Path)) {
    let base = if Path::new("/dev/shm").is_dir() { Path::new("/dev/shm") } else { Path::new("/tmp") };
    let folder = tempfile::tempdir_in(base).expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file");
    read(folder.path(), &path);
}

/// One listing, in the format that was chosen and in that which it looks like.
pub fn listing(input: &Input) {
    let formats: Vec<&'static ListingFormat> = ALL.iter().flat_map(|source| source.listings()).collect();
    let chosen = formats[usize::from(input.choice) % formats.len()];
    let bytes = input.joined();
    let head = &bytes[..bytes.len().min(8 << 10)];
    let alike = ghostq::scan::listing::recognise(head, &[]).map(|(_, format)| format);
    for format in [Some(chosen), alike].into_iter().flatten() {
        let _looks = (format.looks_like)(head);
        let mut entries = 0;
        let _end = (format.parse)(&mut bytes.as_slice(), &mut |_| entries += 1);
        if entries > 0 {
            tally::saw("listing", format.name);
        }
        assert!(entries <= bytes.len(), "{}: more entries than bytes", format.name);
    }
}

/// A report that `--from` reads.
pub fn report(input: &Input) {
    in_a_file("report.jsonl", &input.joined(), |_, path| match select::from_report(path) {
        Ok(found) if !found.findings.is_empty() => tally::saw("text", "report"),
        Ok(_) => {}
        Err(error) => assert!(!format!("{error:#}").is_empty()),
    });
}

/// A manifest.
pub fn manifest(input: &Input) {
    let bytes = input.joined();
    in_a_file("manifest.tsv", &bytes, |_, path| {
        let Ok(manifest) = Manifest::read(path) else { return };
        for line in bytes.split(|byte| *byte == b'\n') {
            let name = line.split(|byte| *byte == b'\t').nth(7).unwrap_or_default();
            if let Some(entry) = manifest.get(&Text::new(name)) {
                tally::saw("text", "manifest");
                let _shown = (entry.modified.rfc3339(), entry.modified.to_system());
            }
        }
    });
}

/// A journal, as everybody can read it who may.
pub fn journal(input: &Input) {
    let mut bytes = input.joined();
    if input.choice % 2 == 1 {
        bytes = with_sums(&bytes);
    }
    in_a_file(ghostq::act::journal::FILE, &bytes, |folder, _| {
        let Ok(told) = ghostq::act::journal::read(folder) else { return };
        let any = Target { operation: None, job: None };
        let _open = resume::pending(folder, &any);
        let _back = undo::plan(folder, &any);
        tame::terminal("the journal", report::journal_text(&told.operations, 100).as_bytes());
        tame::json(report::journal_json(&told.operations).to_string().as_bytes());
        for operation in &told.operations {
            if !operation.jobs.is_empty() {
                tally::saw(
                    "text",
                    if input.choice % 2 == 1 { "journal with sums made to fit" } else { "journal" },
                );
            }
            tame::terminal("an operation", report::operation_text(operation, 100).as_bytes());
            let jobs: Vec<_> = operation
                .jobs
                .values()
                .map(|course| (course.job.clone(), ghostq::act::undo::obstacle(course)))
                .collect();
            tame::terminal("an undo", report::undo_text(&operation.name, &jobs, 100).as_bytes());
            tame::json(report::undo_json(&operation.name, &jobs).to_string().as_bytes());
        }
    });
}

/// The journal with the sums that ghostq would have written: what is tried is the meaning of its lines.
pub fn with_sums(bytes: &[u8]) -> Vec<u8> {
    let mut before = String::new();
    let mut journal = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let line = String::from_utf8_lossy(line);
        let body =
            line.rsplit_once(",\"sum\":\"").map_or_else(|| line.trim_end_matches('}'), |(body, _)| body);
        let mut hash = sha2::Sha256::new();
        hash.update(before.as_bytes());
        hash.update(body.as_bytes());
        let sum: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        journal.extend_from_slice(format!("{body},\"sum\":\"{sum}\"}}\n").as_bytes());
        before = sum;
    }
    journal
}
