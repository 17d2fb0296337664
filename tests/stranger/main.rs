//! A stranger without a credential, on 5,000 connections that come back again and again from many addresses,
//! beside deliveries that are valid: each of those is answered before its sender hangs up, and neither the
//! memory nor the log grows beyond its bound.
//!
//! `LABELRELAY_STRANGER_SECONDS` says for how long each of them tries; `cargo xtask campaign stranger` sets
//! a minute.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod crowd;
mod deliveries;

use crowd::{Crowd, Habit};
use deliveries::Deliveries;
use labelrelay_tests::relay::{Relay, Site, eventually};
use std::time::Duration;

const CONNECTIONS: usize = 5000;

/// Time after which Label Studio hangs up. It never tries again.
const PATIENCE: Duration = Duration::from_secs(1);

/// The same on a machine of which nothing is known: what waits for a stranger's slot waits for longer there, and a system
/// that drops the begin of a connection has it sent again after 1, 3 and 7 seconds.
const BUSY_PATIENCE: Duration = deliveries::LATEST;

const LOG_BYTES: usize = 1_000_000;

/// Less than docs/container.md counts, which has 80 MiB for the program: no ledger is kept here. Besides, the record, and
/// 816 connections with their buffers. The crowd's bodies are some bytes long, so bodies under way add nothing to it.
const MEMORY_KIB: u64 = 64 * 1024 + 32 * 1024 + 816 * 72;

#[test]
fn valid_deliveries_are_answered_in_time_whatever_a_stranger_does() {
    crowd::raise_limit(CONNECTIONS);
    let seconds = std::env::var("LABELRELAY_STRANGER_SECONDS");
    let (seconds, patience) = seconds.map_or((10, BUSY_PATIENCE), |text| {
        (text.parse().unwrap(), PATIENCE)
    });
    let wrong: Vec<String> = Habit::ALL
        .into_iter()
        .flat_map(|habit| against(habit, Duration::from_secs(seconds), patience))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Things that were not as they should be.
fn against(habit: Habit, time: Duration, patience: Duration) -> Vec<String> {
    let site = Site::new();
    let relay = site.serve();
    let crowd = Crowd::gather(relay.address, habit, CONNECTIONS);
    eventually("all have come", || {
        (crowd.connections() >= CONNECTIONS as u64).then_some(())
    });
    let sent = Deliveries::send(relay.address, time);
    let connections = crowd.disperse();
    let (memory, log) = (peak_kib(&relay), relay.log().len());
    let (count, slowest) = (sent.times.len(), sent.slowest());
    println!(
        "{habit:?}: {connections} connections; {count} deliveries, the slowest {slowest:?}, in the middle {:?}, {} failed; peak {memory} KiB, log {log} bytes",
        sent.median(),
        sent.failed.len(),
    );
    let queued = site.export().len();
    relay.terminate();
    let status = relay.wait();
    let checks = [
        (sent.failed.is_empty(), format!("{:?}", sent.failed)),
        (slowest < patience, format!("the slowest took {slowest:?}")),
        (count > 5, format!("{count} say nothing")),
        (queued >= count, format!("{queued} of {count} are queued")),
        (memory < MEMORY_KIB, format!("{memory} KiB")),
        (log < LOG_BYTES, format!("{log} bytes of log")),
        (status.success(), status.to_string()),
    ];
    let wrong = checks.into_iter().filter(|(is_right, _)| !is_right);
    wrong
        .map(|(_, what)| format!("{habit:?}: {what}"))
        .collect()
}

/// The most that the process ever had in memory.
fn peak_kib(relay: &Relay) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", relay.id())).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
