//! Paths of a source of Label Studio: its webhook, and the calls that it makes to an ML back end.

use crate::provider::endpoint::Endpoint;
use http::Method;

/// Label Studio takes a back end for alive when `/health` answers 2xx with any JSON, and for set up when
/// `/setup` does. Both must come within its short time limits, so the answers are constants.
pub(in crate::provider) fn endpoint(method: &Method, last: &str, ml_backend: bool) -> Endpoint {
    if ml_backend {
        match (method, last) {
            (&Method::GET, "health") => return Endpoint::Reply(r#"{"status":"UP"}"#),
            (&Method::POST, "setup") => return Endpoint::Reply("{}"),
            (&Method::GET, "versions") => return Endpoint::Reply(r#"{"versions":[]}"#),
            (&Method::POST, "predict") => return Endpoint::Reply(r#"{"results":[]}"#),
            (_, "health" | "versions") => return Endpoint::WrongMethod { allow: "GET" },
            _ => {}
        }
    }
    match *method {
        Method::POST => Endpoint::Event,
        _ => Endpoint::WrongMethod { allow: "POST" },
    }
}
