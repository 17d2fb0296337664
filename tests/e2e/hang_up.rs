//! A sender that hangs up right after the last byte cancels nothing.

use crate::slow_disk::SlowDisk;
use labelrelay_tests::client::Client;
use labelrelay_tests::relay::{SECRET, Site, eventually};
use labelrelay_tests::sender;
use std::collections::HashSet;

const SENDERS: usize = 50;

#[test]
fn a_delivery_is_queued_though_its_sender_is_gone_before_the_disk_is_done() {
    let site = Site::new();
    let relay = site.serve();
    let disk = SlowDisk::begin(&site);
    let mut sent = HashSet::new();
    for number in 0..SENDERS {
        let body = sender::label(&format!("gone{number:04}"));
        let mut client = Client::connect(relay.address).unwrap();
        client
            .write(&sender::labelbox(
                SECRET,
                "LABEL_CREATED",
                &format!("gone{number:04}"),
                &body,
            ))
            .unwrap();
        // Dropped here: the connection is closed, and nobody will read the answer.
        sent.insert(body);
    }
    assert_eq!(
        site.export().len(),
        0,
        "the disk was meant to be busy until all senders were gone"
    );
    disk.end();
    let queue = eventually("all deliveries are queued", || {
        let queue = site.export();
        (queue.len() >= SENDERS).then_some(queue)
    });
    assert_eq!(queue.len(), SENDERS);
    for event in queue {
        assert!(
            sent.remove(&event.body),
            "a body that was not sent, or twice"
        );
    }
}
