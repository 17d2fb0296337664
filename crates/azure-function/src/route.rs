//! Tells who a request of the host is from: an outside sender, the timer, or the host itself.

use http::uri::PathAndQuery;
use http::{Method, Uri};

/// The host's route prefix, unless `host.json` says otherwise; ours must not.
const PREFIX: &str = "/api";

/// The folder of the timer's function.
const REDRIVE: &str = "/redrive";

/// Sender of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// A request from outside, with its URI without the prefix.
    Outside(Uri),
    /// The timer.
    Redrive,
    /// The host asks whether somebody listens.
    Ping,
    /// Nobody's.
    Nowhere,
}

pub(crate) fn route(method: &Method, uri: &Uri) -> Route {
    if let Some(below) = below_prefix(uri.path()) {
        return outside(uri, below).map_or(Route::Nowhere, Route::Outside);
    }
    match uri.path() {
        REDRIVE if *method == Method::POST => Route::Redrive,
        "/" => Route::Ping,
        _ => Route::Nowhere,
    }
}

/// Rest of `path` below the prefix. The host's router takes letters of either case for the same, and proxies the path
/// as the sender wrote it.
fn below_prefix(path: &str) -> Option<&str> {
    let (front, below) = path.split_at_checked(PREFIX.len())?;
    let is_below = below.is_empty() || below.starts_with('/');
    (front.eq_ignore_ascii_case(PREFIX) && is_below).then_some(below)
}

fn outside(uri: &Uri, below: &str) -> Option<Uri> {
    let path = if below.is_empty() { "/" } else { below };
    let whole = match uri.query() {
        Some(query) => PathAndQuery::try_from(format!("{path}?{query}")),
        None => PathAndQuery::try_from(path),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(whole.ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &Method, uri: &str) -> Route {
        route(method, &uri.parse().unwrap())
    }

    #[test]
    fn the_prefix_is_taken_off_and_nothing_else() {
        for (from, to) in [
            ("/api/labelbox", "/labelbox"),
            ("/api/labelbox/", "/labelbox/"),
            ("/api/labelbox?code=k%3D&x", "/labelbox?code=k%3D&x"),
            ("/api", "/"),
            ("/api/", "/"),
            ("/api?code=k", "/?code=k"),
            ("/api/api/x", "/api/x"),
            ("/api/a%2Fb", "/a%2Fb"),
            ("/api//labelbox", "//labelbox"),
            ("/API/labelbox", "/labelbox"),
            ("/Api", "/"),
        ] {
            assert_eq!(
                of(&Method::POST, from),
                Route::Outside(to.parse().unwrap()),
                "{from}"
            );
        }
    }

    #[test]
    fn nothing_from_outside_reaches_the_redrive() {
        assert_eq!(of(&Method::POST, "/redrive"), Route::Redrive);
        // A proxied request keeps its prefix, however the path is written.
        for path in [
            "/api/redrive",
            "/api/../redrive",
            "/api/%2e%2e/redrive",
            "/api//redrive",
            "/API/redrive",
        ] {
            assert!(
                matches!(of(&Method::POST, path), Route::Outside(_)),
                "{path}"
            );
        }
        for (method, path) in [
            (Method::GET, "/redrive"),
            (Method::POST, "/redrive/"),
            (Method::POST, "/Redrive"),
            (Method::POST, "//redrive"),
            (Method::POST, "/apiredrive"),
            (Method::POST, "/admin"),
        ] {
            assert_eq!(of(&method, path), Route::Nowhere, "{path}");
        }
        assert_eq!(of(&Method::GET, "/"), Route::Ping);
    }
}
