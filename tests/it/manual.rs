//! The manual and the README say what the program does.

use crate::support::*;
use std::path::Path;

#[test]
fn the_committed_manual_pages_are_those_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(ghostq(["man".as_ref(), "--output".as_ref(), folder.path().as_os_str()]).code, 0);
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    for page in ["ghostq.1", "ghostq-rules.7", "ghostq-sources.7"] {
        let (made, kept) = (folder.path().join(page), committed.join(page));
        let same =
            std::fs::read_to_string(made).unwrap() == std::fs::read_to_string(kept).unwrap_or_default();
        assert!(same, "man/{page} is stale: run `cargo run -- man --output man`");
    }
}

#[test]
fn the_manual_documents_every_verb_option_and_exit_code() {
    let page = ghostq(["man"]).out;
    for verb in [
        "scan",
        "forecast",
        "show",
        "requeue",
        "ndr",
        "undo",
        "resume",
        "journal",
        "explain",
        "rules",
        "sources",
        "completions",
        "man",
        "schema",
    ] {
        assert!(page.contains(&format!("GHOSTQ {}", verb.to_uppercase())), "{verb}");
    }
    for line in ghostq(["scan", "--help"]).out.lines().filter(|line| line.trim_start().starts_with("--")) {
        let option = line.trim_start().split([' ', '=']).next().unwrap();
        let escaped = option.replace('-', "\\-");
        assert!(page.contains(&escaped), "{option}");
    }
    for code in ["\\fB0\\fR", "\\fB1\\fR", "\\fB2\\fR", "\\fB3\\fR", "\\fB130\\fR"] {
        assert!(page.contains(code), "{code}");
    }
}

#[test]
fn the_readme_shows_commands_that_exist_and_output_that_is_real() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    if !is_mine(&path) {
        return left_out(
            "the checkout belongs to another user: its access times cannot be protected, and the output says so",
        );
    }
    let readme = std::fs::read_to_string(&path).unwrap();
    let (mut real, mut shown) = (readme.clone(), 0);
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let (command, expected) = block.split_once('\n').unwrap();
        let Some(arguments) = command.strip_prefix("$ ghostq") else { continue };
        let mut ghostq = command_in_repository();
        let ran = finish(ghostq.args(arguments.split_whitespace()));
        // With the command before it and the fence behind it, so that an empty screen is replaced as well.
        let screen = |output: &str| format!("{command}\n{output}```");
        real = real.replace(&screen(expected), &screen(&ran.out));
        shown += 1;
    }
    assert!(shown > 0, "the README shows a real screen");
    if std::env::var_os("GHOSTQ_BLESS").is_some() {
        std::fs::write(&path, &real).unwrap();
    }
    assert!(
        real == std::fs::read_to_string(&path).unwrap(),
        "the README is stale: GHOSTQ_BLESS=1 cargo test"
    );
}

fn command_in_repository() -> std::process::Command {
    let mut command = command();
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}
