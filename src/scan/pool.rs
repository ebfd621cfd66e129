//! Reading in parallel: one walker, bounded batches, several readers, one consumer.

use super::batch::{Batch, ENTRIES};
use super::progress::Progress;
use super::walk::{Step, walk};
use crate::evidence::{Damage, DamageKind, Locus, Record, Text};
use crate::sources::{Emit, Opened, Unit};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Recipients that travel together at most.
const MAX_WEIGHT: usize = 4_096;
/// Batches in flight in each channel, per reader.
const IN_FLIGHT: usize = 2;
/// Reader threads carry this name, by which a panic in one of them is told from any other.
pub const READER_THREAD: &str = "ghostq-reader";

struct Work {
    instance: usize,
    batch: Batch,
}

struct Output {
    instance: usize,
    records: Vec<Record>,
    /// The reader that made the records, to which they go back: memory is given back where it was taken, since two threads
    /// that share it wait for each other.
    reader: Option<usize>,
}

/// What a reader works with.
struct Reader<'a> {
    opened: &'a [Opened],
    number: usize,
    output: &'a Sender<Output>,
    used: &'a Receiver<Vec<Record>>,
    records: Vec<Record>,
}

/// Reads everything in the opened places, and hands each record to `take` with the index of its place.
///
/// The order of the records is that of completion, not of the disk. When `take` breaks off, all threads end.
pub fn read_all(
    opened: &[Opened],
    threads: usize,
    progress: &Progress,
    take: &mut dyn FnMut(usize, &Record) -> ControlFlow<()>,
) {
    let threads = threads.max(1);
    let (give_work, get_work) = bounded::<Work>(threads * IN_FLIGHT);
    let (give_output, get_output) = bounded::<Output>(threads * IN_FLIGHT);
    std::thread::scope(|scope| {
        let mut give_back = Vec::with_capacity(threads);
        for number in 0..threads {
            let (work, output) = (get_work.clone(), give_output.clone());
            // No more goes back than was sent, so that it is bounded by the channel of the records.
            let (give_used, get_used) = unbounded();
            give_back.push(give_used);
            let thread = std::thread::Builder::new().name(READER_THREAD.into());
            // Without a thread there is no reader; the walker's damage below then says that nothing was read.
            let _spawned = thread.spawn_scoped(scope, move || {
                let (output, used) = (&output, &get_used);
                Reader { opened, number, output, used, records: Vec::new() }.read_batches(&work);
            });
        }
        drop(get_work);
        let walker_output = give_output.clone();
        drop(give_output);
        scope.spawn(move || walk_all(opened, &give_work, &walker_output));
        // The receiver moves into the loop: when the loop ends early, it is dropped, and every sender learns of it.
        consume(get_output, &give_back, progress, take);
    });
}

fn consume(
    outputs: Receiver<Output>,
    give_back: &[Sender<Vec<Record>>],
    progress: &Progress,
    take: &mut dyn FnMut(usize, &Record) -> ControlFlow<()>,
) {
    for output in outputs {
        progress.add(output.records.len() as u64);
        for record in &output.records {
            if take(output.instance, record).is_break() {
                return;
            }
        }
        if let Some(giver) = output.reader.and_then(|reader| give_back.get(reader)) {
            // A reader that has ended wants nothing back.
            let _ended = giver.send(output.records);
        }
    }
}

fn walk_all(opened: &[Opened], work: &Sender<Work>, output: &Sender<Output>) {
    for (instance, place) in opened.iter().enumerate() {
        let mut batch = Batch::default();
        let ended = walk(&place.root, &place.tops, place.depth, &mut |step| match step {
            Step::Entry { folder, name, kind } => {
                batch.push(folder, name, kind);
                if !batch.is_full() {
                    return ControlFlow::Continue(());
                }
                let batch = std::mem::take(&mut batch);
                sent(work.send(Work { instance, batch }).is_ok())
            }
            Step::Damage(damage) => {
                let records = vec![Record::Damage(damage)];
                sent(output.send(Output { instance, records, reader: None }).is_ok())
            }
        });
        if ended.is_break() || (!batch.is_empty() && work.send(Work { instance, batch }).is_err()) {
            return;
        }
    }
}

impl Reader<'_> {
    fn read_batches(&mut self, work: &Receiver<Work>) {
        let mut path = PathBuf::new();
        for Work { instance, batch } in work {
            let Some(place) = self.opened.get(instance) else { continue };
            for (folder, numbers) in batch.groups() {
                let near = folder.map(|folder| place.root.within(folder));
                let root = near.as_ref().unwrap_or(&place.root);
                for number in numbers {
                    let Some(kind) = batch.path(folder, number, &mut path) else { continue };
                    let unit = Unit { root, path: &path, kind };
                    if self.read_one(place, instance, unit).is_break() {
                        return;
                    }
                }
            }
            if !self.records.is_empty() && self.send(instance).is_break() {
                return;
            }
        }
    }

    /// Sends off the records that have come together, and begins anew with memory that came back.
    fn send(&mut self, instance: usize) -> ControlFlow<()> {
        let mut empty = Vec::new();
        while let Ok(mut used) = self.used.try_recv() {
            used.clear();
            empty = used;
        }
        let records = std::mem::replace(&mut self.records, empty);
        sent(self.output.send(Output { instance, records, reader: Some(self.number) }).is_ok())
    }

    /// Reads one unit. A panic becomes damage that names the file.
    fn read_one(&mut self, place: &Opened, instance: usize, unit: Unit<'_>) -> ControlFlow<()> {
        let (mut gone, mut weight) = (false, 0);
        let mut first = self.records.len();
        let mut emit = |mut record: Record| {
            if let Record::Message(message) = &mut record {
                message.instance = instance;
            }
            weight += weigh(&record);
            self.records.push(record);
            if self.records.len() >= ENTRIES || weight >= MAX_WEIGHT {
                (weight, first) = (0, 0);
                gone |= self.send(instance).is_break();
            }
            sent(!gone)
        };
        if !read_contained(place, unit, &mut emit) {
            self.records.push(Record::Damage(Damage::new(
                DamageKind::Malformed,
                Locus::whole(Text::from_path(unit.path)),
                "reading it failed inside ghostq, which is a fault of ghostq",
                "report it with the file, if it may be shown",
            )));
        }
        self.tell_missed(unit, first);
        sent(!gone)
    }

    /// Adds what was missed while a unit was read, whose records begin at `first`, unless it was told by the source.
    fn tell_missed(&mut self, unit: Unit<'_>, first: usize) {
        let missed = unit.root.take_missed();
        if missed.unseen.is_empty() && missed.unread.is_empty() {
            return;
        }
        let mut read = self.records.split_off(first);
        if !missed.unseen.is_empty() {
            // What could not be looked at may be the very half that is said to be missing.
            read.retain(|record| !matches!(record, Record::Message(_)));
        }
        for damage in missed.unseen.into_iter().chain(missed.unread) {
            let told = |record: &Record| matches!(record, Record::Damage(told) if told.locus.path == damage.locus.path);
            if !read.iter().any(told) {
                read.push(Record::Damage(of_unit(unit.path, damage)));
            }
        }
        self.records.append(&mut read);
    }
}

/// Says of which file less is said, or nothing, because another one could not be looked at or read.
fn of_unit(path: &Path, mut missed: Damage) -> Damage {
    let place = Text::from_path(path);
    if missed.locus.path != place {
        missed.what = format!("`{}` belongs to it: {}", missed.locus.path.lossy(), missed.what);
        missed.locus = Locus::whole(place);
    }
    missed
}

/// Reads one unit, and contains a panic on a hostile file. `false`: it panicked.
pub fn read_contained(place: &Opened, unit: Unit<'_>, emit: &mut Emit<'_>) -> bool {
    catch_unwind(AssertUnwindSafe(|| (place.read)(unit, emit))).is_ok()
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
