//! The order of a run: start everything, fill the queue, measure in turns, print.

use super::bench_folder::BenchFolder;
use super::deliveries::Deliveries;
use super::load::{self, Until};
use super::options::Options;
use super::report::{Measured, Report};
use super::servers::Server;
use crate::Outcome;
use crate::paths::target;
use crate::python::FLASK;
use crate::step::{cargo, output, status};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

const KIB: usize = 1024;

/// The servers, by the names that the table gives them.
pub(crate) const CEILING: &str = "bare axum + HMAC";
pub(crate) const RELAY: &str = "labelrelay serve";
pub(crate) const FLASK_OWN: &str = "Flask, own server";
pub(crate) const GUNICORN: &str = "Flask, gunicorn -w 2";
pub(crate) const GUNICORN_QUIET: &str = "the same, no printing";

pub(crate) fn run(args: &[String]) -> Outcome {
    let options = Options::parse(args)?;
    let python = FLASK.ensure()?;
    status(&mut cargo("build --release --package labelrelay"))?;
    // Pages that the build left unwritten would otherwise be written under the measured commits.
    status(&mut Command::new("sync"))?;
    let folder = BenchFolder::new()?;
    let report = servers(&options, &folder.0, &python)?;
    report.print();
    if let Some(file) = &options.json {
        std::fs::write(file, report.json()?)?;
        println!("figures: {}", file.display());
    }
    if options.pipeline {
        println!("\n== the pipeline without servers (criterion)");
        status(&mut cargo("bench --package labelrelay-core"))?;
        println!("reports: {}", target()?.join("criterion").display());
    }
    Ok(())
}

fn servers(options: &Options, folder: &Path, python: &Path) -> Outcome<Report> {
    let (small, large) = (
        Arc::new(Deliveries::new(KIB)),
        Arc::new(Deliveries::new(100 * KIB)),
    );
    let mut report = Report::default();
    report.prefill = options.prefill;
    prefill(options.prefill, folder, &small)?;

    let ceiling = Server::ceiling(folder)?;
    let relay = Server::labelrelay(folder)?;
    let flask = Server::flask(folder, python)?;
    let gunicorn = Server::gunicorn(folder, python, true)?;
    let quiet = Server::gunicorn(folder, python, false)?;
    // In turns, so that a slow minute of the machine hits all of them.
    let turns: [(&str, &Server, &Arc<Deliveries>, usize); 7] = [
        (CEILING, &ceiling, &small, KIB),
        (RELAY, &relay, &small, KIB),
        (FLASK_OWN, &flask, &small, KIB),
        (GUNICORN, &gunicorn, &small, KIB),
        (GUNICORN_QUIET, &quiet, &small, KIB),
        (CEILING, &ceiling, &large, 100 * KIB),
        (RELAY, &relay, &large, 100 * KIB),
    ];
    for round in 1..=options.rounds {
        for (name, server, deliveries, size) in turns {
            // Pages that one turn left unwritten are not to be the next one's wait.
            output(&mut Command::new("sync"))?;
            let until = Until::Time {
                warm_up: Duration::from_secs(1),
                window: options.window,
            };
            let result = load::run(server.address, deliveries, until)?;
            let memory = server.memory()?;
            println!(
                "round {round}: {name}, {} KB: {:.0} requests/s",
                size / KIB,
                result.per_second()
            );
            report.add(Measured {
                server: name,
                body_bytes: size,
                result,
                memory,
            });
        }
    }
    for server in [relay, ceiling, flask, gunicorn, quiet] {
        server.stop()?;
    }
    Ok(report)
}

/// Fills the queue the way that it is filled in earnest: signed 1 KB deliveries through the server.
fn prefill(count: u64, folder: &Path, deliveries: &Arc<Deliveries>) -> Outcome {
    if count == 0 {
        return Ok(());
    }
    let server = Server::labelrelay(folder)?;
    let start = Instant::now();
    let result = load::run(server.address, deliveries, Until::Accepted(count))?;
    if result.latencies.count() < count {
        return Err(format!(
            "only {} of {count} events were accepted within ten minutes ({} refused, last with {:?}; {} connections broke, last by {:?})",
            result.latencies.count(), result.refused, result.refused_with, result.broken, result.broken_by
        )
        .into());
    }
    println!(
        "{count} events of 1 KB put into the queue through the server, in {:.0} s",
        start.elapsed().as_secs_f64()
    );
    server.stop()
}
