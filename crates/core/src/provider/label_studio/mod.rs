//! Label Studio: webhooks, and the calls that it makes to an ML back end.

mod action;
mod describe;
mod from_api;
mod members;

pub(super) use from_api::describe_entity;

use super::Endpoint;
use crate::describe::{Description, Inspection};
use labelrelay_json::Scanner;
use http::Method;
use members::Members;

/// Types that a body of Label Studio can become, for checking what somebody wrote into a filter.
pub(super) const KNOWN_TYPES: &str = "\
    io.labelstud.project.created io.labelstud.project.updated io.labelstud.project.deleted \
    io.labelstud.task.created io.labelstud.task.updated io.labelstud.task.deleted \
    io.labelstud.annotation.created io.labelstud.annotation.updated io.labelstud.annotation.deleted \
    io.labelstud.label_link.created io.labelstud.label_link.updated io.labelstud.label_link.deleted \
    io.labelstud.review.created io.labelstud.review.updated io.labelstud.review.deleted \
    io.labelstud.training.started io.labelstud.unrecognized";

/// Label Studio takes a back end for alive when `/health` answers 2xx with any JSON, and for set up when
/// `/setup` does. Both must come within its short time limits, so the answers are constants.
pub(super) fn endpoint(method: &Method, last: &str, ml_backend: bool) -> Endpoint {
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

/// Reads one body of Label Studio. Boxed, because it moves about with the request that it reads.
#[derive(Debug)]
pub struct Inspector(Box<Scanner<Members>>);

impl Inspector {
    pub(super) fn new() -> Self {
        Self(Box::new(Scanner::new(Members::default())))
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn finish(self) -> Inspection {
        let (check, members) = self.0.finish();
        let description = if check.is_json {
            describe::describe(&members)
        } else {
            Description::unrecognized(action::UNRECOGNIZED)
        };
        Inspection { check, description }
    }
}
