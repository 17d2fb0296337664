//! Command line of `cargo xtask bench`.

use crate::Outcome;
use std::path::PathBuf;
use std::time::Duration;

pub(crate) struct Options {
    pub(crate) json: Option<PathBuf>,
    /// Events in the queue before anything is measured.
    pub(crate) prefill: u64,
    pub(crate) window: Duration,
    pub(crate) rounds: usize,
    /// `true` if the pipeline's own benchmarks follow.
    pub(crate) pipeline: bool,
}

impl Options {
    pub(crate) fn parse(args: &[String]) -> Outcome<Self> {
        let mut options = Self {
            json: None,
            prefill: 1_000_000,
            window: Duration::from_secs(8),
            rounds: 2,
            pipeline: true,
        };
        let mut args = args.iter();
        while let Some(flag) = args.next() {
            let mut value = || args.next().ok_or(format!("{flag} needs a value"));
            match flag.as_str() {
                "--json" => options.json = Some(value()?.into()),
                "--prefill" => options.prefill = value()?.parse()?,
                "--seconds" => {
                    let seconds = value()?.parse::<u64>()?.clamp(1, 60);
                    options.window = Duration::from_secs(seconds);
                }
                "--rounds" => options.rounds = value()?.parse::<usize>()?.clamp(1, 10),
                "--no-pipeline" => options.pipeline = false,
                _ => {
                    return Err(
                        format!("unknown option {flag}; `cargo xtask help` lists them").into(),
                    );
                }
            }
        }
        Ok(options)
    }
}
