//! `cargo xtask bench pair`: this `labelrelay serve` beside another one, or beside itself with other settings, in
//! turns: a slow minute of the machine hits both.
//!
//! Neither keeps a record of its deliveries, since one that was built earlier may have none: `bench record` measures that.

use super::bench_folder::BenchFolder;
use super::deliveries::Deliveries;
use super::figures::Figures;
use super::load::{self, Until};
use super::report::median;
use super::servers::{Server, WITHOUT_RECORD};
use crate::Outcome;
use crate::paths::built;
use crate::step::{cargo, output, status};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

const WARM_UP: Duration = Duration::from_secs(1);

/// Events in both queues before anything is measured.
const PREFILL: u64 = 20_000;

struct Options {
    /// The other program; without one, this one again.
    other: Option<PathBuf>,
    /// Settings of this one alone.
    settings: Vec<(String, String)>,
    terms: Terms,
}

/// How two servers are compared.
pub(super) struct Terms {
    pub(super) window: Duration,
    /// An even number: who goes first is faster, and each goes first as often.
    pub(super) rounds: usize,
    /// Requests/s to be reached, of the other's.
    pub(super) least: f64,
    /// Bound of the 99th percentile, of the other's.
    pub(super) most_p99: f64,
}

impl Options {
    fn parse(args: &[String]) -> Outcome<Self> {
        let mut options = Self {
            other: None,
            settings: Vec::new(),
            terms: Terms {
                window: Duration::from_secs(5),
                rounds: 6,
                least: 0.95,
                most_p99: 1.25,
            },
        };
        let terms = &mut options.terms;
        let mut args = args.iter();
        while let Some(flag) = args.next() {
            let mut value = || args.next().ok_or(format!("{flag} needs a value"));
            match flag.as_str() {
                "--against" => options.other = Some(std::fs::canonicalize(value()?)?),
                "--set" => {
                    let (name, set) = value()?.split_once('=').ok_or("--set NAME=VALUE")?;
                    options.settings.push((name.to_owned(), set.to_owned()));
                }
                "--seconds" => {
                    terms.window = Duration::from_secs(value()?.parse::<u64>()?.clamp(1, 60));
                }
                "--rounds" => {
                    terms.rounds = value()?.parse::<usize>()?.clamp(1, 20).next_multiple_of(2);
                }
                "--least" => terms.least = value()?.parse()?,
                "--p99" => terms.most_p99 = value()?.parse()?,
                _ => {
                    return Err(
                        format!("unknown option {flag}; `cargo xtask help` lists them").into(),
                    );
                }
            }
        }
        if options.other.is_none() && options.settings.is_empty() {
            return Err("`bench pair` compares with another program (--against PROGRAM), or with other settings (--set NAME=VALUE)".into());
        }
        Ok(options)
    }
}

pub(super) fn run(args: &[String]) -> Outcome {
    let options = Options::parse(args)?;
    // With it, `--set` can switch it on.
    status(&mut cargo(
        "build --release --package labelrelay --features otlp",
    ))?;
    let this = built("release", "labelrelay")?;
    let other = options.other.as_deref().unwrap_or(&this);
    let folder = BenchFolder::new()?;
    let settings: Vec<(&str, &str)> = options
        .settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let start = |program: &Path, name: &str, settings: &[(&str, &str)]| {
        let folder = folder.0.join(name);
        std::fs::create_dir(&folder)?;
        // A setting of the caller's own comes later, and stands.
        let mut all = Vec::new();
        all.extend(knows_records(program)?.then_some(WITHOUT_RECORD));
        all.extend_from_slice(settings);
        Server::of_program(program, &folder, &all)
    };
    println!("neither keeps a record of its deliveries, unless --set says so");
    let this = start(&this, "this", &settings)?;
    let other = start(other, "other", &[])?;
    let mut figures = Figures::default();
    for kib in [1, 100] {
        let deliveries = Arc::new(Deliveries::new(kib * 1024));
        if kib == 1 {
            for server in [&this, &other] {
                load::run(server.address, &deliveries, Until::Accepted(PREFILL))?;
            }
        }
        compare(
            &options.terms,
            [&this, &other],
            kib,
            &deliveries,
            &mut figures,
        )?;
    }
    for server in [this, other] {
        server.stop()?;
    }
    figures.print();
    Ok(())
}

/// Tells whether the program can keep a record. One that cannot does not take its settings either.
fn knows_records(program: &Path) -> Outcome<bool> {
    let help = output(Command::new(program).args(["events", "list", "--help"]))?;
    Ok(help.contains("--recorded"))
}

/// Measures both servers in each round, the one that goes second first in the next.
pub(super) fn compare(
    terms: &Terms,
    [this, other]: [&Server; 2],
    kib: usize,
    deliveries: &Arc<Deliveries>,
    figures: &mut Figures,
) -> Outcome {
    let until = Until::Time {
        warm_up: WARM_UP,
        window: terms.window,
    };
    let measure = |server: &Server| -> Outcome<(f64, f64)> {
        // Pages that one turn left unwritten are not to be the next one's wait.
        output(&mut Command::new("sync"))?;
        let result = load::run(server.address, deliveries, until)?;
        if result.refused > 0 || result.broken > 0 {
            return Err(format!(
                "{} deliveries were refused (last with {:?}), {} connections broke",
                result.refused, result.refused_with, result.broken
            )
            .into());
        }
        Ok((result.per_second(), result.latencies.percentile(99)))
    };
    let (mut rates, mut tails) = (Vec::new(), Vec::new());
    let (mut other_rates, mut other_tails) = (Vec::new(), Vec::new());
    for round in 0..terms.rounds {
        let (of_this, of_other) = if round % 2 == 0 {
            let first = measure(this)?;
            (first, measure(other)?)
        } else {
            let first = measure(other)?;
            (measure(this)?, first)
        };
        println!(
            "round {}, {kib} KB: this {:.0} requests/s, p99 {:.2} ms; the other {:.0}, {:.2} ms",
            round + 1,
            of_this.0,
            of_this.1,
            of_other.0,
            of_other.1
        );
        rates.push(of_this.0);
        tails.push(of_this.1);
        other_rates.push(of_other.0);
        other_tails.push(of_other.1);
    }
    let what = |of: &str| format!("{of}, bodies of {kib} KB (medians of {})", terms.rounds);
    figures.floor(
        what("requests/s, this / the other"),
        median(rates) / median(other_rates),
        "",
        terms.least,
    );
    figures.goal(
        what("p99, this / the other"),
        median(tails) / median(other_tails),
        "",
        terms.most_p99,
    );
    Ok(())
}
