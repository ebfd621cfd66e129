//! The first inputs: what real mail systems left, from `fixtures/`, a message with its neighbours at a time.

use crate::input::{Input, Kind};
use ghostq::sources::ALL;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The longest input.
const LONGEST: usize = 60 << 10;
/// Of one case.
const SEEDS: usize = 24;

/// Writes the seeds into a folder, and says how many there are.
pub fn write(folder: &Path) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let mut seeds = Vec::new();
    for (choice, source) in ALL.iter().enumerate() {
        let choice = u8::try_from(choice).expect("few sources");
        for case in folders(&fixtures.join(source.name())) {
            if case.join("tree").is_dir() {
                of_spool(choice, &case, &mut seeds);
            } else {
                of_exports(choice, &case, &mut seeds);
            }
        }
    }
    of_texts(&fixtures, &mut seeds);
    for (number, seed) in seeds.iter().filter(|seed| seed.bytes().len() <= LONGEST).enumerate() {
        std::fs::write(folder.join(format!("seed-{number:04}")), seed.bytes()).expect("a seed is written");
    }
}

/// Messages of a spool, each with the files that share its name, all folders, and what the manifest says of them.
fn of_spool(choice: u8, case: &Path, seeds: &mut Vec<Input>) {
    let manifest = std::fs::read_to_string(case.join("manifest.tsv")).unwrap_or_default();
    let lines: Vec<(&str, &str, &str)> = manifest
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.splitn(8, '\t').collect();
            Some((line, *fields.get(6)?, *fields.get(7)?))
        })
        .collect();
    let tree = case.join("tree");
    let files: Vec<PathBuf> = below(&tree);
    let mut groups: BTreeMap<String, Vec<&PathBuf>> = BTreeMap::new();
    for file in &files {
        groups.entry(stem(file)).or_default().push(file);
    }
    let listing = std::fs::read(case.join("listing.txt")).ok().filter(|bytes| bytes.len() < 8 << 10);
    for group in groups.values().take(SEEDS) {
        let mut input = Input { kind: Kind::Spool, choice, parts: Vec::new() };
        let mut known = String::new();
        for (line, kind, name) in &lines {
            let ours =
                group.iter().any(|file| file.strip_prefix(&tree).is_ok_and(|path| path == Path::new(name)));
            if ours || (*kind == "d" && known.len() < 4 << 10) {
                known = known + line + "\n";
                if *kind == "d" && !name.is_empty() {
                    input.parts.push((format!("{name}/").into_bytes(), Vec::new()));
                }
            }
        }
        input.parts.truncate(24);
        for file in group {
            let name = file.strip_prefix(&tree).expect("below the tree").display().to_string();
            let mut bytes = std::fs::read(file).expect("a fixture");
            bytes.truncate(16 << 10);
            input.parts.push((name.into_bytes(), bytes));
        }
        input.parts.push((b"@manifest".to_vec(), known.into_bytes()));
        input.parts.extend(listing.clone().map(|bytes| (b"@listing".to_vec(), bytes)));
        input.parts.push((b"@l link".to_vec(), Vec::new()));
        seeds.push(input);
    }
}

/// Each export by itself, cut to what fits.
fn of_exports(choice: u8, case: &Path, seeds: &mut Vec<Input>) {
    for file in below(case) {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == "case.toml" || name.starts_with("expected") {
            continue;
        }
        let mut bytes = std::fs::read(&file).expect("a fixture");
        bytes.truncate(12 << 10);
        let options = "stamp=0x67480102\nepoch=2026-01-01T00:00:00Z";
        for options in ["", options] {
            let mut parts = vec![(name.clone().into_bytes(), bytes.clone())];
            if !options.is_empty() {
                parts.push((b"@options".to_vec(), options.into()));
            }
            seeds.push(Input { kind: Kind::Spool, choice, parts });
        }
    }
}

fn of_texts(fixtures: &Path, seeds: &mut Vec<Input>) {
    let mut seed = |kind, choice, bytes: Vec<u8>| {
        seeds.push(Input { kind, choice, parts: vec![(Vec::new(), bytes)] });
    };
    let formats: Vec<_> = ALL.iter().flat_map(|source| source.listings()).collect();
    for file in below(fixtures) {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let short = || {
            let mut bytes = std::fs::read(&file).expect("a fixture");
            bytes.truncate(6 << 10);
            bytes
        };
        if name == "manifest.tsv" {
            seed(Kind::Manifest, 0, short());
        } else if name.starts_with("listing") || file.iter().any(|part| part == "listings") {
            let bytes = short();
            let choice = formats.iter().position(|format| (format.looks_like)(&bytes)).unwrap_or_default();
            seed(Kind::Listing, u8::try_from(choice).expect("few formats"), bytes);
        }
    }
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for file in below(&own) {
        let bytes = std::fs::read(&file).expect("a seed");
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("journal") => {
                seed(Kind::Journal, 0, crate::texts::with_sums(&bytes));
                seed(Kind::Journal, 1, bytes);
            }
            _ => seed(Kind::Report, 0, bytes),
        }
    }
    for (choice, hello) in
        [(1, "250-mx.example\r\n250-8BITMIME\r\n250-SIZE 1000\r\n250 DSN\r\n"), (0, "250 mx\r\n")]
    {
        let answers = [
            "220 mx.example\r\n",
            hello,
            "250 2.1.0 ok\r\n",
            "250 2.1.5 ok\r\n",
            "550 5.1.1 no such user\r\n",
            "354 go on\r\n",
            "250 2.0.0 Ok: queued as 4bQx8k1dTyz9\r\n",
        ];
        let parts = answers.iter().map(|answer| (Vec::new(), answer.as_bytes().to_vec())).collect();
        seeds.push(Input { kind: Kind::Smtp, choice, parts });
    }
}

/// What the names of the files of one message have in common: the longest run of letters and digits after the first letters.
fn stem(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = name.trim_end_matches("-H").trim_end_matches("-D").trim_end_matches("-J");
    let name = name.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let name = name.trim_start_matches(['C', 'D', 'M', 'Q']);
    name.split('.').next().unwrap_or(name).chars().take(16).collect()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => waiting.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}
