//! `--dry-run`: prints what would be sent.

use super::embedded::Embedded;
use super::traces::{self, Traces};
use crate::output::{one_line, print, print_json};
use labelrelay_core::{BoxFuture, OutboundMessage, QueueLimits};
use labelrelay_reconcile::{LiveEvent, SendOutcome, Sink, SinkError};
use std::sync::Arc;

pub(super) struct Preview {
    /// `None` as long as nobody has made it, and where it cannot be looked into.
    queue: Option<Embedded>,
    /// What another queue took, as far as it is known. They stay.
    traces: Option<Arc<Traces>>,
    limits: QueueLimits,
    json: bool,
}

impl Preview {
    pub(super) fn new(queue: Option<Embedded>, limits: QueueLimits, json: bool) -> Self {
        Self {
            queue,
            traces: None,
            limits,
            json,
        }
    }

    /// The same, of a queue of which there may be traces.
    pub(super) fn with_traces(mut self, traces: Option<Arc<Traces>>) -> Self {
        self.traces = traces;
        self
    }

    fn print(&self, message: &OutboundMessage) -> std::io::Result<()> {
        if self.json {
            return print_json(&*message.attributes);
        }
        print(format_args!(
            "{} {} {} {}",
            message.event_type(),
            one_line(message.subject().unwrap_or("-")),
            message.attributes.sequence.as_deref().unwrap_or("-"),
            message.id()
        ))
    }
}

impl Sink for Preview {
    fn limits(&self) -> QueueLimits {
        self.limits
    }

    fn catch_up(&mut self, after: u64) -> BoxFuture<'_, ()> {
        traces::catch_up(self.traces.as_deref(), after)
    }

    fn events_after(&self, after: u64, max: usize) -> Result<Vec<LiveEvent>, SinkError> {
        match (&self.queue, &self.traces) {
            (Some(queue), _) => queue.events_after(after, max),
            (None, Some(traces)) => Ok(traces.events_after(after, max)),
            (None, None) => Ok(Vec::new()),
        }
    }

    fn send<'a>(
        &'a mut self,
        messages: &'a [OutboundMessage],
        _after: u64,
    ) -> BoxFuture<'a, Result<Vec<SendOutcome>, SinkError>> {
        let printed: std::io::Result<()> =
            messages.iter().try_for_each(|message| self.print(message));
        let printed = printed
            .map(|()| vec![SendOutcome::New; messages.len()])
            .map_err(|error| SinkError::new(format!("stdout: {error}")));
        Box::pin(std::future::ready(printed))
    }
}
