//! Programs of a mail system that ghostq runs: by absolute path, without a shell, with a bounded time and a bounded output.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a program may take. A first attempt of delivery by `exim -M` runs in the foreground and may wait for a remote host.
const TIMEOUT: Duration = Duration::from_mins(5);
/// What is kept of its output.
const MAX_OUTPUT: u64 = 64 << 10;

/// What came of running a program.
#[derive(Debug)]
pub struct Ran {
    /// How it ended; `None` if it was given up, or nobody knows.
    pub status: Option<ExitStatus>,
    /// What it printed on both of its outputs.
    pub output: String,
}

impl Ran {
    /// Its output as one line without control characters, for the journal and for people.
    pub fn line(&self) -> String {
        let words = self.output.split_whitespace().collect::<Vec<_>>().join(" ");
        words.chars().filter(|c| !c.is_control()).take(300).collect()
    }
}

/// Runs a program to its end.
///
/// `stdin` is a file and never a pipe: if ghostq dies, the program still reads all of it, and not half a message.
///
/// # Errors
/// When it cannot be started.
pub fn run(program: &str, arguments: &[impl AsRef<std::ffi::OsStr>], stdin: Option<File>) -> io::Result<Ran> {
    if !Path::new(program).is_absolute() {
        return Err(io::Error::other(format!("`{program}` is not an absolute path")));
    }
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(stdin.map_or_else(Stdio::null, Stdio::from))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Ctrl-C at the terminal is meant for ghostq, and must not stop a mail system in the middle of a message.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn()?;
    // From here on it runs: whatever fails now says nothing about what it does.
    let readers = (child.stdout.take().map(drain), child.stderr.take().map(drain));
    let status = match wait(&mut child) {
        Ok(Some(status)) => Some(status),
        // A program that has been given up may have children that hold its outputs open for long.
        Ok(None) => {
            return Ok(Ran {
                status: None,
                output: format!("it did not end within {} s", TIMEOUT.as_secs()),
            });
        }
        // Whoever started ghostq may have it ignore the end of its children (`SIGCHLD`), so that nobody learns how they ended.
        Err(error) => {
            return Ok(Ran { status: None, output: format!("it is not known how it ended: {error}") });
        }
    };
    let text = |reader: Option<Reader>| reader.and_then(finished).unwrap_or_default();
    let output = [text(readers.0), text(readers.1)].concat();
    Ok(Ran { status, output: String::from_utf8_lossy(&output).into_owned() })
}

fn wait(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + TIMEOUT;
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// What reads an output of a program.
type Reader = io::Result<JoinHandle<Vec<u8>>>;

/// Reads all that a program prints, so that it never blocks, and keeps the beginning.
fn drain(mut pipe: impl Read + Send + 'static) -> Reader {
    std::thread::Builder::new().spawn(move || {
        let mut kept = Vec::new();
        let _end = pipe.by_ref().take(MAX_OUTPUT).read_to_end(&mut kept);
        let _rest = io::copy(&mut pipe, &mut io::sink());
        kept
    })
}

/// What a reader has, if it comes to its end soon: a daemon that the program started may keep the pipe open.
fn finished(reader: Reader) -> Option<Vec<u8>> {
    let reader = reader.ok()?;
    let deadline = Instant::now() + Duration::from_secs(2);
    while !reader.is_finished() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    reader.is_finished().then(|| reader.join().ok()).flatten()
}
