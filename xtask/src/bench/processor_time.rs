//! The processor time that a delivery takes: steadier than requests a second, and measured in one way everywhere.

use super::deliveries::Deliveries;
use super::load::{self, CONNECTIONS, Until};
use super::servers::Server;
use crate::Outcome;
use crate::step::output;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A load on a server, and what it took.
pub(super) struct Loaded {
    pub(super) result: load::Result,
    pub(super) elapsed: Duration,
    /// Microseconds of processor time a delivery, user's and system's, with the work after the answer.
    pub(super) each_us: f64,
}

impl Loaded {
    /// Loads the server over so many connections. At least one delivery has to be answered as it should be.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of a benchmark are far below 2^52"
    )]
    pub(super) fn over(
        connections: usize,
        server: &Server,
        deliveries: &Arc<Deliveries>,
        until: Until,
    ) -> Outcome<Self> {
        // Pages that an earlier one left unwritten are not to be this one's wait.
        output(&mut Command::new("sync"))?;
        let before = server.processor_at_rest()?;
        let begun = Instant::now();
        let result = load::run_over(connections, server.address, deliveries, until)?;
        let elapsed = begun.elapsed();
        let spent = server.processor_at_rest()?.saturating_sub(before);
        if result.answered == 0 {
            return Err(wrong(&result).into());
        }
        Ok(Self {
            each_us: spent.as_secs_f64() * 1e6 / result.answered as f64,
            result,
            elapsed,
        })
    }

    /// The same over the usual connections, if every delivery was answered as it should be.
    pub(super) fn wholly(
        server: &Server,
        deliveries: &Arc<Deliveries>,
        until: Until,
    ) -> Outcome<Self> {
        let loaded = Self::over(CONNECTIONS, server, deliveries, until)?;
        if loaded.result.refused > 0 || loaded.result.broken > 0 {
            return Err(wrong(&loaded.result).into());
        }
        Ok(loaded)
    }
}

fn wrong(result: &load::Result) -> String {
    format!(
        "{} deliveries were answered as they should be, {} were not (last with {:?}), {} connections broke (last by {:?})",
        result.answered, result.refused, result.refused_with, result.broken, result.broken_by
    )
}
