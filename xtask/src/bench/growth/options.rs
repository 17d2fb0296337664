//! Command line of `cargo xtask bench growth`.

use crate::Outcome;
use std::time::Duration;

pub(super) struct Options {
    /// Length of a measured window.
    pub(super) window: Duration,
    /// No measurement of an axis begins later than this after its first.
    pub(super) limit: Duration,
    /// Events in the file at the most.
    pub(super) most_events: u64,
    /// `true` if the tree is to keep the result.
    pub(super) keeps: bool,
}

impl Options {
    pub(super) fn parse(args: &[String]) -> Outcome<Self> {
        let mut options = Self {
            window: Duration::from_secs(5),
            limit: Duration::from_secs(20 * 60),
            most_events: 10_000_000,
            keeps: false,
        };
        let mut args = args.iter();
        while let Some(flag) = args.next() {
            let mut value = || args.next().ok_or(format!("{flag} needs a value"));
            match flag.as_str() {
                "--seconds" => {
                    let seconds = value()?.parse::<u64>()?.clamp(1, 60);
                    options.window = Duration::from_secs(seconds);
                }
                "--minutes" => {
                    let minutes = value()?.parse::<u64>()?.clamp(1, 24 * 60);
                    options.limit = Duration::from_secs(60 * minutes);
                }
                "--events" => options.most_events = value()?.parse()?,
                "--keep" => options.keeps = true,
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
