//! The file that a report is written into.
//!
//! The report is made beside its place and moved there when it is whole: what was there before is replaced and never
//! written into, so that neither a symbolic nor a hard link can lead the report into a spool.

use crate::evidence::Text;
use anyhow::{Context as _, Result, bail};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A report file in the making, readable by its owner only.
pub enum ReportFile {
    /// A file that is moved to its place when it is whole.
    Regular {
        /// The file in the making.
        file: BufWriter<tempfile::NamedTempFile>,
        /// Its place.
        path: PathBuf,
    },
    /// A device or pipe that was there already.
    Device(BufWriter<File>),
}

impl ReportFile {
    /// Begins a report at this path.
    ///
    /// # Errors
    /// When it cannot be made, or lies inside one of the scanned roots.
    pub fn create(path: &Path, roots: &[Text]) -> Result<Self> {
        let failed = || format!("could not write the report `{}`", path.display());
        if std::fs::metadata(path).is_ok_and(|data| !data.is_file()) {
            let device = File::options().write(true).open(path).with_context(failed)?;
            return Ok(Self::Device(BufWriter::new(device)));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder.canonicalize().with_context(failed)?;
        for root in roots {
            let inside =
                root.to_path().canonicalize().is_ok_and(|root| root.is_dir() && folder.starts_with(root));
            if inside {
                bail!(
                    "`{}` lies inside `{}`, which is being scanned; write the report somewhere else",
                    path.display(),
                    root.lossy()
                );
            }
        }
        let file = tempfile::NamedTempFile::new_in(&folder).with_context(failed)?;
        Ok(Self::Regular { file: BufWriter::new(file), path: path.to_owned() })
    }

    /// Ends the report and puts it in its place.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn finish(self) -> Result<()> {
        match self {
            Self::Device(mut device) => device.flush().context("could not write the report"),
            Self::Regular { file, path } => {
                let failed = || format!("could not write the report `{}`", path.display());
                let file = file.into_inner().map_err(io::IntoInnerError::into_error).with_context(failed)?;
                file.persist(&path).map_err(|error| error.error).with_context(failed)?;
                Ok(())
            }
        }
    }
}

impl Write for ReportFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Regular { file, .. } => file.write(bytes),
            Self::Device(device) => device.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Regular { file, .. } => file.flush(),
            Self::Device(device) => device.flush(),
        }
    }
}
