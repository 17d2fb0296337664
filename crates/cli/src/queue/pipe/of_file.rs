//! Requests to the embedded queue, answered in their order.

use super::answer::{self, About, Answer, Head, Refused, Settlement};
use super::held::Held;
use super::input::{self, Input, Inputs};
use super::request::{Numbered, Request};
use crate::error::CliError;
use crate::queue::receive::{give_back, take};
use crate::queue::stats_and_prune;
use labelrelay_local::{Acknowledgement, FileError, QueueFile};
use std::io::{BufWriter, StdoutLock, Write};
use std::time::{Duration, Instant};

/// Pause between two looks at an empty queue. Reading it does not delay a running `serve`.
const POLL: Duration = Duration::from_millis(50);

pub(super) fn run(queue: &QueueFile, name: String) -> Result<(), CliError> {
    let inputs = Inputs::start()?;
    let mut pipe = Pipe {
        queue,
        name,
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
    name: String,
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
                Some(Input::Line(line)) => match Numbered::read(&line) {
                    Ok(request) => arrived = self.answer(&request, inputs)?,
                    Err(problem) => self.say(&Refused::line(&problem))?,
                },
            }
        }
    }

    /// Answers one request. Returns what arrived meanwhile.
    fn answer(&mut self, numbered: &Numbered, inputs: &Inputs) -> Result<Option<Input>, CliError> {
        let id = numbered.id;
        let (op, settled) = match &numbered.request {
            Request::Receive {
                max,
                visibility_ms,
                wait_ms,
            } => {
                let [visibility, wait] =
                    [visibility_ms, wait_ms].map(|ms| Duration::from_millis(*ms));
                return self.receive(id, *max, visibility, wait, inputs);
            }
            Request::Queue {} => {
                let about = About {
                    name: &self.name,
                    limits_receives: true,
                };
                answer::write(&mut self.out, &Answer::new("queue", id, about))?;
                self.out.flush()?;
                return Ok(None);
            }
            Request::Stats {} => {
                match stats_and_prune::counted(self.queue) {
                    Ok(stats) => self.say(&Answer::new("stats", id, stats))?,
                    Err(error) => self.refuse("stats", id, error)?,
                }
                return Ok(None);
            }
            Request::Ack { receipts } => {
                let settled = self.settle(receipts, QueueFile::acknowledge_all);
                (
                    "ack",
                    settled.map(|all| Settlement::of("acknowledged", &all)),
                )
            }
            Request::Retry { receipts, delay_ms } => {
                let delay = Duration::from_millis(*delay_ms);
                let settled = self.settle(receipts, |queue, all| queue.release_all(all, delay));
                ("retry", settled.map(|all| Settlement::of("returned", &all)))
            }
            Request::Reject { receipts, reason } => {
                let bury = |queue: &QueueFile, all: &[&str]| queue.bury_all(all, reason.as_deref());
                let settled = self.settle(receipts, bury);
                (
                    "reject",
                    settled.map(|all| Settlement::of("rejected", &all)),
                )
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
                (
                    "extend",
                    extended.map(|all| Settlement::of("extended", &all)),
                )
            }
        };
        match settled {
            Ok(outcomes) => self.say(&Answer::new(op, id, outcomes))?,
            Err(error) => self.refuse(op, id, error)?,
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
        id: Option<u64>,
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
                        self.say(&Refused::receive(id, error.message(), &damaged))?;
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
            let head = Head::new(id, deliveries.len(), &damaged, self.is_stopping);
            answer::write(&mut self.out, &head)?;
            for delivery in &deliveries {
                answer::write_delivery(&mut self.out, delivery)?;
            }
            self.out.flush()?;
            return Ok(arrived);
        }
    }

    fn refuse(
        &mut self,
        op: &'static str,
        id: Option<u64>,
        error: impl Into<CliError>,
    ) -> Result<(), CliError> {
        let error = error.into();
        self.say(&Refused::request(op, id, error.message()))
    }

    fn say(&mut self, answer: &impl serde::Serialize) -> Result<(), CliError> {
        answer::write(&mut self.out, answer)?;
        Ok(self.out.flush()?)
    }
}

fn borrowed(receipts: &[String]) -> Vec<&str> {
    receipts.iter().map(String::as_str).collect()
}
