//! What a user can see of the exports, through the source.

use super::TempTable;
use crate::evidence::{Damage, DamageKind, Instance, Message, Record, TimeKind};
use crate::read::disk::EntryKind;
use crate::sources::{Detected, Options, Place, Source, Unit};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

struct Seen {
    instance: Instance,
    messages: Vec<Message>,
    damages: Vec<Damage>,
    passed: usize,
}

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/temptable").join(path)
}

fn detect(path: &Path) -> Option<Detected> {
    offer(path, true, false)
}

fn offer(path: &Path, named: bool, chosen: bool) -> Option<Detected> {
    if path.is_dir() {
        let entries: Vec<_> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| (entry.unwrap().file_name(), EntryKind::Regular))
            .collect();
        let place = Place { path, entries: &entries, head: &[], is_directory: true, named, chosen };
        return TempTable.detect(&place);
    }
    let head: Vec<u8> = std::fs::read(path).unwrap().into_iter().take(8 << 10).collect();
    TempTable.detect(&Place { path, entries: &[], head: &head, is_directory: false, named, chosen })
}

fn scan_with(path: &Path, options: &Options) -> Seen {
    let detected = offer(path, true, true).unwrap_or_else(|| panic!("{} was not recognised", path.display()));
    let opened = TempTable.open(&detected, options).unwrap_or_else(|error| panic!("{error:#}"));
    let mut seen = Seen { instance: opened.instance, messages: vec![], damages: vec![], passed: 0 };
    for top in &opened.tops {
        let names: Vec<PathBuf> = match opened.root.path().join(top).is_dir() {
            true => {
                let mut names: Vec<_> =
                    opened.root.list(top).unwrap().map(|entry| entry.unwrap().0).collect();
                names.sort();
                names
            }
            false => vec![top.clone()],
        };
        for name in names {
            let (kind, _) = opened.root.stat(&name).unwrap();
            (opened.read)(Unit { root: &opened.root, path: &name, kind }, &mut |record| {
                match record {
                    Record::Message(message) => seen.messages.push(*message),
                    Record::Damage(damage) => seen.damages.push(damage),
                    Record::Passed => seen.passed += 1,
                }
                ControlFlow::Continue(())
            });
        }
    }
    seen
}

fn scan(path: &Path) -> Seen {
    scan_with(path, &Options::default())
}

const ERAS: [&str; 5] = [
    "eras/export-table_2007-08_to_2011-01.txt",
    "eras/export-table_2011-01_to_2014-03.txt",
    "eras/export-table_2016-12_to_2020-10.txt",
    "eras/export-table_2020-10-22_to_2026-06-15.txt",
    "eras/export-table_2026-06-15_onward.txt",
];

#[test]
fn every_era_of_mfcmapi_tells_the_same_of_the_same_table() {
    for era in ERAS {
        let seen = scan(&fixture(era));
        assert!(seen.damages.is_empty(), "{era}: {:?}", seen.damages);
        println!("{:#?}", seen.messages);
        println!("{:#?}", seen.instance);
        assert_eq!(seen.messages.len(), 2);
    }
}
