//! Command line of `cargo xtask bench functions`.

use crate::Outcome;
use std::path::PathBuf;

pub(super) struct Options {
    pub(super) json: Option<PathBuf>,
    /// Number of starts of each program.
    pub(super) starts: usize,
    /// Length of each measured window.
    pub(super) seconds: u64,
    /// Number of times that each window is measured: an even number, as who goes first alternates.
    pub(super) rounds: usize,
    /// An earlier build of the service for Cloud Run: its starts are measured beside this one's, and nothing else is.
    pub(super) earlier: Option<PathBuf>,
}

impl Options {
    pub(super) fn parse(args: &[String]) -> Outcome<Self> {
        let mut options = Self {
            json: None,
            starts: 20,
            seconds: 8,
            rounds: 6,
            earlier: None,
        };
        let mut args = args.iter();
        while let Some(flag) = args.next() {
            let mut value = || args.next().ok_or(format!("{flag} needs a value"));
            match flag.as_str() {
                "--json" => options.json = Some(value()?.into()),
                "--starts" => options.starts = value()?.parse::<usize>()?.clamp(1, 1000),
                "--earlier" => options.earlier = Some(value()?.into()),
                "--seconds" => options.seconds = value()?.parse::<u64>()?.clamp(1, 60),
                "--rounds" => {
                    options.rounds = value()?.parse::<usize>()?.clamp(1, 10).next_multiple_of(2);
                }
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
