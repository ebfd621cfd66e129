//! Where output goes.

use crate::evidence::Text;
use crate::run::report_file::ReportFile;
use anyhow::Result;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Where a report goes.
pub enum Report {
    /// stdout.
    Stdout(BufWriter<io::Stdout>),
    /// A file.
    File(ReportFile),
}

impl Report {
    /// stdout (no path, or `-`), or a file outside of the scanned roots.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn open(path: Option<&Path>, roots: &[Text]) -> Result<Self> {
        match path.filter(|path| *path != Path::new("-")) {
            None => Ok(Self::Stdout(BufWriter::new(io::stdout()))),
            Some(path) => ReportFile::create(path, roots).map(Self::File),
        }
    }

    /// Where to write.
    pub fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stdout(out) => out,
            Self::File(file) => file,
        }
    }

    /// Ends the report.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn finish(self) -> Result<()> {
        match self {
            Self::Stdout(mut out) => Ok(out.flush()?),
            Self::File(file) => file.finish(),
        }
    }
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

/// Prints bytes on stdout as they are: mail, which is for a file or another program.
///
/// # Errors
/// When stdout cannot be written.
pub fn print_raw(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

/// Prints a JSON document on stdout.
///
/// # Errors
/// When stdout cannot be written.
pub fn print_json(value: &serde_json::Value) -> Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    crate::report::json_text::write(value, &mut out)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
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
