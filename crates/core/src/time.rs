//! Senders' times: RFC 3339 in, fixed-width versions out.

use jiff::Timestamp;
use jiff::tz::Offset;

/// Parses an RFC 3339 time with an offset, `T` and `Z` in upper case, up to nine digits of fraction;
/// `None` when it is not one, names the 60th second of a minute, or lies outside the years 1 to 9999, as it
/// is written or in UTC.
///
/// Times that are taken here may stand in the attribute `time`. Consumers' SDKs read that into their languages'
/// own times: Python's have neither a year 0 nor a leap second, and its SDK refuses the whole envelope;
/// JavaScript's would put the time of reading in its place.
///
/// ```
/// use labelrelay_core::time::parse;
/// assert!(parse("2020-09-24T04:56:08Z").is_some());
/// for wrong in ["2020-09-24", "2020-09-24 04:56:08Z", "20200924T045608Z", "2020-09-24T04:56:08", "2020-09-24T04:56:08+00:00[UTC]"] {
///     assert!(parse(wrong).is_none(), "{wrong}");
/// }
/// ```
pub fn parse(text: &str) -> Option<Timestamp> {
    // The parser of jiff takes a good deal more than RFC 3339, which is what the attribute `time` may hold.
    let (date_time, rest) = text.split_at_checked("2020-09-24T04:56:08".len())?;
    let offset = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let offset = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if offset.len() == fraction.len() {
                return None;
            }
            offset
        }
    };
    if !fits(date_time, "0000-00-00T00:00:00")
        || date_time.starts_with("0000")
        || date_time.ends_with(":60")
        || !(offset == "Z" || is_offset(offset))
    {
        return None;
    }
    let time: Timestamp = text.parse().ok()?;
    // Four digits of year are what makes versions comparable as strings.
    (FIRST..=LAST).contains(&time.as_second()).then_some(time)
}

/// Parses a time that may stand for a version, since it says more than the second: any two changes have another one.
///
/// The written form counts. Labelbox writes whole seconds, and a program that counts in seconds may pad
/// them with zeros; changed to B and back within one of them, a thing has the version that it had before.
///
/// ```
/// use labelrelay_core::time::parse_version;
/// assert!(parse_version("2026-11-21T09:47:10.371842Z").is_some());
/// for seconds in ["2026-11-21T09:47:10Z", "2026-11-21T09:47:10.0Z", "2026-11-21T09:47:10.000000+01:00"] {
///     assert!(parse_version(seconds).is_none(), "{seconds}");
/// }
/// ```
pub fn parse_version(text: &str) -> Option<Timestamp> {
    parse(text).filter(|&time| is_version(time))
}

/// Tells whether a time that was parsed may stand for a version, as [`parse_version`] does.
pub(crate) fn is_version(time: Timestamp) -> bool {
    time.subsec_nanosecond() != 0
}

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

/// Tells whether `text` is an offset from UTC, of less than a day: jiff takes up to `+25:59`.
fn is_offset(text: &str) -> bool {
    (fits(text, "+00:00") || fits(text, "-00:00"))
        && text.get(1..3).is_some_and(|hours| hours < "24")
        && text.get(4..).is_some_and(|minutes| minutes < "60")
}

/// Tells whether `text` looks like `pattern`, in which a zero stands for any digit.
fn fits(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(c, p)| {
            if p == b'0' {
                c.is_ascii_digit()
            } else {
                c == p
            }
        })
}

/// A version that compares as a string: `20200924T045608.000000000Z`. UTC, nine digits of fraction.
///
/// ```
/// use labelrelay_core::time::{parse, sequence};
/// let earlier = sequence(parse("2026-11-21T09:47:10.371842Z").unwrap());
/// let later = sequence(parse("2026-11-21T10:47:10.4+01:00").unwrap());
/// assert_eq!(earlier, "20261121T094710.371842000Z");
/// assert!(earlier < later);
/// ```
pub fn sequence(time: Timestamp) -> String {
    written(time, "00000000T000000.000000000Z")
}

/// RFC 3339 in UTC, microseconds always shown: how the relay writes its own times.
///
/// ```
/// use labelrelay_core::time::{parse, rfc3339};
/// let time = parse("2026-11-21T09:47:10.615371842Z").unwrap();
/// assert_eq!(rfc3339(time), "2026-11-21T09:47:10.615371Z");
/// ```
pub fn rfc3339(time: Timestamp) -> String {
    written(time, "0000-00-00T00:00:00.000000Z")
}

/// Writes `time` as `pattern` looks, in which a zero stands for a digit: the year to the second in UTC, then as much
/// of the fraction as there is room for. By hand, because every delivery needs it twice and `format!` takes longer.
fn written(time: Timestamp, pattern: &str) -> String {
    let time = Offset::UTC.to_datetime(time);
    let second = [
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
    ]
    .into_iter()
    .fold(i64::from(time.year()), |number, two_digits| {
        number * 100 + i64::from(two_digits)
    });
    let mut digits = [b'0'; 14 + 9];
    let (of_second, of_fraction) = digits.split_at_mut(14);
    put_digits(of_second, second);
    put_digits(of_fraction, time.subsec_nanosecond().into());
    let mut digits = digits.into_iter().map(char::from);
    let mut text = String::with_capacity(pattern.len());
    text.extend(pattern.chars().map(|c| match c {
        '0' => digits.next().unwrap_or(c),
        _ => c,
    }));
    text
}

/// Fills `places` with the last digits of `number`.
fn put_digits(places: &mut [u8], mut number: i64) {
    for place in places.iter_mut().rev() {
        *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rfc_3339_is_a_time() {
        for right in [
            "2020-09-24T04:56:08Z",
            "2024-04-30T18:07:10.82Z",
            "2026-11-21T10:47:10.4+01:00",
            "2026-11-21T10:47:10.123456789-23:59",
            "2026-11-21T10:47:10-00:00",
            "0001-01-01T00:00:00Z",
            "9999-12-30T00:00:00.999999999Z",
        ] {
            assert!(parse(right).is_some(), "{right}");
        }
        for wrong in [
            "",
            "now",
            "2020",
            "2020-13-24T04:56:08Z",
            "2020-09-24t04:56:08z",
            "2020-09-24T04:56:08,5Z",
            "2020-09-24T04:56:08.Z",
            "2020-09-24T04:56:08+0100",
            "2020-09-24T04:56:08+01",
            "2020-W39-4T04:56:08Z",
            "+002020-09-24T04:56:08Z",
            "2026-11-20T08:00:00+25:00",
            "2026-11-20T08:00:00-24:00",
            "2026-11-20T08:00:00+23:60",
            "2026-11-20T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "2016-12-31T23:59:60.5+01:00",
            "0000-01-01T00:00:00Z",
            "0000-12-31T23:59:59-05:00",
            "0001-01-01T00:00:00+05:00",
            "9999-12-31T23:59:59-05:00",
            " 2020-09-24T04:56:08Z",
            "2020-09-24T04:56:08Zé",
            "2020-09-24T04:56:0é",
            "2020-09-24T04:56:08.1234567891Z",
        ] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn sequences_compare_as_times_do() {
        let times = [
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59.5Z",
            "1970-01-01T00:00:00Z",
            "2020-09-24T04:56:08Z",
            "2020-09-24T04:56:08.000001Z",
            "9999-12-30T00:00:00Z",
        ];
        let sequences: Vec<String> = times
            .iter()
            .map(|text| sequence(parse(text).unwrap()))
            .collect();
        assert!(sequences.is_sorted(), "{sequences:?}");
        assert!(
            sequences
                .iter()
                .all(|sequence| sequence.len() == sequences[0].len()),
            "{sequences:?}"
        );
        assert_eq!(sequences[1], "19691231T235959.500000000Z");
    }

    /// Red if a fraction before 1970 counts backwards, as that of a timestamp does, or if a digit is rounded.
    #[test]
    fn times_are_written_whole_in_every_year() {
        for (time, written) in [
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
            ("0099-02-03T04:05:06.7Z", "0099-02-03T04:05:06.700000Z"),
            ("1969-12-31T23:59:59.250001Z", "1969-12-31T23:59:59.250001Z"),
            (
                "2026-11-30T00:59:59.999999999+01:00",
                "2026-11-29T23:59:59.999999Z",
            ),
            (
                "9999-12-30T00:00:00.000000999Z",
                "9999-12-30T00:00:00.000000Z",
            ),
        ] {
            assert_eq!(rfc3339(parse(time).unwrap()), written, "{time}");
        }
    }
}
