//! `cargo xtask bench outage`: how long answers take while the queue of `labelrelay serve` is dead and its
//! fallback takes the events: at first, while each request waits for the queue, and when the circuit breaker is
//! open.

use super::bench_folder::BenchFolder;
use super::deliveries::Deliveries;
use super::figures::Figures;
use super::load::{self, CONNECTIONS, Until};
use super::servers::Server;
use crate::Outcome;
use crate::step::{cargo, status};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Milliseconds until an answer is due: what Label Studio has.
const ANSWER_BY: f64 = 800.0;

/// Milliseconds that an answer may take once the breaker is open.
const BREAKER_OPEN: f64 = 20.0;

/// Milliseconds that the first answers may take: a tenth more than that.
const AT_FIRST: f64 = 880.0;

const ROUNDS: usize = 3;

/// Connections of a sender that is not in a hurry.
const FEW: usize = 8;

/// Bytes of a body.
const BODY: usize = 1024;

pub(super) fn run(args: &[String]) -> Outcome {
    if !args.is_empty() {
        return Err("`bench outage` takes no options".into());
    }
    status(&mut cargo("build --release --package labelrelay"))?;
    let mut figures = Figures::default();
    let deliveries = Arc::new(Deliveries::new(BODY));
    // Removed at the end, all at once: ext4 without a journal makes files slowly for five minutes after many
    // were removed, and an outage removes none.
    let folder = BenchFolder::new()?;
    for round in 1..=ROUNDS {
        let folder = folder.0.join(format!("round-{round}"));
        std::fs::create_dir(&folder)?;
        measure(round, &folder, &deliveries, &mut figures)?;
    }
    figures.print();
    Ok(())
}

fn measure(
    round: usize,
    folder: &Path,
    deliveries: &Arc<Deliveries>,
    figures: &mut Figures,
) -> Outcome {
    let fallback = folder.join("fallback");
    let settings = [
        (
            "LABELRELAY_FALLBACK",
            format!("file://{}", fallback.display()),
        ),
        ("LABELRELAY_DEADLINE_MS", format!("{ANSWER_BY}")),
    ];
    let settings = settings
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let server = Server::labelrelay_with(folder, &settings)?;
    // All is well for a moment, so that nothing below is a first time.
    load::run(server.address, deliveries, Until::Accepted(1000))?;
    // Whoever holds the file's write lock makes a queue that takes nothing and does not say why.
    let dead = Connection::open(folder.join("queue.db"))?;
    dead.execute_batch("BEGIN IMMEDIATE")?;
    // One request of each connection, all at once: each of them waits for the queue.
    let first = load::run(
        server.address,
        deliveries,
        Until::Accepted(CONNECTIONS as u64),
    )?;
    let window = Until::Time {
        warm_up: Duration::from_secs(1),
        window: Duration::from_secs(8),
    };
    let few = load::run_over(FEW, server.address, deliveries, window)?;
    let many = load::run(server.address, deliveries, window)?;
    for (what, result, most) in [
        ("64 at once, the first", &first, AT_FIRST),
        ("breaker open, 8 connections", &few, BREAKER_OPEN),
        ("breaker open, 64 connections", &many, BREAKER_OPEN),
    ] {
        figures.goal(
            format!("round {round}: {what}: 99th percentile"),
            result.latencies.percentile(99),
            "ms",
            most,
        );
        let lost = u32::try_from(result.refused + result.broken)?;
        figures.goal(
            format!("round {round}: {what}: refused or broken"),
            f64::from(lost),
            "",
            0.0,
        );
    }
    for (what, result) in [("8", &few), ("64", &many)] {
        figures.note(
            format!("round {round}: breaker open, {what} connections: answers"),
            result.per_second(),
            "/s",
        );
    }
    let (accepted, waiting) = (
        first.latencies.count() + few.latencies.count() + many.latencies.count(),
        events(&fallback)?,
    );
    if waiting < accepted {
        return Err(format!("{accepted} were accepted, and {waiting} are in the fallback").into());
    }
    dead.execute_batch("ROLLBACK")?;
    server.stop()
}

/// Events in a fallback.
fn events(fallback: &Path) -> Outcome<u64> {
    let mut events = 0;
    for entry in std::fs::read_dir(fallback)? {
        events += u64::from(entry?.path().extension().is_some_and(|end| end == "json"));
    }
    Ok(events)
}
