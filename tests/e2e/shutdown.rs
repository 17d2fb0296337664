//! A graceful stop finishes what was begun.

use crate::slow_disk::SlowDisk;
use crate::traffic::Traffic;
use labelrelay_tests::client::Client;
use labelrelay_tests::relay::{Relay, SECRET, Site, eventually};
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

/// Deliveries that lie whole in the system's buffers when the signal comes: a third of them on connections that
/// were served before (one address keeps 256 at most), the others on ones that were not accepted yet.
fn stopped_by(signals: &[&str], connections: usize) {
    let site = Site::new();
    let relay = site.serve();
    let mut clients: Vec<Client> = (0..connections / 3)
        .map(|number| {
            let mut client = Client::connect(relay.address).unwrap();
            let answer = client.exchange(&delivery(&format!("before{number:04}")));
            assert_eq!(answer.unwrap().status, 200);
            client
        })
        .collect();
    relay.signal("STOP");
    for number in 0..connections {
        let raw = delivery(&format!("inside{number:04}"));
        if let Some(client) = clients.get_mut(number) {
            client.write(&raw).unwrap();
        } else {
            let mut client = Client::connect(relay.address).unwrap();
            client.write(&raw).unwrap();
            clients.push(client);
        }
    }
    for signal in signals {
        relay.signal(signal);
    }
    relay.signal("CONT");
    let unanswered = answered(&mut clients, &relay);
    assert_eq!(unanswered, 0, "of {connections}:\n{}", relay.log());
    let status = relay.wait();
    assert!(status.success(), "{status}");
    assert_eq!(site.export().len(), connections / 3 + connections);
}

fn delivery(tag: &str) -> Vec<u8> {
    sender::labelbox(SECRET, "LABEL_CREATED", tag, &sender::label(tag))
}

/// Number of those that did not get a 200.
fn answered(clients: &mut [Client], relay: &Relay) -> usize {
    let unanswered = clients.iter_mut().filter_map(|client| match client.read() {
        Ok(answer) if answer.status == 200 => None,
        other => Some(format!("{other:?}")),
    });
    let unanswered: Vec<String> = unanswered.collect();
    if let Some(first) = unanswered.first() {
        eprintln!("the first: {first}, at {}", relay.address);
    }
    unanswered.len()
}

#[test]
fn whole_requests_in_the_systems_buffers_are_served_before_the_end() {
    stopped_by(&["TERM"], 600);
}

#[test]
fn a_hang_up_stops_like_a_termination() {
    stopped_by(&["HUP"], 100);
}

#[test]
fn signals_that_come_together_are_one_stop() {
    stopped_by(&["TERM", "HUP", "INT"], 200);
}
