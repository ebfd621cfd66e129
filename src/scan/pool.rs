//! Reading in parallel: one walker, bounded batches, several readers that judge what they read, one consumer.

use super::batch::{Batch, ENTRIES};
use super::progress::Progress;
use super::walk::{Step, walk};
use crate::evidence::{Damage, DamageKind, Locus, Message, Record, Text};
use crate::sources::{Emit, Opened, Unit};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Recipients that travel together at most.
const MAX_WEIGHT: usize = 4_096;
/// Batches in flight in each channel, per reader.
const IN_FLIGHT: usize = 2;
/// Reader threads carry this name, by which a panic in one of them is told from any other.
pub const READER_THREAD: &str = "ghostq-reader";

/// Whether a message that was not opened has to be, after all. Where nobody decides that, every message is opened at once.
pub type Asks<'a> = dyn Fn(&Message) -> bool + Sync + 'a;

struct Work {
    instance: usize,
    batch: Batch,
}

/// What was noted of so many records.
struct Output<S> {
    records: u64,
    sheet: S,
}

/// What a reader works with. `note` is done by the reader that made the record, so that a record which is of no further
/// interest never leaves its thread: memory that is taken in one thread and given back in another makes both wait.
struct Reader<'a, S, N> {
    opened: &'a [Opened],
    output: &'a Sender<Output<S>>,
    asks: Option<&'a Asks<'a>>,
    note: &'a N,
    sheet: S,
    /// How many records are noted on the sheet.
    records: u64,
    /// What they weigh, with those of the unit.
    weight: usize,
    /// Records of the unit that is being read: what they are worth is known when it was read to its end.
    unit: Vec<Record>,
}

/// Reads everything in the opened places, but opens messages in which nothing seems wrong only if `asks` says so. `note` writes
/// each record on the sheet of its reader, and `take` gets each sheet.
///
/// The order of the records is that of completion, not of the disk. When `take` breaks off, all threads end.
pub fn read_all<S: Default + Send>(
    opened: &[Opened],
    threads: usize,
    progress: &Progress,
    asks: Option<&Asks<'_>>,
    note: &(impl Fn(&mut S, Record) + Sync),
    take: &mut dyn FnMut(S) -> ControlFlow<()>,
) {
    let threads = threads.max(1);
    let (give_work, get_work) = bounded::<Work>(threads * IN_FLIGHT);
    let (give_output, get_output) = bounded::<Output<S>>(threads * IN_FLIGHT);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (work, output) = (get_work.clone(), give_output.clone());
            let thread = std::thread::Builder::new().name(READER_THREAD.into());
            // Without a thread there is no reader; the walker's damage below then says that nothing was read.
            let _spawned = thread.spawn_scoped(scope, move || {
                let sheet = S::default();
                let output = &output;
                Reader { opened, output, asks, note, sheet, records: 0, weight: 0, unit: Vec::new() }
                    .read_batches(&work);
            });
        }
        drop(get_work);
        let walker_output = give_output.clone();
        drop(give_output);
        scope.spawn(move || walk_all(opened, &give_work, &walker_output, note));
        // The receiver moves into the loop: when the loop ends early, it is dropped, and every sender learns of it.
        consume(get_output, progress, take);
    });
}

fn consume<S>(outputs: Receiver<Output<S>>, progress: &Progress, take: &mut dyn FnMut(S) -> ControlFlow<()>) {
    for output in outputs {
        progress.add(output.records);
        if take(output.sheet).is_break() {
            return;
        }
    }
}

fn walk_all<S: Default>(
    opened: &[Opened],
    work: &Sender<Work>,
    output: &Sender<Output<S>>,
    note: &impl Fn(&mut S, Record),
) {
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
                let mut sheet = S::default();
                note(&mut sheet, Record::Damage(damage));
                sent(output.send(Output { records: 1, sheet }).is_ok())
            }
        });
        if ended.is_break() || (!batch.is_empty() && work.send(Work { instance, batch }).is_err()) {
            return;
        }
    }
}

impl<S: Default, N: Fn(&mut S, Record)> Reader<'_, S, N> {
    fn read_batches(&mut self, work: &Receiver<Work>) {
        let mut path = PathBuf::new();
        for Work { instance, batch } in work {
            let Some(place) = self.opened.get(instance) else { continue };
            for (folder, numbers) in batch.groups() {
                let near = folder.map(|folder| place.root.within(folder));
                let root = near.as_ref().unwrap_or(&place.root);
                for number in numbers {
                    let Some(kind) = batch.path(folder, number, &mut path) else { continue };
                    let unit = Unit { root, path: &path, kind, lean: self.asks.is_some() };
                    if self.read_one(place, instance, unit).is_break() {
                        return;
                    }
                }
            }
            if self.records > 0 && self.send().is_break() {
                return;
            }
        }
    }

    /// Sends off the sheet, and begins another.
    fn send(&mut self) -> ControlFlow<()> {
        self.weight = 0;
        let (records, sheet) = (std::mem::take(&mut self.records), std::mem::take(&mut self.sheet));
        sent(self.output.send(Output { records, sheet }).is_ok())
    }

    /// Reads one unit, and once more in full if its message has to be opened after all.
    fn read_one(&mut self, place: &Opened, instance: usize, unit: Unit<'_>) -> ControlFlow<()> {
        let mut gone = self.read_unit(place, instance, unit).is_break();
        if self.is_asked_for() {
            self.unit.clear();
            gone |= self.read_unit(place, instance, Unit { lean: false, ..unit }).is_break();
        }
        self.tell_missed(unit);
        self.note_unit();
        let full = self.records >= ENTRIES as u64 || self.weight >= MAX_WEIGHT;
        if full { self.send() } else { sent(!gone) }
    }

    /// Whether the unit has a message that was not opened and has to be.
    fn is_asked_for(&self) -> bool {
        self.asks.is_some_and(|asks| {
            self.unit.iter().any(|record| match record {
                Record::Message(message) => !message.blind_to.is_empty() && asks(message),
                _ => false,
            })
        })
    }

    /// Reads one unit. A panic becomes damage that names the file.
    fn read_unit(&mut self, place: &Opened, instance: usize, unit: Unit<'_>) -> ControlFlow<()> {
        // The weight is that of the unit: what other files weigh is no reason to note a message before its unit was read to its end.
        let (mut gone, mut weight) = (false, 0);
        let mut emit = |mut record: Record| {
            if let Record::Message(message) = &mut record {
                message.instance = instance;
            }
            let more = weigh(&record);
            if !self.unit.is_empty() && (self.unit.len() >= ENTRIES || weight + more > MAX_WEIGHT) {
                weight = 0;
                self.note_unit();
                gone |= self.send().is_break();
            }
            weight += more;
            self.weight += more;
            self.unit.push(record);
            sent(!gone)
        };
        if !read_contained(place, unit, &mut emit) {
            self.unit.push(Record::Damage(Damage::new(
                DamageKind::Malformed,
                Locus::whole(Text::from_path(unit.path)),
                "reading it failed inside ghostq, which is a fault of ghostq",
                "report it with the file, if it may be shown",
            )));
        }
        sent(!gone)
    }

    fn note_unit(&mut self) {
        self.records += self.unit.len() as u64;
        for record in self.unit.drain(..) {
            (self.note)(&mut self.sheet, record);
        }
    }

    /// Adds what was missed while a unit was read, unless it was told by the source.
    fn tell_missed(&mut self, unit: Unit<'_>) {
        let missed = unit.root.take_missed();
        if missed.unseen.is_empty() && missed.unread.is_empty() {
            return;
        }
        if !missed.unseen.is_empty() {
            // What could not be looked at may be the very half that is said to be missing.
            self.unit.retain(|record| !matches!(record, Record::Message(_)));
        }
        for damage in missed.unseen.into_iter().chain(missed.unread) {
            let told = |record: &Record| matches!(record, Record::Damage(told) if told.locus.path == damage.locus.path);
            if !self.unit.iter().any(told) {
                self.unit.push(Record::Damage(of_unit(unit.path, damage)));
            }
        }
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
