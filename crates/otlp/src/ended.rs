//! What has ended, and waits for its spans to be sent.

use crate::destination::Destination;
use crate::finished::Finished;
use crate::key_value::{resource, scope};
use crate::processed::Processed;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};

/// Something that has spans.
#[derive(Debug, Clone)]
pub(crate) enum Ended {
    /// A request that has its answer.
    Request(Box<Finished>),
    /// An event that somebody worked on.
    Event(Box<Processed>),
}

impl Ended {
    /// Number of its spans.
    pub(crate) fn count(&self) -> u64 {
        match self {
            Self::Request(request) => request.count(),
            Self::Event(_) => 1,
        }
    }
}

/// The message that has the spans of these. `destination` is the queue that events are sent to, or come from.
pub(crate) fn message(
    of: &[(String, String)],
    destination: &Destination,
    all: &[Ended],
) -> ExportTraceServiceRequest {
    let mut spans = Vec::with_capacity(all.len() * 2);
    for ended in all {
        match ended {
            Ended::Request(request) => spans.extend(request.spans(destination)),
            Ended::Event(event) => spans.push(event.span(destination)),
        }
    }
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource(of)),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope()),
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}
