//! Connections at once, all from one address.

use super::descriptors;
use super::step::{Run, Started};
use crate::Outcome;
use crate::bench::deliveries::Deliveries;
use std::sync::Arc;

const STEPS: [u64; 5] = [1, 10, 100, 1000, 10_000];

/// Without this, one address has far fewer.
const SETTINGS: (&str, &str) = (
    "LABELRELAY_CONFIG_TOML",
    "[serve]\nmax_connections_per_address = 10000\n",
);

const BODY: usize = 1024;

pub(super) fn measure(run: &mut Run<'_>) -> Outcome {
    let deliveries = Arc::new(Deliveries::new(BODY));
    let most = descriptors::connections();
    for at in STEPS {
        if at > most {
            println!("{at}: left out, the limit of file descriptors allows {most} (ulimit -n)");
            continue;
        }
        if !run.has_time(at) {
            continue;
        }
        let connections = usize::try_from(at)?;
        run.in_folder(at, |run, folder| {
            let started = Started::labelrelay(folder, &[SETTINGS])?;
            let until = run.window();
            run.measure(at, started, connections, &deliveries, until)
        })?;
    }
    Ok(())
}
