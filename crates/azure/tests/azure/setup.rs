//! Resources that the tests open.

use labelrelay_azure::Azure;
use labelrelay_core::{BlobStore, EventQueue, FallbackStore};
use labelrelay_startup::SystemClock;
use std::sync::Arc;

/// Azure as an environment with these variables makes it.
pub(crate) fn azure(variables: &[(&str, String)]) -> Azure {
    let lookup = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    };
    Azure::load(&lookup, Arc::new(SystemClock::new())).unwrap()
}

pub(crate) fn queue(url: &str) -> Arc<dyn EventQueue> {
    azure(&[]).queue(url).unwrap()
}

pub(crate) fn blobs(url: &str) -> Arc<dyn BlobStore> {
    azure(&[]).blob_store(url).unwrap()
}

pub(crate) fn fallback(url: &str) -> Arc<dyn FallbackStore> {
    azure(&[]).fallback(url).unwrap()
}
