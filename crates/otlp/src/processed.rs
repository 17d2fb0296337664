//! Work on an event of a queue, and its span: one of the consumer.

use crate::destination::Destination;
use crate::key_value::{push, text};
use labelrelay_core::TraceContext;
use labelrelay_event::Attributes;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

/// Whoever wrote an envelope may have written anything there, and thousands of spans wait.
const MOST_CHARACTERS: usize = 128;

/// Work on an event that has begun. [`Tracer::end_processing`](crate::Tracer::end_processing) ends its span.
#[derive(Debug, Clone)]
pub struct Processing {
    context: TraceContext,
    /// The span that the envelope names.
    parent: Option<TraceContext>,
    /// Nanoseconds of Unix.
    start: u64,
    id: String,
    source: String,
    event_type: String,
    subject: Option<String>,
}

impl Processing {
    pub(crate) fn new(
        context: TraceContext,
        parent: Option<TraceContext>,
        start: u64,
        event: &Attributes,
    ) -> Self {
        Self {
            context,
            parent,
            start,
            id: cut(&event.id),
            source: cut(&event.source),
            event_type: cut(&event.event_type),
            subject: event.subject.as_deref().map(cut),
        }
    }

    /// Tells whether the envelope names a span that this one is a child of.
    pub const fn has_parent(&self) -> bool {
        self.parent.is_some()
    }

    /// The span, for whoever the event is handed to.
    pub const fn context(&self) -> TraceContext {
        self.context
    }
}

/// Work on an event that has ended.
#[derive(Debug, Clone)]
pub(crate) struct Processed {
    processing: Processing,
    end: u64,
    /// What sort of error, and why.
    error: Option<(&'static str, String)>,
}

impl Processed {
    pub(crate) fn new(
        processing: Processing,
        end: u64,
        error: Option<(&'static str, &str)>,
    ) -> Self {
        Self {
            end: end.max(processing.start),
            processing,
            error: error.map(|(sort, reason)| (sort, cut(reason))),
        }
    }

    pub(crate) fn span(&self, destination: &Destination) -> Span {
        let event = &self.processing;
        let mut attributes = vec![
            text("messaging.system", destination.system),
            text("messaging.destination.name", destination.name.as_str()),
            text("messaging.operation.name", "process"),
            text("messaging.operation.type", "process"),
            text("messaging.message.id", event.id.as_str()),
            text("cloudevents.event_id", event.id.as_str()),
            text("cloudevents.event_source", event.source.as_str()),
            text("cloudevents.event_type", event.event_type.as_str()),
        ];
        let subject = event.subject.clone();
        push(&mut attributes, "cloudevents.event_subject", subject);
        let sort = self.error.as_ref().map(|(sort, _)| (*sort).to_owned());
        push(&mut attributes, "error.type", sort);
        let link = |sender: TraceContext| Link {
            trace_id: sender.trace_id.to_vec(),
            span_id: sender.span_id.to_vec(),
            ..Link::default()
        };
        let parent = event.parent.map(|parent| parent.span_id.to_vec());
        Span {
            trace_id: event.context.trace_id.to_vec(),
            span_id: event.context.span_id.to_vec(),
            parent_span_id: parent.unwrap_or_default(),
            name: format!("process {}", destination.name),
            kind: SpanKind::Consumer.into(),
            start_time_unix_nano: event.start,
            end_time_unix_nano: self.end,
            attributes,
            links: event.parent.map(link).into_iter().collect(),
            status: self.error.as_ref().map(|(_, reason)| Status {
                message: reason.clone(),
                code: StatusCode::Error.into(),
            }),
            ..Span::default()
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MOST_CHARACTERS).collect()
}
