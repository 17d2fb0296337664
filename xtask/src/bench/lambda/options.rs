//! Command line of `cargo xtask bench lambda`.

use crate::Outcome;
use std::path::PathBuf;

pub(super) struct Options {
    pub(super) json: Option<PathBuf>,
    /// Number of starts of each program.
    pub(super) starts: usize,
    /// Number of invocations of one environment that are measured.
    pub(super) invocations: usize,
    /// `true` to try the profiles instead.
    pub(super) profiles: bool,
    /// Functions built in some other way, by name, to compare with the profiles.
    pub(super) also: Vec<(String, PathBuf)>,
    /// `true` to try sizes of memory instead.
    pub(super) memory: bool,
    /// `true` if the benchmark of a large event follows.
    pub(super) large: bool,
}

impl Options {
    pub(super) fn parse(args: &[String]) -> Outcome<Self> {
        let mut options = Self {
            json: None,
            starts: 20,
            invocations: 1000,
            profiles: false,
            also: Vec::new(),
            memory: false,
            large: true,
        };
        let mut args = args.iter();
        while let Some(flag) = args.next() {
            let mut value = || args.next().ok_or(format!("{flag} needs a value"));
            match flag.as_str() {
                "--json" => options.json = Some(value()?.into()),
                "--starts" => options.starts = value()?.parse::<usize>()?.clamp(1, 1000),
                "--invocations" => {
                    options.invocations = value()?.parse::<usize>()?.clamp(100, 1_000_000);
                }
                "--profiles" => options.profiles = true,
                "--also" => {
                    let (name, path) = value()?
                        .split_once('=')
                        .ok_or("write --also NAME=PROGRAM")?;
                    options.also.push((name.to_owned(), path.into()));
                }
                "--memory" => options.memory = true,
                "--no-large" => options.large = false,
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
