//! The least that reading a spool takes, with the standard library alone. usage: walk MODE THREADS DIR
//!
//! MODE is what is done with each file: `list` nothing, `stat` its metadata, `read` open, metadata, the first 4 KiB, close.
//! `same` does what a reader of messages cannot do without: it reads what holds an envelope (`*-H`, and what lies in
//! `deferred`), and asks for the metadata of everything else.
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (mode, threads) = (arguments[1].as_str(), arguments[2].parse::<usize>().unwrap());
    let folders = Mutex::new(vec![PathBuf::from(&arguments[3])]);
    let (busy, files, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        let mut buffer = [0_u8; 4096];
        loop {
            let folder = {
                let mut folders = folders.lock().unwrap();
                let folder = folders.pop();
                busy.fetch_add(usize::from(folder.is_some()), SeqCst);
                folder
            };
            let Some(folder) = folder else {
                if busy.load(SeqCst) == 0 {
                    return;
                }
                std::thread::yield_now();
                continue;
            };
            let (mut below, mut seen, mut read) = (Vec::new(), 0, 0);
            let envelopes = folder.components().any(|part| part.as_os_str() == "deferred");
            for entry in std::fs::read_dir(&folder).unwrap().flatten() {
                if entry.file_type().unwrap().is_dir() {
                    below.push(entry.path());
                    continue;
                }
                seen += 1;
                let is_file = entry.file_type().unwrap().is_file();
                let holds_envelope = envelopes || entry.file_name().as_bytes().ends_with(b"-H");
                match mode {
                    "list" => {}
                    "read" if is_file => read += start_of(&entry.path(), &mut buffer),
                    "same" if is_file && holds_envelope => read += start_of(&entry.path(), &mut buffer),
                    _ => read += entry.metadata().unwrap().size() as usize,
                }
            }
            folders.lock().unwrap().extend(below);
            busy.fetch_sub(1, SeqCst);
            files.fetch_add(seen, SeqCst);
            bytes.fetch_add(read, SeqCst);
        }
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    println!("{} files, {} bytes", files.into_inner(), bytes.into_inner());
}

fn start_of(path: &Path, buffer: &mut [u8]) -> usize {
    let mut file = std::fs::File::open(path).unwrap();
    std::hint::black_box(file.metadata().unwrap().mode());
    file.read(buffer).unwrap()
}
