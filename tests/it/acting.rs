//! `ghostq requeue`, `ndr`, `undo`, `resume` and `journal`: on spools that belong to nobody, through a `sendmail` that keeps what it
//! is given.

use crate::support::{Ran, command, finish, ghostq, is_root, left_out, metadata, restore, text};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A spool, a state folder, and a `sendmail` that keeps what it is given.
pub struct Desk {
    pub spool: tempfile::TempDir,
    pub own: tempfile::TempDir,
}

impl Desk {
    /// A spool as a real mail system left it.
    pub fn with(case: &str) -> Self {
        Self::on(restore(case))
    }

    /// A spool of nullmailer with so many messages under names that it passes over.
    pub fn of_ghosts(count: usize) -> Self {
        let spool = tempfile::tempdir().unwrap();
        for folder in ["queue", "tmp", "failed"] {
            fs::create_dir(spool.path().join(folder)).unwrap();
        }
        for number in 0..count {
            let message = format!(
                "a{number}@a.example\nb{number}@b.example\n\nFrom: a{number}@a.example\nMessage-ID: <{number}@a.example>\n\
                 Subject: number {number}\n\nbody {number}\n.\nend\n"
            );
            fs::write(
                spool.path().join(format!("queue/.{}.{}", 1_700_000_000 + number, 100 + number)),
                message,
            )
            .unwrap();
        }
        Self::on(spool)
    }

    pub fn on(spool: tempfile::TempDir) -> Self {
        let desk = Self { spool, own: tempfile::tempdir().unwrap() };
        fs::create_dir(desk.taken()).unwrap();
        desk.sendmail("exit 0");
        desk
    }

    /// What the `sendmail` does after it has taken the message: a line of shell.
    pub fn sendmail(&self, after: &str) {
        let taken = self.taken();
        let taken = taken.display();
        // Under its name it appears whole, as in any queue.
        let script = format!(
            "#!/bin/sh\nfile=$(mktemp {taken}/.new.XXXXXX)\n{{ echo \"$*\"; cat; }} >$file\n\
             mv $file {taken}/$(basename $file | cut -c6-)\n{after}\n"
        );
        self.script(&script);
    }

    /// A `sendmail` that takes nothing.
    fn refusing_sendmail(&self, code: i32) {
        self.script(&format!("#!/bin/sh\ncat >/dev/null\necho 'no such user' >&2\nexit {code}\n"));
    }

    fn script(&self, script: &str) {
        let path = self.own.path().join("sendmail");
        // A script that is being written cannot be run.
        // Written by another process: one that this process has open for writing cannot be run, nor while a child of another test
        // has inherited it.
        let text = self.own.path().join("sendmail.text");
        let new = self.own.path().join("sendmail.new");
        fs::write(&text, script).unwrap();
        let words = [&text, &new];
        assert!(std::process::Command::new("cp").args(words).status().unwrap().success());
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, path).unwrap();
    }

    fn taken(&self) -> PathBuf {
        self.own.path().join("taken")
    }

    pub fn state(&self) -> PathBuf {
        self.own.path().join("state")
    }

    /// What the `sendmail` was given: arguments and message.
    pub fn letters(&self) -> Vec<(String, String)> {
        let files = fs::read_dir(self.taken()).unwrap().map(|entry| entry.unwrap().path());
        let whole = files.filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
        let mut letters: Vec<(String, String)> = whole
            .map(|path| {
                let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
                let (arguments, message) = text.split_once('\n').unwrap();
                (arguments.to_owned(), message.to_owned())
            })
            .collect();
        letters.sort();
        letters
    }

    /// The words of a command that acts on this spool.
    pub fn words(&self, words: &str) -> Vec<String> {
        let mut all: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let sendmail = format!("sendmail:{}", self.own.path().join("sendmail").display());
        for (option, value) in [("--spool", self.spool.path().display().to_string()), ("--via", sendmail)] {
            if !words.contains(option) {
                all.extend([option.to_owned(), value]);
            }
        }
        all.extend(["--offline", "--quiet", "--settle", "0"].map(str::to_owned));
        all
    }

    pub fn act(&self, words: &str) -> Ran {
        finish(command().args(self.words(words)).env("GHOSTQ_STATE", self.state()))
    }

    pub fn journal(&self, words: &str) -> Ran {
        finish(command().args(words.split_whitespace()).env("GHOSTQ_STATE", self.state()))
    }
}

pub fn body_of(message: &str) -> &str {
    message.split_once("\n\n").unwrap().1
}

#[test]
fn a_plan_writes_nothing_anywhere() {
    let desk = Desk::with("postfix/corrupt");
    let before = metadata(desk.spool.path());
    let ran = desk.act("requeue");
    assert!(ran.out.contains("Nothing was changed. To do it:"), "{}\n{}", ran.out, ran.err);
    assert!(ran.out.contains("3A36DB0E025") && ran.out.contains("unfinished"), "{}", ran.out);
    assert_eq!(metadata(desk.spool.path()), before);
    assert!(!desk.state().exists(), "no journal, no vault");
    assert!(desk.letters().is_empty());
}

#[test]
fn what_is_handed_over_arrives_once_with_the_same_bytes_and_leaves_the_spool() {
    let desk = Desk::of_ghosts(3);
    let ran = desk.act("requeue --apply");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let letters = desk.letters();
    assert_eq!(letters.len(), 3);
    for (number, (arguments, message)) in letters.iter().enumerate() {
        assert_eq!(*arguments, format!("-i -f a{number}@a.example -- b{number}@b.example"));
        let (trace, original) = message.split_once("From: ").unwrap();
        assert!(
            trace.starts_with("Received: by ") && trace.contains("(ghostq, requeued from nullmailer)"),
            "{trace}"
        );
        assert!(original.starts_with(&format!("a{number}@a.example\nMessage-ID: <{number}@a.example>\n")));
        assert_eq!(body_of(message), format!("body {number}\n.\nend\n"));
    }
    assert_eq!(fs::read_dir(desk.spool.path().join("queue")).unwrap().count(), 0);
    let again = desk.act("requeue --apply");
    assert_eq!((again.code, desk.letters().len()), (0, 3), "{}", again.out);
}

#[test]
fn real_ghosts_of_postfix_go_to_those_who_do_not_have_them() {
    if !is_root() {
        return left_out("only root can lay out a spool with its owners");
    }
    let desk = Desk::with("postfix/corrupt");
    let plan = desk.act("requeue --format json").document();
    let jobs = plan["jobs"].as_array().unwrap();
    assert_eq!(jobs.len(), 6);
    assert!(plan["refused"].as_array().unwrap().iter().any(|r| r["rule"] == "unfinished"));
    let ran = desk.act("requeue --apply");
    assert_eq!(ran.code, 3, "what was refused makes it incomplete: {}", ran.out);
    let letters = desk.letters();
    assert_eq!(letters.len(), jobs.len());
    for job in jobs {
        let recipients: Vec<_> = job["recipients"].as_array().unwrap().iter().map(text).collect();
        let tail = format!("-f {} -- {}", text(&job["sender"]), recipients.join(" "));
        assert_eq!(letters.iter().filter(|(arguments, _)| arguments.ends_with(&tail)).count(), 1, "{tail}");
    }
}

#[test]
fn a_message_that_is_refused_at_the_door_is_put_back_as_it_was() {
    let desk = Desk::of_ghosts(2);
    let before = files(desk.spool.path());
    desk.refusing_sendmail(67);
    let ran = desk.act("requeue --apply");
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("not done") && ran.out.contains("no such user"), "{}", ran.out);
    assert_eq!(files(desk.spool.path()), before);
    assert!(desk.journal("undo --apply").out.contains("nothing was done"));
}

#[test]
fn what_was_handed_in_is_not_put_back() {
    let desk = Desk::of_ghosts(1);
    desk.act("requeue --apply");
    for words in ["undo", "undo --apply"] {
        let ran = desk.journal(words);
        assert_eq!(ran.code, 3);
        assert!(ran.out.contains("would send it a second time"), "{}", ran.out);
    }
    assert_eq!(fs::read_dir(desk.spool.path().join("queue")).unwrap().count(), 0);
}

#[test]
fn what_nobody_knows_is_never_sent_again_by_itself() {
    let desk = Desk::of_ghosts(1);
    let before = files(desk.spool.path());
    // It takes the message and dies before it can say so.
    desk.sendmail("kill -9 $$");
    let ran = desk.act("requeue --apply");
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("UNKNOWN") && ran.err.contains("--not-sent"), "{}{}", ran.out, ran.err);
    desk.sendmail("exit 0");
    for _ in 0..2 {
        let resumed = desk.journal("resume");
        assert!(resumed.out.contains("UNKNOWN"), "{}{}", resumed.out, resumed.err);
        desk.act("requeue --apply");
    }
    assert_eq!(desk.letters().len(), 1, "it went once");
    assert!(desk.journal("undo --apply").out.contains("nobody knows"), "nor is it put back");
    let operation = operation(&desk);
    let settled = desk.journal(&format!("resume {operation}.1 --not-sent"));
    assert!(settled.out.contains("not done"), "{}{}", settled.out, settled.err);
    assert_eq!(files(desk.spool.path()), before, "the operator said so");
}

#[test]
fn what_was_sent_after_all_is_closed_by_the_operator() {
    let desk = Desk::of_ghosts(1);
    desk.sendmail("kill -9 $$");
    desk.act("requeue --apply");
    let settled = desk.journal(&format!("resume {}.1 --sent", operation(&desk)));
    assert_eq!(settled.code, 0, "{}{}", settled.out, settled.err);
    assert!(desk.journal("resume").err.contains("nothing is left to do"));
}

#[test]
fn a_canary_goes_first_and_the_others_follow_when_it_is_asked_for() {
    let desk = Desk::of_ghosts(4);
    let ran = desk.act("requeue --apply --canary");
    assert_eq!((ran.code, desk.letters().len()), (3, 1));
    assert!(ran.err.contains("3 left") && ran.err.contains("ghostq resume"), "{}", ran.err);
    let resumed = desk.journal("resume");
    assert_eq!((resumed.code, desk.letters().len()), (0, 4), "{}{}", resumed.out, resumed.err);
}

#[test]
fn what_becomes_of_a_message_is_said_only_where_nobody_knows_it() {
    let desk = Desk::of_ghosts(3);
    desk.act("requeue --apply --canary");
    let operation = operation(&desk);
    for (job, word) in [(1, "--sent"), (2, "--sent"), (2, "--not-sent"), (9, "--sent")] {
        let ran = desk.journal(&format!("resume {operation}.{job} {word}"));
        assert_eq!(ran.code, 2, "{job} {word}: {}{}", ran.out, ran.err);
    }
    assert_eq!(desk.letters().len(), 1, "none was begun by that");
    assert_eq!(desk.journal(&format!("undo {operation}.9 --apply")).code, 2);
}

#[test]
fn an_operation_is_resumed_where_it_was_run() {
    let desk = Desk::of_ghosts(2);
    let own = desk.own.path();
    for (folder, spool) in
        [("here", desk.spool.path().to_owned()), ("there", Desk::of_ghosts(2).spool.keep())]
    {
        fs::create_dir(own.join(folder)).unwrap();
        std::os::unix::fs::symlink(spool, own.join(folder).join("link")).unwrap();
    }
    let words = desk.words("requeue --apply --canary --spool link/queue/..");
    let run = |folder: &str, words: &[String]| {
        finish(command().args(words).current_dir(own.join(folder)).env("GHOSTQ_STATE", desk.state()))
    };
    let ran = run("here", &words);
    assert_eq!(desk.letters().len(), 1, "{}{}", ran.out, ran.err);
    let resumed = run("there", &["resume".to_owned()]);
    assert_eq!((resumed.code, desk.letters().len()), (0, 2), "{}{}", resumed.out, resumed.err);
    assert_eq!(fs::read_dir(desk.spool.path().join("queue")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(own.join("there/link/queue")).unwrap().count(), 2, "not those of the same names");
    fs::remove_dir_all(own.join("there/link").canonicalize().unwrap()).unwrap();
}

#[test]
fn another_message_under_the_name_of_one_that_was_planned_is_not_sent() {
    let desk = Desk::of_ghosts(2);
    desk.act("requeue --apply --canary");
    let left = fs::read_dir(desk.spool.path().join("queue")).unwrap().next().unwrap().unwrap().path();
    fs::write(left, "x@x.example\ny@y.example\n\nFrom: x@x.example\nMessage-ID: <9@x.example>\n\nother\n")
        .unwrap();
    let resumed = desk.journal("resume");
    assert_eq!((resumed.code, desk.letters().len()), (3, 1), "{}{}", resumed.out, resumed.err);
    assert!(in_one_line(&resumed.out).contains("another message lies there by now"), "{}", resumed.out);
}

#[test]
fn a_filter_leaves_out_blockers_too() {
    let desk = Desk::with("sendmail/several-queues");
    assert!(desk.act("requeue").out.contains("Refused"), "one blocks a queue");
    let ran = desk.act("requeue --format json --sender nobody@nowhere.example").document();
    let none = serde_json::json!([]);
    assert_eq!((&ran["jobs"], &ran["refused"]), (&none, &none));
}

#[test]
fn recipients_that_are_given_are_those_of_one_message() {
    let desk = Desk::with("dma/ghosts");
    let given = "--to x@y.example --mail-from z@y.example --format json";
    let ran = desk.act(&format!("requeue {given}")).document();
    let refused = |ran: &Value| {
        let all = ran["refused"].as_array().unwrap().clone();
        all.into_iter().filter(|one| text(&one["reason"]).contains("`--to`")).collect::<Vec<_>>()
    };
    assert_eq!(refused(&ran).len(), 3, "{ran}");
    assert_eq!(ran["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(ran["jobs"][0]["number"], 1);
    let named: Vec<String> = refused(&ran).iter().map(|one| text(&one["called"])).collect();
    let ran = desk.act(&format!("requeue {given} {}", named[0])).document();
    assert_eq!(ran["jobs"][0]["recipients"][0], "x@y.example");
    // What was named one by one is carried on as it was begun.
    let begun = desk.act(&format!("requeue {given} --apply --canary {} {}", named[0], named[1])).document();
    assert_eq!((&begun["results"][0]["end"], &begun["left"]), (&"done".into(), &1.into()), "{begun}");
    let resumed = desk.journal("resume");
    assert_eq!((resumed.code, desk.letters().len()), (0, 2), "{}{}", resumed.out, resumed.err);
}

#[test]
fn of_two_files_of_one_message_one_is_sent() {
    let desk = Desk::of_ghosts(1);
    let queue = desk.spool.path().join("queue");
    // Without a Message-ID, by which a scan would tell.
    let message = "a@a.example\nb@b.example\n\nFrom: a@a.example\n\nbody\n";
    for name in [".1700000000.100", ".1700000001.101"] {
        fs::write(queue.join(name), message).unwrap();
    }
    let ran = desk.act("requeue --apply");
    assert_eq!((ran.code, desk.letters().len()), (3, 1), "{}{}", ran.out, ran.err);
    assert!(in_one_line(&ran.out).contains("it would arrive twice"), "{}", ran.out);
}

#[test]
fn a_report_says_where_to_look_and_what_is_gone_is_named() {
    let desk = Desk::of_ghosts(2);
    let spool = desk.spool.path().display().to_string();
    let path = desk.own.path().join("report.jsonl");
    let scanned = ghostq(["scan", &spool, "--format", "jsonl", "--quiet", "--settle", "0"]);
    fs::write(&path, &scanned.out).unwrap();
    fs::remove_file(desk.spool.path().join("queue/.1700000000.100")).unwrap();
    let words =
        ["requeue", "--offline", "--format", "json", "--quiet", "--settle", "0", "--via", "smtp://localhost"];
    let ran = finish(command().args(words).arg("--from").arg(&path));
    assert_eq!(jobs(&ran), 1, "{}{}", ran.out, ran.err);
    assert!(text(&ran.document()["refused"][0]["reason"]).contains("not found any more"), "{}", ran.out);
}

#[test]
fn a_journal_that_others_can_write_is_not_followed() {
    let desk = Desk::of_ghosts(2);
    desk.act("requeue --apply --canary");
    for (path, mode) in [(desk.state(), 0o777), (desk.state().join("journal.jsonl"), 0o666)] {
        let was = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        for ran in [desk.journal("resume"), desk.act("requeue --apply"), desk.journal("undo --apply")] {
            assert_eq!((ran.code, desk.letters().len()), (2, 1), "{}", ran.err);
            assert!(ran.err.contains("others can write"), "{}", ran.err);
        }
        fs::set_permissions(&path, was).unwrap();
    }
    assert_eq!(desk.journal("resume").code, 0);
}

#[test]
fn what_was_done_is_json_where_nothing_could_be() {
    let desk = Desk::of_ghosts(0);
    let done = desk.act("requeue --apply --format json");
    assert_eq!(text(&done.document()["schema"]), "ghostq.result/1", "{}", done.out);
}

#[test]
fn the_command_of_a_plan_does_what_the_plan_says() {
    let desk = Desk::of_ghosts(2);
    let mut words = desk.words("requeue");
    words.extend(["--", "1700000001.101"].map(str::to_owned));
    let ran = finish(command().args(words).env("GHOSTQ_STATE", desk.state()));
    assert!(ran.out.contains("--apply -- 1700000001.101"), "{}", ran.out);
}

#[test]
fn the_name_of_the_host_is_one_name() {
    let desk = Desk::of_ghosts(1);
    let mut words = desk.words("requeue --apply --mail-name");
    words.insert(3, "mx\r\nBcc: all@world.example".to_owned());
    let ran = finish(command().args(words).env("GHOSTQ_STATE", desk.state()));
    assert_eq!((ran.code, desk.letters().len()), (2, 0), "{}", ran.err);
    assert!(ran.err.contains("is no name of a host"), "{}", ran.err);
}

#[test]
fn what_is_at_its_end_is_not_resumed_in_silence() {
    let desk = Desk::of_ghosts(1);
    desk.act("requeue --apply");
    let ran = desk.journal(&format!("resume {}", operation(&desk)));
    assert!(ran.code == 0 && ran.err.contains("nothing is left to do in"), "{}", ran.err);
}

#[test]
fn what_was_written_into_a_folder_stays_there() {
    let desk = Desk::of_ghosts(1);
    let out = desk.own.path().join("out");
    assert_eq!(desk.act(&format!("requeue --apply --via export:{}", out.display())).code, 0);
    let ran = desk.journal("undo --apply");
    assert!(in_one_line(&ran.out).contains("what was written into the folder stays there"), "{}", ran.out);
    assert_eq!(fs::read_dir(out).unwrap().count(), 2);
}

#[test]
fn a_name_that_several_messages_have_is_said_to_mean_them_all() {
    let desk = Desk::of_ghosts(2);
    let again = "c@a.example\nd@b.example\n\nMessage-ID: <1@a.example>\nSubject: another\n\nanother body\n";
    fs::write(desk.spool.path().join("queue/.9.9"), again).unwrap();
    let ran = desk.act("requeue <1@a.example>");
    assert!(in_one_line(&ran.out).contains("2 messages are called `<1@a.example>`"), "{}", ran.out);
}

#[test]
fn many_messages_want_a_number() {
    let desk = Desk::of_ghosts(103);
    let ran = desk.act("requeue --apply");
    assert_eq!((ran.code, desk.letters().len()), (2, 0));
    assert!(ran.err.contains("103 messages are selected") && ran.err.contains("--max"), "{}", ran.err);
    let ran = desk.act("requeue --apply --max 5");
    assert_eq!(desk.letters().len(), 5, "{}{}", ran.out, ran.err);
}

#[test]
fn messages_are_chosen_by_name_by_filter_or_from_a_report() {
    let desk = Desk::of_ghosts(5);
    assert_eq!(jobs(&desk.act("requeue --format json 1700000002.102")), 1);
    assert_eq!(jobs(&desk.act("requeue --format json <3@a.example>")), 1);
    assert_eq!(jobs(&desk.act("requeue --format json --sender a4@")), 1);
    assert_eq!(jobs(&desk.act("requeue --format json --rule foreign-name")), 5);
    assert_eq!(jobs(&desk.act("requeue --format json --rule held")), 0);
    let missed = desk.act("requeue --format json no-such-id").document();
    assert_eq!(text(&missed["refused"][0]["called"]), "no-such-id");
    let spool = desk.spool.path().display().to_string();
    let report = ghostq(["scan", &spool, "--format", "jsonl", "--from", "a1@", "--quiet"]);
    let path = desk.own.path().join("report.jsonl");
    fs::write(&path, &report.out).unwrap();
    let ran = desk.act(&format!("requeue --format json --from {}", path.display()));
    assert_eq!(jobs(&ran), 1, "{}", ran.err);
    fs::write(&path, "not json\n").unwrap();
    let ran = desk.act(&format!("requeue --from {}", path.display()));
    assert!(ran.code == 2 && ran.err.contains("line 1"), "{}", ran.err);
}

#[test]
fn a_copy_is_not_sent_unless_somebody_says_that_it_is_the_only_one() {
    let desk = Desk::of_ghosts(1);
    let spool = desk.spool.path().display().to_string();
    let ran = finish(command().args(["requeue", "--spool", &spool]).env("GHOSTQ_STATE", desk.state()));
    assert_eq!(ran.code, 3);
    assert!(in_one_line(&ran.out).contains("may have been delivered from elsewhere since"), "{}", ran.out);
}

#[test]
fn the_vault_does_not_lie_in_the_spool() {
    let desk = Desk::of_ghosts(1);
    let inside = desk.spool.path().join("queue/state");
    let mut words = desk.words("requeue --apply --state");
    words.insert(3, inside.display().to_string());
    let ran = finish(command().args(words));
    assert!(ran.out.contains("lies inside"), "{}{}", ran.out, ran.err);
    assert!(!inside.exists() && desk.letters().is_empty());
}

#[test]
fn what_is_exported_stays() {
    let desk = Desk::of_ghosts(2);
    let before = metadata(desk.spool.path());
    let folder = desk.own.path().join("out");
    let ran = desk.act(&format!("requeue --apply --via export:{}", folder.display()));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(metadata(desk.spool.path()), before);
    let names: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let of = |ending: &str| {
        names.iter().filter(|path| path.to_string_lossy().ends_with(ending)).collect::<Vec<_>>()
    };
    assert_eq!((of(".eml").len(), of(".json").len()), (2, 2));
    let envelope: Value = serde_json::from_slice(&fs::read(of(".json")[0]).unwrap()).unwrap();
    assert_eq!(envelope["whole"], true);
    assert!(text(&envelope["envelope"]["sender"]).ends_with("@a.example"));
}

#[test]
fn a_report_is_shown_before_it_is_sent_and_not_to_whom_nobody_vouches_for() {
    let desk = Desk::of_ghosts(1);
    let shown = desk.act("ndr --preview --allow-backscatter");
    let report = &shown.out;
    for part in [
        "Content-Type: multipart/report; report-type=delivery-status;",
        "To: a0@a.example",
        "Final-Recipient: rfc822; b0@b.example",
        "Action: failed",
        "Message-ID: <0@a.example>",
    ] {
        assert!(report.contains(part), "{part} is missing in\n{report}\n{}", shown.err);
    }
    let stranger = "s@far.example\nr@b.example\n\nReceived: from far.example (far.example [192.0.2.7]) by here; Thu, 26 Nov \
                    2026 05:00:00 +0000\nFrom: s@far.example\n\nbody\n";
    fs::write(desk.spool.path().join("queue/.1.1"), stranger).unwrap();
    let refused = desk.act("ndr --apply --sender s@far");
    assert_eq!((refused.code, desk.letters().len()), (3, 0), "{}", refused.out);
    fs::remove_file(desk.spool.path().join("queue/.1.1")).unwrap();
    let sent = desk.act("ndr --apply");
    assert_eq!(sent.code, 0, "{}{}", sent.out, sent.err);
    let letters = desk.letters();
    assert_eq!(letters[0].0, "-i -f <> -- a0@a.example");
    assert!(
        letters[0].1.contains("Status: 5.") && !letters[0].1.contains("body 0"),
        "headers only by default"
    );
    assert_eq!(fs::read_dir(desk.spool.path().join("queue")).unwrap().count(), 0);
    let to = Desk::of_ghosts(1);
    to.act("ndr --apply --ret full --ndr-to postmaster@b.example");
    assert_eq!(to.letters()[0].0, "-i -f <> -- postmaster@b.example");
    assert!(to.letters()[0].1.contains("body 0"));
}

#[test]
fn every_document_follows_its_schema() {
    let schema = |name: &str| {
        let schema = ghostq(["schema", name]).document();
        move |document: &Value| {
            let validator = jsonschema::validator_for(&schema).unwrap();
            let errors: Vec<_> =
                validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
        }
    };
    let desk = Desk::of_ghosts(2);
    fs::write(desk.spool.path().join("queue/1700000009.1"), "").unwrap();
    schema("plan")(&desk.act("requeue --format json").document());
    schema("plan")(&desk.act("ndr --format json").document());
    schema("result")(&desk.act("requeue --format json --apply").document());
    schema("plan")(&desk.journal("undo --format json").document());
    schema("journal")(&desk.journal("journal --format json").document());
}

#[test]
fn the_journal_tells_step_by_step_what_was_done() {
    let desk = Desk::of_ghosts(2);
    assert_eq!(desk.journal("journal").out, "The journal is empty.\n");
    desk.act("requeue --apply");
    let list = desk.journal("journal").out;
    assert!(list.contains("requeue") && list.contains("2 done"), "{list}");
    let one = desk.journal(&format!("journal {}", operation(&desk))).out;
    assert!(one.contains("done: move `queue/.1700000000.100` into the vault"), "{one}");
    let path = desk.state().join("journal.jsonl");
    let changed = fs::read_to_string(&path).unwrap().replacen("b0@b.example", "x0@b.example", 1);
    fs::write(&path, changed).unwrap();
    let ran = desk.journal("journal");
    assert!(ran.code == 2 && ran.err.contains("does not fit its checksum"), "{}", ran.err);
}

#[test]
fn hostile_names_reach_neither_the_terminal_nor_a_command() {
    let desk = Desk::of_ghosts(0);
    let message = "a@a.example\n-oQ/tmp@b.example\n\nSubject: x\n\nbody\n";
    fs::write(desk.spool.path().join("queue/.\u{1b}[31mred.1"), message).unwrap();
    let ran = desk.act("requeue --apply");
    assert!(!ran.out.contains('\u{1b}'), "{:?}", ran.out);
    assert!(desk.letters().is_empty(), "an address that would be an option is not passed on");
    assert!(in_one_line(&ran.out).contains("--via smtp://"), "{}", ran.out);
}

/// Killed with SIGKILL at any instant, again and again: each message arrives once, or is held and named by the journal.
#[test]
fn killed_at_any_instant_nothing_is_lost_and_nothing_is_sent_twice() {
    const MESSAGES: usize = 120;
    let desk = Desk::of_ghosts(MESSAGES);
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut rounds = 0;
    while fs::read_dir(desk.spool.path().join("queue")).unwrap().count() > 0 && rounds < 400 {
        rounds += 1;
        let words =
            if rounds % 2 == 1 { desk.words("requeue --apply --max 500") } else { vec!["resume".to_owned()] };
        let mut child = command()
            .args(words)
            .env("GHOSTQ_STATE", desk.state())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_millis(30 + random % 120));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // A sendmail that was started before the kill may still be writing.
    std::thread::sleep(Duration::from_millis(300));
    for _ in 0..3 {
        desk.journal("resume");
        desk.act("requeue --apply --max 500");
    }
    let letters = desk.letters();
    let journal = desk.journal("journal --format json").document();
    let operations = journal["operations"].as_array().unwrap();
    let unknown: Vec<String> = operations
        .iter()
        .flat_map(|operation| operation["jobs"].as_array().unwrap())
        .filter(|job| job["states"].as_array().unwrap().iter().any(|state| state == "UNKNOWN"))
        .map(|job| text(&job["recipients"][0]))
        .collect();
    let (mut once, mut open) = (0, 0);
    for number in 0..MESSAGES {
        let recipient = format!("b{number}@b.example");
        let arrived: Vec<_> =
            letters.iter().filter(|(arguments, _)| arguments.ends_with(&format!(" {recipient}"))).collect();
        assert!(arrived.len() <= 1, "{recipient} got it {} times", arrived.len());
        if let [(_, message)] = arrived.as_slice() {
            assert_eq!(body_of(message), format!("body {number}\n.\nend\n"));
        }
        let is_unknown = unknown.contains(&recipient);
        assert!(arrived.len() == 1 || is_unknown, "{recipient}'s message is lost");
        once += arrived.len();
        open += usize::from(is_unknown);
    }
    eprintln!(
        "{rounds} kills: {once} of {MESSAGES} arrived once, {open} are open for the operator to settle"
    );
    assert!(rounds > 10, "it was killed {rounds} times only");
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn jobs(ran: &Ran) -> usize {
    ran.document()["jobs"].as_array().unwrap().len()
}

fn operation(desk: &Desk) -> String {
    text(&desk.journal("journal --format json").document()["operations"][0]["operation"])
}

/// Files with everything that matters about them: those of folders move when something in them is moved.
fn files(root: &Path) -> Vec<String> {
    use std::os::unix::fs::MetadataExt as _;
    let of = |path: PathBuf| {
        let data = fs::symlink_metadata(&path).unwrap();
        let bytes = if data.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        let modified = if data.is_dir() { 0 } else { data.mtime_nsec() };
        format!(
            "{} {:o} {}:{} {} {modified} {bytes:?}",
            path.display(),
            data.mode(),
            data.uid(),
            data.gid(),
            data.ino()
        )
    };
    crate::support::paths_below(root).into_iter().map(of).collect()
}
