//! A delivery whose sender has a span, and what a collector is to have of it.

use crate::sender::{Head, label, signature};
use crate::servers::CollectedSpan;

/// The sender's trace.
pub const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// The sender's span.
pub const PARENT: &str = "b7ad6b7169203331";

/// A delivery of Labelbox whose sender has a span.
pub fn labelbox(secret: &str) -> Vec<u8> {
    let body = label("exported");
    let request = Head {
        path: "/labelbox",
        event: "LABEL_CREATED",
        delivery: "d",
        signature: &signature(secret, &body),
        more: &format!("traceparent: 00-{TRACE}-{PARENT}-01\r\n"),
    };
    request.followed_by(&body)
}

/// Variables of a program that exports to `endpoint` after so many milliseconds, and has the time for it.
pub fn exporting<'a>(endpoint: &'a str, milliseconds: &'a str) -> [(&'static str, &'a str); 4] {
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "120000"),
        ("OTEL_BSP_SCHEDULE_DELAY", milliseconds),
        ("OTEL_METRIC_EXPORT_INTERVAL", milliseconds),
    ]
}

/// Fails unless the spans of server and producer hang on the sender's, and on one another.
pub fn hang_together(server: &CollectedSpan, producer: &CollectedSpan) {
    assert_eq!([&*server.trace, &*producer.trace], [TRACE; 2]);
    assert_eq!((&*server.parent, &producer.parent), (PARENT, &server.id));
    assert_eq!(server.kind, "SPAN_KIND_SERVER");
}
