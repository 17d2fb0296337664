//! Receipts of `ack`, `nack` and `extend`: read in, and reported on one by one.

use crate::error::CliError;
use crate::output::{one_line, print, print_json, say};
use labelrelay_local::{Acknowledgement, FileError};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::io::BufRead as _;

/// Receipts, as words of the command line and as lines of stdin.
#[derive(Debug, clap::Args)]
pub(super) struct Receipts {
    /// Receipts; `-` reads them from stdin, one a line, or the objects that `receive --json` prints
    #[arg(required = true, value_name = "RECEIPT")]
    receipts: Vec<String>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    receipt: &'a str,
    outcome: &'static str,
}

#[derive(Deserialize)]
struct Received {
    receipt: String,
}

impl Receipts {
    /// Hands all of them to `change` at once, and says what became of them; `word` is what is said of those
    /// that it was done with.
    pub(super) fn settle(
        &self,
        word: &'static str,
        change: impl FnOnce(&[&str]) -> Result<Vec<Acknowledgement>, FileError>,
    ) -> Result<(), CliError> {
        let receipts = self.read()?;
        let borrowed: Vec<&str> = receipts.iter().map(String::as_str).collect();
        let mut done = 0_usize;
        for (receipt, settled) in borrowed.iter().zip(change(&borrowed)?) {
            let (outcome, words) = match settled {
                Acknowledgement::Done => (word, ""),
                Acknowledgement::Stale => (
                    "stale",
                    "used before, received again since its time ran out, or a dead letter",
                ),
                Acknowledgement::Malformed => ("malformed", "is no receipt of this queue"),
            };
            done += usize::from(settled == Acknowledgement::Done);
            if self.json {
                print_json(&Row { receipt, outcome })?;
            } else if !words.is_empty() {
                say(format_args!("{}: {words}", one_line(receipt)));
            }
        }
        if !self.json {
            print(format_args!("{word} {done} of {}", receipts.len()))?;
        }
        if done == receipts.len() {
            Ok(())
        } else {
            Err(CliError::Reported)
        }
    }

    fn read(&self) -> Result<Vec<String>, CliError> {
        let mut receipts = Vec::new();
        for receipt in &self.receipts {
            if receipt == "-" {
                for line in std::io::stdin().lock().lines() {
                    receipts.extend(read_line(&line?)?);
                }
            } else {
                receipts.push(receipt.clone());
            }
        }
        // A line that is handed in twice means one message.
        let mut seen = HashSet::new();
        receipts.retain(|receipt| seen.insert(receipt.clone()));
        Ok(receipts)
    }
}

fn read_line(line: &str) -> Result<Option<String>, CliError> {
    let line = line.trim();
    if line.starts_with('{') {
        let received: Received = serde_json::from_str(line).map_err(|error| {
            CliError::failed(format_args!("stdin: a line has no receipt: {error}"))
        })?;
        return Ok(Some(received.receipt));
    }
    Ok((!line.is_empty()).then(|| line.to_owned()))
}
