//! `labelrelay queue show`.

use super::claim;
use super::receive::on_one_line;
use super::row::received;
use crate::failure::{EXIT_CODES, Failure};
use crate::output::{one_line, print, print_envelope, print_exactly, print_json_pieces};
use labelrelay_event::{Data, Envelope};
use labelrelay_local::{QueueFile, StoredEvent};

const EXAMPLES: &str = "\
Examples:
  labelrelay queue show 17
  labelrelay queue show 17 --body > body.json      the sender's bytes
  labelrelay queue show 17 --envelope > event.json the envelope, as queued";

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
        return Ok(print_envelope(envelope)?);
    }
    if args.json {
        let head = format!(
            "{{\"seq\":{},\"state\":\"{}\",\"receive_count\":{},\"envelope\":",
            event.seq,
            event.state.as_str(),
            event.receive_count
        );
        let pieces = [head.as_bytes(), &on_one_line(envelope), b"}"];
        return Ok(print_json_pieces(&pieces)?);
    }
    let decoded = Envelope::decode(envelope).map_err(Failure::failed)?;
    if args.body {
        let bytes = claim::body(&decoded)?.ok_or_else(|| {
            let place = decoded.attributes.dataref.clone().unwrap_or_default();
            Failure::failed(format_args!("the body is not in the queue but at {place}"))
        })?;
        return Ok(print_exactly(&bytes)?);
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
            one_line(value.as_str().unwrap_or_default())
        ))?;
    }
    match decoded.data {
        Data::Json(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            Ok(print(format_args!("data             {text}"))?)
        }
        Data::Base64(text) => Ok(print(format_args!("data_base64      {}", one_line(text)))?),
        Data::Reference => Ok(()),
    }
}
