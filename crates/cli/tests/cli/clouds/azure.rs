//! Storage Queue and Blob Storage (two Azurites, so that one can hang).

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the methods alone are not general enough over lifetimes"
)]

use super::{Cloud, wait};
use labelrelay_core::QueueLimits;
#[cfg(target_os = "linux")]
use labelrelay_tests::azure::{handler::Handler, host::Host};
#[cfg(target_os = "linux")]
use labelrelay_tests::client::once;
use labelrelay_tests::servers::Azurite;

struct Servers {
    queues: Azurite,
    blobs: Azurite,
}

impl Servers {
    fn start() -> Self {
        let (queues, blobs) = (Azurite::start(), Azurite::start());
        queues.make_queue("events");
        blobs.make_container("claims");
        blobs.make_container("fallback");
        Self { queues, blobs }
    }

    fn cloud<T>(&self, test: impl FnOnce(&Cloud<'_>) -> T) -> T {
        let drain = || {
            let drained = self.queues.drain("events").into_iter();
            drained.map(|message| message.body).collect()
        };
        test(&Cloud {
            variables: Vec::new(),
            queue: self.queues.queue_url("events"),
            blob_store: self.blobs.blob_url("claims/data"),
            fallback: self.blobs.blob_url("fallback"),
            limits: QueueLimits::bytes(49_152),
            drain: &drain,
            hang: &|| self.queues.hang(),
            go_on: &|| self.queues.go_on(),
        })
    }
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn serve_sends_to_storage_queue() {
    Servers::start().cloud(|cloud| wait(cloud.conforms()));
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn nothing_is_lost_while_storage_queue_hangs() {
    Servers::start().cloud(|cloud| cloud.loses_nothing());
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn events_are_sent_again_to_storage_queue() {
    Servers::start().cloud(|cloud| cloud.takes_replays());
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn a_dataset_is_published_to_blob_storage() {
    Servers::start().cloud(|cloud| cloud.takes_datasets());
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn consume_takes_events_from_storage_queue() {
    let servers = Servers::start();
    servers.queues.make_queue("events-poison");
    servers.cloud(|cloud| cloud.is_consumed(&cloud.queue, &[]));
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn programs_take_events_from_storage_queue() {
    let servers = Servers::start();
    servers.queues.make_queue("events-poison");
    servers.cloud(|cloud| {
        cloud.is_piped(&cloud.queue, &[]);
        cloud.is_consumed_by_python(&cloud.queue, "", true);
    });
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn events_from_storage_queue_are_archived_in_blob_storage() {
    let servers = Servers::start();
    servers.queues.make_queue("events-poison");
    servers.cloud(|cloud| cloud.is_archived(&[]));
}

/// As `infra/azure` has it: one queue for the consumers, one for the archive.
#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn events_from_storage_queue_go_on_into_two_others() {
    let servers = Servers::start();
    for queue in ["events-poison", "consumers", "archive"] {
        servers.queues.make_queue(queue);
    }
    let url = |queue: &str| servers.queues.queue_url(queue);
    let drain = |queue: &str| -> Vec<Vec<u8>> {
        let drained = servers.queues.drain(queue).into_iter();
        drained.map(|message| message.body).collect()
    };
    servers.cloud(|cloud| {
        cloud.goes_on_into(["consumers", "archive"], "missing", &drain, &url);
    });
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn a_dataset_is_made_of_events_from_storage_queue() {
    let servers = Servers::start();
    servers.queues.make_queue("events-poison");
    servers.cloud(|cloud| cloud.becomes_a_dataset(&cloud.queue, &[], true));
}

#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn a_fault_of_storage_queue_is_named() {
    let servers = Servers::start();
    let missing = servers.queues.queue_url("missing");
    servers.cloud(|cloud| cloud.says_what_is_wrong(&missing, "`missing`"));
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs Azurite: cargo xtask test"]
fn a_pull_into_storage_queue_sends_what_left_no_trace() {
    Servers::start().cloud(|cloud| cloud.sends_only_what_left_no_trace());
}

#[test]
#[ignore = "needs Azurite and Label Studio: cargo xtask test"]
fn missed_events_are_sent_to_storage_queue() {
    let servers = Servers::start();
    let missing = servers.queues.queue_url("missing");
    servers.cloud(|cloud| cloud.fetches_what_was_missed(&missing));
}

#[test]
#[ignore = "needs Azurite and Label Studio: cargo xtask test"]
fn missed_large_events_are_sent_to_storage_queue() {
    Servers::start().cloud(|cloud| cloud.fetches_what_is_large(60_000));
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs Azurite and Label Studio: cargo xtask test"]
fn a_pull_sends_what_was_withheld_of_a_day_through_azure_functions() {
    Servers::start().cloud(|cloud| {
        let program = labelrelay_tests::program::of_another_package("labelrelay-azure-function");
        let variables = cloud.function_variables();
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let handler = Handler::start(&program, &variables);
        let host = Host::start(handler.address, false);
        cloud.sends_what_was_withheld_of_a_day(&|request| {
            // The host routes by this prefix.
            let at = request.iter().position(|byte| *byte == b'/').unwrap();
            let request = [&request[..at], b"/api", &request[at..]].concat();
            once(host.address, &request).status
        });
    });
}
