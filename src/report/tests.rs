//! What users see of the reports.

use super::samples::{
    CLOCK, bare_finding, finding, full_finding, full_summary, hostile, instance, listing, summary,
};
use super::{ALL, FINDING_SCHEMA, REPORT_SCHEMA, ReportOptions, escape, make, show, verdict};
use crate::evidence::{Text, format_duration};
use crate::findings::{Class, Counts, Finding, Summary, Visibility};
use jsonschema::{Registry, Resource, Validator};
use serde_json::Value;

const ATTACKS: &[&[u8]] = &[
    b"\x1b]0;owned\x07\x1b[2J",
    "abc\u{202e}gpj.exe\u{2066}".as_bytes(),
    b"nul\0nul",
    b"caf\xe9 \xff\xfe",
    b"=cmd|'/C calc'!A0",
    b"a\r\nBcc: victim@example.org",
    "\u{9b}31mC1\u{85}next".as_bytes(),
    "zero\u{200b}width\u{feff} tag\u{e0041} \u{2028}\u{fdd0}\u{1ffff}".as_bytes(),
    b"ghost;=1+1;\"@SUM(A1)",
];

fn wide() -> ReportOptions {
    ReportOptions { width: Some(100_000), ..ReportOptions::default() }
}

fn print(format: &str, options: &ReportOptions, summary: &Summary, findings: &[Finding]) -> String {
    let mut report = make(format, options).unwrap();
    let mut out = Vec::new();
    report.begin(summary, &mut out).unwrap();
    for finding in findings {
        report.finding(finding, summary, &mut out).unwrap();
    }
    report.end(summary, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn page(finding: &Finding, summary: &Summary) -> String {
    let mut out = Vec::new();
    show(finding, summary, &wide(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn table(summary: &Summary, findings: &[Finding]) -> String {
    let options = ReportOptions { width: Some(100), ..ReportOptions::default() };
    print("table", &options, summary, findings)
}

fn assert_tame(output: &str) {
    if let Some(harm) = output.chars().find(|c| *c != '\n' && escape::is_unfit(*c)) {
        panic!("{harm:?} reached the terminal in {output:?}");
    }
}

mod verdicts {
    use super::{
        Class, Counts, bare_finding, finding, format_duration, instance, listing, summary, table, verdict,
    };

    #[test]
    fn the_first_line_says_what_the_listing_shows_and_what_the_disk_holds() {
        assert_eq!(
            table(&summary(), &[]).lines().next().unwrap(),
            "postqueue -j shows 412 messages, the disk holds 449 in /var/spool/postfix: 37 are invisible, the oldest 9d 4h"
        );
    }

    #[test]
    fn without_a_listing_it_says_so_and_claims_no_more_than_the_kind_of_message_shows() {
        let mut summary = summary();
        summary.listings.clear();
        summary.counts = Counts { ghosts: 5, hidden: 3, oldest_hidden: Some(90), ..Counts::default() };
        assert_eq!(
            verdict(&summary),
            ["the disk holds 449 messages in /var/spool/postfix; no listing was held against it, \
              3 are of a kind that the listing never shows, the oldest 1m 30s; 2 more may be invisible"]
        );
    }

    #[test]
    fn a_healthy_spool_is_called_healthy_only_where_a_listing_was_held_against_it() {
        let mut summary = summary();
        summary.counts = Counts::default();
        summary.messages = vec![412];
        assert_eq!(
            verdict(&summary),
            ["postqueue -j shows 412 messages, the disk holds 412 in /var/spool/postfix: \
              nothing is hidden and nothing is stuck"]
        );
        summary.listings.clear();
        assert_eq!(
            verdict(&summary),
            ["the disk holds 412 messages in /var/spool/postfix; no listing was held against it, \
              without one it cannot be told whether any is hidden"]
        );
    }

    #[test]
    fn a_blocker_and_one_ghost_read_as_a_sentence() {
        let mut summary = summary();
        summary.counts =
            Counts { blockers: 1, ghosts: 1, stuck: 2, notes: 1, hidden: 1, oldest_hidden: None };
        assert!(verdict(&summary)[0].ends_with(
            ": 1 is invisible, of unknown age; 1 file stops every delivery; 2 are stuck; 1 is worth knowing of"
        ));
    }

    #[test]
    fn several_spools_get_a_line_each_and_one_for_all() {
        let mut summary = summary();
        summary.instances.push(instance("/var/spool/postfix-out"));
        summary.messages.push(1);
        summary.listings.push(listing(1, 1));
        assert_eq!(
            verdict(&summary),
            [
                "postqueue -j shows 412 messages, the disk holds 449 in /var/spool/postfix",
                "postqueue -j shows 1 message, the disk holds 1 in /var/spool/postfix-out",
                "in all: 37 are invisible, the oldest 9d 4h",
            ]
        );
    }

    #[test]
    fn what_could_not_be_read_and_a_cut_listing_are_in_the_verdict() {
        let mut summary = summary();
        summary.damage_count = 1;
        summary.listings[0].cut = Some("it ends in the middle of a line".to_owned());
        let lines = verdict(&summary);
        assert!(lines[0].starts_with(
            "postqueue -j shows 412 messages (not all: it ends in the middle of a line), the disk"
        ));
        assert_eq!(lines[1], "this is not the whole truth: 1 file or entry could not be read");
    }

    #[test]
    fn the_table_names_each_message_and_why() {
        let mut blocker = bare_finding();
        blocker.class = Class::Blocker;
        let text = table(&summary(), &[blocker, finding()]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[2..7],
            [
                "CLASS    RULE                     AGE     SIZE  ID                SENDER → RECIPIENTS",
                "blocker  wrong-owner-or-mode  unknown  unknown  postfix:00000000  ? → ?",
                "    certain: the queue manager skips it, since its mode is not 0700 (corrupt/9DEF)",
                "ghost    wrong-owner-or-mode    9d 4h  1.2 KiB  7ABC              alice@example… → carol@example… +1",
                "    certain: the queue manager skips it, since its mode is not 0700 (deferred/7/7ABC)",
            ]
        );
        assert_eq!(format_duration(9 * 86_400 + 4 * 3_600), "9d 4h");
    }
}

mod tables {
    use super::{ReportOptions, bare_finding, finding, full_summary, print, summary, table};

    #[test]
    fn the_end_says_what_to_know_what_was_not_judged_what_to_type_and_what_not() {
        let text = table(&full_summary(), &[finding()]);
        let end = text.split_once("\nworth knowing:\n").unwrap().1;
        assert_eq!(
            end,
            "  name-inode-mismatch: 197 of 449 messages in /var/spool/postfix: the file name does not encode the inode of the file: the spool was copied

not judged:
  stale-stamp, unindexed: no epoch was given

could not be read (12):
  deferred/B/B\\x1b[2J: permission denied (run as root, or copy the spool with `cp -a`)
  … and 11 more: `ghostq scan --format json` lists up to 1000

about this scan:
  access times could not be kept

what next:
  ghostq show 7ABC /var/spool/postfix
  ghostq explain wrong-owner-or-mode

WARNING: before anything else, know what would destroy this mail:
  - `postsuper -r ALL` deletes a damaged file (wrong-owner-or-mode)
"
        );
    }

    #[test]
    fn the_first_screen_is_forty_rows_unless_all_are_wanted() {
        let findings = vec![finding(); 1_000];
        let text = table(&summary(), &findings);
        assert_eq!(text.matches("  7ABC  ").count(), 40);
        assert!(text.contains("… and 960 more: `ghostq scan --format csv -o FILE`"));
        let all = ReportOptions { all: true, width: Some(100), ..ReportOptions::default() };
        let text = print("table", &all, &summary(), &findings);
        assert_eq!(text.matches("  7ABC  ").count(), 1_000);
        assert!(!text.contains("more:"));
    }

    #[test]
    fn later_pages_keep_the_columns_of_the_first() {
        let mut findings = vec![finding(); 40];
        findings.push(bare_finding());
        let all = ReportOptions { all: true, width: Some(100), ..ReportOptions::default() };
        let text = print("table", &all, &summary(), &findings);
        let rows = text.lines().filter(|line| line.starts_with("ghost "));
        let columns: Vec<_> = rows.filter_map(|line| line.find("7ABC").or(line.find("postfix:"))).collect();
        assert!(columns.len() == 41 && columns.iter().all(|at| *at == columns[0]), "{columns:?}");
    }

    #[test]
    fn no_line_of_a_row_is_wider_than_the_terminal() {
        let mut long = finding();
        long.opinions[0].why = "very ".repeat(10_000);
        long.message.envelope.sender = Some("a".repeat(1_000).as_str().into());
        for width in [80, 100, 132, 200] {
            let options = ReportOptions { width: Some(width), ..ReportOptions::default() };
            let text = print("table", &options, &summary(), &[long.clone()]);
            for line in text.lines().skip(1).take(4) {
                assert!(unicode_width::UnicodeWidthStr::width(line) <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn colour_comes_only_when_asked_for_and_says_nothing_that_words_do_not() {
        let options = ReportOptions { width: Some(100), colour: true, ..ReportOptions::default() };
        let coloured = print("table", &options, &summary(), &[finding()]);
        assert!(coloured.contains("\x1b[1m\x1b[31mWARNING"));
        let mut plain = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\x1b') {
            plain.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        plain.push_str(rest);
        assert_eq!(plain, table(&summary(), &[finding()]));
    }

    #[test]
    fn a_path_with_blanks_and_quotes_is_quoted_for_the_shell() {
        let mut summary = summary();
        summary.again = vec!["/mnt/it's; rm -rf/spool".to_owned()];
        let text = table(&summary, &[finding()]);
        assert!(text.contains(r"  ghostq show 7ABC '/mnt/it'\''s; rm -rf/spool'"), "{text}");
    }
}

mod pages {
    use super::{CLOCK, bare_finding, full_finding, full_summary, page, summary};
    use crate::report::samples::ARRIVED;

    #[test]
    fn a_page_shows_all_that_is_known() {
        let text = page(&full_finding(), &full_summary());
        let expected = [
            "postfix:7c9f2ab1: ghost, wrong-owner-or-mode (certain)",
            "  place           deferred/7/7ABC",
            "  size            1.2 KiB (1234 bytes)",
            "  whole           deferred/7/7ABC, bytes 0 to 1233",
            "                  inode 131074, device 2049, mode 0600, owner 89, group 89, links 1, 1234 bytes",
            "  sender          alice@example.org",
            "    done          bob@example.com",
            "    pending       carol@example.net: 451 4.7.1 try again later",
            "  Subject         Quarterly figures",
            "  age             9d 4h",
            "  stamp           0x01 (time 2026-11-15T02:00:00Z)",
            "    the mode is 0600 [deferred/7/7ABC, metadata]",
            "  listed in       postqueue.json, line 7",
            "  reason there    connection timed out",
            "  /var/spool/postfix, queue maildrop, maildrop/5EE, stream user.copy (same Message-ID, likely)",
            "  stale-stamp: no epoch was given",
            "  wrong-owner-or-mode: it stays where it is",
            "  chmod 0700 deferred/7/7ABC",
            "      let the queue manager see it",
            "WARNING: what would destroy it",
            "  `postsuper -r ALL` deletes a damaged file",
            "  postfix src/global/mail_open_ok.c",
        ];
        let mut lines = text.lines();
        for line in expected {
            assert!(lines.any(|found| found == line), "`{line}` is missing, or not in its place, in\n{text}");
        }
        assert!(text.contains(&format!("  arrival         {} (read from: 1794707999 0)", ARRIVED.local())));
        assert!(text.contains(&format!("  judged at       {}", CLOCK.local())));
    }

    #[test]
    fn what_is_unknown_is_said_with_the_reason() {
        let mut summary = summary();
        summary.listings.clear();
        let text = page(&bare_finding(), &summary);
        for line in [
            "  sender          unknown (no envelope sender was found in it)",
            "  recipients      unknown (no envelope recipient was found in it)",
            "  size            unknown (its source does not state a size)",
            "  age             unknown (no time in the evidence says when it came in)",
            "  unknown whether it is shown (no listing was given)",
        ] {
            assert!(text.lines().any(|found| found == line), "`{line}` is missing in\n{text}");
        }
    }
}

mod hostile_text {
    use super::{ATTACKS, Text, assert_tame, escape, hostile, page, print, summary, table, wide};

    #[test]
    fn nothing_in_a_message_reaches_the_terminal_as_more_than_text() {
        for attack in ATTACKS {
            for format in ["table", "json", "jsonl"] {
                assert_tame(&print(format, &wide(), &summary(), &[hostile(attack)]));
            }
            assert_tame(&page(&hostile(attack), &summary()));
            let csv = print("csv", &wide(), &summary(), &[hostile(attack)]);
            assert_tame(&csv.replace("\r\n", "\n"));
        }
    }

    #[test]
    fn what_was_there_can_still_be_seen() {
        assert_eq!(escape::for_terminal("\x1b[2J a\r\nb\tc\0"), r"\x1b[2J a\r\nb\tc\x00");
        assert_eq!(escape::for_terminal("\u{202e}\u{85}\u{e0041}"), r"\u{202e}\u{85}\u{e0041}");
        assert_eq!(escape::for_terminal(&Text::new(b"caf\xe9")), r"caf\xe9");
        assert_eq!(escape::for_terminal("Grüße, שלום, 日本語, नमस्ते"), "Grüße, שלום, 日本語, नमस्ते");
        assert!(page(&hostile(b"\x1b[2J"), &summary()).contains(r"  Subject         \x1b[2J"));
    }

    #[test]
    fn every_character_there_is_leaves_tables_and_pages_tame() {
        let all: Vec<char> = (0..=0x10_FFFF).filter_map(char::from_u32).collect();
        for character in &all {
            assert_tame(&escape::for_terminal(character.encode_utf8(&mut [0; 4]) as &str));
        }
        for some in all.chunks(1_000) {
            let subject: String = some.iter().collect();
            let finding = hostile(subject.as_bytes());
            let (table, page) =
                (table(&summary(), std::slice::from_ref(&finding)), page(&finding, &summary()));
            for output in [table, page] {
                assert!(output.bytes().all(|byte| byte >= b' ' || byte == b'\n'));
                assert_tame(&output);
            }
        }
    }

    #[test]
    fn marks_cannot_be_piled_up() {
        let tower = format!("e{}", "\u{301}".repeat(20));
        assert_eq!(escape::for_terminal(&tower).matches('\u{301}').count(), 4);
    }

    #[test]
    fn clipping_counts_columns_and_never_cuts_an_escape_in_two() {
        assert_eq!(escape::clip("abcdef", 6), "abcdef");
        assert_eq!(escape::clip("abcdefg", 6), "abcde…");
        assert_eq!(escape::clip("日本語", 5), "日本…");
        assert_eq!(escape::clip("日本語", 4), "日…");
        assert_eq!(escape::clip("abc\x1b[2J", 6), "abc…");
        assert_eq!(escape::clip("abc", 0), "");
    }

    #[test]
    fn a_subject_of_a_megabyte_stays_out_of_the_way() {
        let subject = "x".repeat(1 << 20);
        assert!(table(&summary(), &[hostile(subject.as_bytes())]).len() < 2_000);
        assert!(page(&hostile(subject.as_bytes()), &summary()).len() < 20_000);
    }
}

mod csv_format {
    use super::{ATTACKS, ReportOptions, Text, bare_finding, finding, hostile, print, summary};

    fn rows(text: &str) -> Vec<Vec<Vec<u8>>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let row = |row: Result<csv::ByteRecord, _>| row.unwrap().iter().map(<[u8]>::to_vec).collect();
        reader.byte_records().map(row).collect()
    }

    fn choose(fields: &[&str]) -> ReportOptions {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        ReportOptions { fields: Some(fields), ..ReportOptions::default() }
    }

    #[test]
    fn a_finding_is_a_row_under_the_documented_header() {
        let text = print("csv", &ReportOptions::default(), &summary(), &[finding()]);
        assert_eq!(
            text,
            "class,rule,rules,confidence,visibility,source,instance,queue,native_id,message_id,sender,recipients,\
             recipient_count,subject,size_bytes,arrived,age_seconds,next_attempt,place,locus,why,next,remedy,\
             finding_id,scan_id,host,as_of\r\n\
             ghost,wrong-owner-or-mode,wrong-owner-or-mode,certain,hidden,postfix,/var/spool/postfix,deferred,7ABC,\
             <1@example.org>,alice@example.org,carol@example.net,2,Quarterly figures,1234,2026-11-15T02:00:00Z,792000,\
             2026-11-24T06:10:00Z,deferred/7/7ABC,\"deferred/7/7ABC, metadata\",\
             \"the queue manager skips it, since its mode is not 0700\",it stays where it is,\
             chmod 0700 deferred/7/7ABC,postfix:7c9f2ab1,20261124T060000Z-7f3a,mx1.example.org,2026-11-24T06:00:00Z\r\n"
        );
    }

    #[test]
    fn unknown_is_an_empty_cell_and_the_null_sender_is_not_unknown() {
        let mut null = finding();
        null.message.envelope.sender = Some(Text::default());
        let fields = choose(&["sender", "size_bytes", "age_seconds"]);
        let text = print("csv", &fields, &summary(), &[bare_finding(), null]);
        assert_eq!(text, "sender,size_bytes,age_seconds\r\n,,\r\n<>,1234,792000\r\n");
    }

    #[test]
    fn no_cell_is_a_formula_and_numbers_stay_numbers() {
        for formula in [
            "=1",
            "+1",
            "-1",
            "@A1",
            "\t=1",
            "\r=1",
            "  =1",
            "\"=1",
            "\u{ff1d}1",
            "\u{ff0b}1",
            "\u{ff0d}1",
            "\u{ff20}1",
        ] {
            let cell = super::escape::for_csv_cell(formula);
            assert!(cell.starts_with('\''), "{formula:?} became {cell:?}");
        }
        assert_eq!(super::escape::for_csv_cell("a;=1; +2"), "a;'=1;' +2");
        assert_eq!(super::escape::for_csv_cell("5-3=2, alice@example.org"), "5-3=2, alice@example.org");
        let text = print("csv", &choose(&["subject"]), &summary(), &[hostile(b"=cmd|'/C calc'!A0")]);
        assert_eq!(text, "subject\r\n'=cmd|'/C calc'!A0\r\n");
    }

    #[test]
    fn rows_parse_back_whatever_the_mail_holds() {
        for attack in ATTACKS {
            let text = print("csv", &ReportOptions::default(), &summary(), &[hostile(attack)]);
            let rows = rows(&text);
            assert_eq!(rows.len(), 2);
            assert!(rows.iter().all(|row| row.len() == super::super::CSV_COLUMNS.len()));
        }
    }

    #[test]
    fn raw_cells_hold_the_bytes_as_found() {
        for attack in ATTACKS {
            let options = ReportOptions { csv_raw: true, ..choose(&["class", "subject"]) };
            let mut out = Vec::new();
            let mut report = super::make("csv", &options).unwrap();
            report.begin(&summary(), &mut out).unwrap();
            report.finding(&hostile(attack), &summary(), &mut out).unwrap();
            let mut reader = csv::Reader::from_reader(out.as_slice());
            let row = reader.byte_records().next().unwrap().unwrap();
            assert_eq!(row.get(1).unwrap(), *attack);
        }
    }

    #[test]
    fn a_column_that_there_is_not_is_refused_with_the_list() {
        let error = super::make("csv", &choose(&["class", "colour"])).err().unwrap().to_string();
        assert!(error.starts_with("there is no field `colour`; choose from class,rule,rules,"), "{error}");
        let error = super::make("xml", &ReportOptions::default()).err().unwrap().to_string();
        assert_eq!(error, "there is no format `xml`; choose from table, json, jsonl, csv");
    }
}

mod json_formats {
    use super::{
        ALL, ATTACKS, FINDING_SCHEMA, REPORT_SCHEMA, Registry, ReportOptions, Resource, Validator, Value,
        Visibility, bare_finding, finding, full_finding, full_summary, hostile, print, summary,
    };

    fn schema(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn validate(schema_text: &str, document: &Value) {
        let errors = errors(schema_text, document);
        assert!(errors.is_empty(), "{errors:#?}");
    }

    fn errors(schema_text: &str, document: &Value) -> Vec<String> {
        let resource = Resource::from_contents(schema(FINDING_SCHEMA));
        let registry = Registry::new().add("urn:ghostq:finding:1", resource).unwrap().prepare().unwrap();
        let validator: Validator =
            jsonschema::options().with_registry(&registry).build(&schema(schema_text)).unwrap();
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    fn line(finding: &super::Finding, summary: &super::Summary) -> Value {
        serde_json::from_str(&print(
            "jsonl",
            &ReportOptions::default(),
            summary,
            std::slice::from_ref(finding),
        ))
        .unwrap()
    }

    #[test]
    fn schemas_are_schemas() {
        for text in [FINDING_SCHEMA, REPORT_SCHEMA] {
            jsonschema::meta::validate(&schema(text)).unwrap();
        }
    }

    #[test]
    fn every_line_and_document_follows_its_schema() {
        let mut findings = vec![finding(), bare_finding(), full_finding()];
        findings.extend(ATTACKS.iter().map(|attack| hostile(attack)));
        for finding in &findings {
            validate(FINDING_SCHEMA, &line(finding, &summary()));
        }
        for summary in [summary(), full_summary()] {
            let document = print("json", &ReportOptions::default(), &summary, &findings);
            validate(REPORT_SCHEMA, &serde_json::from_str(&document).unwrap());
            let document = print("json", &ReportOptions::default(), &summary, &[]);
            validate(REPORT_SCHEMA, &serde_json::from_str(&document).unwrap());
        }
    }

    #[test]
    fn schemas_refuse_what_is_no_finding() {
        for (member, value) in
            [("class", "awful".into()), ("message", Value::Null), ("schema", "ghostq.finding/2".into())]
        {
            let mut record = line(&finding(), &summary());
            record[member] = value;
            assert!(!errors(FINDING_SCHEMA, &record).is_empty(), "{member}");
            record.as_object_mut().unwrap().remove(member);
            assert!(!errors(FINDING_SCHEMA, &record).is_empty(), "{member}");
            let text = print("json", &ReportOptions::default(), &summary(), &[]);
            let mut document: Value = serde_json::from_str(&text).unwrap();
            document["findings"] = serde_json::json!([record]);
            assert!(!errors(REPORT_SCHEMA, &document).is_empty(), "{member}");
        }
    }

    #[test]
    fn schemas_describe_every_member_that_is_written() {
        let known = schema(FINDING_SCHEMA);
        for (name, value) in line(&full_finding(), &summary()).as_object().unwrap() {
            assert!(known["properties"].get(name).is_some(), "`{name}` is not in the schema");
            if name == "message" {
                for name in value.as_object().unwrap().keys() {
                    assert!(known["$defs"]["message"]["properties"].get(name).is_some(), "message.{name}");
                }
            }
        }
        let document: Value =
            serde_json::from_str(&print("json", &ReportOptions::default(), &full_summary(), &[])).unwrap();
        let known = schema(REPORT_SCHEMA);
        let (written, described) = (document.as_object().unwrap(), known["properties"].as_object().unwrap());
        assert!(
            written.keys().eq(described.keys()),
            "the document and its schema differ in members or order"
        );
    }

    #[test]
    fn unknown_is_null_with_a_reason_and_never_zero() {
        let mut unlisted = summary();
        unlisted.listings.clear();
        let record = line(&bare_finding(), &unlisted);
        assert_eq!(record["visibility"], "unknown");
        assert_eq!(record["unknown"]["visibility"], "no listing was given");
        for name in ["sender", "arrived", "age_seconds", "size", "subject", "recipient_count", "stamp"] {
            assert!(record["message"][name].is_null(), "{name}");
            assert!(record["message"]["unknown"][name].is_string(), "{name}");
        }
        assert!(line(&finding(), &unlisted)["message"]["unknown"]["sender"].is_null());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_kept_beside_the_text() {
        let record = line(&hostile(b"caf\xe9"), &summary());
        assert_eq!(record["message"]["subject"], r"caf\xe9");
        assert_eq!(record["message"]["subject_b64"], "Y2Fm6Q==");
        assert_eq!(record["message"]["place"]["path_b64"], "Y2Fm6Q==");
        assert!(line(&finding(), &summary())["message"].get("subject_b64").is_none());
    }

    #[test]
    fn what_is_escaped_for_the_terminal_parses_back_unchanged() {
        for attack in ATTACKS {
            if let Ok(text) = std::str::from_utf8(attack) {
                assert_eq!(line(&hostile(attack), &summary())["message"]["subject"], text);
            }
        }
    }

    #[test]
    fn values_are_those_of_the_message() {
        let record = line(&full_finding(), &summary());
        let message = &record["message"];
        assert_eq!(record["rule"], "wrong-owner-or-mode");
        assert_eq!(record["source"], "postfix");
        assert_eq!(message["arrived"], "2026-11-15T02:00:00Z");
        assert_eq!(message["age_seconds"], 792_000);
        assert_eq!(message["parts"][0]["stat"]["mode"], "0600");
        assert_eq!(message["parts"][0]["locus"]["bytes"], serde_json::json!([0, 1234]));
        assert_eq!(message["recipients"][1]["reason"], "451 4.7.1 try again later");
        assert_eq!(record["opinions"][0]["facts"][0]["locus"]["metadata"], true);
        assert_eq!(record["sightings"][0]["place"]["stream"], "user.copy");
        assert_eq!(record["destroyers"][0]["text"], "`postsuper -r ALL` deletes a damaged file");
        assert!(record["remedies"][1]["command"].is_null());
    }

    #[test]
    fn fields_choose_members_and_their_order() {
        let fields = ["rule", "id"].map(str::to_owned).to_vec();
        let options = ReportOptions { fields: Some(fields), ..ReportOptions::default() };
        assert_eq!(
            print("jsonl", &options, &summary(), &[finding()]),
            "{\"rule\":\"wrong-owner-or-mode\",\"id\":\"postfix:7c9f2ab1\"}\n"
        );
        let document: Value =
            serde_json::from_str(&print("json", &options, &summary(), &[finding()])).unwrap();
        assert_eq!(document["findings"][0].as_object().unwrap().len(), 2);
        assert!(super::make("table", &options).is_err());
    }

    #[test]
    fn the_members_that_can_be_chosen_are_those_that_are_written() {
        let mut finding = finding();
        finding.visibility = Visibility::Listed;
        let record = line(&finding, &summary());
        assert!(record.as_object().unwrap().keys().eq(super::super::FINDING_MEMBERS));
        assert!(ALL.iter().all(|format| !format.about.is_empty()));
    }
}
