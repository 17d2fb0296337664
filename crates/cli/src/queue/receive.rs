//! `labelrelay queue receive`.

use crate::durations::{parse_duration, parse_hold};
use crate::envelope_line::on_one_line;
use crate::error::{CliError, EXIT_CODES};
use crate::output::{one_line, print, print_json_pieces, say};
use labelrelay_event::Envelope;
use labelrelay_local::{Delivery, QueueFile};
use std::time::{Duration, Instant};

/// Pause between two looks at an empty queue. Reading it does not delay a running `serve`.
const POLL: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
Examples:
  labelrelay queue receive
  labelrelay queue receive --max 100 --visibility 5m --json > batch.ndjson
  labelrelay queue receive --wait 20s --json | jq -r .envelope.type";

const NOTES: &str = "\
With --json, one object a line: receipt, receive_count, envelope. The envelope is embedded as it was \
queued; where its data has line breaks, which would split the line, its data stands as data_base64. What \
is not acknowledged within the visibility timeout can be received again.";

/// Takes messages; `ack` says that they are done with.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// At most this many
    #[arg(long, default_value_t = 1)]
    max: usize,
    /// Nobody else gets them for this long
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
        let deliveries = queue.receive(args.max, args.visibility)?;
        let left = args.wait.saturating_sub(begun.elapsed());
        if !deliveries.is_empty() || left.is_zero() {
            break deliveries;
        }
        std::thread::sleep(POLL.min(left));
    };
    for delivery in &deliveries {
        if args.json {
            print_delivery(delivery)?;
        } else {
            print_for_people(delivery)?;
        }
    }
    if deliveries.is_empty() && !args.json {
        say(format_args!("nothing to receive"));
    }
    Ok(())
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
