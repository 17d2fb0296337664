//! `cargo xtask bench pair`: this `labelrelay serve` beside another one, or beside itself with other settings, in
//! turns: a slow minute of the machine hits both.
//!
//! Neither keeps a record of its deliveries, since one that was built earlier may have none: `bench record` measures that.

use super::bench_folder::BenchFolder;
use super::deliveries::Deliveries;
use super::figures::Figures;
use super::load::{self, Until};
use super::processor_time::Loaded;
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
    let all = output(Command::new(program).arg("--help"))?;
    if !all
        .lines()
        .any(|line| line.trim_start().starts_with("events "))
    {
        return Ok(false);
    }
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
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..terms.rounds {
        let (of_this, of_other) = if round % 2 == 0 {
            let first = Turn::of(this, deliveries, until)?;
            (first, Turn::of(other, deliveries, until)?)
        } else {
            let first = Turn::of(other, deliveries, until)?;
            (Turn::of(this, deliveries, until)?, first)
        };
        println!(
            "round {}, {kib} KB: this {}; the other {}",
            round + 1,
            of_this.line(),
            of_other.line()
        );
        ours.push(of_this);
        theirs.push(of_other);
    }
    let over = |turns: &[Turn], of: fn(&Turn) -> f64| median(turns.iter().map(of).collect());
    let ratio = |of: fn(&Turn) -> f64| over(&ours, of) / over(&theirs, of);
    let what = |of: &str| format!("{of}, bodies of {kib} KB (medians of {})", terms.rounds);
    figures.floor(
        what("requests/s, this / the other"),
        ratio(|turn| turn.per_second),
        "",
        terms.least,
    );
    figures.goal(
        what("p99, this / the other"),
        ratio(|turn| turn.p99),
        "",
        terms.most_p99,
    );
    let each = over(&ours, |turn| turn.each);
    figures.note(what("processor time of a delivery, this"), each, "us");
    figures.note(
        what("processor time of a delivery, this / the other"),
        ratio(|turn| turn.each),
        "",
    );
    Ok(())
}

/// One server, measured once.
struct Turn {
    per_second: f64,
    p99: f64,
    /// Microseconds of processor time a delivery.
    each: f64,
}

impl Turn {
    fn of(server: &Server, deliveries: &Arc<Deliveries>, until: Until) -> Outcome<Self> {
        let loaded = Loaded::wholly(server, deliveries, until)?;
        Ok(Self {
            per_second: loaded.result.per_second(),
            p99: loaded.result.latencies.percentile(99),
            each: loaded.each_us,
        })
    }

    fn line(&self) -> String {
        format!(
            "{:.0} requests/s, p99 {:.2} ms, {:.1} us of processor time each",
            self.per_second, self.p99, self.each
        )
    }
}
