//! The first inputs: what real mail systems left, from `fixtures/`, a message with its neighbours at a time.

use crate::input::{Input, Kind};
use ghostq::sources::ALL;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The longest input.
const LONGEST: usize = 60 << 10;
/// Of one case.
const SEEDS: usize = 24;

/// Writes the seeds into a folder.
pub fn write(folder: &Path) -> Vec<Input> {
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
    of_notices(&mut seeds);
    with_configuration(&mut seeds);
    with_streams(&mut seeds);
    seeds.retain(|seed| seed.bytes().len() <= LONGEST);
    for (number, seed) in seeds.iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number:04}")), seed.bytes()).expect("a seed is written");
    }
    seeds
}

/// Sources whose configuration is read, with the files of it.
const CONFIGURATIONS: [(&str, &[(&str, &str)]); 5] = [
    (
        "postfix",
        &[(
            "main.cf",
            "# comment\nqueue_directory = /var/spool/postfix\nmaximal_queue_lifetime = 2d\nhash_queue_names =\n deferred, defer\n\
             hash_queue_depth = 2\nmulti_instance_name = postfix-out\ncommand_directory = ${x}/sbin\nx = /usr\n",
        )],
    ),
    (
        "sendmail",
        &[
            (
                "sendmail.cf",
                "O QueueDirectory=/var/spool/mqueue/q*\nO Timeout.queuereturn=5d12h\nQslow, P=/var/spool/mqueue/slow, F=f\n",
            ),
            (
                "submit.cf",
                "O QueueDirectory=/var/spool/clientmqueue\nO QueueFileMode=0660\nO MaxQueueAge=1h\n",
            ),
        ],
    ),
    (
        "qmail",
        &[
            ("me", "host.example\n"),
            ("virtualdomains", "a.example:b\n#c:d\n"),
            ("queuelifetime", "1209600\n"),
        ],
    ),
    ("courier", &[("queuetime", "2d\n"), ("retryalpha", "5m\n"), ("retrymaxdelta", "4\n")]),
    ("nullmailer", &[("queuelifetime", "86400\n"), ("maxpause", "600\n"), ("pausetime", "30\n")]),
];

/// What the seeds have to yield.
pub fn expected() -> std::collections::BTreeSet<String> {
    let mut expected: Vec<String> = Vec::new();
    for source in ALL {
        let name = source.name();
        expected.extend(["message", "finding", "forecast"].map(|what| format!("{what}: {name}")));
        // Rows of a table are no messages that could be sent.
        if name != "temptable" {
            expected.extend(["proposal", "content", "plan"].map(|what| format!("{what}: {name}")));
        }
        // These two count messages and name none.
        let named =
            source.listings().iter().filter(|one| !["qmail-qstat", "Get-Queue CSV"].contains(&one.name));
        expected.extend(named.map(|format| format!("listing: {}", format.name)));
    }
    expected.extend(CONFIGURATIONS.iter().map(|(source, _)| format!("configuration: {source}")));
    expected.extend(["SMTP", "LMTP"].map(|way| format!("handed in by: {way}")));
    expected.extend(
        ["report", "manifest", "journal", "journal with sums made to fit"]
            .map(|what| format!("text: {what}")),
    );
    expected.extend(
        ["address: fit for SMTP", "address: fit for a command line", "hash: body"].map(str::to_owned),
    );
    expected.extend(["with the whole message", "with the header"].map(|what| format!("report: {what}")));
    expected.into_iter().collect()
}

/// The first spools of each source once more, with a configuration.
fn with_configuration(seeds: &mut Vec<Input>) {
    for (name, files) in CONFIGURATIONS {
        let choice = ALL.iter().position(|source| source.name() == name).expect("a source");
        let spools: Vec<Input> = seeds
            .iter()
            .filter(|seed| seed.kind == Kind::Spool && usize::from(seed.choice) == choice)
            .step_by(9)
            .take(4)
            .cloned()
            .collect();
        for mut spool in spools {
            spool.parts.extend(
                files.iter().map(|(name, text)| (format!("@c {name}").into_bytes(), text.as_bytes().into())),
            );
            seeds.push(spool);
        }
    }
}

/// Files whose named streams lie beside them, once more with the streams where NTFS has them.
fn with_streams(seeds: &mut Vec<Input>) {
    let named = |name: &[u8]| name.contains(&b':') && !name.starts_with(b"@");
    let mut more: Vec<Input> = seeds
        .iter()
        .filter(|seed| seed.kind == Kind::Spool && seed.parts.iter().any(|(name, _)| named(name)))
        .cloned()
        .collect();
    for seed in &mut more {
        for (name, _) in seed.parts.iter_mut().filter(|(name, _)| named(name)) {
            *name = [b"@x ".as_slice(), name].concat();
        }
        // The file first.
        seed.parts.sort_by_key(|(name, _)| name.starts_with(b"@x "));
    }
    seeds.extend(more);
}

fn of_notices(seeds: &mut Vec<Input>) {
    let message = "Return-Path: <a@a.example>\nFrom: A <a@a.example>\nTo: b@b.example\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\
        Message-ID: <1@a.example>\nContent-Type: multipart/mixed; boundary=\"x\"\n\n--x\n\nText\n.\n--x--\n\n\n";
    let lines = "a@a.example\nb@b.example\n3A36DB0E025\nenvelope-1\nrfc822;c@c.example\n5.1.1\n\
        550 5.1.1 no such user\n<1@a.example>\n\"a b\"@c\nb\u{fc}cher@b.example";
    for choice in 0..8 {
        let message = if choice % 4 == 3 { message.replace('\n', "\r\n") } else { message.to_owned() };
        let parts = vec![(b"message".to_vec(), message.into_bytes()), (b"lines".to_vec(), lines.into())];
        seeds.push(Input { kind: Kind::Notice, choice, parts });
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
            seed(Kind::Listing, u8::try_from(choice).expect("few formats"), bytes.clone());
            // A file may hold what several tools printed: each format of its source reads it.
            for source in ALL.iter().filter(|source| file.iter().any(|part| part == source.name())) {
                for own in source.listings() {
                    let choice =
                        formats.iter().position(|format| format.name == own.name).unwrap_or_default();
                    seed(Kind::Listing, u8::try_from(choice).expect("few formats"), bytes.clone());
                }
            }
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
            Some("listing") => {
                let choice =
                    formats.iter().position(|format| (format.looks_like)(&bytes)).unwrap_or_default();
                seed(Kind::Listing, u8::try_from(choice).expect("few formats"), bytes);
            }
            _ => seed(Kind::Report, 0, bytes),
        }
    }
    for (choice, hello) in [
        (1, "250-mx.example\r\n250-8BITMIME\r\n250-SIZE 1000\r\n250 DSN\r\n"),
        (0, "250-mx\r\n250 8BITMIME\r\n"),
    ] {
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
