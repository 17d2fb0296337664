//! Events in the queue file.

use super::step::{Run, Started};
use crate::Outcome;
use crate::bench::deliveries::Deliveries;
use crate::bench::load::{self, CONNECTIONS, Until};
use crate::bench::servers::Server;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const STEPS: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// Events that are measured at the most: a file that grows by more while it is measured is another one.
const MEASURED: u64 = 100_000;

/// Events between two looks at the clock.
const PORTION: u64 = 100_000;

const BODY: usize = 1024;

pub(super) fn measure(run: &mut Run<'_>, most: u64) -> Outcome {
    let deliveries = Arc::new(Deliveries::new(BODY));
    for at in STEPS.into_iter().filter(|at| *at <= most) {
        run.in_folder(at, |run, folder| {
            if !fill(run, folder, at, &deliveries)? {
                return Ok(());
            }
            // The start is measured with them.
            let started = Started::labelrelay(folder, &[])?;
            let until = Until::Accepted(at.min(MEASURED));
            run.measure(at, started, CONNECTIONS, &deliveries, until)
        })?;
    }
    Ok(())
}

/// Puts so many events into the file, through the server. Tells whether there was time for it.
fn fill(run: &Run<'_>, folder: &Path, count: u64, deliveries: &Arc<Deliveries>) -> Outcome<bool> {
    let server = Server::labelrelay(folder)?;
    let mut left = count;
    while left > 0 && Instant::now() < run.end {
        let portion = left.min(PORTION);
        let result = load::run(server.address, deliveries, Until::Accepted(portion))?;
        if result.answered < portion {
            return Err(format!(
                "only {} of {portion} events were accepted within ten minutes (last refused with {:?}, last broken by {:?})",
                result.answered, result.refused_with, result.broken_by
            )
            .into());
        }
        left -= portion;
    }
    server.stop()?;
    Ok(left == 0 && run.has_time(count))
}
