//! Reading in parallel: one walker, bounded batches, several readers, one consumer.

use super::progress::Progress;
use super::walk::{Step, walk};
use crate::evidence::{Damage, DamageKind, Locus, Record, Text};
use crate::read::disk::EntryKind;
use crate::sources::{Emit, Opened, Unit};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Entries that travel together; large enough to make the channel cheap, small enough to keep memory small.
const BATCH: usize = 128;
/// Recipients that travel together at most.
const MAX_WEIGHT: usize = 4_096;
/// Batches in flight in each channel, per reader.
const IN_FLIGHT: usize = 2;
/// Reader threads carry this name, by which a panic in one of them is told from any other.
pub const READER_THREAD: &str = "ghostq-reader";

struct Work {
    instance: usize,
    entries: Vec<(PathBuf, EntryKind)>,
}

struct Output {
    instance: usize,
    records: Vec<Record>,
}

/// Reads everything in the opened places, and hands each record to `take` with the index of its place.
///
/// The order of the records is that of completion, not of the disk. When `take` breaks off, all threads end.
pub fn read_all(
    opened: &[Opened],
    threads: usize,
    progress: &Progress,
    take: &mut dyn FnMut(usize, Record) -> ControlFlow<()>,
) {
    let threads = threads.max(1);
    let (give_work, get_work) = bounded::<Work>(threads * IN_FLIGHT);
    let (give_output, get_output) = bounded::<Output>(threads * IN_FLIGHT);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (work, output) = (get_work.clone(), give_output.clone());
            let reader = std::thread::Builder::new().name(READER_THREAD.into());
            // Without a thread there is no reader; the walker's damage below then says that nothing was read.
            let _spawned = reader.spawn_scoped(scope, move || read_batches(opened, &work, &output));
        }
        drop(get_work);
        let walker_output = give_output.clone();
        drop(give_output);
        scope.spawn(move || walk_all(opened, &give_work, &walker_output));
        // The receiver moves into the loop: when the loop ends early, it is dropped, and every sender learns of it.
        consume(get_output, progress, take);
    });
}

fn consume(
    outputs: Receiver<Output>,
    progress: &Progress,
    take: &mut dyn FnMut(usize, Record) -> ControlFlow<()>,
) {
    for output in outputs {
        progress.add(output.records.len() as u64);
        for record in output.records {
            if take(output.instance, record).is_break() {
                return;
            }
        }
    }
}

fn walk_all(opened: &[Opened], work: &Sender<Work>, output: &Sender<Output>) {
    for (instance, place) in opened.iter().enumerate() {
        let mut entries = Vec::with_capacity(BATCH);
        let ended = walk(&place.root, &place.tops, place.depth, &mut |step| match step {
            Step::Entry(path, kind) => {
                entries.push((path, kind));
                if entries.len() < BATCH {
                    return ControlFlow::Continue(());
                }
                let entries = std::mem::replace(&mut entries, Vec::with_capacity(BATCH));
                sent(work.send(Work { instance, entries }).is_ok())
            }
            Step::Damage(damage) => {
                let records = vec![Record::Damage(damage)];
                sent(output.send(Output { instance, records }).is_ok())
            }
        });
        if ended.is_break() || (!entries.is_empty() && work.send(Work { instance, entries }).is_err()) {
            return;
        }
    }
}

fn read_batches(opened: &[Opened], work: &Receiver<Work>, output: &Sender<Output>) {
    for batch in work {
        let Some(place) = opened.get(batch.instance) else { continue };
        let mut records = Vec::with_capacity(BATCH);
        for (path, kind) in &batch.entries {
            if read_one(place, batch.instance, path, *kind, &mut records, output).is_break() {
                return;
            }
        }
        if !records.is_empty() && output.send(Output { instance: batch.instance, records }).is_err() {
            return;
        }
    }
}

/// Reads one unit, and contains a panic on a hostile file. `false`: it panicked.
pub fn read_contained(place: &Opened, unit: Unit<'_>, emit: &mut Emit<'_>) -> bool {
    catch_unwind(AssertUnwindSafe(|| (place.read)(unit, emit))).is_ok()
}

/// Reads one unit. A panic becomes damage that names the file.
fn read_one(
    place: &Opened,
    instance: usize,
    path: &Path,
    kind: EntryKind,
    records: &mut Vec<Record>,
    output: &Sender<Output>,
) -> ControlFlow<()> {
    let (mut gone, mut weight) = (false, 0);
    let mut emit = |mut record: Record| {
        if let Record::Message(message) = &mut record {
            message.instance = instance;
        }
        weight += weigh(&record);
        records.push(record);
        if records.len() >= BATCH || weight >= MAX_WEIGHT {
            weight = 0;
            let full = std::mem::replace(records, Vec::with_capacity(BATCH));
            gone |= output.send(Output { instance, records: full }).is_err();
        }
        sent(!gone)
    };
    let unit = Unit { root: &place.root, path, kind };
    if !read_contained(place, unit, &mut emit) {
        records.push(Record::Damage(Damage::new(
            DamageKind::Malformed,
            Locus::whole(Text::from_path(path)),
            "reading it failed inside ghostq, which is a fault of ghostq",
            "report it with the file, if it may be shown",
        )));
    }
    sent(!gone)
}

/// What a record takes of memory, in recipients: the one part of it that can be large in number.
fn weigh(record: &Record) -> usize {
    match record {
        Record::Message(message) => 1 + message.envelope.recipients.len(),
        Record::Damage(_) | Record::Passed => 1,
    }
}

fn sent(delivered: bool) -> ControlFlow<()> {
    if delivered { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}
