use super::*;

fn queue_of(content: &[u8]) -> Scanned {
    let folder =
        built(&[("Queue/NTFS_1.EML", content), ("Pickup/a.eml", content), ("Badmail/a.BAD", content)]);
    std::fs::write(folder.path().join("Badmail/a.BDR"), content).unwrap();
    scan(folder.path())
}

#[test]
fn a_message_cut_anywhere_is_still_a_message() {
    let whole = std::fs::read(fixture("mailroot-vsi1/tree/Mailroot/vsi 1/Pickup/handed-in.eml")).unwrap();
    for length in 0..whole.len() {
        let scanned = queue_of(&whole[..length]);
        assert_eq!(scanned.messages.len(), 3, "{length}");
        assert_eq!(scanned.damages, [], "{length}");
    }
}

#[test]
fn random_bytes_do_no_harm() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for length in [1, 7, 100, 5_000, 70_000] {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bytes.extend(state.to_be_bytes());
        }
        assert_eq!(queue_of(&bytes).messages.len(), 3);
    }
}

#[test]
fn many_headers_deep_nesting_and_control_bytes_do_no_harm() {
    let many =
        [b"Subject: first\r\n".to_vec(), b"Received: x\r\n".repeat(10_000), b"\r\nbody".to_vec()].concat();
    assert_eq!(queue_of(&many).file("NTFS_1.EML").header("Subject"), Some(&"first".into()));
    let mut nested = b"Subject: deep\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    nested.extend(b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".repeat(5_000));
    assert_eq!(queue_of(&nested).file("NTFS_1.EML").header("Subject"), Some(&"deep".into()));
    let control = queue_of(b"Subject: a\x1b[2J\0b\r\nTo: \x07\r\n\r\n");
    let subject = control.file("NTFS_1.EML").header("Subject").unwrap().clone();
    assert!(subject.bytes().starts_with(b"a\x1b[2J"), "evidence is kept as found: {subject:?}");
}

#[test]
fn a_folder_with_more_stream_names_than_are_looked_at_makes_nothing_certain() {
    let folder = built(&[("Queue/NTFS_1.EML", b"Subject: x\r\n\r\n"), ("Drop/a.txt", b"")]);
    for number in 0..200 {
        std::fs::write(folder.path().join(format!("Queue/NTFS_9.EML:S{number:03}")), b"x").unwrap();
    }
    let scanned = scan(folder.path());
    let message = scanned.file("NTFS_1.EML");
    assert_eq!(signs(message), [(Sign::EnvelopeLost, Confidence::Possible)]);
    assert!(said(message).contains("more stream names"), "{}", said(message));
}
