//! Requests from 64 connections, beside the same client publishing from 64 tasks without a relay in front.

use super::options::Options;
use super::platform::Platform;
use super::running::Running;
use super::starts::mebibytes;
use crate::Outcome;
use crate::bench::body::Deliveries;
use crate::bench::figures::Figures;
use crate::bench::load::{self, Until};
use crate::bench::processor;
use crate::bench::report::median;
use crate::step::output;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of a body.
const BODY: usize = 1024;

#[derive(Default)]
struct Rates {
    per_second: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Rates {
    fn add(&mut self, per_second: f64, p50: f64, p99: f64) {
        self.per_second.push(per_second);
        self.p50.push(p50);
        self.p99.push(p99);
    }

    fn report(&self, what: &str, figures: &mut Figures) {
        figures.note(
            format!("{what}: requests a second"),
            median(self.per_second.clone()),
            "/s",
        );
        figures.note(format!("{what}: median"), median(self.p50.clone()), "ms");
        figures.note(
            format!("{what}: 99th percentile"),
            median(self.p99.clone()),
            "ms",
        );
    }
}

pub(super) fn measure(
    platform: &Platform,
    publish: &Path,
    options: &Options,
    folder: &Path,
    figures: &mut Figures,
) -> Outcome {
    let environment = platform.environment();
    let relay = Running::start(&platform.program, platform.port, &environment, folder)?;
    let deliveries = Arc::new(Deliveries::new(BODY).below(platform.below));
    let until = Until::Time {
        warm_up: Duration::from_secs(1),
        window: Duration::from_secs(options.seconds),
    };
    let (mut ours, mut bare) = (Rates::default(), Rates::default());
    let mut left = Vec::new();
    let mut refused = 0;
    let processors = std::thread::available_parallelism()?.get();
    let processors = f64::from(u32::try_from(processors)?);
    // In turns, so that a slow minute of the machine hits both.
    for round in 1..=options.rounds {
        platform.clear();
        let mut alone = Command::new(publish);
        alone.envs(platform.emulator.iter().map(|(name, value)| (name, value)));
        alone.args([
            &platform.queue,
            &BODY.to_string(),
            &options.seconds.to_string(),
        ]);
        let printed = output(&mut alone)?;
        let numbers: Result<Vec<f64>, _> = printed.split_whitespace().map(str::parse).collect();
        let [rate, p50, p99] = numbers?[..] else {
            return Err(format!("publishing alone printed {printed:?}").into());
        };
        bare.add(rate, p50, p99);
        platform.clear();
        let (before, begun) = (processor::own()?, Instant::now());
        let result = load::run(relay.address, &deliveries, until)?;
        let spent = processor::own()?.saturating_sub(before).as_secs_f64();
        left.push(1.0 - spent / (begun.elapsed().as_secs_f64() * processors));
        let latencies = &result.latencies;
        ours.add(
            result.per_second(),
            latencies.percentile(50),
            latencies.percentile(99),
        );
        refused += result.refused + result.broken;
        println!(
            "round {round}: {:.0} requests/s, {rate:.0} published alone; {refused} refused so far {:?}",
            result.per_second(),
            result.refused_with
        );
    }
    let name = platform.name;
    ours.report(&format!("{name}: 64 connections"), figures);
    bare.report(&format!("{name}: publishing alone"), figures);
    let ratio = median(ours.per_second) / median(bare.per_second);
    figures.floor(
        format!("{name}: requests a second / published alone"),
        ratio,
        "x",
        0.8,
    );
    // Publishing alone has the processors to itself.
    let left = median(left);
    figures.note(
        format!("{name}: processor time that the load generator leaves"),
        left,
        "of 1",
    );
    figures.note(
        format!("{name}: requests a second / published alone, of the time that is left"),
        ratio / left,
        "x",
    );
    figures.goal(
        format!("{name}: 99th percentile / published alone"),
        median(ours.p99) / median(bare.p99),
        "x",
        1.5,
    );
    let peak = mebibytes(relay.memory()?.peak);
    figures.note(format!("{name}: peak resident under load"), peak, "MiB");
    figures.goal(
        format!("{name}: deliveries refused under load"),
        f64::from(u32::try_from(refused)?),
        "",
        0.0,
    );
    Ok(())
}
