//! A journal, `ID-J`: a line for each finished delivery that the envelope does not know of yet.
//!
//! Source: Exim `deliver.c`, `post_process_one` ("write all successful addresses immediately to the journal").

use super::cursor::{Cursor, Line};
use super::header_file::Done;
use crate::read::disk::OpenFile;
use std::io;

/// A journal is read so far: ten thousand deliveries.
const MAX_BYTES: u64 = 4 << 20;

/// What a journal says.
#[derive(Debug, Default)]
pub struct Journal {
    /// The addresses.
    pub addresses: Vec<Vec<u8>>,
    /// How many there are.
    pub count: u64,
}

/// Addresses that are kept.
const MAX_ADDRESSES: usize = 10_000;

/// Reads a journal.
///
/// # Errors
/// When the file cannot be read.
pub fn read(file: &OpenFile) -> io::Result<Journal> {
    let mut cursor = Cursor::new(io::Read::take(file.reader()?, MAX_BYTES));
    let mut journal = Journal::default();
    loop {
        match cursor.line()? {
            Line::Whole(line) => journal.add(line),
            // A line that breaks off names no finished delivery for sure, but sending again is worse than looking twice.
            Line::Cut(line) => {
                if !line.is_empty() {
                    journal.add(line);
                }
                return Ok(journal);
            }
            Line::TooLong => return Ok(journal),
        }
    }
}

impl Journal {
    fn add(&mut self, line: Vec<u8>) {
        self.count += 1;
        if self.addresses.len() < MAX_ADDRESSES {
            self.addresses.push(line);
        }
    }

    /// Takes the addresses over.
    pub fn take_over(&self, done: &mut Done) {
        for address in &self.addresses {
            done.add(address);
        }
    }
}
