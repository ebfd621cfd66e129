//! What Exchange 2000 and 2003 do with what is left in a TempTable.

use super::fates;
use crate::evidence::{Remedy, Shown, Treatment};

const KB_950757: &str = "KB 950757 (support.microsoft.com/kb/950757)";
const KB_906557: &str =
    "KB 906557 (support.microsoft.com/kb/906557), of which the text of method 2 is not to be had";

/// Method 1 of KB 906557 is the advice that is found first.
const CLEAR_IN_MFCMAPI: &str = "deleting in MFCMAPI (KB 906557, method 1) clears all inbound and outbound mail of the virtual server at once";
const MOVE_TO_PICKUP: &str = "copying a message into Pickup loses its envelope: Bcc recipients are lost, members already served get it twice (KB 306043)";
const DELETE_VIRTUAL_SERVER: &str =
    "deleting the SMTP virtual server leaves its TempTable behind with all that is in it (KB 906557)";
const RESTART_UNPREPARED: &str =
    "a restart without a look at the ages first sends days-old mail and returns the rest to its senders";

const RESTART: Remedy = Remedy {
    command: "iisreset /restart",
    what: "restart the IIS Admin service, and with it SMTP: Exchange reads the TempTables anew and submits what is in them; late mail and non-delivery reports are to be expected, so warn the senders first",
};
const RESTART_SMTP: Remedy = Remedy {
    command: "net stop SMTPSVC && net start SMTPSVC",
    what: "restart the SMTP service alone where IIS Admin cannot be restarted",
};
const HOTFIX: Remedy = Remedy {
    command: "",
    what: "install the hotfix of KB 950757 (Exchange Server 2003 Service Pack 2 only), or the next life will strand mail again",
};
const FORCE_CONNECTION: Remedy = Remedy {
    command: "",
    what: "use `Force Connection` in Exchange System Manager; it reaches only queues that are shown there",
};
const COMPARE: Remedy = Remedy {
    command: "",
    what: "compare Message-IDs with the message tracking log before anything is sent again: event 1031 or 1023 (KB 821905) means that it has been handed on",
};
const EXPORT_AGAIN: Remedy = Remedy {
    command: "",
    what: "export the table again after a few minutes: mail in flight is gone from it by then",
};

/// What happens to each.
pub static TREATMENTS: &[Treatment] = &[
    Treatment {
        rule: "stale-stamp",
        // KB 950757 says that it is not in the queues of System Manager; between two attempts one may still be seen.
        shown: Shown::Depends,
        next: "nothing, until the SMTP service, IIS Admin or the Information Store is restarted: its stamp differs from the store driver's, so each retry takes it for invalid; after the restart it is delivered late, or returned to its sender",
        remedies: &[RESTART, RESTART_SMTP, HOTFIX],
        destroyers: &[CLEAR_IN_MFCMAPI, DELETE_VIRTUAL_SERVER, MOVE_TO_PICKUP, RESTART_UNPREPARED],
        fates: fates::STALE_STAMP,
        source: KB_950757,
    },
    Treatment {
        rule: "older-than-epoch",
        shown: Shown::Depends,
        next: "probably nothing until the next restart: it was stored in an earlier life of the service, which reads the TempTables when it starts; an item that was left over from then is not read again (inferred, the export shows no stamp)",
        remedies: &[RESTART, RESTART_SMTP],
        destroyers: &[CLEAR_IN_MFCMAPI, DELETE_VIRTUAL_SERVER, RESTART_UNPREPARED],
        fates: fates::OLDER_THAN_EPOCH,
        source: "KB 950757, KB 826948; itbbservices.co.uk/?p=294 on the enumeration of TempTables at start",
    },
    Treatment {
        rule: "unlisted",
        shown: Shown::Never,
        next: "nothing that anyone sees: Exchange System Manager shows the queues in memory, the message is only in the store; the next restart of SMTP submits it again",
        remedies: &[EXPORT_AGAIN, RESTART, HOTFIX],
        destroyers: &[CLEAR_IN_MFCMAPI, DELETE_VIRTUAL_SERVER, MOVE_TO_PICKUP, RESTART_UNPREPARED],
        fates: fates::UNLISTED,
        source: "KB 950757; Exchange team blog, 2007-08-01 (techcommunity ba-p/592171), on orphaned messages in temp tables",
    },
    Treatment {
        rule: "duplicate-message",
        shown: Shown::Depends,
        next: "each copy may be delivered: one TempTable belongs to one virtual server, and each server submits its own at the next restart",
        remedies: &[COMPARE],
        destroyers: &[CLEAR_IN_MFCMAPI, MOVE_TO_PICKUP],
        fates: fates::DUPLICATE_MESSAGE,
        source: "KB 906557 (multiple delivery after a restart of the store or the computer)",
    },
    Treatment {
        rule: "overdue",
        shown: Shown::Depends,
        next: "it was due and was not tried: like a message with a stale stamp it waits for the next restart (inferred)",
        remedies: &[FORCE_CONNECTION, RESTART],
        destroyers: &[CLEAR_IN_MFCMAPI, RESTART_UNPREPARED],
        fates: fates::OVERDUE,
        source: "KB 950757; KB 973760 on messages with a deferred delivery time that block a queue",
    },
    Treatment {
        rule: "expired",
        shown: Shown::Depends,
        next: "a non-delivery report to its sender, but not before the next restart: senders learn nothing until then",
        remedies: &[COMPARE, RESTART],
        destroyers: &[CLEAR_IN_MFCMAPI, MOVE_TO_PICKUP],
        fates: fates::EXPIRED,
        source: KB_950757,
    },
    Treatment {
        rule: "queue-blocker",
        shown: Shown::Depends,
        next: "while stuck messages of a TempTable block SMTP, mail backs up in `Messages awaiting directory lookup` and nothing is logged",
        remedies: &[RESTART],
        destroyers: &[CLEAR_IN_MFCMAPI],
        fates: &[],
        source: KB_906557,
    },
];
