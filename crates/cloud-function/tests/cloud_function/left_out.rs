//! A service that is built without OpenTelemetry.

use crate::service::{SECRET, Service, named};
use labelrelay_tests::relay::eventually;

/// Somebody who named a collector would wait for spans that never come. The service listens before it has reached anything.
#[test]
fn who_names_a_collector_in_vain_is_told_how_to_have_it() {
    let service = Service::start(&named(&[
        ("LABELBOX_WEBHOOK_SECRET", SECRET),
        ("LABELRELAY_QUEUE", "pubsub://proj/topic"),
        ("PUBSUB_EMULATOR_HOST", "127.0.0.1:9"),
        ("LABELRELAY_LISTEN", "127.0.0.1:0"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"),
    ]));
    let line = eventually("the log tells of it", || {
        service.lines("telemetry_left_out").pop()
    });
    assert_eq!(line["severity"], "WARNING", "{line}");
    assert_eq!(line["variable"], "OTEL_EXPORTER_OTLP_ENDPOINT", "{line}");
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("--features otlp"), "{line}");
}
