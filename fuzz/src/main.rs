//! One fuzz target over everything that reads what strangers wrote.
//!
//! The first two bytes of an input choose what it is (`input::Kind`); the rest are parts: files of a spool, an export, a listing,
//! a journal, the replies of a server. Whatever the parts hold, nothing may panic, hang or take much memory; what people are shown
//! is tame, and no plan leaves the spool.
#![no_main]

mod input;
mod memory;
mod notice;
mod seeds;
mod smtp;
mod spool;
mod tally;
mod tame;
mod texts;

use input::{Input, Kind};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

#[global_allocator]
static MEMORY: memory::Counted = memory::Counted;

fuzz_target!(
    init: {
        if let Some(folder) = std::env::var_os("GHOSTQ_SEEDS") {
            let seeds = seeds::write(folder.as_ref());
            tally::count(&seeds, seeds::expected(), run).unwrap_or_else(|missing| panic!("{missing}"));
        }
    },
    |data: &[u8]| {
        let Some(input) = Input::parse(data) else { return };
        run(&input);
    }
);

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    input::mutate(data, size, max_size, seed)
});

fn run(input: &Input) {
    memory::begin();
    match input.kind {
        Kind::Spool => spool::run(input),
        Kind::Listing => texts::listing(input),
        Kind::Report => texts::report(input),
        Kind::Manifest => texts::manifest(input),
        Kind::Journal => texts::journal(input),
        Kind::Smtp => smtp::run(input),
        Kind::Notice => notice::run(input),
    }
    memory::end();
}
