//! `--into`: sends each event on into other queues, where each has a reader of its own: an archive, say, beside the consumers
//! of a queue that hands each event to one reader alone. An event is acknowledged once all of them have it.

use super::mode::Mode;
use crate::env::Env;
use crate::error::CliError;
use crate::locations::QueueLocation;
use crate::open;
use crate::queue_file::named;
use crate::queue_sender::{Fault, QueueSender, Unsent};
use bytes::Bytes;
use labelrelay_consumer::{Outcome, Slots};
use labelrelay_core::replay::as_copy;
use labelrelay_core::{BoxFuture, Clock, ReceivedEvent};
use labelrelay_event::Attributes;
use labelrelay_startup::{Setting, SystemClock};
use std::sync::Arc;

/// In the order in which they were named.
pub(super) struct IntoQueues(Vec<QueueSender>);

impl IntoQueues {
    /// Opens the queues of these URLs for the events of `source`, and asks each whether it takes any.
    pub(super) async fn open(
        urls: &[String],
        source: &QueueLocation,
        env: &Env<'_>,
    ) -> Result<Self, CliError> {
        let locations = locations(urls, source, env)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let mut queues = Vec::new();
        for location in locations {
            let at = Setting {
                origin: "command line",
                key: "--into",
                base_dir: env.cwd(),
            };
            let Some(queue) = open::sink(&location, at, None, env, &clock).await? else {
                return Err(CliError::usage(format_args!(
                    "`--into`: {location} is a file, which `labelrelay serve` alone fills: name a queue of a cloud, of Postgres or of NATS, or stdout:"
                )));
            };
            if let Err(error) = queue.check().await {
                let refused = Unsent::from(error);
                // What may pass by itself is waited for, event by event.
                if refused.fault == Fault::Lasting {
                    return Err(CliError::failed(format_args!(
                        "`--into`: {}",
                        refused.reason
                    )));
                }
            }
            queues.push(QueueSender::new(queue, None, Arc::clone(&clock)));
        }
        Ok(Self(queues))
    }

    /// Sends the event into one after the other. If one does not take it, it comes again, and those before have it twice.
    async fn send(&self, envelope: &Bytes) -> Outcome {
        for queue in &self.0 {
            let message = match as_copy(envelope, queue.limits()) {
                Ok(message) => message,
                Err(error) => return Outcome::failed(error.to_string()),
            };
            if let Err(unsent) = queue.send_patiently(&message).await {
                return match unsent.fault {
                    Fault::Event => Outcome::failed(unsent.reason),
                    // No event becomes a dead letter because a queue is away.
                    Fault::Passing | Fault::Lasting => Outcome::hindered(unsent.reason),
                };
            }
        }
        Outcome::Done
    }
}

/// The queues of these URLs, if each is another one.
fn locations(
    urls: &[String],
    source: &QueueLocation,
    env: &Env<'_>,
) -> Result<Vec<QueueLocation>, CliError> {
    let mut locations = Vec::<QueueLocation>::new();
    for url in urls {
        let location = named(url, "`--into`", env)?;
        if is_same(&location, source) {
            return Err(CliError::usage(format_args!(
                "`--into`: the events come from {location}, and would never end: name another queue"
            )));
        }
        let is_it = |other: &QueueLocation| is_same(&location, other);
        if locations.iter().any(is_it) {
            return Err(CliError::usage(format_args!(
                "`--into`: {location} is named twice, and would have each event twice: name it once"
            )));
        }
        locations.push(location);
    }
    Ok(locations)
}

/// Tells whether both URLs name one queue. Parameters say how it is reached; but in a database of Postgres, each schema may be
/// another queue.
fn is_same(one: &QueueLocation, other: &QueueLocation) -> bool {
    let schema = |location: &QueueLocation| match location {
        QueueLocation::Cloud(_, url) => {
            let mut parameters = url.split(['?', '&']).skip(1);
            let schema = parameters.find(|parameter| parameter.starts_with("schema="));
            schema.map(str::to_owned)
        }
        _ => None,
    };
    one.to_string() == other.to_string() && schema(one) == schema(other)
}

impl Mode for IntoQueues {
    fn hand_on<'a>(
        &'a self,
        _: &'a Attributes,
        event: &'a ReceivedEvent,
        _: &'a Slots,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(self.send(&event.envelope))
    }
}
