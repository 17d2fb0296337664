//! What the service tells a collector.

use crate::service::{SECRET, Service, Variables, named, variables};
use labelrelay_tests::client::once;
use labelrelay_tests::relay::eventually;
use labelrelay_tests::servers::{CollectedSpan, PubSub, Rotel};
use labelrelay_tests::traced;
use std::net::{Ipv4Addr, TcpListener};

/// Environment of a service that exports after so many milliseconds, and has the time for it.
fn exporting(pubsub: &PubSub, endpoint: &str, milliseconds: &str) -> Variables {
    let mut variables = variables(pubsub, &pubsub.topic("exported"));
    variables.extend(named(&traced::exporting(endpoint, milliseconds)));
    variables
}

/// A delivery whose sender has a span.
fn deliver(service: &Service) {
    let request = traced::labelbox(SECRET);
    assert_eq!(once(service.address, &request).status, 200);
}

#[test]
#[ignore = "needs the Pub/Sub emulator and a collector: cargo xtask test"]
fn a_real_collector_has_the_spans_and_the_counts() {
    let (pubsub, collector) = (PubSub::start(), Rotel::start());
    let service = Service::start(&exporting(&pubsub, &collector.endpoint(), "10"));
    deliver(&service);
    let spans = eventually("the collector has both spans", || {
        let spans = collector.spans();
        let is_whole = |span: &CollectedSpan| !span.kind.is_empty();
        (spans.len() == 2 && spans.iter().all(is_whole)).then_some(spans)
    });
    let named = |name| spans.iter().find(|span| span.name == name).unwrap();
    let (server, producer) = (named("POST /labelbox"), named("send exported"));
    traced::hang_together(server, producer);
    let metric = "labelrelay_requests_total";
    eventually(metric, || collector.log().contains(metric).then_some(()));
}

/// The collector takes connections, and answers nobody.
#[test]
#[ignore = "needs the Pub/Sub emulator: cargo xtask test"]
fn what_waits_at_a_stop_is_sent_and_keeps_no_stop() {
    const AN_HOUR: &str = "3600000";
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let pubsub = PubSub::start();
    let mut service = Service::start(&exporting(&pubsub, &endpoint, AN_HOUR));
    deliver(&service);
    assert!(listener.accept().is_err(), "the spans wait for others");
    service.terminate();
    assert!(service.wait().success(), "{}", service.log());
    assert!(listener.accept().is_ok(), "nothing was sent");
}
