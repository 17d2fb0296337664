//! Meaning of an answer for the event.

use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use std::time::Duration;

/// Consequence of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    /// The receiver has no use for the event.
    NoUse,
    /// The receiver is not ready, whatever the event.
    NotReady,
    Failed,
}

/// Only a status that was named makes a dead letter of an event: a receiver that is set up wrongly answers many others.
pub(super) fn verdict(status: StatusCode, reject: &[u16]) -> Verdict {
    match status {
        _ if status.is_success() => Verdict::Done,
        _ if reject.contains(&status.as_u16()) => Verdict::NoUse,
        // The last two are of a proxy before a receiver that is down, as during each of its deployments.
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::BAD_GATEWAY
        | StatusCode::GATEWAY_TIMEOUT => Verdict::NotReady,
        _ => Verdict::Failed,
    }
}

/// The time after which the receiver wants to be asked again: of `Retry-After`, in seconds or as a date.
pub(super) fn retry_after(header: Option<&HeaderValue>, now: Timestamp) -> Option<Duration> {
    let text = header?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    // HTTP writes UTC as GMT, as mail did.
    let at = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_rejected_but_what_was_named() {
        let reject = [422, 410];
        for (status, expected) in [
            (200, Verdict::Done),
            (204, Verdict::Done),
            (301, Verdict::Failed),
            (400, Verdict::Failed),
            (401, Verdict::Failed),
            (404, Verdict::Failed),
            (408, Verdict::NotReady),
            (410, Verdict::NoUse),
            (422, Verdict::NoUse),
            (425, Verdict::NotReady),
            (429, Verdict::NotReady),
            (500, Verdict::Failed),
            (502, Verdict::NotReady),
            (503, Verdict::NotReady),
            (504, Verdict::NotReady),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(verdict(status, &reject), expected, "{status}");
        }
        assert_eq!(verdict(StatusCode::GONE, &[422]), Verdict::Failed);
    }

    #[test]
    fn a_wait_is_read_in_seconds_and_as_a_date() {
        let now = "2026-11-28T00:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sat, 28 Nov 2026 00:01:30 GMT", Some(90)),
            ("Sat, 28 Nov 2026 00:00:00 GMT", Some(0)),
            ("Fri, 27 Nov 2026 00:00:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
            ("1.5", None),
        ] {
            let header = HeaderValue::from_static(text);
            let wait = retry_after(Some(&header), now);
            assert_eq!(wait, seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(None, now), None);
    }
}
