//! What a name in a queue folder says. Source: Courier `courier/libs/comqueuename.c`, `courier/submit2.C`.

use std::path::PathBuf;

/// Buckets of `msgs` (`QDIRCOUNT`).
const BUCKETS: u64 = 100;
/// Seconds that share a folder of `msgq` (`qmsgqdir` takes the last four figures off).
const SPAN: u64 = 10_000;

/// A name in a folder of `msgs` or `tmp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// `C` and an inode: a control file.
    Control(u64),
    /// `C`, an inode and a number: one of several control files of a message that is being handed in.
    Several(u64),
    /// `D` and an inode, perhaps with a number: a data file, and what follows the D.
    Data(u64, &'a str),
    /// `TIME.PID.HOST`: a control file that has not got its name yet.
    Begun {
        /// The process that writes it.
        pid: u32,
    },
    /// Anything else.
    Foreign,
}

/// Judges a name.
pub fn judge(name: &str) -> Name<'_> {
    let numbered = |rest: &str| match rest.split_once('.') {
        None => Some((number(rest)?, false)),
        Some((inode, which)) => number(which).and_then(|_| Some((number(inode)?, true))),
    };
    match (name.split_at_checked(1), name.bytes().next()) {
        (Some(("C", rest)), _) => match numbered(rest) {
            Some((inode, false)) => Name::Control(inode),
            Some((inode, true)) => Name::Several(inode),
            None => Name::Foreign,
        },
        (Some(("D", rest)), _) => numbered(rest).map_or(Name::Foreign, |(inode, _)| Name::Data(inode, rest)),
        (_, Some(b'0'..=b'9')) => begun(name),
        _ => Name::Foreign,
    }
}

fn begun(name: &str) -> Name<'_> {
    let mut parts = name.splitn(3, '.');
    let (time, pid, host) = (parts.next(), parts.next(), parts.next());
    match (time.and_then(number), pid.and_then(|pid| pid.parse().ok()), host) {
        (Some(_), Some(pid), Some(_)) => Name::Begun { pid },
        _ => Name::Foreign,
    }
}

/// A number as Courier writes one: figures only.
pub fn number(text: &str) -> Option<u64> {
    let figures = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if figures { text.parse().ok() } else { None }
}

/// The place of a control or data file in `msgs`.
pub fn in_msgs(letter: char, inode: u64) -> PathBuf {
    PathBuf::from(format!("msgs/{}/{letter}{inode}", inode % BUCKETS))
}

/// All places of `msgs` in which a control file could have been put.
pub fn anywhere_in_msgs(inode: u64) -> impl Iterator<Item = PathBuf> {
    (0..BUCKETS).map(move |bucket| PathBuf::from(format!("msgs/{bucket}/C{inode}")))
}

/// The name in `msgq` of a control file that is to be tried then.
pub fn in_msgq(inode: u64, time: u64) -> PathBuf {
    PathBuf::from(format!("msgq/{}/C{inode}.{time}", time / SPAN))
}

/// Inode and time of a name in `msgq`.
pub fn of_link(name: &str) -> Option<(u64, u64)> {
    let (inode, time) = name.strip_prefix('C')?.split_once('.')?;
    Some((number(inode)?, number(time)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_file_is() {
        assert_eq!(judge("C10890503"), Name::Control(10_890_503));
        assert_eq!(judge("C10890503.2"), Name::Several(10_890_503));
        assert_eq!(judge("D10890503"), Name::Data(10_890_503, "10890503"));
        assert_eq!(judge("D10890503.2"), Name::Data(10_890_503, "10890503.2"));
        assert_eq!(judge("1795480083.1610.lab.test"), Name::Begun { pid: 1_610 });
        for foreign in ["C", "Cx", "C1.x", "D", "1795480083", "1.2", "é", "", "C99999999999999999999999"] {
            assert_eq!(judge(foreign), Name::Foreign, "{foreign}");
        }
    }

    #[test]
    fn places_follow_from_inode_and_time() {
        assert_eq!(in_msgs('D', 10_890_503), PathBuf::from("msgs/3/D10890503"));
        assert_eq!(in_msgq(10_890_600, 1_795_480_048), PathBuf::from("msgq/179548/C10890600.1795480048"));
        assert_eq!(of_link("C10890600.1795480048"), Some((10_890_600, 1_795_480_048)));
        assert_eq!(of_link("C10890600.1795480048.bak"), None);
    }
}
