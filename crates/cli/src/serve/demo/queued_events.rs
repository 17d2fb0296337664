//! Events in the demo's queue, read back through its file.

use crate::error::{CliError, chain};
use labelrelay_event::Envelope;
use labelrelay_local::{Filter, QueueFile};
use labelrelay_startup::SystemClock;
use std::path::Path;
use std::sync::Arc;

pub(super) struct QueuedEvent {
    pub(super) seq: u64,
    pub(super) id: String,
    pub(super) event_type: String,
    pub(super) subject: Option<String>,
    pub(super) digest: String,
    /// `true` if the digest is that of the body.
    pub(super) digest_is_right: bool,
    pub(super) body: Vec<u8>,
}

pub(super) fn read(file: &Path) -> Result<Vec<QueuedEvent>, CliError> {
    let queue = QueueFile::open(file, Arc::new(SystemClock::new()))
        .map_err(|error| CliError::failed(chain(&error)))?;
    let mut all = Vec::new();
    for stored in queue.export(Filter::default()) {
        let stored = stored?;
        let envelope = Envelope::decode(&stored.envelope).map_err(CliError::failed)?;
        let body = envelope
            .data
            .bytes()
            .map_err(CliError::failed)?
            .unwrap_or_default()
            .into_owned();
        all.push(QueuedEvent {
            seq: stored.event.seq,
            digest_is_right: envelope.matches_digest(&body),
            id: envelope.attributes.id,
            event_type: envelope.attributes.event_type,
            subject: envelope.attributes.subject,
            digest: envelope.attributes.datasha256,
            body,
        });
    }
    Ok(all)
}
