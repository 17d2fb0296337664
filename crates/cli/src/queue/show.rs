//! `labelrelay queue show`.

use super::claim;
use super::receive::on_one_line;
use super::row::received;
use crate::failure::{EXIT_CODES, Failure};
use crate::output::print;
use labelrelay_event::{Data, Envelope};
use labelrelay_local::{QueueFile, StoredEvent};
use std::io::Write as _;

const EXAMPLES: &str = "\
Examples:
  labelrelay queue show 17
  labelrelay queue show 17 --body > body.json      the sender's bytes, as they were signed
  labelrelay queue show 17 --envelope > event.json the envelope, exactly as queued";

/// Shows one event without taking it.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// Number of the event, as `list` prints it, or its id
    #[arg(value_name = "SEQ|ID")]
    which: String,
    /// Print the sender's bytes alone, exactly
    #[arg(long, conflicts_with_all = ["envelope", "json"])]
    body: bool,
    /// Print the envelope alone, exactly
    #[arg(long, conflicts_with = "json")]
    envelope: bool,
    /// Print one JSON object, the envelope in it
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, queue: &QueueFile) -> Result<(), Failure> {
    let by_number = match args.which.parse() {
        Ok(number) => queue.get(number)?,
        Err(_) => None,
    };
    let stored = match by_number {
        Some(stored) => stored,
        None => queue.find(&args.which)?.ok_or_else(|| {
            Failure::failed(format_args!("the queue has no event {}", args.which))
        })?,
    };
    let StoredEvent {
        event, envelope, ..
    } = &stored;
    if args.envelope {
        return print_exactly(&[envelope]);
    }
    if args.json {
        let line = on_one_line(envelope);
        let mut out = std::io::stdout().lock();
        write!(
            out,
            "{{\"seq\":{},\"state\":\"{}\",\"receive_count\":{},\"envelope\":",
            event.seq,
            event.state.as_str(),
            event.receive_count
        )?;
        out.write_all(&line)?;
        out.write_all(b"}\n")?;
        return Ok(out.flush()?);
    }
    let decoded = Envelope::decode(envelope).map_err(Failure::failed)?;
    if args.body {
        let bytes = claim::body(&decoded)?.ok_or_else(|| {
            let place = decoded.attributes.dataref.clone().unwrap_or_default();
            Failure::failed(format_args!("the body is not in the queue but at {place}"))
        })?;
        return print_exactly(&[&bytes]);
    }
    let state = event.state.as_str().replace('_', " ");
    print(format_args!("seq              {}", event.seq))?;
    print(format_args!(
        "state            {state}, received {} times",
        event.receive_count
    ))?;
    print(format_args!("queued           {}", received(event)))?;
    let attributes = serde_json::to_value(&decoded.attributes).map_err(Failure::failed)?;
    for (name, value) in attributes.as_object().into_iter().flatten() {
        print(format_args!(
            "{name:<16} {}",
            value.as_str().unwrap_or_default()
        ))?;
    }
    match decoded.data {
        Data::Json(bytes) => print_exactly(&[b"data             ", bytes, b"\n"]),
        Data::Base64(text) => Ok(print(format_args!("data_base64      {text}"))?),
        Data::Reference => Ok(()),
    }
}

/// What does not end in a line break stays in stdout's buffer; only a flush tells whether it got out.
fn print_exactly(pieces: &[&[u8]]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for piece in pieces {
        out.write_all(piece)?;
    }
    Ok(out.flush()?)
}
