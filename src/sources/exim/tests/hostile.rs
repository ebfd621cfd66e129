//! Whatever is in a spool, reading it ends, and ends with the truth.

use super::*;
use crate::sources::exim::header_file::{self, HeaderFile};

const ID: &[u8] = b"1xVf5d-00002O-0X";

fn healthy() -> Vec<u8> {
    file(&Exim, "deferred/tree/input/1xVf5d-00002O-0X-H")
}

fn read(bytes: &[u8]) -> HeaderFile {
    header_file::read(bytes, bytes.len() as u64, ID).unwrap()
}

#[test]
fn an_envelope_cut_anywhere_but_between_header_fields_is_never_taken_for_whole() {
    let bytes = healthy();
    assert_eq!(read(&bytes).fault, None);
    let mut whole = Vec::new();
    for length in 0..bytes.len() {
        match read(&bytes[..length]).fault {
            Some(fault) => assert!(fault.start <= fault.end && fault.end <= length as u64, "{fault:?}"),
            None => whole.push(length),
        }
    }
    // There the file says nothing of what is missing, and Exim does not notice either.
    assert_eq!(whole.len(), 6, "it has seven fields: {whole:?}");
}

#[test]
fn bytes_overwritten_anywhere_do_no_harm() {
    let healthy = healthy();
    let mut random = Random::new(1);
    for _ in 0..20_000 {
        let bytes = random.overwritten(&healthy);
        let reading = read(&bytes);
        assert!(reading.fault.is_none_or(|fault| fault.start <= fault.end));
    }
}

#[test]
fn noise_is_never_taken_for_an_envelope() {
    let mut random = Random::new(2);
    for _ in 0..5_000 {
        assert!(read(&random.bytes(600)).fault.is_some());
    }
}

#[test]
fn counts_that_lie_are_found_out_without_being_believed() {
    let start = "1xVf5d-00002O-0X-H\nroot 0 0\n<s@a.test>\n1795482777 0\n";
    for (rest, said) in [
        ("-aclm x 18446744073709551615\nabc\n", "expected the name and the length of an ACL variable"),
        ("-aclm x 9223372036854775807\nabc\n", "the file ends after 4"),
        ("XX\n4294967295\nr@b.test\n", "no more than 16384"),
        ("XX\n99999999999999999999999\n", "expected the number of recipients"),
        ("XX\n-1\n", "expected the number of recipients"),
        ("XX\n1\nr@b.test\n\n99999999999999999999999P Received: x\n", "the file ends after"),
        ("YY a@b.test\n", "expected another address that is done, and the file ends"),
        ("-frozen soon\n", "expected a time"),
        ("XX\n0\n\n010  abc\0defg\n\n", "NUL"),
    ] {
        let fault = read(format!("{start}{rest}").as_bytes()).fault.unwrap_or_else(|| panic!("{rest}"));
        assert!(fault.text.contains(said), "{rest}: {}", fault.text);
    }
}

#[test]
fn a_tree_of_a_million_addresses_takes_bounded_memory() {
    let mut bytes = b"1xVf5d-00002O-0X-H\nroot 0 0\n<s@a.test>\n1795482777 0\n".to_vec();
    for number in 0..1_000_000 {
        bytes.extend(format!("NY a{number}@b.test\n").bytes());
    }
    bytes.extend(b"NN last@b.test\n1\na7@b.test\n\n");
    let reading = read(&bytes);
    assert!(reading.envelope_whole);
    assert!(reading.done.has(b"a7@b.test"));
    assert!(!reading.done.has(b"a999999@b.test"), "only so many are kept");
}

#[cfg(unix)]
#[test]
fn links_and_pipes_are_never_opened() {
    let case = of(&[("input/1xVf5d-00002O-0X-H", &healthy()), ("secret", b"1xVf5d-00002O-0X-D\n")]);
    let root = case.folder.path().join(SPOOL);
    std::os::unix::fs::symlink(root.join("secret"), root.join("input/1xVf5d-00002O-0X-D")).unwrap();
    crate::sources::samples::mkfifo(&root.join("input/1xVf5e-00002O-0X-D"));
    std::os::unix::fs::symlink(root.join("secret"), root.join("msglog/1xVf5f-00002O-0X")).unwrap();
    let again = open(case.folder, &Options::default());
    let damages = again.damages().len();
    assert_eq!(damages, 3, "{:?}", again.records);
    assert_eq!(again.signs_of("input/1xVf5d-00002O-0X-H"), ["BodyLost"], "Exim does not follow it either");
}
