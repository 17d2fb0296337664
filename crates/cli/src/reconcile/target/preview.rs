//! `--dry-run`: prints what would be sent.

use super::embedded::Embedded;
use crate::failure::Failure;
use crate::open::not_opened;
use crate::output::{print, print_json};
use labelrelay_core::{BoxFuture, Clock, OutboundMessage, QueueLimits};
use labelrelay_local::{OpenError, Options};
use labelrelay_reconcile::{Arrival, Outlet, OutletError};
use std::path::Path;
use std::sync::Arc;

pub(super) struct Preview {
    /// `None` as long as nobody has made the queue.
    queue: Option<Embedded>,
    json: bool,
}

impl Preview {
    pub(super) fn new(queue: &Path, clock: Arc<dyn Clock>, json: bool) -> Result<Self, Failure> {
        let queue = match Embedded::open(queue, clock) {
            Ok(queue) => Some(queue),
            Err(OpenError::Missing { .. }) => None,
            Err(error) => return Err(not_opened(&error)),
        };
        Ok(Self { queue, json })
    }

    fn print(&self, message: &OutboundMessage) -> std::io::Result<()> {
        if self.json {
            return print_json(&*message.attributes);
        }
        print(format_args!(
            "{} {} {} {}",
            message.event_type(),
            message.subject().unwrap_or("-"),
            message.attributes.sequence.as_deref().unwrap_or("-"),
            message.id()
        ))
    }
}

impl Outlet for Preview {
    fn limits(&self) -> QueueLimits {
        QueueLimits::bytes(Options::default().max_message_bytes)
    }

    fn arrivals(&self, after: u64, max: usize) -> Result<Vec<Arrival>, OutletError> {
        match &self.queue {
            Some(queue) => queue.arrivals(after, max),
            None => Ok(Vec::new()),
        }
    }

    fn send<'a>(
        &'a mut self,
        messages: &'a [OutboundMessage],
        _after: u64,
    ) -> BoxFuture<'a, Result<Vec<bool>, OutletError>> {
        let printed: std::io::Result<()> =
            messages.iter().try_for_each(|message| self.print(message));
        let printed = printed
            .map(|()| vec![true; messages.len()])
            .map_err(|error| OutletError::new(format!("stdout: {error}")));
        Box::pin(std::future::ready(printed))
    }
}
