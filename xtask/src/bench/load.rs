//! The load generator: 64 connections that each send the next delivery when the last was answered.

use super::connection::Connection;
use super::deliveries::Deliveries;
use super::histogram::Histogram;
use crate::Outcome;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Connections that are open at once.
pub(crate) const CONNECTIONS: usize = 64;

/// Threads that serve them. The machine's other programs are the servers; more would only take theirs.
const THREADS: usize = 2;

/// When to stop.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// A warm-up that is not counted, then a window that is.
    Time { warm_up: Duration, window: Duration },
    /// So many deliveries were answered as they should be.
    Accepted(u64),
}

/// Result of the load.
#[derive(Default, Clone)]
pub(crate) struct Result {
    pub(crate) latencies: Histogram,
    pub(crate) seconds: f64,
    /// All answers that were as they should be, also those of the warm-up and of the end.
    pub(crate) answered: u64,
    /// Answers that were not, and one of them as an example.
    pub(crate) refused: u64,
    pub(crate) refused_with: Option<u16>,
    /// Connections that broke, and why one of them did.
    pub(crate) broken: u64,
    pub(crate) broken_by: Option<String>,
}

impl Result {
    /// Accepted deliveries each second.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of a benchmark are far below 2^52"
    )]
    pub(crate) fn per_second(&self) -> f64 {
        self.latencies.count() as f64 / self.seconds
    }

    fn merge(&mut self, other: Self) {
        self.latencies.merge(&other.latencies);
        self.answered += other.answered;
        self.refused += other.refused;
        self.broken += other.broken;
        self.refused_with = self.refused_with.or(other.refused_with);
        self.broken_by = self.broken_by.take().or(other.broken_by);
    }
}

/// `xtask load ADDRESS BYTES SECONDS`: load on a server that runs already, for whoever tunes one.
pub(crate) fn by_hand(args: &[String]) -> Outcome {
    let [address, bytes, seconds] = args else {
        return Err("usage: xtask load ADDRESS BODY-BYTES SECONDS".into());
    };
    let window = Duration::from_secs(seconds.parse()?);
    let until = Until::Time {
        warm_up: Duration::from_secs(1),
        window,
    };
    let result = run(
        address.parse()?,
        &Arc::new(Deliveries::new(bytes.parse()?)),
        until,
    )?;
    let (p50, p99) = (
        result.latencies.percentile(50),
        result.latencies.percentile(99),
    );
    println!(
        "{:.0} requests/s, p50 {p50:.2} ms, p99 {p99:.2} ms",
        result.per_second()
    );
    println!(
        "{} refused {:?}, {} broken {:?}",
        result.refused, result.refused_with, result.broken, result.broken_by
    );
    Ok(())
}

/// The same for all connections of a run.
#[derive(Clone)]
struct Run {
    address: SocketAddr,
    deliveries: Arc<Deliveries>,
    counted_from: Instant,
    end: Instant,
    /// Deliveries that may still be sent.
    left: Arc<AtomicI64>,
}

/// Loads the server at `address`.
pub(crate) fn run(
    address: SocketAddr,
    deliveries: &Arc<Deliveries>,
    until: Until,
) -> Outcome<Result> {
    run_over(CONNECTIONS, address, deliveries, until)
}

/// Loads the server at `address` over so many connections.
pub(crate) fn run_over(
    connections: usize,
    address: SocketAddr,
    deliveries: &Arc<Deliveries>,
    until: Until,
) -> Outcome<Result> {
    let start = Instant::now();
    let (counted_from, end, left) = match until {
        Until::Time { warm_up, window } => (start + warm_up, start + warm_up + window, i64::MAX),
        // The time only keeps a server that refuses everything from holding us for ever.
        Until::Accepted(count) => (
            start,
            start + Duration::from_secs(600),
            i64::try_from(count)?,
        ),
    };
    let run = Run {
        address,
        deliveries: Arc::clone(deliveries),
        counted_from,
        end,
        left: Arc::new(AtomicI64::new(left)),
    };
    let threads: Vec<_> = (0..THREADS)
        .map(|number| {
            // All together, as many as there should be, also where it is an odd number.
            let share = (connections + THREADS - 1 - number) / THREADS;
            let run = run.clone();
            std::thread::spawn(move || thread(&run, share))
        })
        .collect();
    let mut total = Result::default();
    for thread in threads {
        total.merge(
            thread
                .join()
                .map_err(|_| "a thread of the load generator panicked")??,
        );
    }
    total.seconds = match until {
        Until::Time { window, .. } => window.as_secs_f64(),
        Until::Accepted(_) => start.elapsed().as_secs_f64(),
    };
    Ok(total)
}

fn thread(run: &Run, connections: usize) -> Outcome<Result> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let tasks = tokio::task::LocalSet::new();
    let connections: Vec<_> = (0..connections)
        .map(|_| tasks.spawn_local(connection(run.clone())))
        .collect();
    tasks.block_on(&runtime, async {
        let mut total = Result::default();
        for connection in connections {
            total.merge(connection.await?);
        }
        Ok(total)
    })
}

async fn connection(run: Run) -> Result {
    let mut connection = Connection::new(run.address);
    let mut result = Result::default();
    while run.left.fetch_sub(1, Ordering::Relaxed) > 0 {
        connection.prepare(&run.deliveries);
        let sent = Instant::now();
        if sent >= run.end {
            break;
        }
        let answer = connection.exchange(&run.deliveries).await;
        let answered = Instant::now();
        let counted = answered >= run.counted_from && answered < run.end;
        match answer {
            Ok(status) if run.deliveries.is_expected(status) => {
                result.answered += 1;
                if counted {
                    result.latencies.record(answered - sent);
                }
                continue;
            }
            Ok(status) => {
                result.refused += 1;
                result.refused_with = Some(status);
            }
            Err(error) => {
                result.broken += 1;
                result.broken_by = Some(error.to_string());
            }
        }
        // It was not accepted: another one takes its place.
        run.left.fetch_add(1, Ordering::Relaxed);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::ceiling;

    #[test]
    fn every_delivery_is_accepted_by_a_server_that_knows_the_secret() {
        let folder = std::env::temp_dir().join(format!("labelrelay-xtask-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let ready = folder.join("ready");
        let args = [ready.display().to_string()];
        // Ends with the test's process.
        std::thread::spawn(move || ceiling(&args));
        let address = loop {
            match std::fs::read_to_string(&ready)
                .ok()
                .and_then(|text| text.parse().ok())
            {
                Some(address) => break address,
                None => std::thread::yield_now(),
            }
        };
        std::fs::remove_dir_all(&folder).expect("removed");
        let result = run(
            address,
            &Arc::new(Deliveries::new(4096)),
            Until::Accepted(2000),
        )
        .expect("a run");
        assert_eq!(
            (result.latencies.count(), result.refused, result.broken),
            (2000, 0, 0),
            "{:?}",
            result.broken_by
        );
    }
}
