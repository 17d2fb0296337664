//! Data in the fallback that still has its digest: a disk or a person may have changed it.

use super::store::StoredBody;
use crate::BoxStream;
use bytes::Bytes;
use futures_util::StreamExt as _;
use labelrelay_event::Envelope;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;

const CHANGED: &str =
    "its data is not what its `datasha256` says; it was changed after it was put there";

/// The data that an envelope holds, if its digest is right; `None` for an envelope that only refers to its data.
pub(super) fn intact_data<'a>(envelope: &Envelope<'a>) -> Result<Option<Cow<'a, [u8]>>, String> {
    let data = envelope.data.bytes().map_err(|error| error.to_string())?;
    match data {
        Some(data) if !envelope.matches_digest(&data) => Err(CHANGED.to_owned()),
        data => Ok(data),
    }
}

/// Data that is a part of `envelope`, without a copy of it; or what was decoded.
pub(super) fn part_of(envelope: &Bytes, data: Cow<'_, [u8]>) -> Bytes {
    match data {
        Cow::Borrowed(part) => envelope.slice_ref(part),
        Cow::Owned(decoded) => Bytes::from(decoded),
    }
}

/// The data of an envelope as a body.
pub(super) fn stored(data: Option<Bytes>) -> Result<StoredBody, String> {
    let data = data.ok_or("larger than the queue takes, without its data")?;
    Ok(StoredBody::from(data))
}

/// The same bytes, of which the last piece comes, and after it the end, only if all of them have this digest: so
/// that nothing that changed where it lay becomes an object, and nothing that was emptied an empty one.
pub(super) fn intact(
    stream: BoxStream<'static, std::io::Result<Bytes>>,
    digest: String,
) -> BoxStream<'static, std::io::Result<Bytes>> {
    struct State {
        stream: BoxStream<'static, std::io::Result<Bytes>>,
        hash: Sha256,
        /// The last piece, not handed on yet.
        held: Option<Bytes>,
        digest: String,
    }
    let state = State {
        stream,
        hash: Sha256::new(),
        held: None,
        digest,
    };
    let pieces = futures_util::stream::try_unfold(Some(state), |state| async {
        let Some(mut state) = state else {
            return Ok(None);
        };
        while let Some(piece) = state.stream.next().await {
            let piece = piece?;
            state.hash.update(&piece);
            if let Some(before) = state.held.replace(piece) {
                return Ok(Some((before, Some(state))));
            }
        }
        let found = labelrelay_event::Digest::from_bytes(state.hash.finalize().into()).to_hex();
        if found != state.digest {
            return Err(std::io::Error::other(CHANGED));
        }
        Ok(state.held.map(|last| (last, None)))
    });
    Box::pin(pieces)
}
