//! Exports of an Exchange SMTP TempTable.

use super::{About, Detected, Emit, Opened, Options, Place, Source, Unit};
use crate::evidence::{Habits, Record, Treatment};
use crate::read::disk::{EntryKind, not_regular};
use std::ops::ControlFlow;

mod build;
mod columns;
mod delimited;
mod detect;
mod dialect;
mod export;
mod fates;
mod folder;
mod header_row;
mod jsonlines;
mod labels;
mod mrmapi;
mod open;
mod property;
mod read;
mod row_reader;
mod rows;
mod scanner;
mod stamp_choice;
#[cfg(test)]
mod tests;
mod text2007;
mod transport;
mod treatments;
mod value;

/// Exports of an Exchange SMTP TempTable.
pub struct TempTable;

impl Source for TempTable {
    fn name(&self) -> &'static str {
        "temptable"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn detect(&self, place: &Place<'_>) -> Option<Detected> {
        detect::detect(place)
    }

    fn open(&self, detected: &Detected, options: &Options) -> anyhow::Result<Opened> {
        open::open(detected, options)
    }

    fn listed_by(&self) -> &'static str {
        "exchange"
    }

    fn treatments(&self) -> &'static [Treatment] {
        treatments::TREATMENTS
    }

    fn habits(&self) -> &'static Habits {
        &fates::HABITS
    }
}

static ABOUT: About = About {
    title: "Exports of an Exchange 2000/2003 SMTP TempTable (MFCMAPI, MrMAPI, CSV, TSV, JSON lines)",
    text: "\
Mail that MAPI, OWA and the MTA hand to SMTP waits in the store, in the folders TempTable#1, TempTable#2, … of a mailbox \
`SMTP (SERVER-{GUID})`, one for each virtual server. Exchange System Manager shows the queues in memory, not these folders; \
a message can be left in them unseen until SMTP is restarted (KB 950757).

Read are: MFCMAPI's `Export table…` of every build since 2007 (text until 2011, then XML in four dialects, in one byte a \
character or UTF-16, whatever the XML declaration says), `CONTENTS_TABLE.xml`, message files and property panes; \
what `MrMAPI -List` prints; CSV and TSV; JSON lines. A folder that holds `FOLDER_PROPS.xml` or `CONTENTS_TABLE.xml` is read \
as one table. `FOLDER_PROPS.xml` and `MAILBOX_TABLE.xml` beside an export give it its name.

Columns of CSV, TSV and JSON are known by name (subject, from, sender, recipients, message-id, entry-id, submitted, \
delivered, created, modified, size, stamp, queue, last-error and others, also as MAPI spells them), or by \
`--map COLUMN=FIELD`. Times are read from FILETIME, RFC 3339 with an offset and `@SECONDS`; a time without an offset is \
shown and not used. The stamp is the column or property that `--stamp` names, else one called GuidTimestamp or stamp.

Not known: where Exchange keeps the GuidTimestamp, which properties an item of a TempTable carries, and what the \
approved Mfcmapi 5.0.18.1978 wrote. The sender and the recipients of an export are MAPI's; the SMTP envelope is not in \
it. `.msg` files are not read.",
    checked: "files reconstructed from MFCMAPI's public source, from 2007-08-28 (84544a51) to 2026-08-07 (c004a219); no public export \
of a TempTable exists",
    formats: &[
        "microsoft/mfcmapi: core/mapi/mapiOutput.cpp, core/mapi/processor/dumpStore.cpp, core/property/property.cpp",
        "microsoft/mfcmapi at 84544a51: MFCOutput.cpp, DumpStore.cpp, InterpretProp.cpp",
        "[MS-OXCDATA], [MS-OXPROPS], [MS-OXCMSG], [MS-DTYP]",
        "KB 950757, KB 906557",
    ],
};

/// Reads one unit. Whether anyone wants more is for the caller, whom `emit` has told.
fn read_unit(unit: Unit<'_>, plan: &open::Plan, emit: &mut Emit<'_>) {
    let _flow = match unit.kind {
        EntryKind::Directory => ControlFlow::Continue(()),
        kind @ (EntryKind::Symlink | EntryKind::Special) => {
            emit(Record::Damage(not_regular(unit.path, kind)))
        }
        EntryKind::Regular | EntryKind::Unknown => read::read(unit, plan, emit),
    };
}
