//! Which kind of export a file is, by its first bytes.

/// The kinds of export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `Row 0x1 of 0x14`, 2007 to 2011.
    Text,
    /// `<table><row>`: "Export table…".
    Table,
    /// `<ContentsTable><message num>`: `CONTENTS_TABLE.xml`.
    ContentsTable,
    /// The same for associated items, which are no mail: `ASSOCIATED_CONTENTS_TABLE.xml`.
    AssociatedTable,
    /// `<message>`: one message with body and recipients.
    MessageFile,
    /// `<propertypane>`, until 2019.
    PropertyPane,
    /// `<properties listtype="propertypane">`, since 2019.
    Properties,
    /// `FOLDER_PROPS.xml`.
    FolderProperties,
    /// `MAILBOX_TABLE.xml`.
    MailboxTable,
    /// What `MrMAPI -List` prints.
    MrMapiList,
    /// Columns separated by this byte.
    Delimited(u8),
    /// One JSON object a line.
    JsonLines,
}

impl Shape {
    /// Its name in `Detected::variant`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "mfcmapi-text",
            Self::Table => "mfcmapi-table",
            Self::ContentsTable => "mfcmapi-contents-table",
            Self::AssociatedTable => "mfcmapi-associated-contents-table",
            Self::MessageFile => "mfcmapi-message",
            Self::PropertyPane | Self::Properties => "mfcmapi-property-pane",
            Self::FolderProperties => "mfcmapi-folder-properties",
            Self::MailboxTable => "mfcmapi-mailbox-table",
            Self::MrMapiList => "mrmapi-list",
            Self::Delimited(b'\t') => "tsv",
            Self::Delimited(_) => "csv",
            Self::JsonLines => "json-lines",
        }
    }

    /// The element round everything.
    pub fn root(self) -> &'static str {
        match self {
            Self::ContentsTable | Self::AssociatedTable => "ContentsTable",
            Self::MessageFile => "message",
            Self::PropertyPane => "propertypane",
            Self::Properties => "properties",
            Self::FolderProperties => "folderprops",
            Self::MailboxTable => "mailboxtable",
            _ => "table",
        }
    }

    /// The element that is one message.
    pub fn item(self) -> &'static str {
        match self {
            Self::ContentsTable | Self::AssociatedTable | Self::MessageFile => "message",
            Self::PropertyPane => "propertypane",
            Self::Properties => "properties",
            _ => "row",
        }
    }

    /// Whether the file holds one message.
    pub fn is_single(self) -> bool {
        matches!(self, Self::MessageFile | Self::PropertyPane | Self::Properties)
    }

    /// Whether it is there to name a table, and holds no message itself.
    pub fn is_label(self) -> bool {
        matches!(self, Self::FolderProperties | Self::MailboxTable | Self::AssociatedTable)
    }

    /// Whether the rows are all messages of a folder, so that the folder's count can be held against them.
    pub fn is_whole_folder(self) -> bool {
        !self.is_single() && !self.is_label()
    }
}

/// The MFCMAPI or MrMAPI export that starts like this, and its era for people.
pub fn mapi_shape(head: &str) -> Option<(Shape, &'static str)> {
    let head = head.trim_start();
    let first = head.lines().next().unwrap_or_default().trim();
    if first.starts_with("Row 0x") && first.contains(" of 0x") {
        return Some((Shape::Text, "MFCMAPI table export as text (2007-08 to 2011-01)"));
    }
    if first.eq_ignore_ascii_case("Subject, Message Class, Filename") {
        return Some((Shape::MrMapiList, "output of `MrMAPI -List`"));
    }
    let mut tags =
        head.lines().map(str::trim).filter(|line| line.starts_with('<') && !line.starts_with("<?xml"));
    let (root, next) = (tags.next()?, tags.next().unwrap_or_default());
    let shape = match root {
        // HTML has a <table> too.
        "<table>" if next.is_empty() || next.starts_with("<row index") || next == "</table>" => Shape::Table,
        "<message>" if next.is_empty() || next.starts_with("<prop") => Shape::MessageFile,
        "<propertypane>" => Shape::PropertyPane,
        "<folderprops>" => Shape::FolderProperties,
        root if root.starts_with("<properties listtype=\"propertypane\"") => Shape::Properties,
        root if root.starts_with("<mailboxtable") => Shape::MailboxTable,
        root if root.starts_with("<ContentsTable") && root.contains("Associated") => Shape::AssociatedTable,
        root if root.starts_with("<ContentsTable") => Shape::ContentsTable,
        _ => return None,
    };
    Some((shape, era(head)))
}

/// The builds of MFCMAPI that write like this. Source: the history of its public repository; the commits are named in the
/// documentation of the source.
fn era(head: &str) -> &'static str {
    if head.contains("<Other Names>") {
        "MFCMAPI XML (2016-11 to 2016-12)"
    } else if head.contains("<OtherNames>") || head.contains("<Name>") {
        "MFCMAPI XML (since 2016-12)"
    } else if head.contains("\" >") {
        "MFCMAPI XML (2014-03 to 2016-11)"
    } else if head.contains("<ExactNames>") || head.contains("\">") {
        "MFCMAPI XML (until 2014-03)"
    } else {
        "MFCMAPI XML"
    }
}
