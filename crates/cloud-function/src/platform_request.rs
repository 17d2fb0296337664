//! Headers that the platform adds to requests, and requests that are not for the relay.

use crate::trace::Trace;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use labelrelay_core::Relay;
use labelrelay_http::{Tasks, respond};
use std::net::IpAddr;
use std::sync::Arc;
use tracing::Instrument as _;

/// Browsers and crawlers ask for these by themselves; a function is not called for them.
const NOT_OURS: [&str; 2] = ["/robots.txt", "/favicon.ico"];

/// Everything between a connection and the relay.
#[derive(Clone)]
pub struct Front {
    /// Takes deliveries.
    pub relay: Arc<Relay>,
    /// Project of the traces; `None` when nobody names one.
    pub project: Option<Arc<str>>,
    /// `true` if Google's front end is before us. Then the last entry of `X-Forwarded-For` says who connected to it,
    /// and every other connection's address is its own.
    pub behind_google: bool,
}

impl Front {
    /// Answers one request.
    pub async fn answer(
        self,
        tasks: Tasks,
        connected: IpAddr,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        if NOT_OURS.contains(&request.uri().path()) {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        }
        let peer = if self.behind_google {
            last_forwarded(request.headers())
        } else {
            Some(connected)
        };
        let trace = self
            .project
            .and_then(|project| Trace::of(request.headers(), &project));
        let span = match trace {
            Some(trace) => tracing::error_span!("request", %trace),
            None => tracing::Span::none(),
        };
        respond(self.relay, tasks, peer, request)
            .instrument(span)
            .await
    }
}

/// Address that connected to Google's front end, as that says.
fn last_forwarded(headers: &HeaderMap) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    // Empty elements at the end are none, as for other proxies.
    let mut entries = lines
        .flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii);
    let entry = entries.find(|entry| !entry.is_empty())?;
    std::str::from_utf8(entry)
        .ok()?
        .parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_senders_own_line_does_not_count() {
        for (lines, expected) in [
            (&["203.0.113.9"][..], Some("203.0.113.9")),
            (&["35.223.142.181, 203.0.113.9"], Some("203.0.113.9")),
            (&["35.223.142.181", "203.0.113.9"], Some("203.0.113.9")),
            (&["2001:db8::1"], Some("2001:db8::1")),
            (&["35.223.142.181, 203.0.113.9,"], Some("203.0.113.9")),
            (&["35.223.142.181, 203.0.113.9", " "], Some("203.0.113.9")),
            (&["203.0.113.9, unknown"], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            let expected = expected.map(|address| address.parse().unwrap());
            assert_eq!(last_forwarded(&headers), expected, "{lines:?}");
        }
    }
}
