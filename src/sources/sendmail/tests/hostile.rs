//! Whatever is in a control file, reading it ends, and ends with the truth.

use super::*;
use crate::sources::sendmail::control_file;

#[test]
fn a_control_file_cut_at_any_byte_is_never_whole() {
    let whole = healthy();
    assert!(control_file::read(&whole, true).unwrap().faults.is_empty());
    for cut in 1..whole.len() - 1 {
        let reading = control_file::read(&whole[..cut], true).unwrap();
        assert!(reading.leading_fault().is_some(), "cut at {cut}");
        assert!(reading.faults.iter().all(|fault| fault.end <= cut as u64), "cut at {cut}");
    }
    let without_line_end = control_file::read(&whole[..whole.len() - 1], true).unwrap();
    assert!(without_line_end.faults.is_empty(), "sendmail takes it, too");
}

#[test]
fn noise_is_damage_and_any_single_byte_may_be_anything() {
    let mut random = Random::new(7);
    for size in 1..400 {
        let noise: Vec<u8> = (0..size).map(|_| random.byte()).collect();
        if let Ok(reading) = control_file::read(&noise, true) {
            assert!(!reading.faults.is_empty(), "{noise:?}");
        }
    }
    let whole = healthy();
    for at in 0..whole.len() {
        for byte in [0, b'\n', 0xff, b'9'] {
            let mut bent = whole.clone();
            bent[at] = byte;
            let _read = control_file::read(&bent, true);
        }
    }
}

#[test]
fn counts_and_lengths_are_bounded_and_all_recipients_counted() {
    let mut many = b"V8\nT1\nP1\nSa@b\n".to_vec();
    for number in 0..50_000 {
        many.extend_from_slice(format!("RPFD:r{number}@example.com\n").as_bytes());
    }
    many.extend(b"$zvalue\n".repeat(5_000));
    many.extend([b"H??X-Long: ".to_vec(), vec![b'x'; 1 << 20], b"\n".to_vec()].concat());
    many.extend_from_slice(b".\n");
    let reading = control_file::read(&many, true).unwrap();
    assert_eq!((reading.recipient_count, reading.recipients.len()), (50_000, 1_000));
    assert!(reading.attributes.len() < 100 && reading.headers.len() <= 64 << 10);
    assert!(reading.faults.is_empty(), "{:?}", reading.faults);
    let folded = [b"V8\nT1\n".to_vec(), b" \n".repeat(500_000)].concat();
    assert!(control_file::read(&folded, true).unwrap().leading_fault().is_some());
    let huge = b"V99999999999999999999\nT99999999999999999999\n.\n";
    assert!(control_file::read(huge, true).unwrap().faults.len() >= 2);
}

#[test]
fn a_control_file_longer_than_is_read_is_judged_by_its_end() {
    let recipients = b"RPFD:recipient@example.com\n".repeat(400_000);
    let head = b"V8\nT1795479085\nK1795479085\nN1\nP1\nSa@b\n".to_vec();
    let (qf, df) = (format!("qf{ID}"), format!("df{ID}"));
    let whole = [head.clone(), recipients.clone(), b".\n".to_vec()].concat();
    let case = of(&[(&qf, &whole), (&df, b"x\n")]);
    assert_eq!(case.signs(), BTreeMap::new());
    assert_eq!(case.message(&qf).envelope.recipient_count, Some(400_000));
    let cut = [head, recipients].concat();
    let case = of(&[(&qf, &cut), (&df, b"x\n")]);
    assert_eq!(names(case.message(&qf)), ["Corrupt"]);
}
