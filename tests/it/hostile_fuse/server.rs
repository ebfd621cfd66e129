//! A file system that serves the copy of a spool, and fails where it is told to.

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, MountOption, OpenFlags, ReplyAttr, ReplyData, ReplyDirectory, ReplyEntry, ReplyOpen,
    Request,
};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Nothing is remembered by the kernel: each look is a question to the server.
const NOTHING: Duration = Duration::ZERO;
/// Invented files have numbers from here on.
const INVENTED: u64 = 1 << 32;

/// What goes wrong with a file or folder.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It cannot be opened (a folder: not be listed).
    Opened(Errno),
    /// It is listed, and looking it up fails.
    LookedUp(Errno),
    /// It can be opened, and its metadata cannot be had then.
    LookedAt(Errno),
    /// It cannot be read from this byte on.
    ReadFrom(u64, Errno),
    /// So many reads go well, and none after them.
    ReadAfter(u64, Errno),
    /// Listing it fails after so many names.
    ListedFor(usize, Errno),
    /// Its metadata has this size, whatever can be read.
    SaidToHave(u64),
    /// There is so much of it in truth, whatever its metadata says: it was cut or written on meanwhile.
    Holds(usize),
    /// A read gives so many bytes at most.
    InPieces(usize),
    /// Every read gives other bytes.
    OtherEachTime,
    /// Each name in it is listed so many times.
    ListedTimes(usize),
    /// The listing says that everything in it is of this kind.
    ListedAs(FileType),
    /// Its inode has this number, which others may have too.
    Numbered(u64),
    /// So many healthy messages of nullmailer are in it, none of which is kept anywhere.
    Invents(u64),
}

struct Node {
    attr: FileAttr,
    content: Vec<u8>,
    /// Names, the numbers of their nodes, and what they are.
    children: Vec<(Vec<u8>, u64, FileType)>,
    fault: Option<Fault>,
    reads: AtomicU64,
}

struct Server {
    /// The node of number n is at n - 1.
    nodes: Vec<Node>,
    /// Whether there are files that nobody wrote.
    invents: bool,
}

/// A spool that is served until this is dropped.
pub struct Served {
    session: Option<BackgroundSession>,
    /// Where it is mounted.
    pub folder: tempfile::TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            let _ = session.umount_and_join();
        }
    }
}

/// Serves a folder with these faults by path. `Err`: there can be no such file system here.
pub fn serve(spool: &Path, faults: &[(&str, Fault)]) -> io::Result<Served> {
    let mut faults: BTreeMap<&str, Fault> = faults.iter().copied().collect();
    let mut nodes = Vec::new();
    add(&mut nodes, spool, "", &mut faults);
    assert!(faults.is_empty(), "there is no {faults:?}");
    let invents = nodes.iter().any(|node| matches!(node.fault, Some(Fault::Invents(_))));
    let folder = tempfile::tempdir()?;
    let mut config = Config::default();
    config.mount_options = vec![MountOption::RO, MountOption::FSName("faulty".to_owned())];
    let session = fuser::spawn_mount(Server { nodes, invents }, folder.path(), &config)?;
    Ok(Served { session: Some(session), folder })
}

/// Takes a file or folder over with all that is in it, and gives its number.
fn add(nodes: &mut Vec<Node>, path: &Path, below: &str, faults: &mut BTreeMap<&str, Fault>) -> u64 {
    let data = fs::symlink_metadata(path).unwrap();
    let kind = if data.is_dir() { FileType::Directory } else { FileType::RegularFile };
    let number = nodes.len() as u64 + 1;
    let attr = FileAttr {
        ino: INodeNo(number),
        size: data.size(),
        blocks: data.blocks(),
        atime: data.accessed().unwrap(),
        mtime: data.modified().unwrap(),
        ctime: SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(data.ctime()).unwrap()),
        crtime: SystemTime::UNIX_EPOCH,
        kind,
        perm: u16::try_from(data.mode() & 0o7777).unwrap(),
        nlink: 1,
        uid: data.uid(),
        gid: data.gid(),
        rdev: 0,
        blksize: 4096,
        flags: 0,
    };
    let content = if data.is_file() { fs::read(path).unwrap() } else { Vec::new() };
    let fault = faults.remove(below);
    nodes.push(Node { attr, content, children: Vec::new(), fault, reads: AtomicU64::new(0) });
    if data.is_dir() {
        let mut names: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        for name in names {
            let text = name.to_str().unwrap();
            let inner = if below.is_empty() { text.to_owned() } else { format!("{below}/{text}") };
            let child = add(nodes, &path.join(&name), &inner, faults);
            let kind = nodes[usize::try_from(child).unwrap() - 1].attr.kind;
            let folder = &mut nodes[usize::try_from(number).unwrap() - 1];
            folder.children.push((name.into_encoded_bytes(), child, kind));
        }
    }
    number
}

/// The name of an invented message; its number is its process in the name, so that no two are alike.
fn invented_name(number: u64) -> String {
    format!("{}.{}", 1_700_000_000 + number, 100 + number)
}

fn invented_content(number: u64) -> Vec<u8> {
    format!("a@a.example\nb@b.example\n\nMessage-ID: <{number}@a>\n\nx\n").into_bytes()
}

impl Server {
    fn node(&self, number: INodeNo) -> Option<&Node> {
        self.nodes.get(usize::try_from(number.0.checked_sub(1)?).ok()?)
    }

    fn attr_of(&self, number: INodeNo) -> Option<FileAttr> {
        if let Some(invented) = number.0.checked_sub(INVENTED) {
            let size = invented_content(invented).len() as u64;
            let like = self.nodes.first()?.attr;
            return Some(FileAttr {
                ino: number,
                size,
                kind: FileType::RegularFile,
                perm: 0o600,
                nlink: 1,
                ..like
            });
        }
        let node = self.node(number)?;
        let mut attr = node.attr;
        match node.fault {
            Some(Fault::SaidToHave(size)) => attr.size = size,
            Some(Fault::Numbered(other)) => attr.ino = INodeNo(other),
            _ => {}
        }
        Some(attr)
    }

    /// What a read gives.
    fn bytes(&self, number: INodeNo, offset: u64, size: u32) -> Result<Vec<u8>, Errno> {
        let (offset, size) = (usize::try_from(offset).unwrap_or(usize::MAX), size as usize);
        let part = |content: &[u8], size: usize| {
            content.get(offset..).map(|rest| rest[..rest.len().min(size)].to_vec()).unwrap_or_default()
        };
        if let Some(invented) = number.0.checked_sub(INVENTED) {
            return Ok(part(&invented_content(invented), size));
        }
        let node = self.node(number).ok_or(Errno::ENOENT)?;
        let before = node.reads.fetch_add(1, Ordering::Relaxed);
        match node.fault {
            Some(Fault::ReadFrom(from, errno)) => {
                let left = usize::try_from(from).unwrap().saturating_sub(offset);
                if left == 0 { Err(errno) } else { Ok(part(&node.content, size.min(left))) }
            }
            Some(Fault::ReadAfter(good, errno)) if before >= good => Err(errno),
            Some(Fault::ReadAfter(..)) => Ok(part(&node.content, size.min(64))),
            Some(Fault::Holds(length)) => {
                let content: Vec<u8> = node.content.iter().copied().cycle().take(length).collect();
                Ok(part(&content, size))
            }
            Some(Fault::InPieces(piece)) => Ok(part(&node.content, size.min(piece))),
            Some(Fault::OtherEachTime) => {
                let turned = node.content.iter().map(|byte| byte.wrapping_add(before.to_le_bytes()[0]));
                Ok(part(&turned.collect::<Vec<u8>>(), size))
            }
            _ => Ok(part(&node.content, size)),
        }
    }
}

impl Filesystem for Server {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let Some(folder) = self.node(parent) else { return reply.error(Errno::ENOENT) };
        let child = folder.children.iter().find(|(known, ..)| known == name.as_encoded_bytes());
        let number = match (child, folder.fault) {
            (Some((_, number, _)), _) => INodeNo(*number),
            (None, Some(Fault::Invents(count))) => {
                let number = name.to_str().and_then(|name| name.split_once('.')?.1.parse::<u64>().ok());
                match number.and_then(|number| number.checked_sub(100)).filter(|number| *number < count) {
                    Some(number) => INodeNo(INVENTED + number),
                    None => return reply.error(Errno::ENOENT),
                }
            }
            (None, _) => return reply.error(Errno::ENOENT),
        };
        if let Some(Fault::LookedUp(errno)) = self.node(number).and_then(|node| node.fault) {
            return reply.error(errno);
        }
        match self.attr_of(number) {
            // The kernel goes by this number, so that a wrong one is told only to who asks for metadata.
            Some(attr) => {
                let known = if number.0 >= INVENTED { Duration::from_secs(1) } else { NOTHING };
                reply.entry(&known, &FileAttr { ino: number, ..attr }, Generation(0));
            }
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let fault = self.node(number).and_then(|node| node.fault);
        match (fault, self.attr_of(number)) {
            (Some(Fault::LookedAt(errno)), _) => reply.error(errno),
            (_, Some(attr)) => reply.attr(&NOTHING, &attr),
            (_, None) => reply.error(Errno::ENOENT),
        }
    }

    fn open(&self, _: &Request, number: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        if self.invents {
            // The kernel does not ask any more, which makes ten million files bearable.
            return reply.error(Errno::ENOSYS);
        }
        match self.node(number).and_then(|node| node.fault) {
            Some(Fault::Opened(errno)) => reply.error(errno),
            // Every read comes here as it is asked for, whatever the size.
            _ => reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO),
        }
    }

    fn read(
        &self,
        _: &Request,
        number: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.bytes(number, offset, size) {
            Ok(bytes) => reply.data(&bytes),
            Err(errno) => reply.error(errno),
        }
    }

    fn opendir(&self, _: &Request, number: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.node(number).and_then(|node| node.fault) {
            Some(Fault::Opened(errno)) => reply.error(errno),
            _ => reply.opened(FileHandle(0), FopenFlags::empty()),
        }
    }

    fn readdir(&self, _: &Request, number: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let Some(folder) = self.node(number) else { return reply.error(Errno::ENOENT) };
        let times = if let Some(Fault::ListedTimes(times)) = folder.fault { times } else { 1 };
        let kept = (folder.children.len() * times) as u64;
        let all = if let Some(Fault::Invents(count)) = folder.fault { kept + count } else { kept };
        for at in offset..all {
            let full = if at < kept {
                let (name, child, kind) = &folder.children[usize::try_from(at).unwrap() / times];
                let kind = if let Some(Fault::ListedAs(kind)) = folder.fault { kind } else { *kind };
                if let Some(Fault::ListedFor(good, errno)) = folder.fault
                    && at >= good as u64
                {
                    // What was gathered is handed over first, as a disk would.
                    return if at == offset { reply.error(errno) } else { reply.ok() };
                }
                let inode = if let Some(Fault::Numbered(other)) = folder.fault { other } else { *child };
                reply.add(INodeNo(inode), at + 1, kind, OsStr::from_bytes(name))
            } else {
                let invented = at - kept;
                reply.add(
                    INodeNo(INVENTED + invented),
                    at + 1,
                    FileType::RegularFile,
                    invented_name(invented),
                )
            };
            if full {
                break;
            }
        }
        reply.ok();
    }
}
