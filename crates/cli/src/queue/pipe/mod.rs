//! `labelrelay queue pipe`: one process that receives and settles for a program, so that the program needs to know
//! nothing of the queue's file, and no client of a cloud.
//!
//! # Protocol
//!
//! Both ways one JSON object a line. Each request has one answer. Those of the embedded queue come in the order of the
//! requests; those of other queues as soon as they are there. So a request may have a number, `"id":7`, which its answer has
//! as well.
//!
//! | request | answer |
//! |---|---|
//! | `{"op":"receive","max":100,"visibility_ms":30000,"wait_ms":20000}` | `{"op":"receive","deliveries":N,"damaged":[…]}`, and then two lines for each delivery |
//! | `{"op":"ack","receipts":[…]}` | `{"op":"ack","outcomes":["acknowledged",…]}` |
//! | `{"op":"retry","receipts":[…],"delay_ms":5000}` | `{"op":"retry","outcomes":["returned",…]}` |
//! | `{"op":"extend","receipts":[…],"visibility_ms":30000}` | `{"op":"extend","outcomes":["extended",…]}` |
//! | `{"op":"reject","receipts":[…],"reason":"…"}` | `{"op":"reject","outcomes":["rejected",…]}`: they are dead letters |
//! | `{"op":"queue"}` | `{"op":"queue","name":"sqs://…","limits_receives":true}`: without a limit, whoever consumes counts |
//! | `{"op":"stats"}` | `{"op":"stats","ready":…,…}`, as `queue stats --json` has it; of the embedded queue alone |
//! | a line that is none of these | `{"error":"…"}` |
//!
//! - Of a receive, `max` (1, and 1,000 at most), `visibility_ms` (30,000) and `wait_ms` (0) can be left out, and so can
//!   `delay_ms` (0), the other `visibility_ms` (30,000) and `reason` (none).
//! - The two lines of a delivery are `{"receipt":"…","receive_count":1,"seq":17}` and the envelope, as it was queued. If
//!   that has line breaks, which would split the line, it has `data_base64` instead, as of `queue receive --json`.
//! - `damaged` names events that are damaged in the file, and are dead letters now. It is there if there are some.
//! - An outcome is one word for each receipt, in their order; `stale` and `malformed` are those that were settled before
//!   or received again since, and those that are no receipts.
//! - A request that the file refuses is answered `{"op":"…","error":"…"}`. Nothing of it was done. Of another queue, some of
//!   it may be done.
//! - A receive that waits is answered, with nothing, as soon as another line arrives: an `ack` waits for nobody. Of another
//!   queue it stays: an `ack` beside it is answered first.
//! - A delivery of another queue has no `seq`. It may have `"offloaded_bytes":N`: its second line is a pointer to an envelope
//!   of that size. With `"base64":true` the second line is base64, since the message is no envelope and has line breaks.
//! - Some queues give another receipt with each extension: then the answer has `receipts`, all that are good from now on. An
//!   outcome of `extend` may be `failed`, with the `problem` beside: that event is hidden for as long as before.
//! - At the end of stdin, what was received and not settled is given back, and the process ends. So a program that dies
//!   keeps nothing.
//! - After a signal, nothing more is received, and receives are answered with `"stopping":true`. The process ends as soon
//!   as nothing that it handed out is left: a service manager sends its signal to the program and to this one at once,
//!   and the program settles what it has. A second signal gives everything back.

mod answer;
mod calls;
mod held;
mod input;
mod of_file;
mod of_source;
mod request;

use crate::env::Env;
use crate::error::{CliError, EXIT_CODES};
use crate::locations::QueueLocation;
use crate::queue_file::{self, QueueArgs};

const EXAMPLES: &str = "\
Examples:
  echo '{\"op\":\"receive\",\"max\":10}' | labelrelay queue pipe
  labelrelay queue pipe --queue sqlite:/srv/relay/queue.db
  labelrelay queue pipe --queue postgres://relay@db/labels";

const NOTES: &str = "\
Reads one JSON object a line, and answers each: receive, ack, retry, extend, reject, queue, stats. A delivery is two lines, \
the second of which is the envelope as it was queued. At the end of stdin, what was received and not settled is given back.";

/// Receives and settles for a program, by requests on stdin; from any queue.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {
    /// Queue or topic for dead letters [default: the queue's own]
    #[arg(long, value_name = "URL")]
    dead_letter: Option<String>,
}

pub(super) fn run(args: &Args, queue: &QueueArgs, env: &Env<'_>) -> Result<(), CliError> {
    let location = queue.location(env)?;
    if let QueueLocation::Cloud(..) = location {
        return of_source::run(&location, args.dead_letter.as_deref(), env);
    }
    if args.dead_letter.is_some() {
        return Err(CliError::usage(
            "`--dead-letter`: the embedded queue has dead letters of its own; leave it out",
        ));
    }
    let name = location.to_string();
    of_file::run(&queue_file::open(location)?, name)
}
