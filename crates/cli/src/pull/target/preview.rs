//! `--dry-run`: prints what would be sent.

use super::embedded::Embedded;
use crate::output::{one_line, print, print_json};
use labelrelay_core::{BoxFuture, OutboundMessage, QueueLimits};
use labelrelay_reconcile::{LiveEvent, SendOutcome, Sink, SinkError};

pub(super) struct Preview {
    /// `None` as long as nobody has made it, and where it cannot be looked into.
    queue: Option<Embedded>,
    limits: QueueLimits,
    json: bool,
}

impl Preview {
    pub(super) fn new(queue: Option<Embedded>, limits: QueueLimits, json: bool) -> Self {
        Self {
            queue,
            limits,
            json,
        }
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

    fn events_after(&self, after: u64, max: usize) -> Result<Vec<LiveEvent>, SinkError> {
        match &self.queue {
            Some(queue) => queue.events_after(after, max),
            None => Ok(Vec::new()),
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
