//! What is proposed for the ghosts of dma, and what is written of their content.

use super::*;
use crate::plan::{Lock, Verb, Way};
use crate::sources::Extent;
use crate::sources::proposals::*;
use crate::sources::samples::Random;

#[test]
fn the_content_is_the_m_file() {
    let sample = Sample::fixture(&Dma, "ghosts");
    for (place, body) in [
        ("Q13ea5b.55a35168af40", "M13ea5b.55a35168af40"),
        ("M13e035.564a54e2af40", "M13e035.564a54e2af40"),
        ("Q13e9a0.561a686d4f40", "M13e9a0.561a686d4f40"),
    ] {
        let whole = file(&Dma, &format!("ghosts/tree/{body}"));
        assert_eq!(content(&sample, place, Extent::Whole).unwrap(), whole);
        let header = content(&sample, place, Extent::Header).unwrap();
        assert!(whole.starts_with(&header) && header.ends_with(b"\n\n"));
    }
    assert!(content(&sample, "Q13e180.55ddc1748f40", Extent::Header).is_err(), "it has none");
}

#[test]
fn what_dma_may_not_read_is_given_to_it_content_first() {
    let sample = Sample::fixture(&Dma, "ghosts");
    let place = "Q13ea5b.55a35168af40";
    let proposal = propose(&sample, Verb::Requeue, place, &["wrong-owner-or-mode"], &nothing()).unwrap();
    assert_eq!(
        changes(&proposal),
        [
            "owner M13ea5b.55a35168af40 0:Some(8)",
            "mode M13ea5b.55a35168af40 660",
            "owner Q13ea5b.55a35168af40 0:Some(8)",
            "mode Q13ea5b.55a35168af40 660",
        ]
    );
    assert_eq!(proposal.lock, Some(Lock::Flock { path: Text::from(place) }));
}

#[test]
fn an_envelope_without_content_can_only_be_returned() {
    let sample = Sample::fixture(&Dma, "ghosts");
    let place = "Q13e180.55ddc1748f40";
    let rules = ["envelope-without-body"];
    assert!(propose(&sample, Verb::Requeue, place, &rules, &offline()).unwrap_err().reason.contains("gone"));
    let proposal = propose(&sample, Verb::Ndr, place, &rules, &nothing()).unwrap();
    let (parts, outgoing) = handed_over(&proposal);
    assert_eq!(parts, [place]);
    assert_eq!(recipients(outgoing), ["grey3@grey.test"]);
}

#[test]
fn content_without_an_envelope_goes_to_whom_the_operator_names() {
    let sample = Sample::fixture(&Dma, "ghosts");
    for (place, rule, parts) in [
        ("M13e035.564a54e2af40", "body-without-envelope", &["M13e035.564a54e2af40"][..]),
        ("Q13e820.56369f2e2f40", "corrupt", &["Q13e820.56369f2e2f40", "M13e820.56369f2e2f40"]),
        ("Q13e9a0.561a686d4f40", "corrupt", &["Q13e9a0.561a686d4f40", "M13e9a0.561a686d4f40"]),
    ] {
        let refusal = propose(&sample, Verb::Requeue, place, &[rule], &nothing()).unwrap_err();
        assert!(refusal.hint.contains("`--to`") && refusal.hint.contains("`--mail-from`"), "{refusal:?}");
        let proposal = propose(&sample, Verb::Requeue, place, &[rule], &named()).unwrap();
        let (gone, outgoing) = handed_over(&proposal);
        assert_eq!(gone, parts, "the Q file first: without it dma never looks at the M file");
        assert_eq!(recipients(outgoing), ["r@given.example"]);
        assert_eq!(outgoing.sender, Some(Text::from("s@given.example")));
    }
}

#[test]
fn content_that_has_its_envelope_again_is_not_taken_away() {
    let sample = Sample::of(&Dma, &[], &[("M1a.2b", M)]);
    assert!(propose(&sample, Verb::Requeue, "M1a.2b", &["body-without-envelope"], &named()).is_ok());
    lay_out(sample.folder.path(), &[], &[("Q1a.2b", Q)]);
    let refusal =
        propose(&sample, Verb::Requeue, "M1a.2b", &["body-without-envelope"], &named()).unwrap_err();
    assert!(refusal.reason.contains("by now"), "{refusal:?}");
}

#[test]
fn what_was_never_queued_and_what_would_be_sent_empty_is_refused() {
    let sample = Sample::fixture(&Dma, "ghosts");
    let half = propose(&sample, Verb::Requeue, "tmp_XXXXtLUEW1", &["unfinished"], &named()).unwrap_err();
    assert!(half.reason.contains("not told that it was accepted") && half.hint.contains("cp -a"), "{half:?}");
    let sample = Sample::of(&Dma, &[], &[("Q1a.2b", Q), ("M1a.2b", b"")]);
    let empty = propose(&sample, Verb::Requeue, "Q1a.2b", &["empty-file"], &offline()).unwrap_err();
    assert!(empty.reason.contains("would send an empty message"), "{empty:?}");
    let returned = propose(&sample, Verb::Ndr, "Q1a.2b", &["empty-file"], &nothing()).unwrap();
    assert_eq!(handed_over(&returned).0, ["Q1a.2b", "M1a.2b"]);
}

#[test]
fn a_pair_that_dma_can_see_is_left_to_dma_and_one_that_it_cannot_is_handed_over() {
    let sample = Sample::of(&Dma, &[], &[("Q1a.2b", Q), ("M1a.2b", M)]);
    let elsewhere = propose(&sample, Verb::Requeue, "Q1a.2b", &[], &nothing()).unwrap_err();
    assert!(
        elsewhere.hint.contains("`dma -q`"),
        "the spool of a test is not that of this host: {elsewhere:?}"
    );
    let late = propose(&sample, Verb::Requeue, "Q1a.2b", &["expired"], &nothing()).unwrap();
    assert_eq!(changes(&late), ["time Q1a.2b"]);
    for (rules, given) in [(&["unlisted"][..], nothing()), (&[], offline())] {
        let proposal = propose(&sample, Verb::Requeue, "Q1a.2b", rules, &given).unwrap();
        let (parts, outgoing) = handed_over(&proposal);
        assert_eq!(parts, ["Q1a.2b", "M1a.2b"]);
        assert_eq!(recipients(outgoing), ["c@d.example"]);
        assert!(proposal.lock.is_some());
    }
}

#[test]
fn the_spool_of_this_host_is_run_by_dma_and_no_null_sender_reaches_it() {
    let spool = super::super::plan::Spool { group: None, program: Some("/usr/sbin/dma".into()) };
    let sample = Sample::of(&Dma, &[], &[("Q1a.2b", Q), ("M1a.2b", M)]);
    let opened = Opened { remedies: super::super::plan::remedies(spool), ..sample.opened };
    let sample = Sample { opened, ..sample };
    let proposal = propose(&sample, Verb::Requeue, "Q1a.2b", &[], &nothing()).unwrap();
    let Way::Native { commands } = &proposal.way else { panic!("{proposal:?}") };
    assert_eq!(
        (commands[0].program.as_str(), commands[0].arguments.as_slice()),
        ("/usr/sbin/dma", &["-q".to_owned()][..])
    );
    let late = propose(&sample, Verb::Requeue, "Q1a.2b", &["expired"], &nothing()).unwrap();
    let Way::Repair { then, .. } = &late.way else { panic!("{late:?}") };
    assert!(then.is_empty(), "a run would return what is too old and is not put right yet");
    let submission = sample.opened.remedies.submission.as_ref().unwrap();
    assert_eq!(submission.null_sender, None, "dma would invent a sender");
}

/// A body that ends between two lines cannot be told from a whole one; everything else can.
#[test]
fn a_pair_cut_at_any_byte_is_refused() {
    for cut in 0..Q.len() {
        let sample = Sample::of(&Dma, &[], &[("Q1a.2b", &Q[..cut]), ("M1a.2b", M)]);
        for verb in [Verb::Requeue, Verb::Ndr] {
            assert!(propose(&sample, verb, "Q1a.2b", &[], &offline()).is_err(), "cut at {cut}");
        }
    }
    let body_at = memchr::memmem::find(M, b"\n\n").unwrap() + 2;
    for cut in 0..M.len() {
        let sample = Sample::of(&Dma, &[], &[("Q1a.2b", Q), ("M1a.2b", &M[..cut])]);
        let proposal = propose(&sample, Verb::Requeue, "Q1a.2b", &[], &offline());
        assert_eq!(proposal.is_ok(), cut == body_at, "cut at {cut}");
    }
}

#[test]
fn any_bytes_are_survived() {
    let mut random = Random::new(3);
    for _ in 0..300 {
        let (q, m) = (random.overwritten(Q), random.overwritten(M));
        let sample = Sample::of(
            &Dma,
            &[],
            &[("Q1a.2b", &q), ("M1a.2b", &m), ("M3c.4d", &m), ("tmp_x", &q), ("x", &m)],
        );
        for message in sample.messages() {
            for verb in [Verb::Requeue, Verb::Ndr] {
                for given in [nothing(), offline(), named()] {
                    let _proposed = propose_for(&sample, message, verb, &[], &given);
                }
            }
        }
    }
}
