//! The suite that every queue passes.

use crate::support::QueueDir;
use futures_executor::block_on;
use labelrelay_core::BoxFuture;
use labelrelay_local::{Acknowledgement, QueueFile};
use labelrelay_testkit::queue_suite::{self as suite, Reader, Received};
use std::time::Duration;

struct FileReader(QueueFile);

impl Reader for FileReader {
    fn receive(&self, max: usize, visibility: Duration) -> BoxFuture<'_, Vec<Received>> {
        let got = self.0.receive(max, visibility).unwrap().into_iter();
        let got = got
            .map(|d| Received {
                body: d.envelope,
                receive_count: d.receive_count,
                receipt: d.receipt,
            })
            .collect();
        Box::pin(async { got })
    }

    fn acknowledge<'a>(&'a self, receipt: &'a str) -> BoxFuture<'a, bool> {
        let good = self.0.acknowledge(receipt).unwrap() == Acknowledgement::Done;
        Box::pin(async move { good })
    }
}

#[test]
fn bytes_come_back_as_they_went_in() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    block_on(suite::bytes_come_back_as_they_went_in(
        &queue,
        &FileReader(queue_dir.file()),
    ));
}

#[test]
fn the_limit_is_where_it_says() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.max_message_bytes = 3_000_000);
    block_on(suite::the_limit_is_where_it_says(
        &queue,
        &FileReader(queue_dir.file()),
    ));
}

#[test]
fn repeats_are_one_message() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    block_on(suite::repeats_are_one_message(
        &queue,
        &FileReader(queue_dir.file()),
    ));
}

#[test]
fn distinct_ids_are_never_merged() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.max_waiting = 10_000);
    block_on(suite::distinct_ids_are_never_merged(
        &queue,
        &FileReader(queue_dir.file()),
    ));
}

#[test]
fn a_b_a_is_three_messages() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    block_on(suite::a_b_a_is_three_messages(
        &queue,
        &FileReader(queue_dir.file()),
    ));
}

#[test]
fn order_is_kept() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    block_on(suite::order_is_kept(&queue, &FileReader(queue_dir.file())));
}

#[test]
fn concurrent_sends_all_arrive_once() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    block_on(suite::concurrent_sends_all_arrive_once(
        &queue,
        &FileReader(queue_dir.file()),
    ));
}

#[test]
fn visibility_is_a_lease() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    block_on(suite::visibility_is_a_lease(
        &queue,
        &FileReader(queue_dir.file()),
        &queue_dir.clock,
    ));
}

#[test]
fn receivers_share_nothing() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open();
    let readers: Vec<_> = (0..3).map(|_| FileReader(queue_dir.file())).collect();
    block_on(suite::receivers_share_nothing(
        &queue,
        &readers
            .iter()
            .map(|reader| reader as &dyn Reader)
            .collect::<Vec<_>>(),
    ));
}

#[test]
fn unacknowledged_messages_end_as_dead_letters() {
    let queue_dir = QueueDir::new();
    let queue = queue_dir.open_with(|options| options.max_receives = 3);
    block_on(suite::unacknowledged_messages_end_as_dead_letters(
        &queue,
        &FileReader(queue_dir.file()),
        &queue_dir.clock,
        3,
    ));
}
