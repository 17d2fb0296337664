//! From an event to the head of a request, as core knows it.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use labelrelay_core::address::forwarded_address;
use labelrelay_core::{Clock, RequestHead};
use lambda_http::aws_lambda_events::apigw::{
    ApiGatewayV2httpRequest, ApiGatewayV2httpRequestContext,
};
use std::time::Duration;

/// A request that waited longer for its function is not believed: nothing takes longer to start.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The head, arrived when the platform got the request.
pub(crate) fn head(request: ApiGatewayV2httpRequest, clock: &dyn Clock) -> RequestHead {
    let context = &request.request_context;
    let source_ip = context.http.source_ip.as_deref();
    RequestHead {
        method: context.http.method.clone(),
        path: path(&request),
        peer: source_ip.and_then(forwarded_address),
        arrived: clock.monotonic().saturating_sub(waited(context, clock)),
        headers: parted(request.headers),
    }
}

/// A sender's own timeout counts from when it sent, and a cold start is part of it.
fn waited(context: &ApiGatewayV2httpRequestContext, clock: &dyn Clock) -> Duration {
    let now = clock.now().as_millisecond();
    let waited = now.checked_sub(context.time_epoch);
    waited
        .and_then(|waited| u64::try_from(waited).ok())
        .map(Duration::from_millis)
        .filter(|waited| *waited <= LONGEST_WAIT)
        .unwrap_or_default()
}

/// An HTTP API with a named stage puts the stage's name in front of the path.
fn path(request: &ApiGatewayV2httpRequest) -> String {
    let path = request.raw_path.as_deref().unwrap_or_default();
    let stage = request.request_context.stage.as_deref();
    let below = stage
        .filter(|stage| !matches!(*stage, "$default" | ""))
        .and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage))
        .filter(|below| below.is_empty() || below.starts_with('/'))
        .unwrap_or(path);
    if below.is_empty() { "/" } else { below }.to_owned()
}

/// The lines that `headers` were made of. Payload format 2.0 joins repeated lines with commas, and core knows that for
/// headers in which no comma can be meant. A secret may hold one; but one that the name of a scheme follows
/// is the beginning of another line. In a header of the user's own choice nothing tells: there a secret
/// that stands twice is a wrong one (401), where `serve` sees two (400).
fn parted(mut headers: HeaderMap) -> HeaderMap {
    let joined: Vec<_> = headers.get_all(AUTHORIZATION).iter().cloned().collect();
    headers.remove(AUTHORIZATION);
    for value in joined {
        let parts: Vec<_> = value
            .as_bytes()
            .split(|&byte| byte == b',')
            .map(<[u8]>::trim_ascii)
            .collect();
        if parts.iter().all(|part| has_scheme(part)) {
            for part in parts {
                // A part of a header's value is one.
                if let Ok(line) = HeaderValue::from_bytes(part) {
                    let _ = headers.try_append(AUTHORIZATION, line);
                }
            }
        } else {
            let _ = headers.try_append(AUTHORIZATION, value);
        }
    }
    headers
}

fn has_scheme(line: &[u8]) -> bool {
    let scheme = line.split(|&byte| byte == b' ').next();
    let scheme = scheme.filter(|scheme| scheme.len() < line.len());
    scheme.is_some_and(|scheme| {
        scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"basic")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;
    use labelrelay_testkit::clock::FakeClock;

    fn request() -> ApiGatewayV2httpRequest {
        let mut request = ApiGatewayV2httpRequest::default();
        request.raw_path = Some("/labelbox".to_owned());
        request.request_context.stage = Some("$default".to_owned());
        request
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
            let mut request = request();
            request.raw_path = Some(path.to_owned());
            request.request_context.stage = Some(stage.to_owned());
            assert_eq!(super::path(&request), expected, "{path} at {stage}");
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
            let mut headers = HeaderMap::new();
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
            let headers = parted(headers);
            let lines: Vec<_> = headers.get_all(name).iter().collect();
            assert_eq!(lines, expected, "{name}: {value}");
        }
    }

    #[test]
    fn a_request_arrived_when_the_platform_got_it() {
        let clock = FakeClock::at("2026-11-21T09:47:10Z");
        let now = clock.now().as_millisecond();
        for (at, waited) in [
            (now - 700, 700),
            (now + 5, 0),
            (now - 10_001, 0),
            (0, 0),
            (i64::MIN + now, 0),
            (i64::MIN, 0),
        ] {
            let mut request = request();
            request.request_context.time_epoch = at;
            let arrived = head(request, &clock).arrived;
            assert_eq!(
                clock.monotonic().saturating_sub(arrived),
                Duration::from_millis(waited),
                "{at:?}"
            );
        }
    }
}
