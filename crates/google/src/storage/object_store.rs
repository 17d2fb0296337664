//! Files under names of one's choice in a bucket.

use super::fallback::Listed;
use super::{Bucket, Condition};
use crate::rest::{RestError, parse};
use bytes::Bytes;
use futures_util::{future, stream};
use http::Method;
use labelrelay_core::object_store::{Created, NewObject};
use labelrelay_core::{BlobError, BoxFuture, ObjectStore};

/// A prefix of a bucket that takes files.
#[derive(Debug)]
pub struct GcsObjectStore(Bucket);

impl GcsObjectStore {
    pub(crate) fn new(bucket: Bucket) -> Self {
        Self(bucket)
    }
}

impl Bucket {
    /// Names of all objects below the location that begin with `beginning`, in folders too. The service lists them in the
    /// order of their bytes.
    async fn names(&self, beginning: &str) -> Result<Vec<String>, RestError> {
        let wanted = self.location.object(beginning);
        let mut names = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut query = vec![
                ("prefix", wanted.as_str()),
                ("fields", "items(name),nextPageToken"),
            ];
            query.extend(token.as_deref().map(|token| ("pageToken", token)));
            let request = self.rest.request(Method::GET, &self.path("/o"));
            let answer = self.rest.send(request.query(&query)).await?;
            let Listed { items, next } = parse(&answer)?;
            for item in items {
                let name = item.name.strip_prefix(&self.location.prefix);
                names.extend(name.filter(|name| !name.is_empty()).map(str::to_owned));
            }
            token = next.filter(|next| !next.is_empty());
            if token.is_none() {
                return Ok(names);
            }
        }
    }
}

impl ObjectStore for GcsObjectStore {
    fn create<'a>(
        &'a self,
        name: &'a str,
        object: NewObject<'a>,
    ) -> BoxFuture<'a, Result<Created, BlobError>> {
        Box::pin(async move {
            let name = self.0.location.object(name);
            let octets = "application/octet-stream";
            self.0
                .put(&name, octets, object.length, object.body, Condition::IsNew)
                .await
        })
    }

    fn replace<'a>(
        &'a self,
        name: &'a str,
        content: Bytes,
    ) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move {
            let name = self.0.location.object(name);
            let length = content.len() as u64;
            let body = Box::pin(stream::once(future::ready(Ok(content))));
            let put = self.0.put(
                &name,
                "application/octet-stream",
                length,
                body,
                Condition::None,
            );
            put.await.map(drop)
        })
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>, BlobError>> {
        Box::pin(async move { self.0.fetch(&self.0.location.object(name)).await })
    }

    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), BlobError>> {
        Box::pin(async move { self.0.remove(&self.0.location.object(name)).await })
    }

    fn list<'a>(&'a self, beginning: &'a str) -> BoxFuture<'a, Result<Vec<String>, BlobError>> {
        Box::pin(async move {
            let listed = self.0.names(beginning).await;
            listed.map_err(|error| {
                self.0
                    .error(&error, "storage.objects.list", "roles/storage.objectUser")
            })
        })
    }
}
