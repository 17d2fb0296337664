//! `labelrelay events show`.

use super::archived;
use super::body;
use super::elsewhere::{Elsewhere, Viewed};
use super::log_query::FunctionLog;
use super::of_delivery;
use super::recorded;
use super::row::{moment, received};
use crate::damaged_event::damaged_event;
use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::event_of_delivery::became_event;
use crate::output::{one_line, print, print_envelope, print_exactly, print_json_pieces, say};
use crate::queue_file::QueueArgs;
use crate::record;
use clap::builder::NonEmptyStringValueParser;
use labelrelay_archive::on_one_line;
use labelrelay_event::{Data, Envelope};
use labelrelay_local::{Filter, Pattern, QueueFile, State, StoredEvent, envelope_damage};
use labelrelay_record::{Body, Recorded};

const EXAMPLES: &str = "\
Examples:
  labelrelay events show 17
  labelrelay events show r17                        of the record of deliveries
  labelrelay events show 17 --body > body.json      the sender's bytes
  labelrelay events show 17 --envelope > event.json the envelope, as queued
  labelrelay events show 9f86d0 --from s3://BUCKET/archive
  labelrelay events show 9f86d0 --where aws         the query for a function's log";

/// Shows one event, or one delivery of the record.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = EXIT_CODES)]
pub(super) struct Args {
    /// Number, as `list` prints it, or the beginning of its id or of the platform's id of the delivery
    #[arg(value_name = "SEQ|ID", value_parser = NonEmptyStringValueParser::new())]
    which: String,
    /// Look into the archive at this URL, such as `s3://BUCKET/archive`
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// Look nowhere, and print the query that finds its delivery in the log of the cloud's function
    #[arg(long = "where", value_name = "CLOUD", conflicts_with_all = ["from", "body", "envelope", "json"])]
    cloud: Option<FunctionLog>,
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

pub(super) fn run(args: &Args, queue: &QueueArgs, env: &Env<'_>) -> Result<(), CliError> {
    if let Some(cloud) = args.cloud {
        print(format_args!("{}", cloud.query(&args.which)?))?;
        say(format_args!("{}", cloud.about()));
        return Ok(());
    }
    if let Some(url) = &args.from {
        let envelope = archived::find(url, &args.which, env)?;
        return show_archived(args, &envelope);
    }
    let elsewhere = Elsewhere::open(queue, env)?;
    if let Some(elsewhere) = &elsewhere
        && let Some(viewed) = elsewhere.find(&args.which)?
    {
        return show_viewed(args, &viewed);
    }
    let on_queue = match &elsewhere {
        Some(_) => Ok(None),
        None => queue.open(env).and_then(|file| find(&args.which, &file)),
    };
    if let Ok(Some(stored)) = &on_queue {
        return show(args, stored);
    }
    // What the queue does not have, or no longer has, may be in the record.
    let record = record::open_after_queue(queue, env)?;
    let delivery = match &record {
        Some(record) => record::find(&**record, &args.which)?,
        None => None,
    };
    let (Some(record), Some(delivery)) = (&record, delivery) else {
        on_queue?;
        return Err(none(&args.which, record.is_some()));
    };
    let asks_for_bytes = args.body || args.envelope;
    if !asks_for_bytes {
        let body = record.body(&delivery)?;
        return Ok(recorded::show(&delivery, body.as_ref(), args.json)?);
    }
    if let (Some(elsewhere), Some(id)) = (&elsewhere, &delivery.row.event_id)
        && became_event(&delivery.row)
        && let Some(viewed) = elsewhere.find(id)?
    {
        return show_viewed(args, &viewed);
    }
    if let Some(stored) = of_delivery::event_of(&delivery, queue, env)? {
        return show(args, &stored);
    }
    if args.body
        && let Some(body) = record.body(&delivery)?
    {
        return print_kept(&delivery, &body);
    }
    let why = if args.body || became_event(&delivery.row) {
        of_delivery::why_no_body(&delivery, queue, env)
    } else {
        "it became no event, and the record keeps no envelopes".to_owned()
    };
    Err(CliError::failed(format_args!("{}: {why}", delivery.name())))
}

/// The body, if the record has all of it.
fn print_kept(delivery: &Recorded, body: &Body) -> Result<(), CliError> {
    if body.is_whole {
        return Ok(print_exactly(&body.start)?);
    }
    Err(CliError::failed(format_args!(
        "the record has {} bytes of a body of {}; without --body they are shown",
        body.start.len(),
        delivery.row.body_bytes
    )))
}

/// An event on a queue, without what is in its envelope.
struct Place<'a> {
    seq: u64,
    state: State,
    receive_count: u32,
    reason: Option<&'a str>,
    queued: String,
}

fn show(args: &Args, stored: &StoredEvent) -> Result<(), CliError> {
    let event = &stored.event;
    let place = Place {
        seq: event.seq,
        state: event.state,
        receive_count: event.receive_count,
        reason: event.reason.as_deref(),
        queued: received(event),
    };
    show_placed(args, &place, &stored.envelope)
}

fn show_viewed(args: &Args, viewed: &Viewed) -> Result<(), CliError> {
    let event = &viewed.event;
    let place = Place {
        seq: event.number,
        state: viewed.state(),
        receive_count: event.receives,
        reason: event.reason.as_deref(),
        queued: moment(event.queued_ms),
    };
    show_placed(args, &place, &event.envelope)
}

fn show_placed(args: &Args, place: &Place<'_>, envelope: &[u8]) -> Result<(), CliError> {
    if args.envelope {
        return Ok(print_envelope(envelope)?);
    }
    if let Some(reason) = envelope_damage(envelope) {
        let words = damaged_event(place.seq, &reason);
        return Err(CliError::failed(one_line(&words)));
    }
    if args.json {
        let reason = place.reason.map_or_else(String::new, |reason| {
            format!("\"reason\":{},", serde_json::Value::from(reason))
        });
        let head = format!(
            "{{\"seq\":{},\"state\":\"{}\",\"receive_count\":{},{reason}\"envelope\":",
            place.seq,
            place.state.as_str(),
            place.receive_count
        );
        let pieces = [head.as_bytes(), &on_one_line(envelope), b"}"];
        return Ok(print_json_pieces(&pieces)?);
    }
    let decoded = Envelope::decode(envelope).map_err(CliError::failed)?;
    if args.body {
        return print_body(&decoded, "in the queue");
    }
    let state = place.state.as_str().replace('_', " ");
    print(format_args!("seq              {}", place.seq))?;
    print(format_args!(
        "state            {state}, received {} times",
        place.receive_count
    ))?;
    if let Some(reason) = place.reason {
        print(format_args!("reason           {}", one_line(reason)))?;
    }
    print(format_args!("queued           {}", place.queued))?;
    print_members(&decoded)
}

/// An event of an archive has neither a number nor a state.
fn show_archived(args: &Args, envelope: &[u8]) -> Result<(), CliError> {
    if args.envelope {
        return Ok(print_envelope(envelope)?);
    }
    if let Some(reason) = envelope_damage(envelope) {
        return Err(CliError::failed(format_args!(
            "the event is not what was archived: {}",
            one_line(&reason)
        )));
    }
    if args.json {
        return Ok(print_json_pieces(&[b"{\"envelope\":", envelope, b"}"])?);
    }
    let decoded = Envelope::decode(envelope).map_err(CliError::failed)?;
    if args.body {
        return print_body(&decoded, "in the archive");
    }
    print_members(&decoded)
}

/// The sender's bytes, exactly; or where they are, if they are not `here`.
fn print_body(decoded: &Envelope<'_>, here: &str) -> Result<(), CliError> {
    let bytes = body::read(decoded)?.ok_or_else(|| {
        let place = decoded.attributes.dataref.clone().unwrap_or_default();
        CliError::failed(format_args!("the body is not {here} but at {place}"))
    })?;
    Ok(print_exactly(&bytes)?)
}

/// The attributes, and the data.
fn print_members(decoded: &Envelope<'_>) -> Result<(), CliError> {
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

/// `looked_in_record` if there is a record, which does not have it either.
fn none(which: &str, looked_in_record: bool) -> CliError {
    let queue = format!("the queue has no event {which}");
    CliError::failed(if looked_in_record {
        format!("{queue}, and the record has no delivery {which}")
    } else {
        queue
    })
}

/// The event with this number, else the newest one whose id begins so, else that of the platform's delivery.
fn find(which: &str, queue: &QueueFile) -> Result<Option<StoredEvent>, CliError> {
    let number = which.parse().ok();
    if let Some(number) = number
        && let Some(stored) = queue.get(number)?
    {
        return Ok(Some(stored));
    }
    // A mistyped number must not show another event.
    let pattern = match number {
        Some(_) => Pattern::is(which),
        None => Pattern::begins(which),
    };
    let mut filter = Filter {
        id: Some(pattern.clone()),
        newest_first: true,
        ..Filter::default()
    };
    let events = queue.list(&filter, usize::MAX)?;
    let exact = events.iter().find(|event| event.id == which);
    if let Some(event) = exact.or(events.first()) {
        if let Some(other) = events.iter().find(|other| other.id != event.id)
            && exact.is_none()
        {
            return Err(CliError::failed(format_args!(
                "several events have an id that begins with {which}, such as {} and {}; give more of it",
                event.id, other.id
            )));
        }
        return Ok(queue.get(event.seq)?);
    }
    filter.id = None;
    filter.delivery = Some(pattern);
    match queue.list(&filter, 1)?.first() {
        Some(event) => Ok(queue.get(event.seq)?),
        None => Ok(None),
    }
}
