//! The journal: a crash tears its end, and that is told; anything else that does not fit is somebody's hand.

use super::scenes::scene;
use super::world::{OPERATION, opened};
use crate::act::faults::Faults;
use crate::act::faults::testing::Kind;
use crate::act::journal::{FILE, Journal, read};
use crate::act::lock;
use crate::plan::entry::Entry;
use std::fs;
use std::path::Path;

/// A state folder whose journal has a few lines.
fn state() -> tempfile::TempDir {
    let state = tempfile::tempdir_in(super::world::near()).unwrap();
    let (mut journal, told) = Journal::open(state.path(), Faults::none()).unwrap();
    assert!(told.lines.is_empty());
    journal.append(OPERATION, &opened()).unwrap();
    for step in 0..3 {
        journal.append(OPERATION, &Entry::Intent { job: 1, step, was: None }).unwrap();
    }
    journal.append(OPERATION, &Entry::Ended { why: String::new() }).unwrap();
    state
}

fn line_of(bytes: &[u8], at: usize) -> usize {
    bytes[..at].split(|byte| *byte == b'\n').count()
}

/// Opened anew, written on and read: what was whole stays.
fn goes_on(state: &Path, whole: usize) {
    let (mut journal, _) = Journal::open(state, Faults::none()).unwrap();
    journal.append(OPERATION, &Entry::Ended { why: "later".to_owned() }).unwrap();
    drop(journal);
    let told = read(state).unwrap();
    assert_eq!(told.torn, None);
    let entries: Vec<_> = told
        .lines
        .iter()
        .map(|line| &line.entry)
        .filter(|entry| !matches!(entry, Entry::Torn { .. }))
        .collect();
    assert_eq!(entries.len(), whole + 1);
    assert_eq!(**entries.last().unwrap(), Entry::Ended { why: "later".to_owned() });
}

#[test]
fn a_last_line_torn_at_any_byte_is_left_out_and_the_chain_goes_on() {
    let state = state();
    let path = state.path().join(FILE);
    let bytes = fs::read(&path).unwrap();
    let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for cut in last..=bytes.len() {
        fs::write(&path, &bytes[..cut]).unwrap();
        // Without its line end alone, a line says all it has to say.
        let whole = if cut >= bytes.len() - 1 { 5 } else { 4 };
        let told = read(state.path()).unwrap();
        assert_eq!(told.lines.len(), whole, "cut at {cut}");
        let torn = (cut > last && whole == 4).then_some((cut - last) as u64);
        assert_eq!(told.torn, torn, "cut at {cut}");
        goes_on(state.path(), whole);
    }
}

#[test]
fn the_note_about_a_torn_line_may_be_torn_as_well() {
    let state = state();
    let path = state.path().join(FILE);
    let bytes = fs::read(&path).unwrap();
    let torn = &bytes[..bytes.len() - 30];
    fs::write(&path, torn).unwrap();
    drop(Journal::open(state.path(), Faults::none()).unwrap());
    let noted = fs::read(&path).unwrap();
    for cut in torn.len()..noted.len() {
        fs::write(&path, &noted[..cut]).unwrap();
        assert_eq!(read(state.path()).unwrap().operations.len(), 1, "cut at {cut}");
        goes_on(state.path(), 4);
    }
}

#[test]
fn a_hole_of_zeros_that_a_crash_left_in_the_last_line_counts_as_torn() {
    let state = state();
    let path = state.path().join(FILE);
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[end - 90..end - 60].fill(0);
    fs::write(&path, &bytes).unwrap();
    assert!(read(state.path()).unwrap().torn.is_some());
    goes_on(state.path(), 4);
}

#[test]
fn a_flipped_byte_in_the_middle_is_named_by_its_line_and_nobody_acts_on_it() {
    let state = state();
    let path = state.path().join(FILE);
    let bytes = fs::read(&path).unwrap();
    let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for at in 0..last {
        for flip in [0x01, 0x20, bytes[at] ^ b'\n', bytes[at]] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            if changed == bytes {
                continue;
            }
            fs::write(&path, &changed).unwrap();
            let error = read(state.path()).expect_err("it must not be read").to_string();
            let line = format!("line {} of the journal", line_of(&bytes, at));
            assert!(error.starts_with(&line), "byte {at} ^ {flip:#x}: {error}");
            assert!(Journal::open(state.path(), Faults::none()).is_err());
            assert_eq!(fs::read(&path).unwrap(), changed, "and it stays as it is");
        }
    }
}

#[test]
fn a_last_line_that_is_whole_and_does_not_fit_was_changed_and_not_torn() {
    let state = state();
    let path = state.path().join(FILE);
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    // What it says, not what marks its end.
    bytes[end - 60] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(read(state.path()).unwrap_err().to_string().starts_with("line 5 of the journal"));
}

#[test]
fn a_line_taken_out_or_put_twice_or_moved_is_noticed() {
    let state = state();
    let path = state.path().join(FILE);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let orders: [&[usize]; 4] = [&[0, 2, 3, 4], &[1, 2, 3, 4], &[0, 1, 1, 2, 3, 4], &[0, 2, 1, 3, 4]];
    for order in orders {
        fs::write(&path, order.iter().map(|line| lines[*line]).collect::<String>()).unwrap();
        assert!(read(state.path()).is_err(), "{order:?}");
    }
}

#[test]
fn after_a_line_that_could_not_be_written_nothing_is_written_behind_it() {
    let state = state();
    for (at, kind) in [(0, Kind::Error(28)), (1, Kind::Error(5)), (0, Kind::TornWrite)] {
        let before = read(state.path()).unwrap().lines.len();
        let (mut journal, _) = Journal::open(state.path(), Faults::at(at, kind)).unwrap();
        journal.append(OPERATION, &Entry::Ended { why: "a".to_owned() }).unwrap_err();
        let error = journal.append(OPERATION, &Entry::Ended { why: "b".to_owned() }).unwrap_err();
        assert!(error.to_string().contains("an earlier line could not be written"), "{error}");
        drop(journal);
        let (mut journal, _) = Journal::open(state.path(), Faults::none()).unwrap();
        journal.append(OPERATION, &Entry::Ended { why: "c".to_owned() }).unwrap();
        assert!(read(state.path()).unwrap().lines.len() > before, "{kind:?}");
    }
}

#[test]
fn a_job_under_way_is_not_planned_anew() {
    let scene = scene("three parts");
    let died = Faults::at(60, Kind::Death);
    scene.world.apply(&scene.job, &scene.content, &died).unwrap_err();
    let before = scene.world.course().unwrap();
    assert!(before.touched());
    let (mut journal, _) = Journal::open(&scene.world.state, Faults::none()).unwrap();
    journal.append(OPERATION, &Entry::Planned { job: Box::new(scene.job.clone()) }).unwrap();
    assert_eq!(scene.world.course().unwrap(), before, "what was done is not forgotten");
}

#[test]
fn two_operators_never_act_at_once() {
    let state = state();
    let first = lock::operator(state.path()).unwrap();
    let error = lock::operator(state.path()).unwrap_err();
    assert!(error.to_string().starts_with("another ghostq is acting under"), "{error}");
    assert_eq!(read(state.path()).unwrap().lines.len(), 5, "though everybody may read");
    drop(first);
    lock::operator(state.path()).unwrap();
}
