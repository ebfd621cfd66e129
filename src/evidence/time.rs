//! Points in time. The one door to chrono.

use chrono::{DateTime, FixedOffset, Local, SecondsFormat, TimeZone as _, Utc};
use serde::{Deserialize, Serialize};

/// Seconds between the FILETIME epoch (1601-01-01) and the Unix epoch. Source: [MS-DTYP] section 2.3.3.
const FILETIME_TO_UNIX_SECONDS: i64 = 11_644_473_600;
/// The FILETIME tick is 100 nanoseconds. Source: [MS-DTYP] section 2.3.3.
const FILETIME_TICKS_PER_SECOND: u64 = 10_000_000;

/// A point in time: seconds and nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time {
    /// Whole seconds since the Unix epoch.
    pub seconds: i64,
    /// Nanoseconds within the second, 0 to 999,999,999.
    pub nanos: u32,
}

/// A length of time in seconds; negative when it lies in the past.
pub type Duration = i64;

impl Time {
    /// A whole second since the Unix epoch.
    pub const fn from_unix(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// Seconds and nanoseconds; nanoseconds out of range become the last one of the second.
    pub fn new(seconds: i64, nanos: u32) -> Self {
        Self { seconds, nanos: nanos.min(999_999_999) }
    }

    /// The time as the system's own type has it.
    pub fn to_system(self) -> std::time::SystemTime {
        let whole = std::time::Duration::from_secs(self.seconds.unsigned_abs());
        let epoch = std::time::UNIX_EPOCH;
        let seconds = if self.seconds < 0 { epoch.checked_sub(whole) } else { epoch.checked_add(whole) };
        seconds.unwrap_or(epoch) + std::time::Duration::from_nanos(self.nanos.into())
    }

    /// A Windows FILETIME: 100-nanosecond ticks since 1601-01-01T00:00:00Z.
    pub fn from_filetime(ticks: u64) -> Self {
        let seconds = i64::try_from(ticks / FILETIME_TICKS_PER_SECOND).unwrap_or(i64::MAX);
        let rest = u32::try_from(ticks % FILETIME_TICKS_PER_SECOND).unwrap_or(0);
        Self::new(seconds.saturating_sub(FILETIME_TO_UNIX_SECONDS), rest * 100)
    }

    /// The clock of this machine.
    pub fn now() -> Self {
        let now = Utc::now();
        Self::new(now.timestamp(), now.timestamp_subsec_nanos())
    }

    /// Reads RFC 3339 (`2008-03-14T09:15:32Z`, a space for the `T`, offset `Z` or `+01:00`), `@SECONDS`, or a bare date
    /// (midnight UTC).
    ///
    /// # Errors
    /// `None` when the text is none of these; a time without an offset is refused, since guessing one is how evidence
    /// gets an hour wrong.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(seconds) = text.strip_prefix('@') {
            return seconds.parse().ok().map(Self::from_unix);
        }
        if let Ok(date) = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            return Some(Self::from_unix(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp()));
        }
        let time = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self::new(time.timestamp(), time.timestamp_subsec_nanos()))
    }

    /// Reads the date of a mail header (RFC 5322 section 3.3).
    pub fn parse_rfc2822(text: &str) -> Option<Self> {
        let time: DateTime<FixedOffset> = DateTime::parse_from_rfc2822(text.trim()).ok()?;
        Some(Self::new(time.timestamp(), time.timestamp_subsec_nanos()))
    }

    /// Reads the local wall-clock time of this machine in a `strftime` pattern of chrono, as listings print it.
    pub fn parse_local(text: &str, pattern: &str) -> Option<Self> {
        let naive = chrono::NaiveDateTime::parse_from_str(text.trim(), pattern).ok()?;
        let time = Local.from_local_datetime(&naive).earliest()?;
        Some(Self::from_unix(time.timestamp()))
    }

    /// The year in UTC; for text that prints a time without its year.
    pub fn year(self) -> i32 {
        use chrono::Datelike as _;
        self.utc().map_or(1970, |time| time.year())
    }

    /// RFC 3339 in UTC, with as many decimals as the time has.
    pub fn rfc3339(self) -> String {
        self.utc().map_or_else(
            || format!("@{}", self.seconds),
            |time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        )
    }

    /// The date of a mail header in UTC (RFC 5322 section 3.3), to the second; `None` where its year has no four digits.
    pub fn rfc5322(self) -> Option<String> {
        use chrono::Datelike as _;
        let time = self.utc().filter(|time| (1..=9_999).contains(&time.year()))?;
        Some(time.format("%a, %d %b %Y %H:%M:%S +0000").to_string())
    }

    /// Local time with its offset, to the second, for people: `2026-11-24 07:46:48 +01:00`.
    pub fn local(self) -> String {
        self.utc().map_or_else(
            || format!("@{}", self.seconds),
            |time| time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S %:z").to_string(),
        )
    }

    /// Seconds from `earlier` to this time.
    pub fn since(self, earlier: Self) -> Duration {
        self.seconds.saturating_sub(earlier.seconds)
    }

    /// This time moved by so many seconds.
    #[must_use]
    pub fn plus(self, seconds: Duration) -> Self {
        Self { seconds: self.seconds.saturating_add(seconds), nanos: self.nanos }
    }

    fn utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp(self.seconds, self.nanos)
    }
}

/// Seconds for people: the two largest units, `9d 4h`, `3h 12m`, `45s`.
pub fn format_duration(seconds: Duration) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let total = seconds.unsigned_abs();
    let (days, hours, minutes) = (total / 86_400, total / 3_600 % 24, total / 60 % 60);
    let text = match (days, hours, minutes) {
        (0, 0, 0) => format!("{total}s"),
        (0, 0, _) => format!("{minutes}m {}s", total % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    };
    format!("{sign}{text}")
}

/// Reads a length of time as Postfix and people write it: `90`, `90s`, `5m`, `3h`, `2d`, `1w`. A bare number takes
/// `default_unit` (Postfix gives each parameter its own: postconf(5), "time units").
pub fn parse_duration(text: &str, default_unit: char) -> Option<Duration> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..)?.to_ascii_lowercase();
    let unit = if unit.is_empty() { default_unit.to_string() } else { unit };
    let factor = match unit.as_str() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    let number: i64 = digits.trim().parse().ok()?;
    if number < 0 { None } else { number.checked_mul(factor) }
}

#[cfg(test)]
mod tests {
    use super::{Time, format_duration, parse_duration};

    #[test]
    fn a_filetime_is_the_second_that_windows_means() {
        // Low 0xF44FA680, High 0x01C885B3 is printed by MFCMAPI as 09:15:32.456 AM 3/14/2008 (UTC).
        let time = Time::from_filetime(0x01C8_85B3_F44F_A680);
        assert_eq!(time.rfc3339(), "2008-03-14T09:15:32.456Z");
    }

    #[test]
    fn times_without_an_offset_are_refused() {
        assert!(Time::parse("2008-03-14T09:15:32").is_none());
        assert_eq!(Time::parse("2008-03-14T10:15:32+01:00"), Time::parse("2008-03-14T09:15:32Z"));
        assert_eq!(Time::parse("2008-03-14 09:15:32Z"), Time::parse("@1205486132"));
    }

    #[test]
    fn a_mail_header_gets_the_date_that_it_can_hold() {
        let time = Time::parse("2008-03-04T10:15:32+01:00").unwrap();
        assert_eq!(time.rfc5322().unwrap(), "Tue, 04 Mar 2008 09:15:32 +0000");
        assert_eq!(Time::parse_rfc2822(&time.rfc5322().unwrap()), Some(time));
        assert_eq!(Time::from_unix(i64::MAX).rfc5322(), None);
        assert_eq!(Time::from_unix(400_000_000_000).rfc5322(), None);
    }

    #[test]
    fn durations_read_and_print_as_people_write_them() {
        assert_eq!(parse_duration("4000s", 's'), Some(4000));
        assert_eq!(parse_duration("5", 'd'), Some(432_000));
        assert_eq!(parse_duration("soon", 's'), None);
        assert_eq!(format_duration(777_600 + 14_400), "9d 4h");
        assert_eq!(format_duration(-90), "-1m 30s");
    }
}
