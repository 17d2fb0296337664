//! A store, or a spool, in a directory that the next start makes.

use bytes::Bytes;
use labelrelay_core::fallback::StoredBody;
use labelrelay_core::{
    BlobError, BlobStore, BoxFuture, BoxStream, FallbackStore, Payload, Spool, SpoolError,
    SpoolWriter,
};
use std::future::ready;

/// Stands for it where somebody only looks: the configuration is judged as if the directory were there.
#[derive(Debug)]
pub(super) struct MissingDirectory;

const PROBLEM: &str =
    "the directory is not there yet; the next start of `labelrelay serve` makes it";

fn refused<T: Send + 'static>() -> BoxFuture<'static, Result<T, BlobError>> {
    Box::pin(ready(Err(BlobError::permanent(PROBLEM))))
}

fn all_is_well<E: Send + 'static>() -> BoxFuture<'static, Result<(), E>> {
    Box::pin(ready(Ok(())))
}

impl BlobStore for MissingDirectory {
    fn put<'a>(
        &'a self,
        _: &'a str,
        _: u64,
        _: BoxStream<'a, std::io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        refused()
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        all_is_well()
    }
}

impl FallbackStore for MissingDirectory {
    fn put<'a>(&'a self, _: &'a str, _: Bytes) -> BoxFuture<'a, Result<(), BlobError>> {
        refused()
    }

    fn list<'a>(
        &'a self,
        _: Option<&'a str>,
        _: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(ready(Ok(Vec::new())))
    }

    fn get<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(ready(Ok(None)))
    }

    fn remove<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        all_is_well()
    }

    fn put_body<'a>(&'a self, _: &'a str, _: &'a Payload) -> BoxFuture<'a, Result<(), BlobError>> {
        refused()
    }

    fn get_body<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<StoredBody>, BlobError>> {
        Box::pin(ready(Ok(None)))
    }

    fn remove_body<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        all_is_well()
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        all_is_well()
    }
}

impl Spool for MissingDirectory {
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn SpoolWriter>, SpoolError>> {
        Box::pin(ready(Err(SpoolError::new(PROBLEM))))
    }

    fn check(&self) -> BoxFuture<'_, Result<(), SpoolError>> {
        all_is_well()
    }
}
