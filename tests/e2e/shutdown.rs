//! A graceful stop finishes what was begun.

use crate::slow_disk::SlowDisk;
use crate::traffic::Traffic;
use labelrelay_tests::client::Client;
use labelrelay_tests::relay::{SECRET, Site, eventually};
use labelrelay_tests::sender;

#[test]
fn a_stop_under_load_loses_nothing_and_ends_with_success() {
    let site = Site::new();
    let relay = site.serve();
    let traffic = Traffic::start(relay.address, 0);
    eventually("the load is well under way", || {
        (traffic.accepted() > 500).then_some(())
    });
    relay.terminate();
    let sent = traffic.join();
    let status = relay.wait();
    assert!(status.success(), "{status}");
    sent.assert_kept(&site.export());
}

#[test]
fn deliveries_under_way_are_answered_before_the_end() {
    let site = Site::new();
    let relay = site.serve();
    let disk = SlowDisk::begin(&site);
    let mut clients = Vec::new();
    for number in 0..20 {
        let body = sender::label(&format!("late{number:04}"));
        let signature = sender::signature(SECRET, &body);
        let id = format!("late{number:04}");
        let head = sender::Head {
            path: "/labelbox",
            event: "LABEL_CREATED",
            delivery: &id,
            signature: &signature,
            more: "Expect: 100-continue\r\n",
        };
        let head = head.bytes(body.len());
        let mut client = Client::connect(relay.address).unwrap();
        // The interim answer proves that the server is at work on this request before it is asked to stop.
        assert_eq!(client.exchange(&head).unwrap().status, 100);
        client.write(&body).unwrap();
        clients.push(client);
    }
    relay.terminate();
    disk.end();
    for (number, client) in clients.iter_mut().enumerate() {
        let answer = client
            .read()
            .unwrap_or_else(|error| panic!("delivery {number} got no answer: {error}"));
        assert_eq!(
            (answer.status, answer.outcome().as_str()),
            (200, "accepted"),
            "delivery {number}"
        );
    }
    let status = relay.wait();
    assert!(status.success(), "{status}");
    assert_eq!(site.export().len(), 20);
}
