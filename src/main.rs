//! Parses, runs, exits.

use std::process::ExitCode;

fn main() -> ExitCode {
    ghostq::cli::main()
}
