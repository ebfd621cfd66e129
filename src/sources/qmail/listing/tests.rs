//! Listings of notqmail 1.09.

use super::*;

fn read(text: &str) -> (Vec<ListingEntry>, ListingEnd) {
    let mut entries = Vec::new();
    let end = parse(&mut text.as_bytes(), &mut |entry| entries.push(entry)).unwrap();
    (entries, end)
}

const QREAD_TEXT: &str = "24 Nov 2026 00:32:57 GMT  #11464212  829  <sender@lab.test> \n\
                          \tremote\tmulti7@grey.test\n  done\tremote\textra@dead.test\n\
                          24 Nov 2026 00:32:54 GMT  #11463661  503  <>  bouncing\n\
                          \tlocal\tlabuser@lab.test\n\
                          warning: trouble with #11463821: file does not exist\n";

#[test]
fn every_message_has_its_number_size_time_and_recipients() {
    let (entries, end) = read(QREAD_TEXT);
    assert_eq!(end, ListingEnd::default(), "a message in trouble is named, not listed");
    let [first, second] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!(first.native, Some(Text::from("11464212")));
    assert_eq!((first.size, first.line), (Some(829), 1));
    assert_eq!(first.arrived, Time::parse("2026-11-24T00:32:57Z"), "the times are GMT, whatever the zone");
    assert_eq!(first.recipients, [Text::from("multi7@grey.test"), Text::from("extra@dead.test")]);
    assert_eq!(second.sender, Some(Text::default()), "the null sender");
    assert_eq!(second.recipients, [Text::from("labuser@lab.test")]);
}

#[test]
fn numbers_alone_show_no_message() {
    let text = "messages in queue: 200\nmessages in queue but not yet preprocessed: 1\n";
    let (entries, end) = read(text);
    assert_eq!((entries.len(), end.declared), (0, Some(200)));
    assert!(end.cut.unwrap().contains("numbers, not messages"));
    let (entries, end) = read(&format!("## qmail-qread\n{QREAD_TEXT}## qmail-qstat\n{text}"));
    assert_eq!((entries.len(), end.declared, end.cut), (2, Some(200), None));
    let (_, end) = read(&format!("## qmail-qread\n## qmail-qstat\n{text}"));
    assert_eq!(end.cut, None, "an empty listing is a whole one");
}

#[test]
fn each_listing_is_known_by_its_first_line_that_says_something() {
    let name = |head: &str| {
        FORMATS.iter().find(|format| (format.looks_like)(head.as_bytes())).map(|format| format.name)
    };
    assert_eq!(name(QREAD_TEXT), Some(QREAD));
    assert_eq!(name("## qmail-qread\n## qmail-qstat\nmessages in queue: 0\n"), Some(QREAD));
    assert_eq!(name("warning: trouble with #7: permission denied\n"), Some(QREAD));
    assert_eq!(name("messages in queue: 0\n"), Some("qmail-qstat"));
    assert_eq!(name("-Queue ID-  --Size--"), None);
    assert_eq!(name("24 Nov 2026 00:32:57 something else"), None);
}

#[test]
fn a_tool_that_gives_up_has_not_listed_all() {
    let (_, end) = read(&format!("{QREAD_TEXT}fatal: unable to opendir info/7: permission denied\n"));
    assert!(end.cut.unwrap().contains("unable to opendir"));
}

#[test]
fn any_bytes_are_survived_and_lines_that_mean_nothing_are_counted() {
    let (entries, end) = read("\tremote\tnobody@x\n24 Nov 2026 GMT  #\nnonsense\n");
    assert_eq!((entries.len(), end.misread.len()), (0, 3));
    for cut in 0..QREAD_TEXT.len() {
        let (entries, _) = read(&QREAD_TEXT[..cut]);
        assert!(entries.len() <= 2);
    }
}
