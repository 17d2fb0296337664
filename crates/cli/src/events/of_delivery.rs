//! The event of a delivery of the record, on the queue, and the body in it.

use super::body;
use crate::env::Env;
use crate::error::CliError;
use crate::event_of_delivery::{self, became_event};
use crate::find_configuration::{self, Missing};
use crate::locations::QueueLocation;
use crate::queue_file::{self, QueueArgs};
use labelrelay_core::config::Config;
use labelrelay_event::Envelope;
use labelrelay_local::{Filter, Pattern, StoredEvent};
use labelrelay_record::{Body, Record, Recorded};
use std::borrow::Cow;

/// The event of a delivery; `None` if it became none, or the embedded queue does not have it any more.
pub(super) fn event_of(
    delivery: &Recorded,
    queue: &QueueArgs,
    env: &Env<'_>,
) -> Result<Option<StoredEvent>, CliError> {
    let Some(id) = delivery
        .row
        .event_id
        .as_deref()
        .filter(|_| became_event(&delivery.row))
    else {
        return Ok(None);
    };
    let location = queue.location(env)?;
    if !matches!(location, QueueLocation::Sqlite(_)) {
        return Ok(None);
    }
    let file = queue_file::open(location)?;
    if let Some(stored) = event_of_delivery::find(&file, id, &delivery.row)? {
        return Ok(Some(stored));
    }
    // It came before this delivery, which is a repeat of it.
    let same_id = Filter {
        id: Some(Pattern::begins(id)),
        newest_first: true,
        ..Filter::default()
    };
    let events = file.list(&same_id, usize::MAX)?;
    match events.iter().find(|event| event.id == id) {
        Some(event) => Ok(file.get(event.seq)?),
        None => Ok(None),
    }
}

/// The whole body of a delivery, from the record, else from its event on the queue.
///
/// # Errors
/// Why it cannot be had, and what to do.
pub(crate) fn whole_body(
    delivery: &Recorded,
    record: &dyn Record,
    queue: &QueueArgs,
    env: &Env<'_>,
) -> Result<Vec<u8>, CliError> {
    match record.body(delivery)? {
        Some(body) if body.is_whole => return Ok(body.start),
        Some(body) => {
            return Err(CliError::failed(format_args!(
                "the record has {} bytes of a body of {}",
                body.start.len(),
                delivery.row.body_bytes
            )));
        }
        None => {}
    }
    let empty = Body::of(delivery, Vec::new());
    if empty.is_whole {
        return Ok(empty.start);
    }
    if let Some(stored) = event_of(delivery, queue, env)? {
        let envelope = Envelope::decode(&stored.envelope).map_err(CliError::failed)?;
        let bytes = body::read(&envelope)?.map(Cow::into_owned);
        let bytes = bytes.ok_or_else(|| {
            let place = envelope.attributes.dataref.as_deref().unwrap_or_default();
            // A query may be a signature.
            let place = place.split('?').next().unwrap_or_default();
            CliError::failed(format_args!("the body is not in the queue but at {place}"))
        })?;
        // What came again under the same id may have another body.
        let body = Body::of(delivery, bytes);
        if body.is_whole {
            return Ok(body.start);
        }
        return Err(CliError::failed(
            "the body of its event on the queue is another one: that came before, under the same id",
        ));
    }
    Err(CliError::failed(why_no_body(delivery, queue, env)))
}

/// Why neither the record nor the queue has the body of a delivery.
pub(super) fn why_no_body(delivery: &Recorded, queue: &QueueArgs, env: &Env<'_>) -> String {
    let row = &delivery.row;
    let config = configured(queue, env);
    if !became_event(row) {
        let keeps = config.as_ref().is_none_or(event_of_delivery::keeps_bodies);
        return event_of_delivery::no_body(row, keeps).to_owned();
    }
    match queue.location(env) {
        Ok(QueueLocation::Sqlite(_)) | Err(_) => {
            event_of_delivery::gone(row, archive_of(config.as_ref()).as_deref())
        }
        Ok(elsewhere) => event_of_delivery::elsewhere(&elsewhere.to_string()),
    }
}

/// URL of the archive that belongs to the queue, if the configuration names one.
pub(super) fn archive(queue: &QueueArgs, env: &Env<'_>) -> Option<String> {
    archive_of(configured(queue, env).as_ref())
}

fn archive_of(config: Option<&Config>) -> Option<String> {
    // One that is wrong is told by whoever uses it.
    config.and_then(|config| event_of_delivery::archive_url(config).ok().flatten())
}

/// The configuration of the queue; `None` for a queue that was named, or where there is none.
fn configured(queue: &QueueArgs, env: &Env<'_>) -> Option<Config> {
    if queue.queue.is_some() && queue.config.is_none() {
        return None;
    }
    let found = find_configuration::find(env, queue.config.as_deref(), Missing::Refuse);
    found.ok().map(|found| found.config)
}
