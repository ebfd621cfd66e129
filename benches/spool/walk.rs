//! The least that reading a spool takes, with the standard library alone. usage: walk MODE THREADS DIR
//!
//! MODE is what is done with each file: `list` nothing, `stat` its metadata, `read` open, metadata, the first 4 KiB, close.
//! `same` does what a reader of messages cannot do without: it reads what holds an envelope (`*-H`, and what lies in
//! `deferred`), and asks for the metadata of everything else.
//!
//! Each thread goes into the folder that it reads, so that no path is resolved from the root: only names are.
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex};

const CLONE_FS: i32 = 0x200;
unsafe extern "C" {
    safe fn unshare(flags: i32) -> i32;
}

/// Folders that wait, and how many are being read.
struct Work {
    folders: Vec<PathBuf>,
    busy: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (mode, threads) = (arguments[1].as_str(), arguments[2].parse::<usize>().unwrap());
    let work = Mutex::new(Work { folders: vec![PathBuf::from(&arguments[3]).canonicalize().unwrap()], busy: 0 });
    let more = Condvar::new();
    let (files, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let read_folders = || {
        // From now on the thread has a working directory of its own.
        assert_eq!(unshare(CLONE_FS), 0);
        loop {
            let mut waiting = work.lock().unwrap();
            let folder = loop {
                if let Some(folder) = waiting.folders.pop() {
                    break folder;
                }
                if waiting.busy == 0 {
                    more.notify_all();
                    return;
                }
                waiting = more.wait(waiting).unwrap();
            };
            waiting.busy += 1;
            drop(waiting);
            let (below, seen, read) = read_folder(mode, &folder);
            let mut waiting = work.lock().unwrap();
            waiting.folders.extend(below);
            waiting.busy -= 1;
            more.notify_all();
            files.fetch_add(seen, SeqCst);
            bytes.fetch_add(read, SeqCst);
        }
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(read_folders))));
    println!("{} files, {} bytes", files.into_inner(), bytes.into_inner());
}

/// The folders below, how many files there are, how many bytes of them were seen.
fn read_folder(mode: &str, folder: &Path) -> (Vec<PathBuf>, usize, usize) {
    let mut buffer = [0_u8; 4096];
    let (mut below, mut seen, mut read) = (Vec::new(), 0, 0);
    std::env::set_current_dir(folder).unwrap();
    let envelopes = folder.components().any(|part| part.as_os_str() == "deferred");
    for entry in std::fs::read_dir(".").unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            below.push(folder.join(entry.file_name()));
            continue;
        }
        seen += 1;
        let name = entry.file_name();
        let holds_envelope = envelopes || name.as_bytes().ends_with(b"-H");
        match mode {
            "list" => {}
            "read" if kind.is_file() => read += start_of(Path::new(&name), &mut buffer),
            "same" if kind.is_file() && holds_envelope => read += start_of(Path::new(&name), &mut buffer),
            _ => read += entry.metadata().unwrap().size() as usize,
        }
    }
    (below, seen, read)
}

fn start_of(name: &Path, buffer: &mut [u8]) -> usize {
    let mut file = std::fs::File::open(name).unwrap();
    std::hint::black_box(file.metadata().unwrap().mode());
    file.read(buffer).unwrap()
}
