//! `labelrelay queue ack`.

use crate::failure::{EXIT_CODES, Failure};
use crate::output::{one_line, print, print_json, say};
use labelrelay_local::{Acknowledgement, QueueFile};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::io::BufRead as _;

const EXAMPLES: &str = "\
Examples:
  labelrelay queue ack 17-9f86d081884c7d659a2feaa0c55ad015
  labelrelay queue receive --max 100 --json > batch.ndjson
  labelrelay queue ack - < batch.ndjson

A receipt is good until its message is received again. One that is given twice counts once.";

/// Says that received messages are done with.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
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

pub(super) fn run(args: &Args, queue: &QueueFile) -> Result<(), Failure> {
    let mut receipts = Vec::new();
    for receipt in &args.receipts {
        if receipt == "-" {
            for line in std::io::stdin().lock().lines() {
                receipts.extend(read_line(&line?)?);
            }
        } else {
            receipts.push(receipt.clone());
        }
    }
    // Whoever hands a line in twice means one message.
    let mut seen = HashSet::new();
    receipts.retain(|receipt| seen.insert(receipt.clone()));
    let mut done = 0_usize;
    let borrowed: Vec<&str> = receipts.iter().map(String::as_str).collect();
    for (receipt, acknowledgement) in borrowed.iter().zip(queue.acknowledge_all(&borrowed)?) {
        let (outcome, words) = match acknowledgement {
            Acknowledgement::Done => ("acknowledged", ""),
            Acknowledgement::Stale => (
                "stale",
                "used before, received again since, or a dead letter",
            ),
            Acknowledgement::Malformed => ("malformed", "is no receipt of this queue"),
        };
        done += usize::from(acknowledgement == Acknowledgement::Done);
        if args.json {
            print_json(&Row { receipt, outcome })?;
        } else if !words.is_empty() {
            say(format_args!("{}: {words}", one_line(receipt)));
        }
    }
    if !args.json {
        print(format_args!("acknowledged {done} of {}", receipts.len()))?;
    }
    if done == receipts.len() {
        Ok(())
    } else {
        Err(Failure::Said)
    }
}

fn read_line(line: &str) -> Result<Option<String>, Failure> {
    let line = line.trim();
    if line.starts_with('{') {
        let received: Received = serde_json::from_str(line).map_err(|error| {
            Failure::failed(format_args!("stdin: a line has no receipt: {error}"))
        })?;
        return Ok(Some(received.receipt));
    }
    Ok((!line.is_empty()).then(|| line.to_owned()))
}
