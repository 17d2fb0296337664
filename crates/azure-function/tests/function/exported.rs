//! What the program tells a collector.

use crate::setup::{QUEUE, SECRET, azurite, deliver, start, variables};
use labelrelay_tests::azure::handler::Handler;
use labelrelay_tests::azure::host::Host;
use labelrelay_tests::relay::eventually;
use labelrelay_tests::servers::{Azurite, CollectedSpan, Rotel};
use labelrelay_tests::traced;
use std::net::{Ipv4Addr, TcpListener};

/// A program that exports after so many milliseconds, and has the time for it.
fn exporting(azurite: &Azurite, endpoint: &str, milliseconds: &str) -> Handler {
    let mut variables = variables(azurite);
    for (name, value) in traced::exporting(endpoint, milliseconds) {
        variables.push((name, value.to_owned()));
    }
    start(&variables)
}

/// A delivery whose sender has a span.
fn send(host: &Host) {
    let request = traced::labelbox(SECRET);
    assert_eq!(deliver(host, &request).status, 200);
}

#[test]
#[ignore = "needs Azurite and a collector: cargo xtask test"]
fn a_real_collector_has_the_spans_and_the_counts() {
    let (azurite, collector) = (azurite(), Rotel::start());
    let handler = exporting(&azurite, &collector.endpoint(), "10");
    let host = Host::start(handler.address, false);
    send(&host);
    let send_name = format!("send {QUEUE}");
    let (server, producer) = eventually("the collector has both spans", || {
        let spans = collector.spans();
        let named = |name: &str| {
            let is_whole = |span: &&CollectedSpan| span.name == name && !span.kind.is_empty();
            spans.iter().find(is_whole).cloned()
        };
        Some((named("POST /labelbox")?, named(&send_name)?))
    });
    traced::hang_together(&server, &producer);
    let metric = "labelrelay_requests_total";
    eventually(metric, || collector.log().contains(metric).then_some(()));
}

/// The collector takes connections, and answers nobody.
#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn what_waits_at_a_stop_is_sent_and_keeps_no_stop() {
    const AN_HOUR: &str = "3600000";
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let azurite = azurite();
    let mut handler = exporting(&azurite, &endpoint, AN_HOUR);
    let host = Host::start(handler.address, false);
    send(&host);
    assert!(listener.accept().is_err(), "the spans wait for others");
    assert!(handler.stop().success(), "{}", handler.log());
    assert!(listener.accept().is_ok(), "nothing was sent");
}
