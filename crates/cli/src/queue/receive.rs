//! `labelrelay queue receive`.

use crate::failure::{EXIT_CODES, Failure};
use crate::output::{one_line, print, print_json_pieces, say};
use crate::times::parse_duration;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labelrelay_event::{Data, Envelope};
use labelrelay_local::{Delivery, QueueFile};
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// How often an empty queue is looked at again. Reading it does not delay a running `serve`.
const POLL: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
Examples:
  labelrelay queue receive
  labelrelay queue receive --max 100 --visibility 5m --json > batch.ndjson
  labelrelay queue receive --wait 20s --json | jq -r .envelope.type

With --json, one object a line: receipt, receive_count, envelope. The envelope is embedded as it was \
queued; where its data has line breaks, which would split the line, its data stands as data_base64. What \
is not acknowledged within the visibility timeout can be received again.";

/// Takes messages; `ack` says that they are done with.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// At most this many
    #[arg(long, default_value_t = 1)]
    max: usize,
    /// Nobody else gets them for this long
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    visibility: Duration,
    /// Wait this long for a message when there is none
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration)]
    wait: Duration,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, queue: &QueueFile) -> Result<(), Failure> {
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

fn print_for_people(delivery: &Delivery) -> Result<(), Failure> {
    let envelope = Envelope::decode(&delivery.envelope).map_err(Failure::failed)?;
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

/// The envelope on one line. JSON has line breaks between values only, and attributes are written
/// without any: so if there is one, it lies in the data, whose bytes must stay what they are. The same goes
/// for what ends a line to Python's `splitlines` and others; earlier versions queued it as it came.
pub(super) fn on_one_line(envelope: &[u8]) -> Cow<'_, [u8]> {
    const DATA: &[u8] = b",\"data\":";
    if !has_line_ends(envelope) {
        return Cow::Borrowed(envelope);
    }
    let (
        Ok(Envelope {
            data: Data::Json(body),
            ..
        }),
        Some(at),
    ) = (
        Envelope::decode(envelope),
        envelope
            .windows(DATA.len())
            .position(|window| window == DATA),
    )
    else {
        return Cow::Borrowed(envelope);
    };
    let mut line = envelope.get(..at).unwrap_or_default().to_vec();
    line.extend_from_slice(b",\"data_base64\":\"");
    line.extend_from_slice(STANDARD.encode(body).as_bytes());
    line.extend_from_slice(b"\"}");
    Cow::Owned(line)
}

/// Whether a line feed, a carriage return, U+0085, U+2028 or U+2029 stands in it.
fn has_line_ends(envelope: &[u8]) -> bool {
    let wide = |window: &[u8]| matches!(window, [0xe2, 0x80, 0xa8 | 0xa9] | [0xc2, 0x85, _]);
    envelope.iter().any(|byte| matches!(byte, b'\n' | b'\r')) || envelope.windows(3).any(wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_event::{Attributes, DataEncoding, Digest, EventType, encode};

    #[test]
    fn line_breaks_of_the_data_never_split_the_line() {
        for body in [
            &b"{\"a\": 1}"[..],
            b"{\n  \"a\": 1\r\n}",
            b"[\",\\\"data\\\":\",\n\",\"]",
            "{\"a\":\"\u{85}\"}".as_bytes(),
            "{\"a\":\"\u{2028}\"}".as_bytes(),
            "{\"\u{2029}\":\"é\"}".as_bytes(),
        ] {
            let digest = Digest::of(body);
            let attributes = Attributes::new(
                "1",
                "/x",
                &EventType::from_static("a.b"),
                &digest,
                "2026-01-01T00:00:00Z",
            );
            let envelope = encode(&attributes, DataEncoding::Json, body.len(), [body]);
            let line = on_one_line(&envelope);
            let text = std::str::from_utf8(&line).unwrap();
            assert!(!text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']));
            let decoded = Envelope::decode(&line).unwrap();
            assert_eq!(decoded.attributes, attributes);
            assert_eq!(decoded.data.bytes().unwrap().as_deref(), Some(body));
        }
    }
}
