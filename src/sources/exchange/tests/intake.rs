use super::*;

#[test]
fn the_lines_at_the_top_of_a_pickup_file_are_its_envelope() {
    let scanned = scan(&fixture("mailroot-vsi1/tree/Mailroot"));
    let message = scanned.file("handed-in.eml");
    assert_eq!(signs(message), [(Sign::Unclaimed, Confidence::Certain)]);
    assert_eq!(message.envelope.sender, Some("alice@contoso.example".into()));
    let recipients: Vec<_> = message.envelope.recipients.iter().map(|r| r.address.lossy()).collect();
    assert_eq!(recipients, ["bob@fabrikam.example", "carol@fabrikam.example"]);
    assert_eq!(message.envelope.recipients[0].state, RecipientState::Pending);
    assert_eq!(message.parts[0].kind, PartKind::Whole);
}

#[test]
fn without_those_lines_there_is_no_envelope_and_the_headers_are_not_taken_for_one() {
    let scanned = scan(&fixture("transport-roles/tree/TransportRoles"));
    let message = scanned.file("no-envelope.eml");
    assert_eq!(message.envelope, crate::evidence::Envelope::default());
    assert!(said(message).contains("will be taken from From, To, Cc and Bcc"), "{}", said(message));
    assert_eq!(attributes(message, "Bcc header"), ["hidden@fabrikam.example"]);
}

#[test]
fn lines_below_the_top_are_no_envelope() {
    let folder = built(&[
        ("Pickup/a.eml", b"Subject: x\r\nx-sender: evil@x.example\r\nx-receiver: b@x.example\r\n\r\n"),
        ("Queue/x.txt", b""),
    ]);
    assert_eq!(scan(folder.path()).file("a.eml").envelope.sender, None);
}

#[test]
fn replay_parameters_are_kept_for_a_later_ndr() {
    let scanned = scan(&fixture("transport-roles/tree/TransportRoles"));
    let message = scanned.file("replayed.eml");
    assert_eq!(message.envelope.sender, Some("alice@contoso.example".into()));
    assert_eq!(attributes(message, "envelope ENVID"), ["12345ABCD"]);
    assert_eq!(attributes(message, "envelope RET"), ["HDRS"]);
    assert_eq!(attributes(message, "recipient bob@fabrikam.example NOTIFY"), ["NEVER"]);
    assert_eq!(attributes(message, "recipient bob@fabrikam.example ORcpt"), ["rfc822;bob@fabrikam.example"]);
    assert_eq!(attributes(message, "X-SourceIPAddress"), ["192.0.2.10"]);
}

#[test]
fn a_tmp_file_was_left_by_a_crash_and_may_already_have_been_sent() {
    let scanned = scan(&fixture("transport-roles/tree/TransportRoles"));
    let message = scanned.file(".tmp");
    assert_eq!(signs(message), [(Sign::Unfinished, Confidence::Certain)]);
    assert_eq!(message.envelope.sender, Some(Text::default()), "the null sender is known, not unknown");
    assert_eq!(message.envelope.recipients[0].state, RecipientState::Unknown);
    assert!(said(message).contains("second time"));
}

#[test]
fn a_refused_file_and_a_dropped_one_are_unclaimed() {
    let scanned = scan(&fixture("transport-roles/tree/TransportRoles"));
    assert_eq!(signs(scanned.file("refused.bad")), [(Sign::Unclaimed, Confidence::Certain)]);
    let scanned = scan(&fixture("badmail/tree/mailroot"));
    assert_eq!(signs(scanned.file("dropped.eml")), [(Sign::Unclaimed, Confidence::Likely)]);
    assert_eq!(scanned.file("dropped.eml").envelope.recipients.len(), 1);
}

#[test]
fn more_recipients_than_are_kept_are_counted() {
    let mut text = b"x-sender: a@b.example\r\n".to_vec();
    (0..1_500).for_each(|n| text.extend(format!("x-receiver: r{n}@b.example\r\n").bytes()));
    text.extend(b"Subject: x\r\n\r\n");
    let folder = built(&[("Pickup/a.eml", &text), ("Queue/x.txt", b"")]);
    let envelope = scan(folder.path()).file("a.eml").envelope.clone();
    assert_eq!(envelope.recipients.len(), 1_000);
    assert_eq!(envelope.recipient_count, Some(1_500));
}

#[test]
fn badmail_is_one_message_with_its_reason_and_its_opaque_part() {
    let scanned = scan(&fixture("badmail/tree/mailroot"));
    let message = scanned.file("1.BAD");
    assert_eq!(signs(message), [(Sign::Unclaimed, Confidence::Certain)]);
    assert_eq!(attributes(message, "error code"), ["0xC00402C7"]);
    assert!(attributes(message, "reason")[0].starts_with("Unable to deliver this message"));
    assert_eq!(attributes(message, "BDP: strings seen, meaning unverified"), ["postmaster@contoso.example"]);
    let kinds: Vec<_> = message.parts.iter().map(|part| part.kind).collect();
    assert_eq!(kinds, [PartKind::Content, PartKind::Side, PartKind::OpaqueStream]);
    assert_eq!(message.parts[2].sha256.as_ref().unwrap().len(), 64);
}

#[test]
fn a_reason_or_properties_without_their_message_are_orphans_reported_once() {
    let scanned = scan(&fixture("badmail/tree/mailroot"));
    let orphan = scanned.file("2.BDR");
    assert_eq!(signs(orphan), [(Sign::SideFileAlone, Confidence::Certain)]);
    assert_eq!(orphan.parts.len(), 2, "the .BDP of the same name belongs to it");
    assert_eq!(signs(scanned.file("3.BDP")), [(Sign::SideFileAlone, Confidence::Certain)]);
    assert_eq!(scanned.messages.len(), 4);
}

#[cfg(unix)]
#[test]
fn a_reason_that_cannot_be_read_costs_its_message_nothing() {
    let folder = built(&[("Badmail/1.BAD", b"Subject: x\r\n\r\n"), ("Queue/a.txt", b"")]);
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("Badmail/1.BDR")).unwrap();
    let scanned = scan(folder.path());
    assert!(attributes(scanned.file("1.BAD"), "BDR not read")[0].contains("symbolic link"));
    assert_eq!(attributes(scanned.file("1.BAD"), "reason"), [""; 0]);
    assert_eq!(scanned.damages.len(), 1, "and the scan is said to be incomplete");
}
