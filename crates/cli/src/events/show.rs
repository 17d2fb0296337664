//! `labelrelay events show`.

use super::body;
use super::row::received;
use crate::damaged_event::damaged_event;
use crate::envelope_line::on_one_line;
use crate::error::{CliError, EXIT_CODES};
use crate::output::{one_line, print, print_envelope, print_exactly, print_json_pieces};
use clap::builder::NonEmptyStringValueParser;
use labelrelay_event::{Data, Envelope};
use labelrelay_local::{Filter, Pattern, QueueFile, StoredEvent, envelope_damage};

const EXAMPLES: &str = "\
Examples:
  labelrelay events show 17
  labelrelay events show 17 --body > body.json      the sender's bytes
  labelrelay events show 17 --envelope > event.json the envelope, as queued";

/// Shows one event.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = EXIT_CODES)]
pub(super) struct Args {
    /// Number of the event, as `list` prints it, or the beginning of its id
    #[arg(value_name = "SEQ|ID", value_parser = NonEmptyStringValueParser::new())]
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

pub(super) fn run(args: &Args, queue: &QueueFile) -> Result<(), CliError> {
    let stored = find(&args.which, queue)?;
    let StoredEvent {
        event, envelope, ..
    } = &stored;
    if args.envelope {
        return Ok(print_envelope(envelope)?);
    }
    if let Some(reason) = envelope_damage(envelope) {
        let words = damaged_event(event.seq, &reason);
        return Err(CliError::failed(one_line(&words)));
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
    let decoded = Envelope::decode(envelope).map_err(CliError::failed)?;
    if args.body {
        let bytes = body::read(&decoded)?.ok_or_else(|| {
            let place = decoded.attributes.dataref.clone().unwrap_or_default();
            CliError::failed(format_args!("the body is not in the queue but at {place}"))
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
    let attributes = serde_json::to_value(&decoded.attributes).map_err(CliError::failed)?;
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

/// The event with this number, else the newest one whose id begins so.
fn find(which: &str, queue: &QueueFile) -> Result<StoredEvent, CliError> {
    let number = which.parse().ok();
    if let Some(number) = number
        && let Some(stored) = queue.get(number)?
    {
        return Ok(stored);
    }
    let none = || CliError::failed(format_args!("the queue has no event {which}"));
    let filter = Filter {
        // A mistyped number must not show another event.
        id: Some(match number {
            Some(_) => Pattern::is(which),
            None => Pattern::begins(which),
        }),
        newest_first: true,
        ..Filter::default()
    };
    let events = queue.list(&filter, usize::MAX)?;
    let exact = events.iter().find(|event| event.id == which);
    let event = exact.or(events.first()).ok_or_else(none)?;
    if let Some(other) = events.iter().find(|other| other.id != event.id)
        && exact.is_none()
    {
        return Err(CliError::failed(format_args!(
            "several events have an id that begins with {which}, such as {} and {}; give more of it",
            event.id, other.id
        )));
    }
    queue.get(event.seq)?.ok_or_else(none)
}
