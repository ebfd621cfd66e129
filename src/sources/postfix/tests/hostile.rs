//! Whatever is in a queue file, reading it ends, and ends with the truth.

use super::*;
use crate::sources::postfix::queue_file::{self, Reader};
use crate::sources::postfix::reading::Reading;
use crate::sources::postfix::records::Window;

/// Reads as from a file of these bytes.
fn copy(bytes: &[u8], offset: u64, length: usize, into: &mut Vec<u8>) {
    let from = usize::try_from(offset).unwrap().min(bytes.len());
    into.clear();
    into.extend_from_slice(&bytes[from..from.saturating_add(length).min(bytes.len())]);
}

fn read(bytes: &[u8], reader: Reader, deep: bool) -> Reading {
    let read_at = |offset: u64, length: usize, into: &mut Vec<u8>| {
        copy(bytes, offset, length, into);
        Ok(())
    };
    queue_file::read(&mut Window::new(bytes.len() as u64, &read_at), reader, deep).unwrap()
}

#[test]
fn a_healthy_file_is_whole_by_the_quick_way_and_by_the_long_one() {
    let bytes = healthy();
    for deep in [false, true] {
        let reading = read(&bytes, Reader::QueueManager, deep);
        assert_eq!(reading.faults, []);
        assert!(reading.ended);
        assert_eq!(reading.pending, 3);
    }
}

#[test]
fn a_file_cut_at_any_byte_is_never_taken_for_whole() {
    let bytes = healthy();
    for length in 0..bytes.len() {
        for deep in [false, true] {
            let reading = read(&bytes[..length], Reader::QueueManager, deep);
            let fault = reading.leading_fault().unwrap_or_else(|| panic!("cut at {length}"));
            assert!(fault.start <= length as u64 && fault.end <= length as u64, "{fault:?}");
            assert!(!reading.ended, "cut at {length}");
        }
    }
}

#[test]
fn bytes_overwritten_anywhere_do_no_harm() {
    let healthy = healthy();
    let mut random = Random::new(1);
    for _ in 0..20_000 {
        let bytes = random.overwritten(&healthy);
        let reader = if random.next(4) == 0 { Reader::Pickup } else { Reader::QueueManager };
        let deep = random.next(2) == 0;
        let reading = read(&bytes, reader, deep);
        assert!(reading.faults.iter().all(|fault| fault.start <= fault.end), "{:?}", reading.faults);
    }
}

#[test]
fn noise_is_never_taken_for_a_message() {
    let mut random = Random::new(2);
    for _ in 0..5_000 {
        let bytes = random.bytes(600);
        assert!(read(&bytes, Reader::QueueManager, false).leading_fault().is_some());
    }
}

#[test]
fn pointer_records_that_lead_in_circles_come_to_an_end() {
    let mut bytes = healthy();
    let at = memchr::memmem::find(&bytes, b"S\x0fsender@lab.test").unwrap();
    // A pointer record of the same length as the sender record it replaces, back to the record after the size record.
    let circle = format!("p\x0f{:>15}", 97);
    bytes[at..at + circle.len()].copy_from_slice(circle.as_bytes());
    let reading = read(&bytes, Reader::QueueManager, false);
    assert!(reading.leading_fault().unwrap().text.contains("circles"), "{:?}", reading.faults);

    let mut far = healthy();
    let away = format!("p\x0f{:>15}", u64::MAX / 32);
    far[at..at + away.len()].copy_from_slice(away.as_bytes());
    assert!(read(&far, Reader::QueueManager, false).leading_fault().unwrap().text.contains("ends at byte"));
}

#[test]
fn a_million_recipients_are_counted_and_a_thousand_kept() {
    let mut bytes = b"T\x0c1795481208 0S\x00".to_vec();
    for _ in 0..1_000_000 {
        bytes.extend(b"R\x03a@b");
    }
    bytes.extend(b"M\x00X\x00E\x00");
    let reading = read(&bytes, Reader::Pickup, false);
    assert_eq!(reading.recipient_count(), 1_000_000);
    assert_eq!(reading.recipients.len(), 1_000);
    assert_eq!(reading.faults, []);
    assert!(reading.sender.unwrap().is_empty(), "the null sender is known, not unknown");
}

#[test]
fn a_file_of_zeros_of_any_length_is_given_up_at_its_start() {
    let asked = std::cell::Cell::new(0);
    let read_at = |_: u64, length: usize, into: &mut Vec<u8>| {
        asked.set(asked.get() + 1);
        *into = vec![0; length];
        Ok(())
    };
    let reading = queue_file::read(&mut Window::new(1 << 30, &read_at), Reader::QueueManager, true).unwrap();
    assert_eq!(asked.get(), 1, "a gigabyte is not read to say that it is nothing");
    assert!(reading.faults[0].text.contains("expected an envelope record, found a record of type 0x00"));
}

#[test]
fn attributes_without_a_value_are_given_up_after_a_few() {
    let bytes = b"A\x00".repeat(1 << 16);
    let asked = std::cell::Cell::new(0);
    let read_at = |offset: u64, length: usize, into: &mut Vec<u8>| {
        asked.set(asked.get() + 1);
        copy(&bytes, offset, length, into);
        Ok(())
    };
    let mut window = Window::new(bytes.len() as u64, &read_at);
    let reading = queue_file::read(&mut window, Reader::QueueManager, true).unwrap();
    assert!(reading.leading_fault().is_some());
    assert_eq!(asked.get(), 1);
}

#[test]
fn behind_one_damaged_record_type_the_recipients_are_still_read() {
    let mut bytes = healthy();
    let at = memchr::memmem::find(&bytes, b"S\x0fsender@lab.test").unwrap();
    bytes[at] = 0xff;
    let reading = read(&bytes, Reader::QueueManager, false);
    assert_eq!(reading.leading_fault().map(|fault| fault.start), Some(at as u64));
    assert_eq!(reading.recipient_count(), 3);
}

/// A healthy file whose content is made this much longer by lines of text.
fn longer(lines: usize) -> Vec<u8> {
    let mut bytes = healthy();
    let end = bytes.len() - 4;
    assert_eq!(&bytes[end..], b"X\0E\0");
    let text: Vec<u8> = b"N\x0aten bytes!".repeat(lines);
    let size: usize = String::from_utf8_lossy(&bytes[2..17]).trim().parse().unwrap();
    bytes[2..17].copy_from_slice(format!("{:>15}", size + text.len()).as_bytes());
    bytes.splice(end..end, text);
    bytes
}

#[test]
fn a_healthy_message_of_any_size_costs_two_small_reads() {
    for (lines, reads) in [(0, 1), (1_000, 2), (1_000_000, 2)] {
        let bytes = longer(lines);
        let asked = std::cell::RefCell::new(Vec::new());
        let read_at = |offset: u64, length: usize, into: &mut Vec<u8>| {
            asked.borrow_mut().push(length);
            copy(&bytes, offset, length, into);
            Ok(())
        };
        let mut window = Window::new(bytes.len() as u64, &read_at);
        let reading = queue_file::read(&mut window, Reader::QueueManager, false).unwrap();
        assert_eq!(reading.faults, []);
        assert_eq!(asked.borrow().len(), reads, "{lines} lines");
        assert!(asked.borrow().iter().all(|length| *length <= 4_096));
    }
}
