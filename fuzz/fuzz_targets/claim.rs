//! Envelopes as they are read back: by consumers, and by whoever moves them out of a fallback. Input: limits,
//! and whether the digest is to be put right; then the bytes of an envelope. Read and written again it stays
//! the same; moved to a queue, the data is there, in the envelope or where the claim check says.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_executor::block_on;
use labelrelay_core::fallback::redrive;
use labelrelay_core::{BlobStore, FallbackStore, QueueLimits};
use labelrelay_event::{Data, DataEncoding, Digest, Envelope, encode};
use labelrelay_fuzz::Put;
use labelrelay_testkit::clock::FakeClock;
use labelrelay_testkit::in_memory::MemoryFallback;
use libfuzzer_sys::fuzz_target;
use std::borrow::Cow;
use std::time::Duration;

thread_local! {
    static CLOCK: FakeClock = FakeClock::at("2026-01-15T12:00:00Z");
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else {
        return;
    };
    let decoded = Envelope::decode(bytes);
    let again = decoded.as_ref().ok().and_then(assert_stays);
    let (bytes, decoded) = match &again {
        // A digest is never right by chance.
        Some(again) if choice & 4 == 0 => (again.as_slice(), Envelope::decode(again)),
        _ => (bytes, decoded),
    };
    let limit = if choice & 1 == 0 { 1 << 30 } else { 1 };
    let with_store = choice & 2 == 0;
    CLOCK.with(|clock| redriven(bytes, decoded.ok(), clock, limit, with_store));
});

/// Written again, with the digest that the data has; `None` when the data cannot be read.
fn assert_stays(envelope: &Envelope<'_>) -> Option<Vec<u8>> {
    let data = envelope.data.bytes();
    let (form, body) = match envelope.data {
        Data::Json(bytes) => {
            assert_eq!(data, Ok(Some(Cow::Borrowed(bytes))));
            (DataEncoding::Json, bytes.to_vec())
        }
        Data::Base64(text) => {
            assert_eq!(
                data.ok().flatten().map(Cow::into_owned),
                STANDARD.decode(text).ok()
            );
            match STANDARD.decode(text) {
                Ok(bytes) => (DataEncoding::Base64, bytes),
                Err(_) => return None,
            }
        }
        Data::Reference => {
            assert_eq!(data, Ok(None));
            (DataEncoding::Reference, Vec::new())
        }
    };
    let again = encode(&envelope.attributes, form, body.len(), [body.as_slice()]);
    let again = Envelope::decode(&again).expect("what was written is read");
    assert_eq!(again.attributes, envelope.attributes);
    assert_eq!(again.data, envelope.data);
    let mut attributes = envelope.attributes.clone();
    attributes.datasha256 = Digest::of(&body).to_hex();
    Some(encode(&attributes, form, body.len(), [body.as_slice()]))
}

fn redriven(
    bytes: &[u8],
    envelope: Option<Envelope<'_>>,
    clock: &FakeClock,
    limit: u64,
    with_store: bool,
) {
    let (fallback, put) = (
        MemoryFallback::default(),
        Put::with(QueueLimits::bytes(limit)),
    );
    let blobs: Option<&dyn BlobStore> = if with_store { Some(&*put) } else { None };
    let done = block_on(async {
        fallback
            .put("key", Bytes::copy_from_slice(bytes))
            .await
            .expect("it is in memory");
        redrive(&fallback, &*put, blobs, clock, Duration::from_secs(2000)).await
    })
    .expect("it is in memory");
    assert!(done.complete);
    let (message, object) = (put.message(), put.object());
    assert_eq!(
        done.moved,
        u64::from(message.is_some()),
        "moved means queued"
    );
    assert_eq!(
        fallback.envelopes().len(),
        usize::from(message.is_none()),
        "or it stays"
    );
    let Some(message) = message else {
        assert!(done.failed == 1 && !done.stuck.is_empty());
        return;
    };
    let envelope = envelope.expect("only envelopes are moved");
    match object {
        None => assert_eq!(&*message.body, bytes, "what fits is moved as it is"),
        Some((key, object)) => {
            assert_eq!(
                Some(object),
                envelope.data.bytes().ok().flatten().map(Cow::into_owned)
            );
            assert!(is_plain(&key), "a key that leads elsewhere: {key:?}");
            let moved = Envelope::decode(&message.body).expect("an envelope");
            assert_eq!(moved.data, Data::Reference);
            assert_eq!(moved.attributes.id, envelope.attributes.id);
            assert_eq!(moved.attributes.dataref, Some(format!("bench:{key}")));
        }
    }
}

/// Names between slashes, none of which leads upwards.
fn is_plain(key: &str) -> bool {
    key.split('/').all(|part| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    })
}
