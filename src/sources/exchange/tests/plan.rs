//! What is proposed for what lies in a mailroot, and what is written of its content.

use super::*;
use crate::plan::{Given, Notify, Outgoing, Proposal, Refusal, Ret, Verb};
use crate::sources::proposals::{handed_over, named, nothing, offline, recipients};
use crate::sources::samples::{Random, noise};
use crate::sources::{Ask, Extent};

const HANDED_IN: &str = "vsi 1/Pickup/handed-in.eml";

fn named_offline() -> Given {
    Given { offline: true, ..named() }
}

fn ask(
    scanned: &Scanned,
    verb: Verb,
    message: &Message,
    rules: &[&str],
    given: &Given,
) -> Result<Proposal, Refusal> {
    let (instance, root) = (&scanned.opened.instance, &scanned.opened.root);
    let now = Time::parse("2026-11-24").unwrap();
    (scanned.opened.remedies.propose)(&Ask { verb, rules, listed: None, message, instance, root, given, now })
}

fn requeue(scanned: &Scanned, name: &str, rules: &[&str], given: &Given) -> Result<Proposal, Refusal> {
    ask(scanned, Verb::Requeue, scanned.file(name), rules, given)
}

fn content(scanned: &Scanned, name: &str, extent: Extent) -> Result<Vec<u8>, Refusal> {
    let mut out = Vec::new();
    (scanned.opened.remedies.content)(&scanned.opened.root, scanned.file(name), extent, &mut out)
        .map(|()| out)
}

fn mailroot() -> Scanned {
    scan(&fixture("mailroot-vsi1/tree/Mailroot"))
}

fn transport_roles() -> Scanned {
    scan(&fixture("transport-roles/tree/TransportRoles"))
}

#[test]
fn the_envelope_at_the_top_is_no_part_of_the_message() {
    let path = fixture("mailroot-vsi1/tree/Mailroot").join(HANDED_IN);
    let whole = std::fs::read(path).unwrap();
    let from = memchr::memmem::find(&whole, b"From: alice").unwrap();
    assert_eq!(content(&mailroot(), "handed-in.eml", Extent::Whole).unwrap(), &whole[from..]);
    let replayed = content(&transport_roles(), "replayed.eml", Extent::Whole).unwrap();
    assert!(replayed.starts_with(b"Subject: replay sample"), "{}", String::from_utf8_lossy(&replayed));
    let header = content(&transport_roles(), "replayed.eml", Extent::Header).unwrap();
    assert!(replayed.starts_with(&header) && !header.is_empty());
}

#[test]
fn a_queue_file_is_the_message_as_it_stands() {
    let top = b"X-Sender: Eudora <a@b.example>\r\nSubject: x\r\n\r\nbody\r\n";
    let folder = built(&[("Queue/NTFS_1.EML", top), ("Pickup/x.eml", b"Subject: x\r\n\r\nbody\r\n")]);
    let scanned = scan(folder.path());
    assert_eq!(content(&scanned, "NTFS_1.EML", Extent::Whole).unwrap(), top);
    let refusal =
        requeue(&scanned, "NTFS_1.EML", &[], &Given { sender: None, ..named_offline() }).unwrap_err();
    assert!(refusal.reason.contains("sender"), "a header field is no envelope: {refusal:?}");
    let fixture = mailroot();
    let lost =
        std::fs::read(fixture.opened.root.path().join("vsi 1/Queue/NTFS_synthetic0000000002.EML")).unwrap();
    assert_eq!(content(&fixture, "0000002.EML", Extent::Whole).unwrap(), lost);
}

#[test]
fn while_a_service_may_run_nothing_is_taken_from_it() {
    let scanned = mailroot();
    let pickup = requeue(&scanned, "handed-in.eml", &["unclaimed"], &nothing()).unwrap_err();
    assert!(pickup.hint.contains("start the service") && pickup.hint.contains("--offline"), "{pickup:?}");
    let queued = requeue(&scanned, "0000002.EML", &["older-than-epoch"], &named()).unwrap_err();
    assert!(queued.hint.contains("net stop smtpsvc"), "{queued:?}");
    let held = requeue(&scanned, "0000002.EML", &["held"], &named_offline()).unwrap_err();
    assert!(held.hint.contains("Resume-Message"), "{held:?}");
}

#[test]
fn what_was_handed_in_on_a_dead_disk_goes_to_its_receivers() {
    let scanned = mailroot();
    let proposal = requeue(&scanned, "handed-in.eml", &["unclaimed"], &offline()).unwrap();
    let (parts, outgoing) = handed_over(&proposal);
    assert_eq!(parts, [HANDED_IN]);
    assert_eq!(outgoing.sender, Some(Text::from("alice@contoso.example")));
    assert_eq!(recipients(outgoing), ["bob@fabrikam.example", "carol@fabrikam.example"]);
}

#[test]
fn what_the_sender_asked_for_goes_along() {
    let scanned = transport_roles();
    let proposal = requeue(&scanned, "replayed.eml", &["unclaimed"], &offline()).unwrap();
    let (_, outgoing) = handed_over(&proposal);
    assert_eq!(outgoing.ret, Some(Ret::Hdrs));
    assert_eq!(outgoing.envid, Some(Text::from("12345ABCD")));
    assert_eq!(outgoing.recipients[0].notify, Notify { never: true, ..Notify::default() });
    assert_eq!(outgoing.recipients[0].orcpt, Some(Text::from("rfc822;bob@fabrikam.example")));
}

#[test]
fn a_tmp_is_never_touched() {
    let scanned = transport_roles();
    for given in [nothing(), offline(), named_offline()] {
        let refusal = requeue(&scanned, "left20220919150001.tmp", &["unfinished"], &given).unwrap_err();
        assert!(
            refusal.reason.contains("named `.eml` again") && refusal.reason.contains("twice"),
            "{refusal:?}"
        );
    }
}

#[test]
fn who_already_has_it_is_for_the_operator_to_say() {
    let scanned = scan(&fixture("badmail/tree/mailroot"));
    let dropped = requeue(&scanned, "dropped.eml", &["unclaimed"], &offline()).unwrap_err();
    assert!(dropped.reason.contains("`app@gw.contoso.example` has it already"), "{dropped:?}");
    let proposal = requeue(&scanned, "dropped.eml", &["unclaimed"], &named_offline()).unwrap();
    let (_, outgoing) = handed_over(&proposal);
    assert_eq!(outgoing.sender, Some(Text::from("alice@contoso.example")), "that of the file is known");
    assert_eq!(recipients(outgoing), ["r@given.example"]);
    let bad = requeue(&scanned, "1.BAD", &["unclaimed"], &offline()).unwrap_err();
    assert!(bad.hint.contains("`--to`"), "{bad:?}");
    let proposal = requeue(&scanned, "1.BAD", &["unclaimed"], &named_offline()).unwrap();
    assert_eq!(handed_over(&proposal).0, ["Badmail/1.BAD", "Badmail/1.BDR", "Badmail/1.BDP"]);
    assert!(requeue(&scanned, "2.BDR", &["orphan-side-file"], &named_offline()).is_err());
}

#[test]
fn a_queue_file_needs_names_with_its_stream_and_without() {
    let scanned = mailroot();
    let lost = requeue(&scanned, "0000002.EML", &["body-without-envelope"], &offline()).unwrap_err();
    assert!(lost.reason.contains("envelope is gone") && lost.hint.contains("`--to`"), "{lost:?}");
    assert!(requeue(&scanned, "0000002.EML", &["body-without-envelope"], &named_offline()).is_ok());
    let folder = built(&[
        ("Queue/NTFS_1.EML", b"Subject: x\r\n\r\nbody\r\n"),
        ("Queue/NTFS_1.EML:PROPERTIES", b"opaque"),
        ("Pickup/x.txt", b""),
    ]);
    let streamed = scan(folder.path());
    let opaque = requeue(&streamed, "NTFS_1.EML", &["older-than-epoch"], &offline()).unwrap_err();
    assert!(opaque.reason.contains("layout is not public"), "{opaque:?}");
    let proposal = requeue(&streamed, "NTFS_1.EML", &["older-than-epoch"], &named_offline()).unwrap();
    assert_eq!(handed_over(&proposal).0, ["Queue/NTFS_1.EML", "Queue/NTFS_1.EML:PROPERTIES"]);
}

#[test]
fn an_envelope_without_content_can_only_be_returned() {
    let scanned = mailroot();
    let place = "0000004.EML:PROPERTIES";
    assert!(requeue(&scanned, place, &["envelope-without-body"], &named_offline()).is_err());
    let returned =
        ask(&scanned, Verb::Ndr, scanned.file(place), &["envelope-without-body"], &named_offline()).unwrap();
    assert_eq!(handed_over(&returned).0.len(), 1);
    let unknown = ask(&scanned, Verb::Ndr, scanned.file(place), &["envelope-without-body"], &offline());
    assert!(unknown.is_err(), "nobody knows whose it was");
    let empty = requeue(&scanned, "0000003.EML", &["empty-file"], &named_offline()).unwrap_err();
    assert!(empty.reason.contains("no bytes"), "{empty:?}");
}

#[test]
fn zero_bytes_in_a_file_are_no_mail() {
    let folder = built(&[
        ("Pickup/x.eml", b"x-sender: a@b.example\r\nx-receiver: c@d.example\r\nSubject: x\r\n\r\nbo\0y\r\n"),
        ("Queue/x.txt", b""),
    ]);
    let refusal = requeue(&scan(folder.path()), "x.eml", &["corrupt"], &offline()).unwrap_err();
    assert!(refusal.reason.contains("zero bytes"), "{refusal:?}");
}

fn of_pickup(bytes: &[u8]) -> Result<Outgoing, Refusal> {
    let folder = built(&[("Pickup/x.eml", bytes), ("Queue/x.txt", b"")]);
    let proposal = requeue(&scan(folder.path()), "x.eml", &["unclaimed"], &offline())?;
    Ok(handed_over(&proposal).1.clone())
}

#[test]
fn a_list_that_goes_on_beyond_what_is_read_is_refused() {
    let file = |count: usize| {
        let list: String = (0..count)
            .fold(String::new(), |list, number| list + &format!("x-receiver: {number}@d.example\r\n"));
        format!("x-sender: a@b.example\r\n{list}Subject: x\r\n\r\nbody\r\n").into_bytes()
    };
    assert_eq!(of_pickup(&file(1_500)).unwrap().recipients.len(), 1_500, "a scan keeps a thousand");
    assert!(of_pickup(&file(2_050)).is_err());
    assert!(of_pickup(&file(9_000)).is_err());
}

#[test]
fn what_is_no_plain_envelope_is_refused() {
    for top in [
        "x-sender: a@b.example\r\nx-receiver: c@d.example e@f.example\r\n",
        "x-sender: a@b.example\r\nx-sender: c@d.example\r\nx-receiver: e@f.example\r\n",
        "x-sender: a@b.example\r\nnonsense\r\nx-receiver: e@f.example\r\n",
        "X-Source: x\r\nx-sender: a@b.example\r\nx-receiver: e@f.example\r\n",
        "x-receiver: e@f.example\r\n",
    ] {
        assert!(of_pickup(format!("{top}Subject: x\r\n\r\nbody\r\n").as_bytes()).is_err(), "{top}");
    }
}

/// A header or body that ends between two lines cannot be told from a whole one where a blank line stands before; everything
/// else can.
#[test]
fn a_file_cut_at_any_byte_is_refused_or_has_all_recipients() {
    let whole: &[u8] = b"x-sender: a@b.example\r\nx-receiver: c@d.example\r\nx-receiver: e@f.example\r\nSubject: x\r\n\r\nbody\r\n";
    let body_at = memchr::memmem::find(whole, b"\r\n\r\n").unwrap() + 4;
    for cut in 0..whole.len() {
        let outgoing = of_pickup(&whole[..cut]);
        assert_eq!(outgoing.is_ok(), cut == body_at, "cut at {cut}");
        assert!(outgoing.is_err() || outgoing.unwrap().recipients.len() == 2);
    }
}

#[test]
fn any_bytes_are_survived() {
    let whole: &[u8] = b"X-Sender: <a@b.example> RET=HDRS ENVID=x+2By\r\nX-Receiver: <c@d.example> NOTIFY=NEVER\r\nSubject: x\r\n\r\nbody\r\n";
    let mut random = Random::new(11);
    for seed in 0..100 {
        let (bytes, garbage) = (random.overwritten(whole), noise(seed, 300));
        let folder = built(&[
            ("Pickup/x.eml", &bytes),
            ("Replay/x.eml", &bytes),
            ("Queue/NTFS_1.EML", &garbage),
            ("Badmail/1.BAD", &bytes),
            ("Badmail/2.BDR", &garbage),
            ("Drop/x.eml", &garbage),
        ]);
        let scanned = scan(folder.path());
        for message in &scanned.messages {
            for verb in [Verb::Requeue, Verb::Ndr] {
                for given in [nothing(), offline(), named_offline()] {
                    let _proposed = ask(&scanned, verb, message, &[], &given);
                }
            }
        }
    }
}
