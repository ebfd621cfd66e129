//! Whatever is in a queue, reading it ends, and ends with the truth.

use super::*;

const MAIL: &[u8] = b"Subject: one\n\nbody\n";

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
    let case = of(&borrowed);
    assert_eq!(case.messages().count(), info.len() + remote.len() + 2);
    let whole: Vec<_> = case.messages().filter(|message| names_on_a_copy(message).is_empty()).collect();
    let numbers: Vec<_> = whole.iter().map(|message| message.place.path.lossy().into_owned()).collect();
    // The whole info, the whole remote, and the remote that ends with its first recipient.
    assert_eq!(numbers.len(), 3, "{numbers:?}");
    assert!(case.signs_on_a_copy().values().all(|signs| *signs == ["Corrupt"]));
}

#[test]
fn random_bytes_in_every_file_do_no_harm() {
    let mut random = Random::new(1);
    for _ in 0..40 {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for number in 1..30_u64 {
            let part = number % 3;
            for folder in ["mess", "info", "local", "remote"] {
                if random.next(3) > 0 {
                    files.push((format!("{folder}/{part}/{number}"), random.bytes(200)));
                }
            }
            for folder in ["todo", "intd", "bounce", "pid"] {
                if random.next(8) == 0 {
                    files.push((format!("{folder}/{number}"), random.bytes(100)));
                }
            }
        }
        let borrowed: Vec<(&str, &[u8])> =
            files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
        let case = of(&borrowed);
        assert_eq!(case.records.len(), files.len(), "one record a file, whatever is in it");
        let places: std::collections::BTreeSet<_> =
            case.messages().map(|message| message.place.path.lossy().into_owned()).collect();
        assert_eq!(places.len(), case.messages().count());
    }
}

#[test]
fn numbers_and_folders_of_any_size_are_survived() {
    let huge = u64::MAX.to_string();
    let case = of(&[
        (&format!("mess/0/{huge}"), MAIL),
        (&format!("mess/{huge}/7"), MAIL),
        ("mess/99999999999999999999999/8", MAIL),
        ("mess/4294967296/9", MAIL),
    ]);
    assert_eq!(case.messages().count(), 4);
    assert_eq!(
        names_on_a_copy(case.message(&format!("mess/0/{huge}"))),
        ["Unfinished"],
        "{huge} is a multiple of 3"
    );
    assert!(
        case.signs_on_a_copy().values().filter(|signs| signs.contains(&"Misfiled".to_owned())).count() == 3
    );
}

#[test]
fn an_empty_queue_and_one_without_numbered_folders_can_be_read() {
    assert_eq!(of(&[]).records.len(), 0);
    let folder = TempDir::new().unwrap();
    for name in ["mess", "info", "todo"] {
        std::fs::create_dir_all(folder.path().join("queue").join(name)).unwrap();
    }
    std::fs::write(folder.path().join("queue/mess/3"), MAIL).unwrap();
    let case = again(folder);
    assert!(case.opened.instance.facts.iter().any(|fact| fact.text.contains("cannot be told")));
    assert_eq!(
        names_on_a_copy(case.message("mess/3")),
        ["Unfinished"],
        "nothing is called misfiled on a guess"
    );
}

#[cfg(unix)]
#[test]
fn links_are_named_and_not_followed() {
    let case = of(&[("mess/0/3", MAIL), ("remote/0/3", b"Tone@x\0")]);
    let queue = case.folder.path().join(QUEUE);
    std::os::unix::fs::symlink("/etc/passwd", queue.join("mess/1/4")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", queue.join("info/0/3")).unwrap();
    let case = again(case.folder);
    let damages = case.damages().len();
    assert_eq!(damages, 2);
    assert_eq!(names_on_a_copy(case.message("mess/0/3")), ["EnvelopeLost"], "a link is no sender");
}
