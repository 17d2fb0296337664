//! The message that brings spans to a collector.

use crate::key_value::{resource, scope};
use crate::wire::{field, field_length, tag};
use bytes::Bytes;
use prost::Message as _;

/// A message, which may have to be sent again.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) bytes: Bytes,
    /// Number of its spans.
    pub(crate) spans: u64,
}

/// What stands before the spans: this program, and the part of it that tells.
#[derive(Debug)]
pub(crate) struct Head {
    resource: Vec<u8>,
    scope: Vec<u8>,
}

impl Head {
    pub(crate) fn of(attributes: &[(String, String)]) -> Self {
        Self {
            resource: resource(attributes).encode_to_vec(),
            scope: scope().encode_to_vec(),
        }
    }

    /// The message that has these spans, which have their tags and lengths.
    pub(crate) fn before(&self, mut spans: Vec<u8>) -> Vec<u8> {
        let of_scope = field_length(self.scope.len()) + spans.len();
        let of_resource = field_length(self.resource.len()) + field_length(of_scope);
        let mut head = Vec::new();
        field(&mut head, tag::REQUEST_RESOURCE_SPANS, of_resource);
        field(&mut head, tag::RESOURCE_SPANS_RESOURCE, self.resource.len());
        head.extend_from_slice(&self.resource);
        field(&mut head, tag::RESOURCE_SPANS_SCOPE_SPANS, of_scope);
        field(&mut head, tag::SCOPE_SPANS_SCOPE, self.scope.len());
        head.extend_from_slice(&self.scope);
        spans.splice(0..0, head);
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::span;
    use crate::wire::text;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

    #[test]
    fn it_is_what_others_would_write() {
        for (of, count) in [("", 0), ("x", 1), (&*"x".repeat(20_000), 3), ("é", 2000)] {
            let attributes = [("service.name".to_owned(), of.to_owned())];
            let mut spans = Vec::new();
            for _ in 0..count {
                span(&mut spans, |out| text(out, "a.key", ["a value"]));
            }
            let bytes = Head::of(&attributes).before(spans);
            let read = ExportTraceServiceRequest::decode(&*bytes).unwrap();
            assert_eq!(read.encode_to_vec(), bytes, "{count}");
            let [of_resource] = &read.resource_spans[..] else {
                panic!("{read:?}");
            };
            assert_eq!(of_resource.resource, Some(resource(&attributes)));
            let [of_scope] = &of_resource.scope_spans[..] else {
                panic!("{read:?}");
            };
            assert_eq!(of_scope.scope, Some(scope()));
            assert_eq!(of_scope.spans.len(), count);
        }
    }
}
