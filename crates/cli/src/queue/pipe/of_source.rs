//! Requests to any other queue: each is a call of its own, and answered as soon as the queue has answered.

use super::answer::{self, About, Answer, Head, Refused, Settlement};
use super::calls::{self, CallResult, Called, Rejected};
use super::input::{self, Input};
use super::request::{Numbered, Request};
use crate::env::Env;
use crate::error::CliError;
use crate::event_source;
use crate::locations::QueueLocation;
use crate::logging::{self, By, Format};
use crate::output;
use labelrelay_core::{EventSource, EventSourceError, Extended, ReceivedEvent, Settled};
use std::collections::{HashMap, VecDeque};
use std::io::{BufWriter, Stdout, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

/// Events of one receive at most, as of the embedded queue.
const MOST: usize = 1000;

/// Time for giving back what is left, at the end.
const LAST: Duration = Duration::from_secs(10);

pub(super) fn run(
    location: &QueueLocation,
    dead_letter: Option<&str>,
    env: &Env<'_>,
) -> Result<(), CliError> {
    logging::start(Format::Human, false, By::AThread, env)?;
    let mut inputs = input::start_async()?;
    let runtime = crate::runtime::full()?;
    let done = runtime.block_on(async {
        let opening = event_source::open(location, dead_letter, env);
        let mut early = VecDeque::new();
        let Some(source) = opened(opening, &mut inputs, &mut early).await? else {
            return Ok(());
        };
        let mut pipe = Pipe {
            source,
            name: location.to_string(),
            held: HashMap::new(),
            calls: JoinSet::new(),
            out: BufWriter::with_capacity(256 * 1024, std::io::stdout()),
            is_stopping: false,
        };
        let done = pipe.serve(&mut inputs, early).await;
        pipe.give_back().await;
        done
    });
    // A thread that waits for a line of stdin keeps nothing.
    runtime.shutdown_background();
    done
}

/// The source, once it is open; `None` if the end comes first. What else comes goes into `early`.
async fn opened(
    opening: impl Future<Output = Result<Arc<dyn EventSource>, CliError>>,
    inputs: &mut Receiver<Input>,
    early: &mut VecDeque<Input>,
) -> Result<Option<Arc<dyn EventSource>>, CliError> {
    let mut opening = std::pin::pin!(opening);
    loop {
        tokio::select! {
            source = &mut opening => return source.map(Some),
            input = inputs.recv() => match input {
                None | Some(Input::End | Input::Stop) => return Ok(None),
                Some(input) => early.push_back(input),
            },
        }
    }
}

/// An event that was handed out and not settled.
struct Held {
    event: ReceivedEvent,
    /// Time from which others can receive it.
    until: Instant,
}

struct Pipe {
    source: Arc<dyn EventSource>,
    name: String,
    /// By the receipts that are good now.
    held: HashMap<String, Held>,
    calls: JoinSet<Called>,
    out: BufWriter<Stdout>,
    is_stopping: bool,
}

impl Pipe {
    /// Answers until there is nothing more to answer.
    async fn serve(
        &mut self,
        inputs: &mut Receiver<Input>,
        mut early: VecDeque<Input>,
    ) -> Result<(), CliError> {
        loop {
            let is_idle = self.calls.is_empty();
            if self.is_stopping && is_idle && self.held.is_empty() {
                return Ok(());
            }
            if let Some(input) = early.pop_front() {
                self.take(input)?;
                continue;
            }
            // Somebody who settles nothing keeps no service from stopping: what was handed out is visible by then.
            let last = self.held.values().map(|held| held.until).max();
            let is_visible = sleep_until(last.unwrap_or_else(Instant::now));
            tokio::select! {
                Some(called) = self.calls.join_next() => self.answer(came_back(called)?)?,
                input = inputs.recv() => match input {
                    None | Some(Input::End) => return self.finish_calls().await,
                    Some(Input::Stop) if self.is_stopping => return Ok(()),
                    Some(input) => self.take(input)?,
                },
                () = is_visible, if self.is_stopping && is_idle => return Ok(()),
            }
        }
    }

    /// Nobody reads answers any more; what a receive brings is given back with the rest.
    async fn finish_calls(&mut self) -> Result<(), CliError> {
        while let Some(called) = self.calls.join_next().await {
            match came_back(called)?.result {
                Ok(CallResult::Received(events, visibility)) => self.hold(events, visibility),
                Ok(CallResult::Rejected(rejected)) => {
                    self.after_rejecting(rejected);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn take(&mut self, input: Input) -> Result<(), CliError> {
        match input {
            Input::Stop => self.is_stopping = true,
            Input::TooLong => self.say(&Refused::line(&input::too_long()))?,
            Input::Line(line) => match Numbered::read(&line) {
                Ok(Numbered { id, request }) => self.call(id, request)?,
                Err(problem) => self.say(&Refused::line(&problem))?,
            },
            Input::End => {}
        }
        Ok(())
    }

    /// Begins what is asked for.
    fn call(&mut self, id: Option<u64>, request: Request) -> Result<(), CliError> {
        let source = Arc::clone(&self.source);
        match request {
            Request::Receive { max, .. } if max == 0 || self.is_stopping => {
                self.say(&Head::new(id, 0, &[], self.is_stopping))?;
            }
            Request::Receive {
                max,
                visibility_ms,
                wait_ms,
            } => {
                let [visibility, wait] = [visibility_ms, wait_ms].map(Duration::from_millis);
                let call = calls::receive(source, max.min(MOST), visibility, wait);
                self.begin("receive", id, call);
            }
            Request::Ack { receipts } => self.begin("ack", id, calls::ack(source, receipts)),
            Request::Retry { receipts, delay_ms } => {
                let after = Duration::from_millis(delay_ms);
                self.begin("retry", id, calls::retry(source, receipts, after));
            }
            Request::Extend {
                receipts,
                visibility_ms,
            } => {
                let visibility = Duration::from_millis(visibility_ms);
                self.begin("extend", id, calls::extend(source, receipts, visibility));
            }
            Request::Reject { receipts, reason } => {
                // Its receipt may be another one afterwards.
                let held = receipts.iter().map(|receipt| self.held.remove(receipt));
                let events = held.map(|held| held.map(|held| held.event)).collect();
                self.begin("reject", id, calls::reject(source, events, reason));
            }
            Request::Queue {} => {
                let about = About {
                    name: &self.name,
                    limits_receives: self.source.limits_receives(),
                };
                answer::write(&mut self.out, &Answer::new("queue", id, about))?;
                self.out.flush()?;
            }
            Request::Stats {} => {
                let why =
                    "this queue has tools of its own that count; `stats` is of the embedded queue";
                self.say(&Refused::request("stats", id, why))?;
            }
        }
        Ok(())
    }

    fn begin(
        &mut self,
        op: &'static str,
        id: Option<u64>,
        call: impl Future<Output = Result<CallResult, EventSourceError>> + Send + 'static,
    ) {
        self.calls.spawn(async move {
            let result = call.await;
            Called { op, id, result }
        });
    }

    fn answer(&mut self, called: Called) -> Result<(), CliError> {
        let Called { op, id, result } = called;
        match result {
            Err(error) => self.refuse(op, id, &error),
            Ok(CallResult::Received(events, visibility)) => {
                answer::write(
                    &mut self.out,
                    &Head::new(id, events.len(), &[], self.is_stopping),
                )?;
                // Held before anything reaches the program: if that is gone, they are given back.
                let written = events
                    .iter()
                    .try_for_each(|event| answer::write_event(&mut self.out, event));
                self.hold(events, visibility);
                written?;
                Ok(self.out.flush()?)
            }
            Ok(CallResult::Settled {
                word,
                receipts,
                settled,
            }) => {
                for receipt in &receipts {
                    self.held.remove(receipt);
                }
                self.say(&Answer::new(op, id, Settlement::settled(word, &settled)))
            }
            Ok(CallResult::Extended {
                receipts,
                extended,
                visibility,
            }) => {
                let until = after(visibility);
                for (before, outcome) in receipts.iter().zip(&extended) {
                    if let Ok(Extended::Until(receipt)) = outcome
                        && let Some(mut held) = self.held.remove(before)
                    {
                        held.until = until;
                        held.event.receipt.clone_from(receipt);
                        self.held.insert(receipt.clone(), held);
                    }
                }
                self.say(&Answer::new(
                    op,
                    id,
                    Settlement::extended(&extended, &receipts),
                ))
            }
            Ok(CallResult::Rejected(rejected)) => {
                let (settled, failure) = self.after_rejecting(rejected);
                match failure {
                    Some(error) => self.refuse(op, id, &error),
                    None => self.say(&Answer::new(
                        op,
                        id,
                        Settlement::settled("rejected", &settled),
                    )),
                }
            }
        }
    }

    /// What became of each, and why one failed.
    fn after_rejecting(
        &mut self,
        rejected: Vec<Rejected>,
    ) -> (Vec<Settled>, Option<EventSourceError>) {
        let mut settled = Vec::with_capacity(rejected.len());
        let mut failure = None;
        for one in rejected {
            match one {
                Some((_, Ok(outcome))) => settled.push(outcome),
                // It comes again by itself; at the end it is given back.
                Some((event, Err(error))) => {
                    self.hold(vec![event], LAST);
                    failure = Some(error);
                }
                None => settled.push(Settled::Stale),
            }
        }
        (settled, failure)
    }

    /// Remembers what is handed out. What is visible again by now needs nobody to give it back, and is forgotten.
    fn hold(&mut self, events: Vec<ReceivedEvent>, visibility: Duration) {
        let now = Instant::now();
        self.held.retain(|_, held| held.until > now);
        let until = after(visibility);
        for event in events {
            let receipt = event.receipt.clone();
            self.held.insert(receipt, Held { event, until });
        }
    }

    async fn give_back(&mut self) {
        let receipts: Vec<_> = self.held.keys().map(String::as_str).collect();
        if receipts.is_empty() {
            return;
        }
        let given = timeout(LAST, self.source.retry(&receipts, Duration::ZERO)).await;
        let problem = match given {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer in {} s", LAST.as_secs()),
        };
        output::say(format_args!(
            "labelrelay: {} events could not be given back, and come again when their visibility runs out: {problem}",
            receipts.len()
        ));
    }

    fn refuse(
        &mut self,
        op: &'static str,
        id: Option<u64>,
        error: &EventSourceError,
    ) -> Result<(), CliError> {
        self.say(&Refused::request(op, id, &error.to_string()))
    }

    fn say(&mut self, answer: &impl serde::Serialize) -> Result<(), CliError> {
        answer::write(&mut self.out, answer)?;
        Ok(self.out.flush()?)
    }
}

/// A call that panicked is a bug, and its answer would never come.
fn came_back(called: Result<Called, JoinError>) -> Result<Called, CliError> {
    called.map_err(CliError::failed)
}

/// Longer than any queue keeps anything hidden, where a clock cannot say it.
fn after(time: Duration) -> Instant {
    const DAY: Duration = Duration::from_secs(86_400);
    Instant::now() + time.min(DAY)
}
