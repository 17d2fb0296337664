//! Data of an envelope, into the blob store on the way to the queue.

use super::intact_data::{intact, intact_data, stored};
use super::keys::claim_key;
use super::store::StoredBody;
use crate::blob::BlobStore;
use crate::clock::{Clock, within};
use crate::config::is_name;
use crate::queue::OutboundMessage;
use crate::transfer_allowance::transfer_allowance;
use bytes::Bytes;
use labelrelay_event::{DataEncoding, Envelope, encode};
use std::borrow::Cow;
use std::time::Duration;

/// Copying takes no longer than this, and what a body's length allows besides.
const PATIENCE: Duration = Duration::from_secs(30);

/// The event of `envelope` with its data, which the queue does not take, in the blob store.
///
/// # Errors
/// Why the blob store cannot hold it.
pub(crate) async fn claimed(
    envelope: &Envelope<'_>,
    blobs: Option<&dyn BlobStore>,
    clock: &dyn Clock,
) -> Result<OutboundMessage, String> {
    let data = intact_data(envelope)?;
    let data = data.map(Cow::into_owned).map(Bytes::from);
    claim(envelope, stored(data)?, blobs, clock).await
}

/// Puts `body` where a claim check says it is.
pub(super) async fn claim(
    envelope: &Envelope<'_>,
    body: StoredBody,
    blobs: Option<&dyn BlobStore>,
    clock: &dyn Clock,
) -> Result<OutboundMessage, String> {
    let blobs = blobs.ok_or("larger than the queue takes; configure `blob_store`")?;
    let mut attributes = envelope.attributes.clone();
    let source = attributes.source.trim_start_matches('/');
    // The two become a key. What another program wrote, or a disk damaged, must not lead elsewhere.
    if !is_name(source) {
        return Err("its `source` is not the name of one".to_owned());
    }
    let key = claim_key(clock.now(), source, &attributes.datasha256);
    let intact = intact(body.stream, attributes.datasha256.clone());
    let put = blobs.put(&key, body.bytes, intact);
    let patience = PATIENCE + 2 * transfer_allowance(body.bytes);
    let uri = match within(clock, patience, put).await {
        Ok(put) => put.map_err(|error| error.to_string())?,
        Err(_) => return Err("its body was not copied to the blob store in time".to_owned()),
    };
    attributes.dataref = Some(uri);
    let envelope = encode(&attributes, DataEncoding::Reference, 0, []);
    Ok(OutboundMessage::new(attributes, envelope))
}
