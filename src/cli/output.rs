//! Where output goes.

use anyhow::{Context as _, Result};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Opens stdout (no path, or `-`) or a file. Reports hold addresses: a file that is made can be read by its owner only.
///
/// # Errors
/// When the file cannot be made.
pub fn open(path: Option<&Path>) -> Result<Box<dyn Write>> {
    match path.filter(|path| *path != Path::new("-")) {
        None => Ok(Box::new(BufWriter::new(io::stdout()))),
        Some(path) => {
            let file = create(path).with_context(|| format!("could not write `{}`", path.display()))?;
            Ok(Box::new(BufWriter::new(file)))
        }
    }
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let file = options.open(path)?;
    // One that was there already keeps its mode when it is opened.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if file.metadata()?.is_file() {
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(file)
}

/// Prints text on stdout.
///
/// # Errors
/// When stdout cannot be written.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Prints an error on stderr: the chain in one line, hostile text tamed.
pub fn complain(error: &anyhow::Error) {
    // If even stderr is gone there is nobody left to tell.
    let _told = writeln!(io::stderr(), "error: {}", tame(&format!("{error:#}")));
}

/// Prints a line on stderr.
pub fn tell(line: &str) {
    let _told = writeln!(io::stderr(), "{}", tame(line));
}

fn tame(text: &str) -> String {
    text.lines().map(crate::report::escape::for_terminal).collect::<Vec<_>>().join("\n")
}

/// Whether the reader of our output went away, which is no error.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
