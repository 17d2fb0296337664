//! What all spans of a kind have in common, written once.

use crate::destination::Destination;
use crate::wire::{choice, parts, tag, text};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

/// The same bytes in each span of a program.
pub(crate) struct Same {
    pub(crate) server: OfKind,
    pub(crate) producer: OfKind,
    pub(crate) consumer: OfKind,
}

/// The same bytes in each span of a kind.
pub(crate) struct OfKind {
    /// The name, where it is always the same, and the kind.
    pub(crate) head: Vec<u8>,
    pub(crate) attributes: Vec<u8>,
}

impl Same {
    /// Those of events that are sent to `destination`, or come from there.
    pub(crate) fn of(destination: &Destination) -> Self {
        let mut server = OfKind {
            head: Vec::new(),
            attributes: Vec::new(),
        };
        choice(&mut server.head, tag::KIND, number(SpanKind::Server));
        text(&mut server.attributes, "url.scheme", ["http"]);
        Self {
            server,
            producer: OfKind::messaging(destination, "send", SpanKind::Producer),
            consumer: OfKind::messaging(destination, "process", SpanKind::Consumer),
        }
    }
}

impl OfKind {
    fn messaging(destination: &Destination, operation: &str, kind: SpanKind) -> Self {
        let (mut head, mut attributes) = (Vec::new(), Vec::new());
        let name = [operation, " ", destination.name.as_str()];
        parts(&mut head, tag::NAME, name);
        choice(&mut head, tag::KIND, number(kind));
        for (key, value) in [
            ("messaging.system", destination.system),
            ("messaging.destination.name", destination.name.as_str()),
            ("messaging.operation.name", operation),
            ("messaging.operation.type", operation),
        ] {
            text(&mut attributes, key, [value]);
        }
        Self { head, attributes }
    }
}

fn number(kind: SpanKind) -> u8 {
    u8::try_from(i32::from(kind)).unwrap_or_default()
}
