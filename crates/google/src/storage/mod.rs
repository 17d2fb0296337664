//! Cloud Storage: bodies that are too large for the queue, and events that it did not take in time.

mod fallback;
mod object_store;
mod upload;

pub use fallback::GcsFallback;
pub use object_store::GcsObjectStore;

use crate::location::GcsLocation;
use crate::rest::{Rest, RestError, parse};
use bytes::Bytes;
use http::{Method, StatusCode};
use labelrelay_core::blob::{Fetched, name_below};
use labelrelay_core::object_store::Created;
use labelrelay_core::{BlobError, BlobStore, BoxFuture, BoxStream, chain};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use upload::MultipartBody;

/// Characters that a path holds unescaped.
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Claim checks in a bucket.
#[derive(Debug)]
pub struct GcsBlobStore(Bucket);

impl GcsBlobStore {
    pub(crate) fn new(bucket: Bucket) -> Self {
        Self(bucket)
    }
}

impl BlobStore for GcsBlobStore {
    fn put<'a>(
        &'a self,
        key: &'a str,
        length: u64,
        body: BoxStream<'a, std::io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        Box::pin(async move {
            let name = self.0.location.object(key);
            self.0
                .create(&name, "application/octet-stream", length, body)
                .await?;
            Ok(format!("gs://{}/{name}", self.0.location.bucket))
        })
    }

    fn get<'a>(&'a self, uri: &'a str) -> BoxFuture<'a, Result<Fetched, BlobError>> {
        Box::pin(async move {
            let location = &self.0.location;
            let own = format!("gs://{}/", location.bucket);
            let below = uri.strip_prefix(&own);
            let below = below.and_then(|name| name_below(name, &location.prefix));
            let Some(below) = below else {
                return Ok(Fetched::Elsewhere);
            };
            let found = self.0.fetch(&location.object(below)).await?;
            Ok(found.map_or(Fetched::Gone, Fetched::Body))
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(self.0.check())
    }
}

/// A location in a bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    location: GcsLocation,
    rest: Rest,
}

#[derive(Deserialize)]
struct Permissions {
    #[serde(default)]
    permissions: Vec<String>,
}

/// The members of an object's description that matter.
#[derive(Deserialize)]
struct Stored {
    /// In decimal digits, as JSON has no integers of 64 bits.
    size: String,
}

/// A condition of a put.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    /// The object does not exist.
    IsNew,
    None,
}

impl Bucket {
    pub(crate) fn new(location: GcsLocation, rest: Rest) -> Self {
        Self { location, rest }
    }

    fn path(&self, below: &str) -> String {
        format!("/storage/v1/b/{}{below}", self.location.bucket)
    }

    fn object_path(&self, name: &str) -> String {
        self.path(&format!("/o/{}", utf8_percent_encode(name, &UNRESERVED)))
    }

    /// Creates an object, in one request, unless there is one already: the existing object stays unchanged.
    async fn create(
        &self,
        name: &str,
        content_type: &str,
        length: u64,
        body: BoxStream<'_, std::io::Result<Bytes>>,
    ) -> Result<(), BlobError> {
        let put = self.put(name, content_type, length, body, Condition::IsNew);
        put.await.map(drop)
    }

    /// Stores an object, in one request.
    async fn put(
        &self,
        name: &str,
        content_type: &str,
        length: u64,
        body: BoxStream<'_, std::io::Result<Bytes>>,
        condition: Condition,
    ) -> Result<Created, BlobError> {
        let failed = |error: &RestError| {
            self.error(
                error,
                "storage.objects.create",
                "roles/storage.objectCreator",
            )
        };
        let path = format!("/upload{}", self.path("/o"));
        let parts = MultipartBody::new(name, content_type, length)?;
        let request = self.rest.request(Method::POST, &path);
        // Not `media`: of the two it is the one whose preconditions emulators ignore.
        let mut query = vec![("uploadType", "multipart"), ("fields", "size")];
        if condition == Condition::IsNew {
            query.push(("ifGenerationMatch", "0"));
        }
        let request = request.query(&query);
        let answer = parts.send(&self.rest, request, body).await?;
        let stored: Stored = match answer {
            Ok(body) => parse(&body).map_err(|error| failed(&error))?,
            Err(error) if error.status() == Some(StatusCode::PRECONDITION_FAILED) => {
                return Ok(Created::Existed);
            }
            Err(error) => return Err(failed(&error)),
        };
        if stored.size != length.to_string() {
            let message = format!(
                "{name} in gs://{} has {} bytes where {length} were sent",
                self.location.bucket, stored.size
            );
            return Err(BlobError::permanent(message));
        }
        Ok(Created::New)
    }

    /// Removes the object of this name, if there is one.
    async fn remove(&self, name: &str) -> Result<(), BlobError> {
        let request = self.rest.request(Method::DELETE, &self.object_path(name));
        match self.rest.send(request).await {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(()),
            Err(error) => {
                Err(self.error(&error, "storage.objects.delete", "roles/storage.objectUser"))
            }
        }
    }

    /// The object of this name, whole in memory; `None` when there is none.
    async fn fetch(&self, name: &str) -> Result<Option<Bytes>, BlobError> {
        let request = self.rest.request(Method::GET, &self.object_path(name));
        match self.rest.send(request.query(&[("alt", "media")])).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(None),
            Err(error) => {
                Err(self.error(&error, "storage.objects.get", "roles/storage.objectUser"))
            }
        }
    }

    /// Proves that objects could be created, without creating one and with no other permission.
    async fn check(&self) -> Result<(), BlobError> {
        const CREATE: &str = "storage.objects.create";
        let failed = |error: &RestError| self.error(error, CREATE, "roles/storage.objectCreator");
        if self.rest.is_emulator() {
            // Emulators have no permissions to test.
            let request = self.rest.request(Method::GET, &self.path(""));
            return self
                .rest
                .send(request)
                .await
                .map(drop)
                .map_err(|error| failed(&error));
        }
        let request = self
            .rest
            .request(Method::GET, &self.path("/iam/testPermissions"));
        let request = request.query(&[("permissions", CREATE)]);
        let body = self
            .rest
            .send(request)
            .await
            .map_err(|error| failed(&error))?;
        let held: Permissions = parse(&body).map_err(|error| failed(&error))?;
        if held
            .permissions
            .iter()
            .any(|permission| permission == CREATE)
        {
            return Ok(());
        }
        Err(BlobError::permanent(format!(
            "gs://{} may not be written to: that needs {CREATE} (roles/storage.objectCreator)",
            self.location.bucket
        )))
    }

    fn error(&self, error: &RestError, permission: &str, role: &str) -> BlobError {
        let bucket = &self.location.bucket;
        let message = match error.status().map(|status| status.as_u16()) {
            Some(401 | 403) => format!(
                "gs://{bucket} refuses us: that needs {permission} ({role}); Cloud Storage {error}"
            ),
            Some(404) => format!("gs://{bucket} does not exist; Cloud Storage {error}"),
            _ => format!("gs://{bucket}: Cloud Storage {}", chain(error)),
        };
        if error.is_retryable() {
            BlobError::transient(message)
        } else {
            BlobError::permanent(message)
        }
    }
}
