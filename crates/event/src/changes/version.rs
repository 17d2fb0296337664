//! Versions from times: RFC 3339 in, strings that compare as the times do out.

/// A time as a version, and what it can order.
pub(super) struct Version {
    /// Fixed width, UTC: `20261121T094710.371842000Z`.
    pub(super) text: String,
    /// `true` if it says more than the second.
    pub(super) has_fraction: bool,
}

const DAYS_BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

/// The version that a time stands for; `None` unless it is one that the relay takes for an envelope's `sequence`.
pub(super) fn version(written: &str) -> Option<Version> {
    let (clock, rest) = written.split_at_checked("2026-11-21T09:47:10".len())?;
    let mut seconds = seconds_of(clock)?;
    let (fraction, zone) = fraction_of(rest)?;
    seconds -= offset_of(zone)?;
    let digits = format!("{fraction:0<9}");
    let text = format!("{}.{digits}Z", written_utc(seconds)?);
    let has_fraction = digits.bytes().any(|digit| digit != b'0');
    Some(Version { text, has_fraction })
}

/// Seconds since the beginning of the year 0.
fn seconds_of(clock: &str) -> Option<i64> {
    let signs: Vec<u8> = clock
        .bytes()
        .map(|byte| if byte.is_ascii_digit() { b'0' } else { byte })
        .collect();
    if signs != b"0000-00-00T00:00:00" {
        return None;
    }
    let number = |from: usize, to: usize| clock.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let is_time = hour < 24 && minute < 60 && second < 60;
    if year == 0 || !is_time || !(1..=days_in(year, month)?).contains(&day) {
        return None;
    }
    let days = days_before(year, month)? + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> Option<i64> {
    let days = match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    Some(days)
}

/// Days from the beginning of the year 0 to that of the month. The year 0 has 366.
fn days_before(year: i64, month: i64) -> Option<i64> {
    let years = if year == 0 {
        0
    } else {
        let past = year - 1;
        year * 365 + past / 4 - past / 100 + past / 400 + 1
    };
    let months = DAYS_BEFORE_MONTH.get(usize::try_from(month - 1).ok()?)?;
    Some(years + months + i64::from(month > 2 && is_leap(year)))
}

/// Up to nine digits behind a point, and what follows.
fn fraction_of(rest: &str) -> Option<(&str, &str)> {
    let Some(digits) = rest.strip_prefix('.') else {
        return Some(("", rest));
    };
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    (1..=9).contains(&count).then(|| digits.split_at(count))
}

/// Seconds by which a clock with this offset is ahead of UTC.
fn offset_of(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = match zone.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let number = |text: &str| {
        let is_two_digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_two_digits.then(|| text.parse::<i64>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60)
}

/// The time without its fraction; `None` outside of the years 1 to 9999.
fn written_utc(seconds: i64) -> Option<String> {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Never too late: a year has 366 days at most.
    let mut year = days / 366;
    while days_before(year + 1, 1)? <= days {
        year += 1;
    }
    if !(1..=9999).contains(&year) {
        return None;
    }
    let mut month = 12;
    while days_before(year, month)? > days {
        month -= 1;
    }
    let day = days - days_before(year, month)? + 1;
    let (hour, minute) = (second / 3600, second / 60 % 60);
    let second = second % 60;
    Some(format!(
        "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}"
    ))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn times_become_versions_in_utc() {
        for (written, expected) in [
            ("2026-11-21T09:47:10.371842Z", "20261121T094710.371842000Z"),
            ("2026-11-21T09:47:10Z", "20261121T094710.000000000Z"),
            ("2026-12-31T23:30:00-01:00", "20270101T003000.000000000Z"),
            ("2024-03-01T00:30:00+01:00", "20240229T233000.000000000Z"),
            ("2100-03-01T00:00:00.5+00:01", "21000228T235900.500000000Z"),
            ("0001-01-01T00:00:00Z", "00010101T000000.000000000Z"),
            (
                "9999-12-31T23:59:59.999999999Z",
                "99991231T235959.999999999Z",
            ),
            ("2000-02-29T12:00:00-23:59", "20000301T115900.000000000Z"),
        ] {
            assert_eq!(version(written).unwrap().text, expected, "{written}");
        }
        assert!(version("2026-11-21T09:47:10.000001Z").unwrap().has_fraction);
        assert!(!version("2026-11-21T09:47:10.000Z").unwrap().has_fraction);
    }

    #[test]
    fn text_that_is_no_time_has_no_version() {
        for written in [
            "",
            "soon",
            "2026-11-21",
            "2026-11-21 09:47:10Z",
            "2026-11-21T09:47:10",
            "2026-11-21t09:47:10z",
            "2026-11-21T09:47:60Z",
            "2026-11-21T24:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "2026-11-21T09:47:10.Z",
            "2026-11-21T09:47:10.1234567890Z",
            "2026-11-21T09:47:10+24:00",
            "2026-11-21T09:47:10+00:60",
            "2026-11-21T09:47:10+0:00",
            "2026-11-21T09:47:10+00:00Z",
            "2026-11-21T09:47:1\u{e9}",
        ] {
            assert!(version(written).is_none(), "{written}");
        }
    }
}
