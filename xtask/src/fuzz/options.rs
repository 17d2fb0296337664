//! Command line of `cargo xtask fuzz`.

use super::Length;
use crate::Outcome;

const USAGE: &str = "usage: cargo xtask fuzz [--seconds N | --runs N | --keep] [TARGET…]";

/// The targets to run, and for how long.
pub(super) struct Options {
    /// The targets, all of them unless some are named.
    pub(super) targets: Vec<String>,
    /// Time that each of them runs.
    pub(super) length: Length,
    /// To keep what earlier runs found, instead of running.
    pub(super) keep: bool,
}

impl Options {
    pub(super) fn parse(args: &[String], known: &[String]) -> Outcome<Self> {
        let mut options = Self {
            targets: Vec::new(),
            length: Length::Seconds(60),
            keep: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--keep" => options.keep = true,
                "--seconds" => options.length = Length::Seconds(number(args.next())?),
                "--runs" => options.length = Length::Runs(number(args.next())?),
                name if known.iter().any(|target| target == name) => {
                    options.targets.push(name.to_owned());
                }
                other => {
                    let targets = known.join(", ");
                    return Err(format!(
                        "{other}: no such option or target; {USAGE}, of {targets}"
                    )
                    .into());
                }
            }
        }
        if options.targets.is_empty() {
            options.targets = known.to_vec();
        }
        Ok(options)
    }
}

/// Not zero, which libFuzzer takes for no end.
fn number(text: Option<&String>) -> Outcome<u64> {
    text.and_then(|text| text.parse().ok())
        .filter(|number| *number > 0)
        .ok_or_else(|| USAGE.into())
}
