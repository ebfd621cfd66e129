//! What IIS SMTP and Exchange do with what the rules find.

use super::fates;
use crate::evidence::{Remedy, Shown, Treatment};

const RESTART: Remedy = Remedy {
    command: "net stop smtpsvc && net start smtpsvc",
    what: "restart the SMTP service first, once the evidence is saved: it reads the whole Queue folder at its start and \
           sends or returns what is in it (KB 934709); on Exchange 2000 and 2003 restart IIS Admin, `iisreset` (KB 950757)",
};

const QUEUE_TO_QUEUE: Remedy = Remedy {
    command: "",
    what: "with the SMTP service stopped, move the file from Queue to Queue on NTFS, so that its named streams, and with \
           them its envelope, go along (KB 306043 supports Queue to Queue and Drop to Pickup, nothing else)",
};

const LAST_RESORT: Remedy = Remedy {
    command: "",
    what: "as a last resort put it into Pickup with x-sender and x-receiver lines written from evidence: without them the \
           recipients come from To, Cc and Bcc, so that Bcc recipients who are not in the headers lose it and members of \
           lists and recipients already served get it twice",
};

const REPLAY: Remedy = Remedy {
    command: "",
    what: "on Exchange 2007 and later write X-Sender and X-Receiver lines at the top and move the file into Replay as \
           `.eml`; write it elsewhere first, since the folder is read every five seconds",
};

const RESUBMIT: Remedy = Remedy {
    command: "Retry-Queue -Identity {id} -Resubmit $true",
    what: "send the queue's messages back to the categorizer (Exchange 2007 and later)",
};

const COPY_AGAIN: Remedy = Remedy {
    command: "robocopy {root} DESTINATION /E /COPY:DAT",
    what: "if every file lacks its streams, copy again in a way that keeps them: robocopy to NTFS, or tar --xattrs from an \
           ntfs-3g mount",
};

const STREAM_DESTROYERS: &[&str] = &[
    "copying it through zip, FAT, e-mail or a file manager that drops named streams: the envelope is lost",
    "moving it from Queue to Pickup as it is: Bcc recipients are lost, others may get it twice",
    "deleting Queue to get mail flowing",
];

const KB_306043: &str = "Microsoft KB 306043 (in part), KB 934709; TechNet aa998408";
const PICKUP_REPLAY: &str =
    "Microsoft, Exchange Server documentation, \"Pickup directory and Replay directory\"";

/// All of them, in the order of the catalogue.
pub static ALL: &[Treatment] = &[
    OLDER_THAN_EPOCH,
    UNLISTED,
    LISTED_NOT_ON_DISK,
    OTHER_QUEUE,
    FOREIGN_NAME,
    BODY_WITHOUT_ENVELOPE,
    ENVELOPE_WITHOUT_BODY,
    UNFINISHED,
    ORPHAN_SIDE_FILE,
    CORRUPT,
    EMPTY_FILE,
    HELD,
    UNCLAIMED,
    DUPLICATE_MESSAGE,
];

const OLDER_THAN_EPOCH: Treatment = Treatment {
    rule: "older-than-epoch",
    shown: Shown::Depends,
    next: "it idles until the SMTP service is restarted, and is then delivered or returned days or weeks late",
    remedies: &[RESTART, QUEUE_TO_QUEUE, LAST_RESORT],
    destroyers: STREAM_DESTROYERS,
    fates: fates::OLDER_THAN_EPOCH,
    source: "Microsoft KB 934709 (Windows Server 2003 SMTP without Exchange; the cause is not given)",
};

const UNLISTED: Treatment = Treatment {
    rule: "unlisted",
    shown: Shown::Never,
    next: "the SMTP service holds its queue in memory and knows this file only after its next start; then it is sent or \
           returned",
    remedies: &[RESTART, QUEUE_TO_QUEUE, LAST_RESORT],
    destroyers: STREAM_DESTROYERS,
    fates: fates::UNLISTED,
    source: "Microsoft KB 934709; Exchange team blog 2007-08-01 (System Manager shows objects in memory)",
};

const LISTED_NOT_ON_DISK: Treatment = Treatment {
    rule: "listed-not-on-disk",
    shown: Shown::Always,
    next: "nothing, if it rests elsewhere: mail from MAPI clients is in the store's TempTable, and Exchange 2007 and later \
           keep all mail in `mail.que`; if its file is gone, it is lost at the next start",
    remedies: &[Remedy {
        command: "",
        what: "look in the store's TempTable (source `temptable`) and export the message while it is still listed: \
               Suspend-Message, then Export-Message | AssembleMessage",
    }],
    destroyers: &["restarting the service before it was exported, if its file really is gone"],
    fates: fates::LISTED_NOT_ON_DISK,
    source: "Evan Dodds 2004-12-27, \"Exchange special mailboxes part 3\"; Microsoft, \"Export-Message\". Shadow-redundancy and \
             Safety-Net copies are no undelivered mail and are never reported",
};

const OTHER_QUEUE: Treatment = Treatment {
    rule: "other-queue",
    shown: Shown::Never,
    next: "nothing: the SMTP service reads the one folder that its metabase names",
    remedies: &[RESTART, QUEUE_TO_QUEUE, LAST_RESORT],
    destroyers: STREAM_DESTROYERS,
    fates: fates::OTHER_QUEUE,
    source: "metabase property QueueDirectory (36875); that a folder beside the queue was once the queue is inferred",
};

const FOREIGN_NAME: Treatment = Treatment {
    rule: "foreign-name",
    shown: Shown::Never,
    next: "nothing as far as is known: queue files begin with NTFS and end in .eml",
    remedies: &[QUEUE_TO_QUEUE, LAST_RESORT],
    destroyers: STREAM_DESTROYERS,
    fates: fates::FOREIGN_NAME,
    source: "itprotoday.com, \"Clearing a Blocked Exchange SMTP Message Queue\"; that other names are passed over is inferred",
};

const BODY_WITHOUT_ENVELOPE: Treatment = Treatment {
    rule: "body-without-envelope",
    shown: Shown::Never,
    next: "not documented; without its envelope the service cannot know to whom it goes",
    remedies: &[COPY_AGAIN, REPLAY, LAST_RESORT],
    destroyers: STREAM_DESTROYERS,
    fates: &[],
    source: KB_306043,
};

const ENVELOPE_WITHOUT_BODY: Treatment = Treatment {
    rule: "envelope-without-body",
    shown: Shown::Never,
    next: "nothing: a stream that lies here as a file of its own is no queue file; its message is missing",
    remedies: &[Remedy {
        command: "",
        what: "look for the `.EML` of this name in the backup from which the stream came, and restore both to NTFS",
    }],
    destroyers: &["deleting the stream's file: it holds the only envelope that is left"],
    fates: fates::ENVELOPE_WITHOUT_BODY,
    source: "TechNet aa998408; inferred from the way in which streams are kept outside of NTFS",
};

const UNFINISHED: Treatment = Treatment {
    rule: "unfinished",
    shown: Shown::Never,
    next: "at the next start of the transport service a `.tmp` is named `.eml` again and taken in, also if it had already \
           been taken in before the crash: its recipients may get it twice",
    remedies: &[
        Remedy {
            command: "",
            what: "before the service is restarted, look whether it was taken in before the crash: \
                   Get-MessageTrackingLog -MessageId with its Message-ID",
        },
        Remedy { command: "", what: "if it was, move the `.tmp` out of the folder; if not, name it `.eml`" },
    ],
    destroyers: &["restarting the transport service first: what had been taken in is sent a second time"],
    fates: fates::UNFINISHED,
    source: PICKUP_REPLAY,
};

const ORPHAN_SIDE_FILE: Treatment = Treatment {
    rule: "orphan-side-file",
    shown: Shown::Never,
    next: "nothing: no service reads `.BDR`, `.BDP`, `.LTR` or `.RTR`",
    remedies: &[Remedy {
        command: "",
        what: "read the reason in the `.BDR`, look for the message in the tracking log by its time, then archive the file",
    }],
    destroyers: &[],
    fates: fates::ORPHAN_SIDE_FILE,
    source: "Microsoft KB Q319285, KB 884068",
};

const CORRUPT: Treatment = Treatment {
    rule: "corrupt",
    shown: Shown::Depends,
    next: "not documented; a file of NUL bytes cannot be delivered",
    remedies: &[Remedy {
        command: "",
        what: "save the readable part and its streams, look for the message at its sender or in a backup",
    }],
    destroyers: &["chkdsk /f before the files are copied: it may cut damaged files and streams"],
    fates: &[],
    source: "NTFS journals metadata only; inferred for the SMTP service",
};

const EMPTY_FILE: Treatment = Treatment {
    rule: "empty-file",
    shown: Shown::Depends,
    next: "not documented; there is no content that could be sent",
    remedies: &[Remedy {
        command: "",
        what: "look at its named streams for sender and recipients, and ask the sender for the message again",
    }],
    destroyers: &["deleting it before its streams were saved"],
    fates: &[],
    source: "inferred",
};

const HELD: Treatment = Treatment {
    rule: "held",
    shown: Shown::Always,
    next: "nothing: a suspended message waits for Resume-Message until it expires, one in the poison queue is suspended \
           for good and never expires",
    remedies: &[
        Remedy { command: "Resume-Message -Identity {id}", what: "let it go on its way" },
        Remedy {
            command: "Export-Message -Identity {id} | AssembleMessage -Path {id}.eml",
            what: "take it out to look at it, before a poison message is tried again",
        },
        RESUBMIT,
    ],
    destroyers: &["Remove-Message -WithNDR $false: it goes and nobody is told"],
    fates: fates::HELD,
    source: "Microsoft, Exchange Server documentation, \"Queues and messages in queues\", \"Resume-Message\"",
};

const UNCLAIMED: Treatment = Treatment {
    rule: "unclaimed",
    shown: Shown::Never,
    next: "in Pickup and Replay it is sent as soon as the service runs and may read the folder; a `.bad` and what lies in \
           Badmail or Drop stays for ever",
    remedies: &[
        Remedy {
            command: "",
            what: "Pickup, Replay: start the service (smtpsvc, MSExchangeTransport) and let it read and delete in the folder",
        },
        Remedy {
            command: "",
            what: "`.bad`: correct what was refused (over 64 KB of headers, over 100 recipients, no valid From) and name it \
                   `.eml`",
        },
        Remedy {
            command: "",
            what: "Drop: move it into Pickup; the x-sender and x-receiver lines that SMTP wrote are honoured (KB 306043)",
        },
        Remedy {
            command: "",
            what: "Badmail: read the `.BDR`, tell the sender; putting it into Pickup sends it to the recipients in its headers",
        },
    ],
    destroyers: &[
        "clearing Badmail because it is large",
        "putting a Badmail file into Pickup without x-sender and x-receiver: Bcc lost, others served twice",
    ],
    fates: fates::UNCLAIMED,
    source: PICKUP_REPLAY,
};

const DUPLICATE_MESSAGE: Treatment = Treatment {
    rule: "duplicate-message",
    shown: Shown::Depends,
    next: "each copy is sent for itself",
    remedies: &[Remedy {
        command: "",
        what: "compare Message-ID and tracking log, keep one copy; a message in Queue and in a TempTable was seen twice, not \
               sent twice",
    }],
    destroyers: &["requeueing both"],
    fates: fates::DUPLICATE_MESSAGE,
    source: "Microsoft KB 306043 (in part), KB 906557 (compare Message-IDs first)",
};
