//! The command line.

use crate::plan::Deployment;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) const HELP: &str = "\
Usage: lab [--seeds A..B | --seed S] [--deliveries N] [--jobs J] [--only serve|laboratory]
           [--sabotage MODE] [--program LABELRELAY] [--keep]
       lab --replicas [--seeds A..B | --seed S] [--deliveries N] [--jobs J] [--within MINUTES]
           [--sabotage asynchronous] [--program LABELRELAY] [--keep]

  --seeds A..B     these seeds (default 0..500)
  --seed S         this seed alone
  --deliveries N   deliveries of each seed (default 2000); part of what a seed decides
  --jobs J         seeds that run at once (default 2)
  --only WHICH     only seeds whose program is this one
  --replicas       three replicas of `serve` over Postgres instead; LABELRELAY_TEST_POSTGRES says where its
                   programs are
  --within MINUTES begin no seed after so many minutes
  --sabotage MODE  break the laboratory server on purpose, to see that it is noticed:
                   early, drop, flip, forge, twice, swallow, merge, blind, hasty, forget, echo; with
                   --replicas `asynchronous`: no commit waits for the standby
  --program PATH   the labelrelay to test (default: beside this program)
  --keep           keep the folders of seeds that failed";

/// The seeds to run, and their settings.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) seeds: Range<u64>,
    pub(crate) deliveries: u32,
    pub(crate) jobs: usize,
    pub(crate) only: Option<Deployment>,
    /// Several replicas over one database.
    pub(crate) replicas: bool,
    /// No seed is begun after this time.
    pub(crate) within: Option<Duration>,
    pub(crate) sabotage: Option<String>,
    pub(crate) program: PathBuf,
    pub(crate) keep: bool,
}

impl Options {
    pub(crate) fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self {
            seeds: 0..500,
            deliveries: 2000,
            jobs: 2,
            only: None,
            replicas: false,
            within: None,
            sabotage: None,
            program: beside_us()?,
            keep: false,
        };
        let mut args = args.iter();
        while let Some(flag) = args.next() {
            let mut value = || args.next().ok_or(format!("{flag} needs a value"));
            match flag.as_str() {
                "--seeds" => options.seeds = seeds(value()?)?,
                "--seed" => {
                    let seed = number(flag, value()?)?;
                    options.seeds = seed..seed + 1;
                }
                "--deliveries" => {
                    let deliveries = number(flag, value()?)?;
                    options.deliveries = u32::try_from(deliveries.clamp(100, 1_000_000))
                        .map_err(|error| error.to_string())?;
                }
                "--jobs" => {
                    options.jobs = usize::try_from(number(flag, value()?)?.clamp(1, 64))
                        .map_err(|error| error.to_string())?;
                }
                "--only" => {
                    options.only = Some(match value()?.as_str() {
                        "serve" => Deployment::Serve,
                        "laboratory" => Deployment::Laboratory,
                        other => return Err(format!("--only {other}: serve or laboratory")),
                    });
                }
                "--sabotage" => {
                    options.sabotage = Some(value()?.clone());
                    options.only = Some(Deployment::Laboratory);
                }
                "--replicas" => options.replicas = true,
                "--within" => {
                    let seconds = number(flag, value()?)?.saturating_mul(60);
                    options.within = Some(Duration::from_secs(seconds));
                }
                "--program" => options.program = value()?.into(),
                "--keep" => options.keep = true,
                _ => return Err(format!("unknown option {flag}")),
            }
        }
        if options.replicas {
            // All of their seeds have one program.
            options.only = None;
            if options
                .sabotage
                .as_deref()
                .is_some_and(|it| it != "asynchronous")
            {
                return Err("with --replicas, --sabotage is `asynchronous`".to_owned());
            }
        }
        if !options.program.is_file() {
            return Err(format!(
                "{} is not there: build it (`cargo build --package labelrelay`), or name it with --program",
                options.program.display()
            ));
        }
        Ok(options)
    }
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("--seeds {text}: write two numbers, the second beyond the last: 0..500");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let range = from.parse().map_err(|_| wrong())?..to.parse().map_err(|_| wrong())?;
    if range.is_empty() {
        return Err(wrong());
    }
    Ok(range)
}

fn number(flag: &str, text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("{flag} {text}: is not a number"))
}

/// Cargo puts both programs into one folder; for a long run, copy both into another.
fn beside_us() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    Ok(own.with_file_name(format!("labelrelay{}", std::env::consts::EXE_SUFFIX)))
}
