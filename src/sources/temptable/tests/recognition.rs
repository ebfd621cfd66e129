//! What is taken for an export, and what is left to others.

use super::*;

#[test]
fn exports_of_mapi_are_recognised_wherever_they_lie() {
    for (file, variant) in [
        ("eras/export-table_2007-08_to_2011-01.txt", "mfcmapi-text"),
        ("eras/export-table_2020-10-22_to_2026-06-15.txt", "mfcmapi-table"),
        ("others/props.xml", "mfcmapi-property-pane"),
        ("others/mrmapi-list.csv", "mrmapi-list"),
        ("tables/comma.csv", "csv"),
        ("tables/tab-utf-16.txt", "tsv"),
        ("tables/lines.jsonl", "json-lines"),
        ("kb950757/temptable-2/table.csv", "csv"),
        ("kb950757/temptable-2", "mfcmapi-folder"),
    ] {
        let detected = offer(&fixture(file), false, false).unwrap_or_else(|| panic!("{file}"));
        assert_eq!(detected.variant, variant, "{file}");
    }
}

#[test]
fn a_subject_alone_makes_an_export_only_of_a_file_that_was_named() {
    let (_folder, path) = written("campaign.csv", "Subject,Opened,Clicked\nSale!,12,3\n");
    assert!(offer(&path, false, false).is_none());
    assert!(offer(&path, true, false).is_some());
}

#[test]
fn listings_are_left_to_the_mail_systems_and_everything_else_alone() {
    let listings = [
        "#TYPE X\n\"Identity\",\"Queue\",\"Status\",\"InternetMessageId\",\"Subject\"\n",
        "From Address\tStatus\tSize (KB)\tSCL\tQueue ID\tMessage Source Name\tSubject\tLast Error\n",
        "{\"queue_name\":\"deferred\",\"queue_id\":\"4FX\",\"sender\":\"a@b\",\"recipients\":[]}\n",
    ];
    let others = [
        "<html><body><table>\n<tr><td>row index</td></tr></table>",
        "<message>\n<from>a</from>\n</message>",
        "#Software: Microsoft Exchange Server\n#Version: 14.0.0.0\n",
        "Received: from x\nSubject: a, b\n\nbody\n",
        "name,age\nalice,3\n",
        "",
        "\0\0\0\0",
    ];
    for content in listings.into_iter().chain(others) {
        let (_folder, path) = written("file", content);
        assert!(offer(&path, true, false).is_none(), "{content}");
        let error = open_error(&path, &Options::default());
        assert!(error.contains("is no export of a TempTable: "), "{content}: {error}");
        assert_eq!(error.contains("--listing"), listings.contains(&content), "{content}: {error}");
    }
    for listing in ["listing-system-manager.txt", "listing-get-message.csv"] {
        assert!(offer(&fixture("kb950757").join(listing), true, false).is_none(), "{listing}");
    }
}

#[test]
fn an_outlook_message_is_told_from_an_export() {
    let (_folder, path) = written("a.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0");
    assert!(open_error(&path, &Options::default()).contains("export it as XML"));
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed() {
    let (folder, path) = written("table.csv", "Subject,EntryId\na,AABBCCDD\n");
    let link = folder.path().join("link.csv");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(open_error(&link, &Options::default()).contains("never opened or followed"));
}
