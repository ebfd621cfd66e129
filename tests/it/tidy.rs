//! The architecture, held by reading the sources: which way data flows, one door for each dependency, sizes, words, and
//! that nothing is left unregistered.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file, its tests not counted.
const LONGEST_FILE: usize = 600;
/// Lines of a function, as clippy counts them: without blank lines and comments.
const LONGEST_FUNCTION: usize = 70;

/// Which modules of the crate a module may use. `ARCHITECTURE.md` has the picture; there are no other ways.
const MAY_USE: &[(&str, &[&str])] = &[
    ("evidence", &[]),
    ("read", &["evidence"]),
    ("plan", &["evidence"]),
    ("sources", &["evidence", "plan", "read"]),
    ("scan", &["evidence", "read", "sources"]),
    ("findings", &["evidence"]),
    ("correlate", &["evidence", "findings"]),
    ("report", &["evidence", "findings", "plan"]),
    ("act", &["evidence", "plan", "read"]),
    ("run", &["evidence", "plan", "read", "sources", "scan", "findings", "correlate", "report", "act"]),
    (
        "cli",
        &["evidence", "plan", "read", "sources", "scan", "findings", "correlate", "report", "act", "run"],
    ),
    ("main", &["cli"]),
];

/// The only files, or folders with their final slash, in which a dependency may be named.
const DOORS: &[(&str, &[&str])] = &[
    ("mail_parser", &["src/read/mime.rs"]),
    ("walkdir", &["src/scan/walk.rs"]),
    ("comfy_table", &["src/report/table.rs", "src/report/plan.rs"]),
    ("indicatif", &["src/scan/progress.rs"]),
    ("chrono", &["src/evidence/time.rs"]),
    ("clap", &["src/cli/"]),
    ("clap_complete", &["src/cli/"]),
    ("clap_mangen", &["src/cli/"]),
    ("encoding_rs", &["src/read/lines.rs"]),
    ("rustix", &["src/read/", "src/act/"]),
    ("rustls", &["src/act/smtp/tls.rs", "src/act/smtp/tests/"]),
    ("rustls_native_certs", &["src/act/smtp/tls.rs"]),
    ("quick_xml", &["src/sources/temptable/"]),
    ("tempfile", &["src/findings/store.rs", "src/run/", "src/act/"]),
];

/// Words that say that something was not finished or not named. In pieces, so that this file does not hold them.
const UNWANTED: &[&[&str]] = &[
    &["ut", "ils"],
    &["helpers", ".rs"],
    &["TO", "DO"],
    &["FIX", "ME"],
    &["X", "XX"],
    &["unimple", "mented!"],
    &["to", "do!"],
];

/// A source file of the crate.
struct Source {
    /// Its path from the root of the repository, with `/`.
    path: String,
    /// Its text.
    text: String,
    /// Its text with comments and the content of literals blanked; lines stay where they are.
    code: String,
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path: from_root(path), code: code_of(&text), text }
    }

    /// Whether all of it is test code.
    fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || ["tests.rs", "samples.rs"].iter().any(|name| self.path.ends_with(&format!("/{name}")))
            || self.path.contains("/tests/")
    }

    /// The module of the crate it belongs to: the folder or file directly below `src/`.
    fn module(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        below.split('/').next()?.trim_end_matches(".rs").into()
    }

    /// Its code up to the module of tests at its end, whatever else that depends on.
    fn code_without_tests(&self) -> &str {
        let attributes = self.code.match_indices("\n#[cfg(").map(|(at, _)| (at + 1, &self.code[at + 1..]));
        let mut tests = attributes.filter(|(_, after)| {
            let mut lines = after.lines();
            let condition = lines.next().unwrap_or_default();
            let of_tests = occurrences(condition, "test").next().is_some() && !condition.contains("not(test");
            of_tests
                && lines
                    .find(|line| !line.starts_with('#'))
                    .is_some_and(|line| line.starts_with("mod tests {"))
        });
        tests.next().map_or(&self.code, |(at, _)| &self.code[..at])
    }

    /// How many modules deep it lies below the crate: 1 for `src/report/mod.rs`, 2 for `src/report/csv.rs`.
    fn depth(&self) -> usize {
        let steps = self.path.split('/').count() - 1;
        if self.path.ends_with("/mod.rs") { steps - 1 } else { steps }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn from_root(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a folder that can be read").path()).collect();
    paths.sort();
    paths
}

/// Files below a folder, deepest folders included, that end like this.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut waiting = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        for path in entries(&folder) {
            if path.is_dir() {
                waiting.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources(folder: &str) -> Vec<Source> {
    let found: Vec<_> = files(folder, ".rs").iter().map(|path| Source::read(path)).collect();
    assert!(!found.is_empty(), "no sources in {folder}");
    found
}

fn names_in(folder: &str) -> Vec<String> {
    let folders = entries(&root().join(folder)).into_iter().filter(|path| path.is_dir());
    folders.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect()
}

/// Blanks comments and what stands in literals, and leaves every line where it is.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (kept, length) = match literal_or_comment(rest) {
            Some(length) => (false, length),
            None => (true, word_length(rest).max(character.len_utf8())),
        };
        let (piece, after) = rest.split_at(length);
        if kept {
            code.push_str(piece);
        } else {
            code.extend(piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = after;
    }
    code
}

/// The length of the identifier at the start, so that the `r` of `for` does not open a raw string.
fn word_length(text: &str) -> usize {
    text.find(|c: char| !is_word(c)).unwrap_or(text.len())
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of the comment or literal at the start, if there is one.
fn literal_or_comment(text: &str) -> Option<usize> {
    let body = text.strip_prefix("br").or(text.strip_prefix('r')).unwrap_or(text);
    let hashes = body.len() - body.trim_start_matches('#').len();
    if body.len() < text.len() && body[hashes..].starts_with('"') {
        let start = text.len() - body.len() + hashes + 1;
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()));
    }
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(text.find("*/").map_or(text.len(), |at| at + 2));
    }
    if text.starts_with('"') {
        return Some(closed_by(text, '"'));
    }
    let mut characters = text.strip_prefix('\'')?.chars();
    let is_character = match characters.next()? {
        '\\' => true,
        _ => characters.next() == Some('\''),
    };
    is_character.then(|| closed_by(text, '\''))
}

/// The length of a literal up to its closing quote, `\` hiding the character behind it.
fn closed_by(text: &str, quote: char) -> usize {
    let mut hidden = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if hidden => hidden = false,
            '\\' => hidden = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Where a word stands in a text as a word of its own: where it starts, and the text behind it.
fn occurrences<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    text.match_indices(word).filter_map(move |(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        let cut = |c: Option<char>, edge: Option<char>| edge.is_some_and(is_word) && c.is_some_and(is_word);
        let inside = cut(before.chars().next_back(), word.chars().next())
            || cut(after.chars().next(), word.chars().next_back());
        (!inside).then_some((at, after))
    })
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// First names in a path or a group behind `crate::`: `a` of `a::b`, `a` and `c` of `{a::b, c}`.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|c| is_word(*c)).collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    names
}

/// Modules of the crate that a file names, with the line.
fn used_modules(source: &Source) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let from_crate = if source.path == "src/main.rs" { "ghostq::" } else { "crate::" };
    let to_crate = "super::".repeat(source.depth());
    for start in [from_crate, &to_crate] {
        for (at, path) in occurrences(&source.code, start) {
            let begins_here = !source.code[..at].ends_with(':');
            let names = first_names(path).into_iter().filter(|name| name != "super");
            found.extend(names.filter(|_| begins_here).map(|name| (name, line_of(&source.code, at))));
        }
    }
    found
}

fn report(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn data_flows_one_way() {
    let mut faults = Vec::new();
    for source in sources("src").iter().filter(|source| source.path != "src/lib.rs") {
        let module = source.module().unwrap();
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            faults.push(format!("{}: the module `{module}` has no place in MAY_USE", source.path));
            continue;
        };
        for (used, line) in used_modules(source) {
            let known = MAY_USE.iter().any(|(name, _)| *name == used);
            if known && used != module && !allowed.contains(&used.as_str()) {
                faults.push(format!("{}:{line}: `{module}` must not use `{used}`", source.path));
            }
        }
    }
    report(&faults);
}

#[test]
fn every_dependency_has_one_door() {
    let mut faults = Vec::new();
    for source in &sources("src") {
        for (dependency, doors) in DOORS {
            let code = match *dependency {
                "tempfile" | "rustix" if source.is_test() => continue,
                "tempfile" | "rustix" => source.code_without_tests(),
                _ => &source.code,
            };
            let is_door = doors.iter().any(|door| {
                if door.ends_with('/') { source.path.starts_with(door) } else { source.path == *door }
            });
            let named = occurrences(code, dependency)
                .find(|(at, after)| after.starts_with("::") || code[..*at].trim_end().ends_with("use"));
            if let (false, Some((at, _))) = (is_door, named) {
                let line = line_of(code, at);
                faults.push(format!(
                    "{}:{line}: `{dependency}` belongs behind {}",
                    source.path,
                    doors.join(", ")
                ));
            }
        }
    }
    report(&faults);
}

#[test]
fn files_are_short() {
    let long = sources("src").into_iter().filter(|source| !source.is_test()).filter_map(|source| {
        let lines = source.code_without_tests().lines().count();
        (lines > LONGEST_FILE).then(|| format!("{}: {lines} lines; split it by noun", source.path))
    });
    report(&long.collect::<Vec<_>>());
}

#[test]
fn functions_are_short() {
    let mut faults = Vec::new();
    for source in sources("src").iter().chain(&sources("tests")) {
        for (line, name, length) in functions(&source.code) {
            if length > LONGEST_FUNCTION {
                faults.push(format!("{}:{line}: `{name}` has {length} lines", source.path));
            }
        }
    }
    report(&faults);
}

/// Functions with the line on which they start and the lines of their body. As rustfmt indents, a body ends at the
/// first `}` that stands as far in as the `fn` line.
fn functions(code: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let Some((_, after)) = occurrences(line, "fn").find(|(_, after)| after.starts_with(' ')) else {
            continue;
        };
        let indentation = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indentation));
        let body = lines.iter().skip(number + 1).take_while(|line| line.trim_end() != end);
        let name: String = after.trim_start().chars().take_while(|c| is_word(*c)).collect();
        if line.trim_end().ends_with(';') || line.trim_end().ends_with('}') || name.is_empty() {
            continue;
        }
        found.push((number + 1, name, body.filter(|line| !line.trim().is_empty()).count()));
    }
    found
}

#[test]
fn every_source_is_registered_and_has_treatments_and_fixtures() {
    let mut faults = Vec::new();
    let registered: BTreeSet<_> =
        ghostq::sources::ALL.iter().map(|source| source.name().to_owned()).collect();
    let folders: BTreeSet<_> = names_in("src/sources").into_iter().collect();
    for name in folders.difference(&registered) {
        faults.push(format!("src/sources/{name}/ is not in `sources::ALL`, or has another name there"));
    }
    for name in registered.difference(&folders) {
        faults.push(format!("the source `{name}` has no folder src/sources/{name}/"));
    }
    for source in ghostq::sources::ALL {
        if source.treatments().is_empty() {
            faults.push(format!("the source `{}` has no treatments", source.name()));
        }
    }
    for name in registered {
        if names_in(&format!("fixtures/{name}")).is_empty() {
            faults.push(format!("fixtures/{name}/ has no cases"));
        }
    }
    report(&faults);
}

#[test]
fn every_rule_is_registered_under_the_name_of_its_file() {
    let registry = root().join("src/correlate/rules/mod.rs");
    if !registry.exists() {
        return;
    }
    let registry = Source::read(&registry);
    let (_, all) =
        registry.code.split_once("static ALL").expect("src/correlate/rules/mod.rs has no `static ALL`");
    let all = all.split("];").next().unwrap();
    let mut faults = Vec::new();
    for source in sources("src/correlate/rules").iter().filter(|source| !source.is_test()) {
        let file = source.path.rsplit('/').next().unwrap().trim_end_matches(".rs");
        if file == "mod" {
            continue;
        }
        if !source.text.contains(&format!("\"{}\"", file.replace('_', "-"))) {
            faults.push(format!("{}: the rule is not called `{}`", source.path, file.replace('_', "-")));
        }
        if occurrences(all, file).next().is_none() {
            faults.push(format!("{}: the rule is not in `rules::ALL`", source.path));
        }
    }
    report(&faults);
}

#[test]
fn a_report_to_the_sender_can_give_every_rule_as_its_cause() {
    use ghostq::act::ndr::cause;
    let rules: BTreeSet<_> = ghostq::correlate::rules::ALL.iter().map(|rule| rule.name).collect();
    let causes: BTreeSet<_> = cause::ALL.iter().map(|cause| cause.rule).collect();
    assert_eq!(causes, rules, "src/act/ndr/cause.rs has one entry for each rule");
    assert_eq!(cause::ALL.len(), causes.len(), "a rule has two entries");
}

#[test]
fn no_word_says_that_something_is_unfinished() {
    let mut faults = Vec::new();
    let folders = ["src", "tests", "man", "schema", "benches", "fuzz"];
    let mut paths: Vec<_> = folders.iter().flat_map(|folder| files(folder, "")).collect();
    paths.extend(entries(&root()).into_iter().filter(|path| path.extension().is_some_and(|e| e == "md")));
    // How others call their crates is not ours to say.
    paths.retain(|path| !path.ends_with("Cargo.lock"));
    for path in paths {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for word in UNWANTED.iter().map(|pieces| pieces.concat()) {
            for (at, _) in occurrences(&text, &word) {
                faults.push(format!("{}:{}: `{word}`", from_root(&path), line_of(&text, at)));
            }
        }
        if path.ends_with(UNWANTED[1].concat()) {
            faults.push(format!("{}: name it after what is in it", from_root(&path)));
        }
    }
    report(&faults);
}

#[test]
fn every_fixture_says_where_it_comes_from() {
    let mut faults = Vec::new();
    for source in names_in("fixtures") {
        for case in names_in(&format!("fixtures/{source}")) {
            let path = format!("fixtures/{source}/{case}/case.toml");
            let text = fs::read_to_string(root().join(&path)).unwrap_or_default();
            let parsed: Result<toml::Table, _> = text.parse();
            let origin = parsed.ok().and_then(|table| Some(table.get("origin")?.as_str()?.trim().to_owned()));
            if origin.is_none_or(|origin| origin.is_empty()) {
                faults.push(format!("{path}: no `origin`: which version made it, and how"));
            }
        }
    }
    report(&faults);
}

#[test]
fn no_test_file_is_forgotten() {
    let main = Source::read(&root().join("tests/it/main.rs"));
    let mut faults = Vec::new();
    for path in entries(&root().join("tests/it")) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_module = path.extension().is_some_and(|e| e == "rs") || path.join("mod.rs").exists();
        if is_module && name != "main" && !main.code.contains(&format!("mod {name};")) {
            faults.push(format!("{}: not declared in tests/it/main.rs", from_root(&path)));
        }
    }
    report(&faults);
}

#[test]
fn the_changelog_knows_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let text = fs::read_to_string(root().join("CHANGELOG.md")).expect("CHANGELOG.md cannot be read");
    let headings = text.lines().filter(|line| line.starts_with("## "));
    let found = headings
        .flat_map(|line| line.split_whitespace().skip(1))
        .any(|word| word.trim_matches(['[', ']']) == version);
    assert!(found, "CHANGELOG.md has no heading `## {version}`");
}

/// The reader of sources itself: a check that sees nothing holds nothing.
mod reading {
    use super::{Source, code_of, first_names, functions, occurrences, used_modules};

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned(), code: code_of(text) }
    }

    fn used(path: &str, text: &str) -> Vec<String> {
        used_modules(&source(path, text)).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        let code = code_of("a // b\n\"c\\\"d\" e 'f' '\\'' <'g> r#\"h\"i\"# br\"j\" /* k\n */ l");
        let words: Vec<_> = code.split_whitespace().collect();
        assert_eq!(words, ["a", "e", "<'g>", "l"]);
        assert_eq!(code.matches('\n').count(), 2);
    }

    #[test]
    fn paths_and_groups_name_their_modules() {
        assert_eq!(used("src/read/mod.rs", "use crate::scan::Walk;"), ["scan"]);
        assert_eq!(
            used("src/read/mod.rs", "use crate::{evidence::{Text, Time}, sources};"),
            ["evidence", "sources"]
        );
        assert_eq!(used("src/read/mod.rs", "fn f() -> crate::run::Exit {}"), ["run"]);
        assert_eq!(used("src/read/mod.rs", "use super::report::Report;"), ["report"]);
        assert_eq!(used("src/sources/dma/spool.rs", "use super::super::super::cli;"), ["cli"]);
        assert!(
            used("src/sources/dma/spool.rs", "use super::Dma; use super::super::Source;")
                .iter()
                .all(|name| name != "cli")
        );
        assert_eq!(used("src/main.rs", "fn main() { ghostq::run::go() }"), ["run"]);
        assert!(
            used("src/read/mod.rs", "/// See [`crate::scan`].\nconst A: &str = \"crate::cli\";").is_empty()
        );
        assert_eq!(first_names("{a, b::{c, d}, e}"), ["a", "b", "e"]);
    }

    #[test]
    fn the_tests_at_the_end_of_a_file_are_told_apart() {
        let code =
            "a\n#[cfg(unix)]\nmod b {}\n#[cfg(test)]\nmod c;\n#[cfg(all(test, unix))]\nmod tests {\n}\n";
        let found = source("src/read/a.rs", code);
        assert!(found.code_without_tests().ends_with("mod c;\n"));
    }

    #[test]
    fn the_lines_of_functions_are_counted() {
        let code = "fn a() {\n    let b = 1;\n\n    if b {\n    }\n}\n\nimpl C {\n    fn d(\n        e: F,\n    ) {\n    }\n}\n";
        let found: Vec<_> = functions(code).into_iter().map(|(_, name, length)| (name, length)).collect();
        assert_eq!(found, [("a".to_owned(), 3), ("d".to_owned(), 2)]);
    }

    #[test]
    fn words_are_found_as_words() {
        assert_eq!(occurrences("clap clap_complete eclaps clap::Arg", "clap").count(), 2);
    }
}
