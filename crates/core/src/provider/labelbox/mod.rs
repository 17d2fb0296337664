//! Labelbox: webhooks of both versions, workflow moves, and model training.

mod describe;
mod flat;
mod from_api;
mod labels;
mod members;
mod topic;

pub(super) use from_api::describe_entity;

use super::Endpoint;
use crate::describe::{Description, Inspection};
use labelrelay_json::Scanner;
use crate::request::RequestHead;
use http::Method;
use members::Members;
use topic::Topic;

pub(super) const DELIVERY_ID_HEADER: &str = "x-labelbox-id";

/// Says what happened. Nobody signed it.
const EVENT_HEADER: &str = "x-labelbox-event";

/// Types that a body of Labelbox can become, for checking what somebody wrote into a filter.
pub(super) const KNOWN_TYPES: &str = "\
    com.labelbox.label.created com.labelbox.label.updated com.labelbox.label.deleted \
    com.labelbox.label.unrecognized com.labelbox.review.created com.labelbox.review.updated \
    com.labelbox.review.deleted com.labelbox.review.unrecognized com.labelbox.model_run.created \
    com.labelbox.workflow.move com.labelbox.workflow.unrecognized com.labelbox.unrecognized";

/// What follows this is the platform's own word.
pub(super) const OPEN_TYPES: &str = "com.labelbox.workflow.";

pub(super) fn endpoint(method: &Method, last: &str) -> Endpoint {
    match (method, last) {
        (&Method::GET, "models") => Endpoint::Models,
        (&Method::POST, _) => Endpoint::Event,
        (_, "models") => Endpoint::WrongMethod { allow: "GET, POST" },
        _ => Endpoint::WrongMethod { allow: "POST" },
    }
}

/// Reads one body of Labelbox.
#[derive(Debug)]
pub struct Inspector {
    /// Boxed, because it moves about with the request that it reads.
    scanner: Box<Scanner<Members>>,
    topic: Option<Topic>,
}

impl Inspector {
    pub(super) fn new(head: &RequestHead) -> Self {
        Self {
            scanner: Box::new(Scanner::new(Members::default())),
            topic: head.text(EVENT_HEADER).and_then(Topic::parse),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.scanner.update(bytes);
    }

    pub(super) fn finish(self) -> Inspection {
        let (check, members) = self.scanner.finish();
        let description = if check.is_json {
            describe::describe(&members, self.topic)
        } else {
            Description::unrecognized(describe::UNRECOGNIZED)
        };
        Inspection { check, description }
    }
}
