//! From an event to the head of a request, as core knows it.

use crate::event::HttpEvent;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use labelrelay_core::{Clock, RequestHead};
use std::time::Duration;

/// A request that waited longer for its function is not believed: nothing takes longer to start.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The head, arrived when the platform got the request.
pub(crate) fn head(event: &HttpEvent, clock: &dyn Clock) -> RequestHead {
    RequestHead {
        // What is no method is none that any path takes.
        method: Method::from_bytes(event.method.as_bytes()).unwrap_or(Method::TRACE),
        path: path(event),
        headers: headers(event),
        peer: event.source_ip.as_deref().and_then(|ip| ip.parse().ok()),
        arrived: clock.monotonic().saturating_sub(waited(event, clock)),
    }
}

/// A sender's own timeout counts from when it sent, and a cold start is part of it.
fn waited(event: &HttpEvent, clock: &dyn Clock) -> Duration {
    let now = clock.now().as_millisecond();
    let waited = event
        .at
        .and_then(|at| u64::try_from(now.checked_sub(at)?).ok());
    waited
        .map(Duration::from_millis)
        .filter(|waited| *waited <= LONGEST_WAIT)
        .unwrap_or_default()
}

/// An HTTP API with a named stage puts the stage's name in front of the path.
fn path(event: &HttpEvent) -> String {
    let path = event.path.as_str();
    let below = event
        .stage
        .as_deref()
        .filter(|stage| !matches!(*stage, "$default" | ""))
        .and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage))
        .filter(|below| below.is_empty() || below.starts_with('/'))
        .unwrap_or(path);
    if below.is_empty() { "/" } else { below }.to_owned()
}

fn headers(event: &HttpEvent) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(event.headers.len());
    for (name, value) in &event.headers {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
            continue;
        };
        for line in lines(&name, value) {
            if let Ok(line) = HeaderValue::from_bytes(line.as_bytes()) {
                headers.append(name.clone(), line);
            }
        }
    }
    headers
}

/// The lines that `value` was made of. Lambda joins repeated lines with commas, and core knows that for
/// headers in which no comma can be meant. A secret may hold one; but one that the name of a scheme follows
/// is the beginning of another line. In a header of the user's own choice nothing tells: there a secret
/// that stands twice is a wrong one (401), where `serve` sees two (400).
fn lines<'a>(name: &HeaderName, value: &'a str) -> Vec<&'a str> {
    let parts = || value.split(',').map(str::trim);
    if name == http::header::AUTHORIZATION && parts().all(has_scheme) {
        parts().collect()
    } else {
        vec![value]
    }
}

fn has_scheme(line: &str) -> bool {
    line.split_once(' ').is_some_and(|(scheme, _)| {
        scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("basic")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use labelrelay_testkit::clock::FakeClock;

    fn event() -> HttpEvent {
        HttpEvent {
            method: "POST".to_owned(),
            path: "/labelbox".to_owned(),
            stage: Some("$default".to_owned()),
            headers: Vec::new(),
            source_ip: None,
            at: None,
            body: Ok(Bytes::new()),
        }
    }

    #[test]
    fn a_named_stage_is_no_part_of_the_path() {
        for (stage, path, expected) in [
            ("$default", "/labelbox", "/labelbox"),
            ("prod", "/prod/labelbox", "/labelbox"),
            ("prod", "/prod/labelbox/models", "/labelbox/models"),
            ("prod", "/prod", "/"),
            ("prod", "/prod/", "/"),
            ("prod", "/production", "/production"),
            ("prod", "/labelbox", "/labelbox"),
            ("labelbox", "/labelbox/labelbox", "/labelbox"),
            ("", "", "/"),
        ] {
            let event = HttpEvent {
                stage: Some(stage.to_owned()),
                path: path.to_owned(),
                ..event()
            };
            assert_eq!(super::path(&event), expected, "{path} at {stage}");
        }
    }

    #[test]
    fn joined_credentials_are_parted() {
        for (name, value, expected) in [
            ("x-labelbox-id", "a, b", vec!["a, b"]),
            (
                "authorization",
                "Bearer a,Bearer a",
                vec!["Bearer a", "Bearer a"],
            ),
            (
                "Authorization",
                "bearer a, Basic YQ==",
                vec!["bearer a", "Basic YQ=="],
            ),
            ("authorization", "Bearer a,b", vec!["Bearer a,b"]),
            ("authorization", "Bearer a,Bearer", vec!["Bearer a,Bearer"]),
            (
                "x-forwarded-for",
                "1.1.1.1, 2.2.2.2",
                vec!["1.1.1.1, 2.2.2.2"],
            ),
            ("x-webhook-token", "a,b", vec!["a,b"]),
        ] {
            let mut event = event();
            event.headers.push((name.to_owned(), value.to_owned()));
            let headers = headers(&event);
            let lines: Vec<_> = headers.get_all(name).iter().collect();
            assert_eq!(lines, expected, "{name}: {value}");
        }
    }

    #[test]
    fn names_in_any_case_are_one_header_and_what_is_no_header_is_left_out() {
        let mut event = event();
        for (name, value) in [("X-A", "1"), ("x-a", "2"), ("no name", "3"), ("x-b", "\n")] {
            event.headers.push((name.to_owned(), value.to_owned()));
        }
        let headers = headers(&event);
        assert_eq!(headers.get_all("x-a").iter().count(), 2);
        assert_eq!(headers.len(), 2);
    }

    #[test]
    fn a_request_arrived_when_the_platform_got_it() {
        let clock = FakeClock::at("2026-11-21T09:47:10Z");
        let now = clock.now().as_millisecond();
        for (at, waited) in [
            (None, 0),
            (Some(now - 700), 700),
            (Some(now + 5), 0),
            (Some(now - 10_001), 0),
            (Some(0), 0),
            (Some(i64::MIN + now), 0),
        ] {
            let event = HttpEvent { at, ..event() };
            let arrived = head(&event, &clock).arrived;
            assert_eq!(
                clock.monotonic().saturating_sub(arrived),
                Duration::from_millis(waited),
                "{at:?}"
            );
        }
    }
}
