//! `cargo xtask bench record`: `labelrelay serve` with its record of deliveries on, beside off.
//!
//! Both run, each with a queue of its own, and are loaded in turns: a slow minute of the machine hits both. Which of
//! them is first changes from round to round.

use super::bench_folder::BenchFolder;
use super::deliveries::Deliveries;
use super::figures::Figures;
use super::load::{self, Until};
use super::report::median;
use super::servers::Server;
use crate::Outcome;
use crate::step::{cargo, output, status};
use rusqlite::Connection;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

const ROUNDS: usize = 5;

/// Least throughput with the record, as a part of that without.
const THROUGHPUT: f64 = 0.9;

/// Most of the 99th percentile with the record, as a multiple of that without.
const P99: f64 = 1.25;

/// Bytes of a body.
const BODY: usize = 1024;

const CONFIGURATION: &str = "[serve.record]\nenabled = true\n";

/// One `serve`, and what was measured of it in each round.
struct Measured {
    name: &'static str,
    server: Server,
    per_second: Vec<f64>,
    p99: Vec<f64>,
}

pub(super) fn run(args: &[String]) -> Outcome {
    if !args.is_empty() {
        return Err("`bench record` takes no options".into());
    }
    status(&mut cargo("build --release --package labelrelay"))?;
    let folder = BenchFolder::new()?;
    let deliveries = Arc::new(Deliveries::new(BODY));
    let recording = folder.0.join("on");
    let mut servers = [
        Measured::start("off", &folder.0.join("off"), &[])?,
        Measured::start(
            "on",
            &recording,
            &[("LABELRELAY_CONFIG_TOML", CONFIGURATION)],
        )?,
    ];
    for round in 1..=ROUNDS {
        for measured in &mut servers {
            measured.round(round, &deliveries)?;
        }
        servers.reverse();
    }
    // An odd number of rounds leaves them the other way round.
    let [on, off] = &servers;
    let mut figures = Figures::default();
    for measured in [off, on] {
        let name = measured.name;
        let (rate, p99) = measured.medians();
        figures.note(format!("record {name}: deliveries"), rate, "/s");
        figures.note(format!("record {name}: 99th percentile"), p99, "ms");
    }
    let pairs = |of: fn(&Measured) -> &[f64]| {
        let ratios = of(on).iter().zip(of(off)).map(|(on, off)| on / off);
        median(ratios.collect())
    };
    figures.floor(
        "throughput with the record, as a part of that without",
        pairs(|measured| &measured.per_second),
        "",
        THROUGHPUT,
    );
    figures.goal(
        "99th percentile with the record, as a multiple of that without",
        pairs(|measured| &measured.p99),
        "",
        P99,
    );
    for measured in servers {
        measured.server.stop()?;
    }
    let (rows, lost) = recorded(&recording.join("queue.db.record"))?;
    figures.note("deliveries in the record", rows, "");
    figures.goal("deliveries that the record misses", lost, "", 0.0);
    figures.print();
    Ok(())
}

impl Measured {
    fn start(name: &'static str, folder: &Path, settings: &[(&str, &str)]) -> Outcome<Self> {
        std::fs::create_dir(folder)?;
        Ok(Self {
            name,
            server: Server::labelrelay_with(folder, settings)?,
            per_second: Vec::new(),
            p99: Vec::new(),
        })
    }

    fn round(&mut self, round: usize, deliveries: &Arc<Deliveries>) -> Outcome {
        // Pages that one turn left unwritten are not to be the next one's wait.
        output(&mut Command::new("sync"))?;
        let until = Until::Time {
            warm_up: Duration::from_secs(1),
            window: Duration::from_secs(8),
        };
        let result = load::run(self.server.address, deliveries, until)?;
        if result.refused + result.broken > 0 {
            return Err(format!(
                "record {}: {} refused, {} broken",
                self.name, result.refused, result.broken
            )
            .into());
        }
        let (rate, p99) = (result.per_second(), result.latencies.percentile(99));
        println!(
            "round {round}: record {}: {rate:.0} deliveries/s, p99 {p99:.2} ms",
            self.name
        );
        self.per_second.push(rate);
        self.p99.push(p99);
        Ok(())
    }

    fn medians(&self) -> (f64, f64) {
        (median(self.per_second.clone()), median(self.p99.clone()))
    }
}

/// Deliveries in the record, and those that it misses.
fn recorded(file: &Path) -> Outcome<(f64, f64)> {
    let db = Connection::open(file)?;
    let sums = "SELECT sum(deliveries), sum(lost) FROM totals";
    let (rows, lost): (u32, u32) = db.query_row(sums, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((rows.into(), lost.into()))
}
