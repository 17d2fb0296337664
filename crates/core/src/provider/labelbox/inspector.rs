//! One pass over a body of Labelbox.

use super::describe;
use super::event_types::UNRECOGNIZED;
use super::extract::Body;
use super::topic::Topic;
use crate::describe::{Description, Inspection};
use crate::provider::extractor::Extractor;
use crate::request::RequestHead;
use labelrelay_json::Scanner;

/// The sender's own id of a delivery. Nobody signed it.
pub(in crate::provider) const DELIVERY_ID_HEADER: &str = "x-labelbox-id";

/// Says what happened. Nobody signed it.
const EVENT_HEADER: &str = "x-labelbox-event";

/// Reads one body of Labelbox.
#[derive(Debug)]
pub struct Inspector {
    /// Boxed, because it moves about with the request that it reads.
    scanner: Box<Scanner<Extractor<Body>>>,
    topic: Option<Topic>,
}

impl Inspector {
    pub(in crate::provider) fn new(head: &RequestHead) -> Self {
        Self {
            scanner: Box::new(Scanner::new(Extractor::new(Body::default()))),
            topic: head.text(EVENT_HEADER).and_then(Topic::parse),
        }
    }

    pub(in crate::provider) fn update(&mut self, bytes: &[u8]) {
        self.scanner.update(bytes);
    }

    pub(in crate::provider) fn finish(self) -> Inspection {
        let (check, extractor) = self.scanner.finish();
        let description = if check.is_json {
            describe::describe(extractor.into_values(), self.topic)
        } else {
            Description::unrecognized(UNRECOGNIZED)
        };
        Inspection { check, description }
    }
}
