//! Whose table it is.

use super::*;

const STORE: &str = "SMTP (GW-{8C5E9C62-10F4-4E0B-A0C5-3D8F52B0C7A1})";
const EXPORTED: &str = "folder-export/SMTP (GW_{8C5E9C62_10F4_4E0B_A0C5_3D8F52B0C7A1})/TempTable#1";

#[test]
fn an_exported_folder_is_one_table_named_after_its_store_and_folder() {
    let seen = scan(&fixture(EXPORTED));
    assert_eq!(
        seen.instance.label,
        format!("{STORE} TempTable#1"),
        "the folder's name tells which of two stores"
    );
    assert_eq!(seen.instance.queues, ["TempTable#1"]);
    assert!(seen.damages.is_empty(), "{:?}", seen.damages);
    assert!(seen.says("the folder held 2 messages"));
    assert_eq!(seen.messages.len(), 2, "{:?}", seen.subjects());
    assert!(seen.messages.iter().all(|message| message.queue == "TempTable#1"));
}

#[test]
fn a_message_file_says_more_than_its_row_and_stands_for_it() {
    let seen = scan(&fixture(EXPORTED));
    let full = seen.messages.iter().find(|m| subject(m) == "Quarterly figures & plan").unwrap();
    assert_eq!(text(full.ids.message_id.as_ref()), Some("<A1B2C3D4E5F6@mail.contoso.example>"));
    assert_eq!(text(full.envelope.sender.as_ref()), Some("alice@contoso.example"));
    assert_eq!(text(full.header("From")), Some("Alice Example <alice@contoso.example>"));
    assert_eq!(recipients(full), ["bob@fabrikam.example"]);
    assert!(full.place.path.lossy().starts_with("Quarterly figures _ plan_"), "{:?}", full.place);
    let row = seen.messages.iter().find(|m| subject(m) == "Re: café order").unwrap();
    assert_eq!(row.place, crate::evidence::Locus::row("CONTENTS_TABLE.xml", 2));
}

#[test]
fn labels_alone_hold_no_messages() {
    for (label, name) in [
        (format!("{EXPORTED}/FOLDER_PROPS.xml"), "TempTable#1"),
        ("kb950757/MAILBOX_TABLE.xml".to_owned(), STORE),
        (format!("{EXPORTED}/ASSOCIATED_CONTENTS_TABLE.xml"), ""),
    ] {
        let seen = scan(&fixture(&label));
        assert!(seen.messages.is_empty() && seen.damages.is_empty() && seen.passed == 1, "{label}");
        assert!(seen.instance.label.contains(name), "{label}: {}", seen.instance.label);
        assert!(offer(&fixture(&label), false, false).is_none(), "{label} is left to the export beside it");
    }
}

#[test]
fn fewer_rows_than_the_folder_held_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &str, to: &str| std::fs::copy(fixture(from), folder.path().join(to)).unwrap();
    copy("kb950757/temptable-1/FOLDER_PROPS.xml", "FOLDER_PROPS.xml");
    copy("eras/export-table_2026-06-15_onward.txt", "table.txt");
    let seen = scan(&folder.path().join("table.txt"));
    let [damage] = seen.damages.as_slice() else { panic!("{:?}", seen.damages) };
    assert_eq!(damage.kind, DamageKind::Truncated);
    assert!(damage.what.contains("states 13 messages, the export holds 2"), "{}", damage.what);
    assert_eq!(seen.messages.len(), 2);
}

#[test]
fn a_name_on_disk_is_a_guess_and_called_one() {
    let (_folder, path) = written("TempTable#3.csv", "Subject,EntryId\na,AABBCCDDEEFF0011\n");
    let seen = scan(&path);
    assert_eq!(seen.instance.queues, ["TempTable#3"]);
    assert!(seen.says("(a guess)"));
}

/// A store as `Export store contents` writes it: a folder for each folder, under the name that its label gives.
fn exported_store(folders: &[(&str, &str)]) -> tempfile::TempDir {
    let store = tempfile::tempdir().unwrap();
    for (path, name) in folders {
        let folder = store.path().join(path);
        std::fs::create_dir_all(&folder).unwrap();
        let label = format!(
            "<folderprops>\n<properties listtype=\"summary\">\n\t<property tag = \"0x3001001F\" type = \"PT_UNICODE\" >\n\
             \t\t<Value><![CDATA[{name}]]></Value>\n\t</property>\n</properties>\n</folderprops>\n"
        );
        std::fs::write(folder.join("FOLDER_PROPS.xml"), label).unwrap();
        std::fs::copy(fixture(EXPORTED).join("CONTENTS_TABLE.xml"), folder.join("CONTENTS_TABLE.xml"))
            .unwrap();
    }
    store
}

#[test]
fn of_a_whole_store_only_the_queues_are_read() {
    let store = exported_store(&[
        ("", "Root"),
        ("TempTable#1", "TempTable#1"),
        ("b", "TempTable#2"),
        ("b/c", "Inbox"),
    ]);
    let found = offer(store.path(), false, false).expect("one of its folders is called TempTable#1");
    assert_eq!(found.variant, "mfcmapi-folder");
    let opened = TempTable.open(&found, &Options::default()).unwrap();
    assert_eq!(opened.instance.queues, ["TempTable#1", "TempTable#2"]);
    let mut queues = Vec::new();
    for path in files(&opened.root, &opened.tops) {
        (opened.read)(
            Unit { root: &opened.root, path: &path, kind: EntryKind::Regular, lean: false },
            &mut |record| {
                if let Record::Message(message) = record {
                    queues.push(format!("{} {}", message.queue, message.place.path.lossy()));
                }
                ControlFlow::Continue(())
            },
        );
    }
    let wanted = ["TempTable#1 TempTable#1/CONTENTS_TABLE.xml", "TempTable#2 b/CONTENTS_TABLE.xml"];
    assert_eq!(queues, [wanted[0], wanted[0], wanted[1], wanted[1]]);
}

#[test]
fn an_inbox_is_a_queue_only_for_a_user_who_says_so() {
    let inbox = exported_store(&[("", "Inbox")]);
    assert!(offer(inbox.path(), false, false).is_none());
    assert!(offer(&inbox.path().join("CONTENTS_TABLE.xml"), false, false).is_none());
    assert_eq!(scan(inbox.path()).messages.len(), 2);
    assert_eq!(scan(&inbox.path().join("CONTENTS_TABLE.xml")).messages.len(), 2);
}
