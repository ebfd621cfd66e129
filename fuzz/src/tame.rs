//! What people are shown is tame.

use ghostq::report::escape::is_unfit;

/// Columns of CSV that ghostq writes itself: numbers and times.
const OURS: [&str; 9] = [
    "class",
    "confidence",
    "visibility",
    "recipient_count",
    "size_bytes",
    "arrived",
    "age_seconds",
    "next_attempt",
    "as_of",
];

/// Text on a terminal: lines of characters that are seen.
pub fn terminal(what: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("{what} is not UTF-8: {error}"));
    let unfit = text.chars().find(|character| *character != '\n' && is_unfit(*character));
    assert_eq!(unfit, None, "{what} holds what must not be shown");
}

/// A table that a spreadsheet opens: no cell is a formula, none holds a control character.
pub fn spreadsheet(bytes: &[u8]) {
    let mut rows = csv::ReaderBuilder::new().from_reader(bytes);
    let names = rows.headers().expect("a first row").clone();
    for row in rows.records() {
        let row = row.expect("a row of as many cells");
        for (name, cell) in names.iter().zip(row.iter()).filter(|(name, _)| !OURS.contains(name)) {
            terminal(name, cell.as_bytes());
            assert!(!cell.contains('\n'), "{name} has a line end");
            for field in cell.split(';') {
                let first = field.trim_start_matches([' ', '"', '\u{a0}', '\u{3000}']).chars().next();
                assert!(
                    first.is_none_or(|first| !"=+-@\t\r＝＋－＠".contains(first)),
                    "{name} would be run by a spreadsheet: {cell:?}"
                );
            }
        }
    }
}

/// A document, or lines of them.
pub fn json(bytes: &[u8]) {
    for document in serde_json::Deserializer::from_slice(bytes).into_iter::<serde_json::Value>() {
        document.expect("JSON");
    }
}

/// A path of a plan: relative, and never upwards.
pub fn below_the_root(what: &str, path: &ghostq::evidence::Text) {
    use std::path::Component;
    let path = path.to_path();
    assert!(path.components().next().is_some(), "{what}: an empty path");
    let below = path.components().all(|part| matches!(part, Component::Normal(_)));
    assert!(below, "{what}: {} does not lie below the root", path.display());
}
