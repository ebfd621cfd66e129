//! Compressed and encrypted queues.

use super::*;
use crate::evidence::{Confidence, DamageKind, Text};

/// The head of a gzip stream, as `deflateInit2` writes it.
const GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x8d\x8e";
/// A version byte and what could be an initialisation vector.
const ENCRYPTED: &[u8] = b"\x01\x9a\xb3\x11\x02\xff\x81\x07\x55\x42\xee\x60\x13";

fn queue_of(bytes: &[u8], count: u8) -> Vec<(String, Vec<u8>)> {
    (0..count)
        .flat_map(|number| {
            let folder = format!("queue/{number:02x}/{number:02x}000000");
            let envelope = format!("{folder}/{number:02x}00000000000001");
            [(format!("{folder}/message"), bytes.to_vec()), (envelope, bytes.to_vec())]
        })
        .collect()
}

fn open(files: &[(String, Vec<u8>)]) -> Sample {
    let files: Vec<_> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
    of(&files)
}

#[test]
fn a_coded_queue_is_said_to_be_so_once_and_its_messages_are_not_called_corrupt() {
    for (bytes, said) in [(GZIP, "compressed"), (ENCRYPTED, "encrypted")] {
        let case = open(&queue_of(bytes, 5));
        assert_eq!(case.messages().count(), 5, "{said}");
        assert_eq!(case.signs(), BTreeMap::new(), "{said}");
        let [damage] = case.damages()[..] else { panic!("{:?}", case.damages()) };
        assert_eq!(damage.kind, DamageKind::Malformed);
        assert!(damage.what.contains(said), "{}", damage.what);
        assert!(case.opened.instance.facts.iter().any(|fact| fact.text.contains(said)));
        let message = case.message("queue/02/02000000/message");
        assert_eq!(
            message.ids.native,
            Some(Text::from("02000000")),
            "the names can be held against a listing"
        );
        assert_eq!((message.envelope.recipients.len(), message.envelope.recipient_count), (0, Some(1)));
        let mut files = queue_of(bytes, 5);
        files.retain(|(path, _)| path != "queue/02/02000000/0200000000000001");
        assert_eq!(names(open(&files).message("queue/02/02000000/message")), ["EnvelopeLost"], "{said}");
    }
}

#[test]
fn a_coded_envelope_in_a_plain_queue_is_one_that_smtpd_cannot_read() {
    let mut files = queue_of(&envelope(), 9);
    files.push(("queue/ff/ff000000/message".into(), b"Subject: x\n\nx\n".to_vec()));
    files.push(("queue/ff/ff000000/ff00000000000001".into(), ENCRYPTED.to_vec()));
    let case = open(&files);
    assert!(case.damages().is_empty());
    let signs = case.signs();
    assert_eq!(signs.keys().collect::<Vec<_>>(), ["queue/ff/ff000000/ff00000000000001"]);
    let message = case.message("queue/ff/ff000000/ff00000000000001");
    assert_eq!(message.signs[0].confidence, Confidence::Likely);
}

#[test]
fn where_both_are_found_only_a_listing_can_tell() {
    let mut files = queue_of(&envelope(), 4);
    let coded = queue_of(GZIP, 3).into_iter();
    files.extend(coded.map(|(path, bytes)| (path.replace("/0", "/a"), bytes)));
    assert_eq!(open(&files).signs(), BTreeMap::new());
}
