//! One measurement of an axis.

use super::axis::Axis;
use super::table::{Point, Table};
use crate::Outcome;
use crate::bench::deliveries::Deliveries;
use crate::bench::load::Until;
use crate::bench::processor_time::Loaded;
use crate::bench::servers::Server;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The measurements of one axis.
pub(super) struct Run<'a> {
    pub(super) axis: Axis,
    /// The axis's own folder.
    pub(super) folder: PathBuf,
    pub(super) window: Duration,
    /// No measurement begins later.
    pub(super) end: Instant,
    pub(super) table: &'a mut Table,
}

/// A server that has just been started.
pub(super) struct Started {
    pub(super) server: Server,
    pub(super) took: Duration,
}

impl Started {
    pub(super) fn labelrelay(folder: &Path, settings: &[(&str, &str)]) -> Outcome<Self> {
        let begun = Instant::now();
        let server = Server::labelrelay_with(folder, settings)?;
        let took = begun.elapsed();
        Ok(Self { server, took })
    }
}

impl Run<'_> {
    /// Tells whether there is time for the measurement at `at`. Where there is none, it says so.
    pub(super) fn has_time(&self, at: u64) -> bool {
        let has_time = Instant::now() < self.end;
        if !has_time {
            println!("{}: left out, the time is over", self.axis.value(at));
        }
        has_time
    }

    /// Runs `work` in a folder that is empty before and removed afterwards.
    pub(super) fn in_folder(
        &mut self,
        at: u64,
        work: impl FnOnce(&mut Self, &Path) -> Outcome,
    ) -> Outcome {
        let folder = self.folder.join(at.to_string());
        std::fs::create_dir(&folder)?;
        let worked = work(self, &folder);
        std::fs::remove_dir_all(&folder)?;
        worked
    }

    /// A window of the usual length.
    pub(super) fn window(&self) -> Until {
        Until::Time {
            warm_up: Duration::ZERO,
            window: self.window,
        }
    }

    /// Loads the server, notes the figures, and stops it.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of a benchmark are far below 2^52"
    )]
    pub(super) fn measure(
        &mut self,
        at: u64,
        started: Started,
        connections: usize,
        deliveries: &Arc<Deliveries>,
        until: Until,
    ) -> Outcome {
        let Started { server, took } = started;
        let loaded = Loaded::over(connections, &server, deliveries, until)
            .map_err(|error| format!("{}: {error}", self.axis.value(at)))?;
        let peak = server.memory()?.peak;
        server.stop()?;
        let result = loaded.result;
        let point = Point {
            axis: self.axis,
            at,
            per_second: result.answered as f64 / loaded.elapsed.as_secs_f64(),
            each_us: loaded.each_us,
            // An answer that came after the window is not among them.
            p99_ms: (result.latencies.count() > 0).then(|| result.latencies.percentile(99)),
            peak_mib: peak as f64 / 1024.0,
            start_ms: took.as_secs_f64() * 1e3,
            not_accepted: result.refused + result.broken,
            is_extrapolated: false,
        };
        println!("{}", point.line());
        self.table.0.push(point);
        Ok(())
    }
}
