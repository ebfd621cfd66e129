use super::*;

const MESSAGE: &[u8] = b"Subject: x\r\n\r\n";

/// A mailroot with one queue file that has these extended attributes; `None` where the file system has none.
#[cfg(target_os = "linux")]
fn with_attributes(attributes: &[(&str, &[u8])]) -> Option<(tempfile::TempDir, Scanned)> {
    let folder = built(&[("Queue/NTFS_1.EML", MESSAGE), ("Queue/NTFS_2.EML", MESSAGE), ("Drop/a.txt", b"")]);
    for (name, value) in attributes {
        let path = folder.path().join("Queue/NTFS_1.EML");
        match rustix::fs::setxattr(path, *name, value, rustix::fs::XattrFlags::empty()) {
            Ok(()) => {}
            Err(rustix::io::Errno::NOTSUP) => {
                writeln!(std::io::stderr(), "skipped: no extended attributes on this file system").unwrap();
                return None;
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
    let scanned = scan(folder.path());
    Some((folder, scanned))
}

#[cfg(target_os = "linux")]
use std::io::Write as _;

fn streams(message: &Message) -> Vec<(String, Option<u64>)> {
    let opaque = message.parts.iter().filter(|part| part.kind == PartKind::OpaqueStream);
    opaque.map(|part| (format!("{:?}", part.locus.at), part.size)).collect()
}

/// SHA-256 of `PLACEHOLDER`, by sha256sum(1).
#[cfg(target_os = "linux")]
const PLACEHOLDER: &str = "83acce8cff053ecb1dd5f36bf2fad7bc51ee4720e1d17b0c43afa1b029264ec3";

#[cfg(target_os = "linux")]
#[test]
fn a_stream_that_ntfs_3g_or_tar_carried_as_attribute_is_seen() {
    let Some((_folder, scanned)) = with_attributes(&[
        ("user.PROPERTIES", b"PLACEHOLDER"),
        ("user.xdg.origin.url", b"https://example.org"),
        ("user.DOSATTRIB", b"0x20"),
    ]) else {
        return;
    };
    let message = scanned.file("NTFS_1.EML");
    assert_eq!(streams(message), [("Stream(\"user.PROPERTIES\")".to_owned(), Some(11))]);
    assert_eq!(message.parts[1].sha256.as_deref(), Some(PLACEHOLDER));
    assert_eq!(signs(message), []);
    assert_eq!(signs(scanned.file("NTFS_2.EML")), [(Sign::EnvelopeLost, Confidence::Likely)]);
}

#[cfg(target_os = "linux")]
#[test]
fn samba_s_trailing_nul_is_no_part_of_a_stream() {
    for value in [&b"PLACEHOLDER"[..], b"PLACEHOLDER\0"] {
        let Some((_folder, scanned)) = with_attributes(&[("user.DosStream.PROPERTIES:$DATA", value)]) else {
            return;
        };
        let message = scanned.file("NTFS_1.EML");
        assert_eq!(message.parts[1].size, Some(11));
        assert_eq!(message.parts[1].sha256.as_deref(), Some(PLACEHOLDER));
        assert_eq!(attributes(message, "stream PROPERTIES").len(), 1);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_mark_that_windows_puts_on_any_file_is_no_envelope() {
    let Some((_folder, scanned)) = with_attributes(&[("user.Zone.Identifier", b"[ZoneTransfer]")]) else {
        return;
    };
    let message = scanned.file("NTFS_1.EML");
    assert_eq!(signs(message), [(Sign::EnvelopeLost, Confidence::Possible)]);
    assert_eq!(streams(message).len(), 1, "it is shown all the same");
}

#[cfg(target_os = "linux")]
#[test]
fn addresses_in_a_stream_are_shown_as_strings_and_never_as_envelope() {
    let long = b"x@y.example ".repeat(100);
    let many: Vec<u8> = (0..100).flat_map(|n| format!("a{n}@b.example\0").into_bytes()).collect();
    for (value, expected) in [(&long, 1), (&many, 20)] {
        let Some((_folder, scanned)) = with_attributes(&[("user.PROPERTIES", value)]) else { return };
        let message = scanned.file("NTFS_1.EML");
        assert_eq!(attributes(message, "strings seen, meaning unverified").len(), expected);
        assert_eq!(message.envelope, crate::evidence::Envelope::default());
    }
}

#[test]
fn streams_as_files_beside_their_file_are_its_parts_and_no_messages() {
    let scanned = scan(&fixture("mailroot-vsi1/tree/Mailroot"));
    let message = scanned.file("0001.EML");
    assert_eq!(streams(message), [("Whole".to_owned(), Some(111))]);
    assert!(message.parts[1].stat.is_some());
    let seen = attributes(message, "strings seen, meaning unverified");
    assert_eq!(seen, ["alice@contoso.example", "bob@fabrikam.example", "carol@fabrikam.example"]);
    assert!(scanned.messages.iter().all(|m| !m.place.path.lossy().ends_with("0001.EML:PROPERTIES")));
}

#[test]
fn a_stream_that_is_too_large_is_reported_by_its_size() {
    let folder = built(&[("Queue/NTFS_1.EML", MESSAGE), ("Drop/a.txt", b"")]);
    let stream = std::fs::File::create(folder.path().join("Queue/NTFS_1.EML:PROPERTIES")).unwrap();
    stream.set_len(5 << 30).unwrap();
    let scanned = scan(folder.path());
    let part = &scanned.file("NTFS_1.EML").parts[1];
    assert_eq!((part.size, part.sha256.clone()), (Some(5 << 30), None));
    assert!(attributes(scanned.file("NTFS_1.EML"), "not read")[0].contains("more than"));
}

#[test]
fn an_apple_double_file_is_recognised_and_makes_the_loss_less_sure() {
    let folder = built(&[
        ("Queue/NTFS_1.EML", MESSAGE),
        ("Queue/._NTFS_1.EML", b"\0\x05\x16\x07"),
        ("Queue/NTFS_2.EML", MESSAGE),
        ("Queue/NTFS_2.EML:PROPERTIES", b"x"),
        ("Drop/a.txt", b""),
    ]);
    let scanned = scan(folder.path());
    let message = scanned.file("/NTFS_1.EML");
    assert_eq!(signs(message), [(Sign::EnvelopeLost, Confidence::Possible)]);
    assert!(said(message).contains("AppleDouble"), "{}", said(message));
    assert_eq!(scanned.messages.len(), 2);
}
