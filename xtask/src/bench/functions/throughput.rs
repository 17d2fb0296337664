//! Requests from 64 connections, beside the same client publishing from 64 tasks without a relay in front.

use super::options::Options;
use super::platform::Platform;
use super::running_program::Running;
use super::starts::mebibytes;
use crate::Outcome;
use crate::bench::deliveries::Deliveries;
use crate::bench::figures::Figures;
use crate::bench::load::{self, Until};
use crate::bench::report::median;
use crate::cpu_time;
use crate::step::output;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of a body.
const BODY: usize = 1024;

/// Before each window; publishing alone takes as long.
const WARM_UP: Duration = Duration::from_secs(1);

/// Windows of publishing alone before anything counts. The emulators run on machines that compile what runs
/// often: one that has just started gets twice as fast within the first half minute.
const WARM_UP_WINDOWS: usize = 3;

/// One window.
struct Window {
    per_second: f64,
    p50: f64,
    p99: f64,
    /// Microseconds that one request, or message, took of the processors in the program that is measured.
    each: f64,
}

/// Windows of one kind.
#[derive(Default)]
struct Windows(Vec<Window>);

impl Windows {
    fn median(&self, of: impl Fn(&Window) -> f64) -> f64 {
        median(self.0.iter().map(of).collect())
    }

    fn report(&self, what: &str, figures: &mut Figures) {
        let mut note =
            |name: &str, value, unit| figures.note(format!("{what}: {name}"), value, unit);
        note("requests a second", self.median(|w| w.per_second), "/s");
        note("median", self.median(|w| w.p50), "ms");
        note("99th percentile", self.median(|w| w.p99), "ms");
        note("processor time of each", self.median(|w| w.each), "us");
    }
}

/// The contestants, measured in turns.
struct Contest<'a> {
    platform: &'a Platform,
    publish: &'a Path,
    seconds: u64,
    relay: Running,
    deliveries: Arc<Deliveries>,
    refused: u64,
    /// Of all processor time in each of the relay's windows, what the load generator left.
    left: Vec<f64>,
}

impl Contest<'_> {
    /// The client by itself.
    fn alone(&self) -> Outcome<Window> {
        self.platform.clear();
        let mut alone = Command::new(self.publish);
        let emulator = &self.platform.emulator;
        alone.envs(emulator.iter().map(|(name, value)| (name, value)));
        alone.args([
            &self.platform.queue,
            &BODY.to_string(),
            &self.seconds.to_string(),
        ]);
        let before = cpu_time::own()?.children;
        let printed = output(&mut alone)?;
        let spent = cpu_time::own()?.children.saturating_sub(before);
        let numbers: Result<Vec<f64>, _> = printed.split_whitespace().map(str::parse).collect();
        let [per_second, p50, p99] = numbers?[..] else {
            return Err(format!("publishing alone printed {printed:?}").into());
        };
        Ok(Window {
            per_second,
            p50,
            p99,
            each: self.each(spent, per_second),
        })
    }

    /// The relay, and the load generator before it.
    fn relayed(&mut self) -> Outcome<Window> {
        self.platform.clear();
        let until = Until::Time {
            warm_up: WARM_UP,
            window: Duration::from_secs(self.seconds),
        };
        let processors = std::thread::available_parallelism()?.get();
        let processors = f64::from(u32::try_from(processors)?);
        let (ours, generator, begun) = (
            self.relay.processor()?,
            cpu_time::own()?.own,
            Instant::now(),
        );
        let result = load::run(self.relay.address, &self.deliveries, until)?;
        let spent = self.relay.processor()?.saturating_sub(ours);
        let generator = cpu_time::own()?.own.saturating_sub(generator);
        let all = begun.elapsed().as_secs_f64() * processors;
        self.left.push(1.0 - generator.as_secs_f64() / all);
        self.refused += result.refused + result.broken;
        if let Some(status) = &result.refused_with {
            println!("refused with {status}");
        }
        Ok(Window {
            per_second: result.per_second(),
            p50: result.latencies.percentile(50),
            p99: result.latencies.percentile(99),
            each: self.each(spent, result.per_second()),
        })
    }

    /// Microseconds for each, of the processor time of a whole window with its warm-up.
    #[expect(clippy::cast_precision_loss, reason = "seconds, 60 at most")]
    fn each(&self, spent: Duration, per_second: f64) -> f64 {
        let window = WARM_UP.as_secs_f64() + self.seconds as f64;
        spent.as_secs_f64() * 1e6 / (per_second * window)
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
    let mut contest = Contest {
        platform,
        publish,
        seconds: options.seconds,
        relay: Running::start(&platform.program, platform.port, &environment, folder)?,
        deliveries: Arc::new(Deliveries::new(BODY).below(platform.below)),
        refused: 0,
        left: Vec::new(),
    };
    for _ in 0..WARM_UP_WINDOWS {
        let window = contest.alone()?;
        println!("warm-up: {:.0} published alone", window.per_second);
    }
    let (mut ours, mut bare) = (Windows::default(), Windows::default());
    for round in 1..=options.rounds {
        // Whoever goes second has the warmer emulator, and the fuller machine.
        let (relayed, alone) = if round % 2 == 1 {
            let alone = contest.alone()?;
            (contest.relayed()?, alone)
        } else {
            (contest.relayed()?, contest.alone()?)
        };
        println!(
            "round {round}: {:.0} requests/s, {:.0} published alone; {} refused so far",
            relayed.per_second, alone.per_second, contest.refused
        );
        ours.0.push(relayed);
        bare.0.push(alone);
    }
    let name = platform.name;
    ours.report(&format!("{name}: 64 connections"), figures);
    bare.report(&format!("{name}: publishing alone"), figures);
    // Within each round: what slows the machine down for minutes hits both.
    let of_alone = |of: fn(&Window) -> f64| {
        let rounds = ours.0.iter().zip(&bare.0);
        median(rounds.map(|(ours, bare)| of(ours) / of(bare)).collect())
    };
    let ratio = of_alone(|window| window.per_second);
    figures.floor(
        format!("{name}: requests a second / published alone"),
        ratio,
        "x",
        0.8,
    );
    // Publishing alone has the processors to itself.
    let left = median(contest.left);
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
        of_alone(|window| window.p99),
        "x",
        1.5,
    );
    let peak = mebibytes(contest.relay.memory()?.peak);
    figures.note(format!("{name}: peak resident under load"), peak, "MiB");
    figures.goal(
        format!("{name}: deliveries refused under load"),
        f64::from(u32::try_from(contest.refused)?),
        "",
        0.0,
    );
    Ok(())
}
