//! Work on an event of a queue, and its span: one of the consumer.

use crate::cut::cut;
use crate::same::Same;
use crate::wire::{bytes, failed, field, field_length, span, tag, text, text_if, time};
use labelrelay_core::TraceContext;
use labelrelay_event::Attributes;

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
            id: told(&event.id),
            source: told(&event.source),
            event_type: told(&event.event_type),
            subject: event.subject.as_deref().map(told),
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
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processed<'a> {
    processing: &'a Processing,
    end: u64,
    /// What sort of error, and why.
    error: Option<(&'static str, &'a str)>,
}

impl<'a> Processed<'a> {
    pub(crate) fn new(
        processing: &'a Processing,
        end: u64,
        error: Option<(&'static str, &'a str)>,
    ) -> Self {
        Self {
            end: end.max(processing.start),
            processing,
            error: error.map(|(sort, reason)| (sort, cut(reason, MOST_CHARACTERS))),
        }
    }

    /// Writes its span.
    pub(crate) fn write(&self, out: &mut Vec<u8>, same: &Same) {
        span(out, |out| self.consumer(out, same));
    }

    fn consumer(&self, out: &mut Vec<u8>, same: &Same) {
        let event = self.processing;
        bytes(out, tag::TRACE_ID, &event.context.trace_id);
        bytes(out, tag::SPAN_ID, &event.context.span_id);
        if let Some(parent) = event.parent {
            bytes(out, tag::PARENT_SPAN_ID, &parent.span_id);
        }
        out.extend_from_slice(&same.consumer.head);
        time(out, tag::START, event.start);
        time(out, tag::END, self.end);
        out.extend_from_slice(&same.consumer.attributes);
        text(out, "messaging.message.id", [&event.id]);
        text(out, "cloudevents.event_id", [&event.id]);
        text(out, "cloudevents.event_source", [&event.source]);
        text(out, "cloudevents.event_type", [&event.event_type]);
        text_if(out, "cloudevents.event_subject", event.subject.as_deref());
        text_if(out, "error.type", self.error.map(|(sort, _)| sort));
        if let Some(sender) = event.parent {
            link(out, sender);
        }
        if let Some((_, reason)) = self.error {
            failed(out, reason);
        }
    }
}

/// The span that sent the event.
fn link(out: &mut Vec<u8>, sender: TraceContext) {
    let (trace, span) = (sender.trace_id, sender.span_id);
    let length = field_length(trace.len()) + field_length(span.len());
    field(out, tag::LINK, length);
    bytes(out, tag::LINK_TRACE_ID, &trace);
    bytes(out, tag::LINK_SPAN_ID, &span);
}

/// As much of a text as is told.
fn told(text: &str) -> String {
    cut(text, MOST_CHARACTERS).to_owned()
}
