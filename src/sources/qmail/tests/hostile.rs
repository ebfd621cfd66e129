//! Whatever is in a queue, reading it ends, and ends with the truth.

use super::*;

const MAIL: &[u8] = b"Subject: one\n\nbody\n";

/// Numbers that look random and are the same in every run.
struct Lcg(u64);

impl Lcg {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

#[test]
fn an_envelope_cut_at_any_byte_is_damaged_or_ends_with_a_record() {
    let info: &[u8] = b"Fsender@lab.test\0";
    let remote: &[u8] = b"Tone@grey.test\0Ttwo@grey.test\0";
    let mut files: Vec<(String, &[u8])> = Vec::new();
    for cut in 0..=info.len() {
        let number = 3 * (100 + cut);
        files.push((format!("mess/0/{number}"), MAIL));
        files.push((format!("info/0/{number}"), &info[..cut]));
        files.push((format!("remote/0/{number}"), remote));
    }
    for cut in 0..=remote.len() {
        let number = 3 * (200 + cut);
        files.push((format!("mess/0/{number}"), MAIL));
        files.push((format!("info/0/{number}"), info));
        files.push((format!("remote/0/{number}"), &remote[..cut]));
    }
    let borrowed: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (path.as_str(), *bytes)).collect();
    let case = Case::of(&borrowed);
    assert_eq!(case.messages().count(), info.len() + remote.len() + 2);
    let whole: Vec<_> = case.messages().filter(|message| names(message).is_empty()).collect();
    let numbers: Vec<_> = whole.iter().map(|message| message.place.path.lossy().into_owned()).collect();
    // The whole info, the whole remote, and the remote that ends with its first recipient.
    assert_eq!(numbers.len(), 3, "{numbers:?}");
    assert!(case.signs().values().all(|signs| *signs == ["Corrupt"]));
}

#[test]
fn random_bytes_in_every_file_do_no_harm() {
    let mut random = Lcg(1);
    for _ in 0..40 {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for number in 1..30_u64 {
            let part = number % 3;
            for folder in ["mess", "info", "local", "remote"] {
                if random.next(3) > 0 {
                    let size = random.next(200);
                    let bytes = (0..size).map(|_| u8::try_from(random.next(256)).unwrap()).collect();
                    files.push((format!("{folder}/{part}/{number}"), bytes));
                }
            }
            for folder in ["todo", "intd", "bounce", "pid"] {
                if random.next(8) == 0 {
                    let bytes =
                        (0..random.next(100)).map(|_| u8::try_from(random.next(256)).unwrap()).collect();
                    files.push((format!("{folder}/{number}"), bytes));
                }
            }
        }
        let borrowed: Vec<(&str, &[u8])> =
            files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
        let case = Case::of(&borrowed);
        assert_eq!(case.records.len(), files.len(), "one record a file, whatever is in it");
        let places: std::collections::BTreeSet<_> =
            case.messages().map(|message| message.place.path.lossy().into_owned()).collect();
        assert_eq!(places.len(), case.messages().count());
    }
}

#[test]
fn numbers_and_folders_of_any_size_are_survived() {
    let huge = u64::MAX.to_string();
    let case = Case::of(&[
        (&format!("mess/0/{huge}"), MAIL),
        (&format!("mess/{huge}/7"), MAIL),
        ("mess/99999999999999999999999/8", MAIL),
        ("mess/4294967296/9", MAIL),
    ]);
    assert_eq!(case.messages().count(), 4);
    assert_eq!(names(case.message(&format!("mess/0/{huge}"))), ["Unfinished"], "{huge} is a multiple of 3");
    assert!(case.signs().values().filter(|signs| signs.contains(&"Misfiled".to_owned())).count() == 3);
}

#[test]
fn an_empty_queue_and_one_without_numbered_folders_can_be_read() {
    assert_eq!(Case::of(&[]).records.len(), 0);
    let folder = TempDir::new().unwrap();
    for name in ["mess", "info", "todo"] {
        std::fs::create_dir_all(folder.path().join("queue").join(name)).unwrap();
    }
    std::fs::write(folder.path().join("queue/mess/3"), MAIL).unwrap();
    let case = Case::again(folder);
    assert!(case.opened.instance.facts.iter().any(|fact| fact.text.contains("cannot be told")));
    assert_eq!(names(case.message("mess/3")), ["Unfinished"], "nothing is called misfiled on a guess");
}

#[cfg(unix)]
#[test]
fn links_are_named_and_not_followed() {
    let case = Case::of(&[("mess/0/3", MAIL), ("remote/0/3", b"Tone@x\0")]);
    let queue = case.folder.path().join("queue");
    std::os::unix::fs::symlink("/etc/passwd", queue.join("mess/1/4")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", queue.join("info/0/3")).unwrap();
    let case = Case::again(case.folder);
    let damages = case.records.iter().filter(|record| matches!(record, Record::Damage(_))).count();
    assert_eq!(damages, 2);
    assert_eq!(names(case.message("mess/0/3")), ["EnvelopeLost"], "a link is no sender");
}
