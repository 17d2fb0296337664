//! Paths of a source of Labelbox.

use crate::provider::endpoint::Endpoint;
use http::Method;

pub(in crate::provider) fn endpoint(method: &Method, last: &str) -> Endpoint {
    match (method, last) {
        (&Method::GET, "models") => Endpoint::Models,
        (&Method::POST, _) => Endpoint::Event,
        (_, "models") => Endpoint::WrongMethod { allow: "GET, POST" },
        _ => Endpoint::WrongMethod { allow: "POST" },
    }
}
