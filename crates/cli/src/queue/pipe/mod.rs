//! `labelrelay queue pipe`: one process that receives and settles for a program, so that the program needs to know
//! nothing of the queue's file.
//!
//! # Protocol
//!
//! Both ways one JSON object a line. Each request has one answer, in the order of the requests.
//!
//! | request | answer |
//! |---|---|
//! | `{"op":"receive","max":100,"visibility_ms":30000,"wait_ms":20000}` | `{"op":"receive","deliveries":N,"damaged":[…]}`, and then two lines for each delivery |
//! | `{"op":"ack","receipts":[…]}` | `{"op":"ack","outcomes":["acknowledged",…]}` |
//! | `{"op":"retry","receipts":[…],"delay_ms":5000}` | `{"op":"retry","outcomes":["returned",…]}` |
//! | `{"op":"extend","receipts":[…],"visibility_ms":30000}` | `{"op":"extend","outcomes":["extended",…]}` |
//! | `{"op":"reject","receipts":[…],"reason":"…"}` | `{"op":"reject","outcomes":["rejected",…]}`: they are dead letters |
//! | `{"op":"stats"}` | `{"op":"stats","ready":…,…}`, as `queue stats --json` has it |
//! | a line that is none of these | `{"error":"…"}` |
//!
//! - Of a receive, `max` (1, and 1,000 at most), `visibility_ms` (30,000) and `wait_ms` (0) can be left out, and so can
//!   `delay_ms` (0), the other `visibility_ms` (30,000) and `reason` (none).
//! - The two lines of a delivery are `{"receipt":"…","receive_count":1,"seq":17}` and the envelope, as it was queued. If
//!   that has line breaks, which would split the line, it has `data_base64` instead, as of `queue receive --json`.
//! - `damaged` names events that are damaged in the file, and are dead letters now. It is there if there are some.
//! - An outcome is one word for each receipt, in their order; `stale` and `malformed` are those that were settled before
//!   or received again since, and those that are no receipts.
//! - A request that the file refuses is answered `{"op":"…","error":"…"}`. Nothing of it was done.
//! - A receive that waits is answered, with nothing, as soon as another line arrives: an `ack` waits for nobody.
//! - At the end of stdin, what was received and not settled is given back, and the process ends. So a program that dies
//!   keeps nothing.
//! - After a signal, nothing more is received, and receives are answered with `"stopping":true`. The process ends as soon
//!   as nothing that it handed out is left: a service manager sends its signal to the program and to this one at once,
//!   and the program settles what it has. A second signal gives everything back.

mod answer;
mod held;
mod input;
mod request;

use super::receive::{give_back, take};
use super::stats_and_prune;
use crate::error::{CliError, EXIT_CODES};
use answer::{Answer, Head, Outcomes, Refused};
use held::Held;
use input::{Input, Inputs};
use labelrelay_local::{Acknowledgement, FileError, QueueFile};
use request::Request;
use std::io::{BufWriter, StdoutLock, Write};
use std::time::{Duration, Instant};

/// Pause between two looks at an empty queue. Reading it does not delay a running `serve`.
const POLL: Duration = Duration::from_millis(50);

const EXAMPLES: &str = "\
Examples:
  echo '{\"op\":\"receive\",\"max\":10}' | labelrelay queue pipe
  labelrelay queue pipe --queue sqlite:/srv/relay/queue.db";

const NOTES: &str = "\
Reads one JSON object a line, and answers each in order: receive, ack, retry, extend, reject, stats. A delivery is \
two lines, the second of which is the envelope as it was queued. At the end of stdin, what was received and not settled \
is given back.";

/// Receives and settles for a program, by requests on stdin.
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = format!("{NOTES}\n\n{EXIT_CODES}"))]
pub(super) struct Args {}

pub(super) fn run(queue: &QueueFile) -> Result<(), CliError> {
    let inputs = Inputs::start()?;
    let mut pipe = Pipe {
        queue,
        held: Held::default(),
        out: BufWriter::with_capacity(256 * 1024, std::io::stdout().lock()),
        is_stopping: false,
    };
    let done = pipe.serve(&inputs);
    let left = pipe.held.receipts();
    if !left.is_empty() {
        give_back(queue, &left);
    }
    done
}

struct Pipe<'a> {
    queue: &'a QueueFile,
    held: Held,
    out: BufWriter<StdoutLock<'static>>,
    is_stopping: bool,
}

impl Pipe<'_> {
    /// Answers until there is nothing more to answer.
    fn serve(&mut self, inputs: &Inputs) -> Result<(), CliError> {
        let mut arrived = None;
        loop {
            if self.is_stopping && self.held.is_empty() {
                return Ok(());
            }
            let input = match arrived.take() {
                Some(input) => Some(input),
                // Somebody who settles nothing keeps no service from stopping: what was handed out is visible by then.
                None if self.is_stopping => inputs.within(self.held.longest()),
                None => Some(inputs.next()),
            };
            match input {
                None | Some(Input::End) => return Ok(()),
                Some(Input::Stop) if self.is_stopping => return Ok(()),
                Some(Input::Stop) => self.is_stopping = true,
                Some(Input::TooLong) => self.say(&Refused::line(&input::too_long()))?,
                Some(Input::Line(line)) => match Request::read(&line) {
                    Ok(request) => arrived = self.answer(&request, inputs)?,
                    Err(problem) => self.say(&Refused::line(&problem))?,
                },
            }
        }
    }

    /// Answers one request. Returns what arrived meanwhile.
    fn answer(&mut self, request: &Request, inputs: &Inputs) -> Result<Option<Input>, CliError> {
        let (op, settled) = match request {
            Request::Receive {
                max,
                visibility_ms,
                wait_ms,
            } => {
                let [visibility, wait] =
                    [visibility_ms, wait_ms].map(|ms| Duration::from_millis(*ms));
                return self.receive(*max, visibility, wait, inputs);
            }
            Request::Stats {} => {
                match stats_and_prune::counted(self.queue) {
                    Ok(stats) => self.say(&Answer::new("stats", stats))?,
                    Err(error) => self.say(&Refused::request("stats", &error.into()))?,
                }
                return Ok(None);
            }
            Request::Ack { receipts } => {
                let settled = self.settle(receipts, QueueFile::acknowledge_all);
                ("ack", settled.map(|all| Outcomes::of("acknowledged", &all)))
            }
            Request::Retry { receipts, delay_ms } => {
                let delay = Duration::from_millis(*delay_ms);
                let settled = self.settle(receipts, |queue, all| queue.release_all(all, delay));
                ("retry", settled.map(|all| Outcomes::of("returned", &all)))
            }
            Request::Reject { receipts, reason } => {
                let bury = |queue: &QueueFile, all: &[&str]| queue.bury_all(all, reason.as_deref());
                let settled = self.settle(receipts, bury);
                ("reject", settled.map(|all| Outcomes::of("rejected", &all)))
            }
            Request::Extend {
                receipts,
                visibility_ms,
            } => {
                let visibility = Duration::from_millis(*visibility_ms);
                let extended = self.queue.extend_all(&borrowed(receipts), visibility);
                if let Ok(outcomes) = &extended {
                    self.held.extended(receipts, outcomes, visibility);
                }
                ("extend", extended.map(|all| Outcomes::of("extended", &all)))
            }
        };
        match settled {
            Ok(outcomes) => self.say(&Answer::new(op, outcomes))?,
            Err(error) => self.say(&Refused::request(op, &error.into()))?,
        }
        Ok(None)
    }

    fn settle(
        &mut self,
        receipts: &[String],
        change: impl FnOnce(&QueueFile, &[&str]) -> Result<Vec<Acknowledgement>, FileError>,
    ) -> Result<Vec<Acknowledgement>, FileError> {
        let settled = change(self.queue, &borrowed(receipts))?;
        self.held.settled(receipts);
        Ok(settled)
    }

    fn receive(
        &mut self,
        max: usize,
        visibility: Duration,
        wait: Duration,
        inputs: &Inputs,
    ) -> Result<Option<Input>, CliError> {
        let begun = Instant::now();
        let mut damaged = Vec::new();
        loop {
            let deliveries = if self.is_stopping {
                Vec::new()
            } else {
                match take(self.queue, max, visibility, &mut damaged) {
                    Ok(deliveries) => deliveries,
                    Err(error) => {
                        self.say(&Refused::receive(&error, &damaged))?;
                        return Ok(None);
                    }
                }
            };
            let mut arrived = None;
            let left = wait.saturating_sub(begun.elapsed());
            if deliveries.is_empty() && damaged.is_empty() && !left.is_zero() && !self.is_stopping {
                match inputs.within(POLL.min(left)) {
                    None => continue,
                    Some(Input::Stop) => self.is_stopping = true,
                    input => arrived = input,
                }
            }
            // Before anything is written: a program that is gone gets none of it.
            self.held.received(&deliveries, visibility);
            let head = Head::new(deliveries.len(), &damaged, self.is_stopping);
            answer::write(&mut self.out, &head)?;
            for delivery in &deliveries {
                answer::write_delivery(&mut self.out, delivery)?;
            }
            self.out.flush()?;
            return Ok(arrived);
        }
    }

    fn say(&mut self, answer: &impl serde::Serialize) -> Result<(), CliError> {
        answer::write(&mut self.out, answer)?;
        Ok(self.out.flush()?)
    }
}

fn borrowed(receipts: &[String]) -> Vec<&str> {
    receipts.iter().map(String::as_str).collect()
}
