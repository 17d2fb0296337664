//! One pass over a body of Label Studio.

use super::extract::Body;
use super::{action, describe};
use crate::describe::{Description, Inspection};
use crate::provider::extractor::Extractor;
use labelrelay_json::Scanner;

/// Reads one body of Label Studio. Boxed, because it moves about with the request that it reads.
#[derive(Debug)]
pub struct Inspector(Box<Scanner<Extractor<Body>>>);

impl Inspector {
    pub(in crate::provider) fn new() -> Self {
        Self(Box::new(Scanner::new(Extractor::new(Body::default()))))
    }

    pub(in crate::provider) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(in crate::provider) fn finish(self) -> Inspection {
        let (check, extractor) = self.0.finish();
        let description = if check.is_json {
            describe::describe(extractor.values())
        } else {
            Description::unrecognized(action::UNRECOGNIZED)
        };
        Inspection { check, description }
    }
}
