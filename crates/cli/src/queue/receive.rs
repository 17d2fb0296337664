//! `labelrelay queue receive`.

use crate::damaged_event::damaged_event;
use crate::durations::{parse_duration, parse_hold};
use crate::error::{CliError, EXIT_CODES, chain};
use crate::output::{one_line, print, print_json_pieces, say};
use labelrelay_archive::on_one_line;
use labelrelay_event::Envelope;
use labelrelay_local::{Delivery, QueueFile, Received, envelope_damage};
use std::time::{Duration, Instant};

/// Pause between two looks at an empty queue. Reading it does not delay a running `serve`.
const POLL: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
Examples:
  labelrelay queue receive
  labelrelay queue receive --max 100 --visibility 5m --json > batch.ndjson
  labelrelay queue receive --wait 20s --json | jq -r .envelope.type";

const NOTES: &str = "\
With --json, prints one object a line: receipt, receive_count, envelope. The envelope is as it was queued. \
If its data has line breaks, which would split the line, it has data_base64 instead. A message that nobody \
acknowledges within the visibility timeout can be received again; one that could not be printed, at once. \
An event that was damaged in the queue file, or that cannot be read there, is not printed: it becomes a dead letter, \
and stderr names it. The others are printed.";

/// Receives messages; acknowledge them with `ack`.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// At most this many
    #[arg(long, default_value_t = 1)]
    max: usize,
    /// Hide them from other consumers for this long
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_hold)]
    visibility: Duration,
    /// Wait this long for a message when there is none
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration)]
    wait: Duration,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, queue: &QueueFile) -> Result<(), CliError> {
    let begun = Instant::now();
    let deliveries = loop {
        let mut damaged = Vec::new();
        let taken = take(queue, args.max, args.visibility, &mut damaged);
        for words in &damaged {
            say(format_args!("{words}"));
        }
        let deliveries = taken?;
        let left = args.wait.saturating_sub(begun.elapsed());
        if !deliveries.is_empty() || left.is_zero() {
            break deliveries;
        }
        std::thread::sleep(POLL.min(left));
    };
    for (printed, delivery) in deliveries.iter().enumerate() {
        if let Err(error) = print_one(delivery, args.json) {
            give_back(
                queue,
                &receipts(deliveries.get(printed..).unwrap_or_default()),
            );
            return Err(error);
        }
    }
    if deliveries.is_empty() && !args.json {
        say(format_args!("nothing to receive"));
    }
    Ok(())
}

/// Takes up to `max` messages that a consumer can use. Adds words for what is damaged and was made a dead letter.
pub(super) fn take(
    queue: &QueueFile,
    max: usize,
    visibility: Duration,
    damaged: &mut Vec<String>,
) -> Result<Vec<Delivery>, CliError> {
    let received = queue.receive_around_damage(max, visibility)?;
    let readable = readable(received, damaged)?;
    intact(queue, readable, damaged)
}

/// Names what cannot be read. It keeps no other message back.
fn readable(received: Received, said: &mut Vec<String>) -> Result<Vec<Delivery>, CliError> {
    let Some(damage) = received.damage else {
        return Ok(received.deliveries);
    };
    // Nothing is there that could be handed out, and nobody knows what there would be.
    if received.deliveries.is_empty() && received.unreadable.is_empty() {
        return Err(damage.into());
    }
    let why = chain(&damage);
    for numbers in &received.unreadable {
        let (first, last) = (numbers.start(), numbers.end());
        let which = if first == last {
            format!("event {first} cannot be read, and is a dead letter now")
        } else {
            format!("events {first} to {last} cannot be read, and are dead letters now")
        };
        said.push(one_line(&format!("{which}: {why}")).into_owned());
    }
    if received.unreadable.is_empty() {
        said.push(one_line(&format!("events behind these cannot be read: {why}")).into_owned());
    }
    Ok(received.deliveries)
}

/// Leaves out what was damaged where it lay: no consumer can use it, and it must not keep the others from what
/// comes after.
fn intact(
    queue: &QueueFile,
    received: Vec<Delivery>,
    said: &mut Vec<String>,
) -> Result<Vec<Delivery>, CliError> {
    let mut damaged = Vec::new();
    let mut intact = Vec::with_capacity(received.len());
    for delivery in received {
        match envelope_damage(&delivery.envelope) {
            None => intact.push(delivery),
            Some(reason) => damaged.push((delivery, reason)),
        }
    }
    if damaged.is_empty() {
        return Ok(intact);
    }
    let buried = damaged
        .iter()
        .map(|(one, reason)| (one.receipt.as_str(), Some(reason.as_str())));
    let (buried, reasons): (Vec<_>, Vec<_>) = buried.unzip();
    if let Err(error) = queue.bury_each(&buried, &reasons) {
        give_back(queue, &receipts(&intact));
        return Err(error.into());
    }
    for (delivery, reason) in &damaged {
        let reason = format!("{reason}; it is a dead letter now");
        said.push(one_line(&damaged_event(delivery.seq, &reason)).into_owned());
    }
    Ok(intact)
}

/// Lets others receive at once what nobody has the receipts of any more.
pub(super) fn give_back(queue: &QueueFile, receipts: &[&str]) {
    if let Err(error) = queue.release_all(receipts, Duration::ZERO) {
        say(format_args!(
            "{} messages could not be given back ({error}); they can be received again after the visibility timeout",
            receipts.len()
        ));
    }
}

fn receipts(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|one| one.receipt.as_str()).collect()
}

fn print_one(delivery: &Delivery, json: bool) -> Result<(), CliError> {
    if json {
        Ok(print_delivery(delivery)?)
    } else {
        print_for_people(delivery)
    }
}

fn print_delivery(delivery: &Delivery) -> std::io::Result<()> {
    // A receipt is letters, digits and a hyphen.
    let head = format!(
        "{{\"receipt\":\"{}\",\"receive_count\":{},\"envelope\":",
        delivery.receipt, delivery.receive_count
    );
    print_json_pieces(&[head.as_bytes(), &on_one_line(&delivery.envelope), b"}"])
}

fn print_for_people(delivery: &Delivery) -> Result<(), CliError> {
    let envelope = Envelope::decode(&delivery.envelope).map_err(CliError::failed)?;
    let attributes = &envelope.attributes;
    Ok(print(format_args!(
        "receipt {}  received {} times  {}  {}  {} bytes",
        delivery.receipt,
        delivery.receive_count,
        one_line(&attributes.event_type),
        one_line(attributes.subject.as_deref().unwrap_or("-")),
        delivery.envelope.len()
    ))?)
}
