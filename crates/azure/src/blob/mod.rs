//! Blob Storage, for claim checks and as a fallback.

mod fallback;
mod object_store;
mod upload;

pub use fallback::AzureBlobFallback;
pub use object_store::AzureObjectStore;

use crate::error::{AzureError, Resource};
use crate::location::{SettingValue, StorageLocation};
use crate::percent_encode_sets::PATH;
use crate::storage_queue::may_only_send;
use crate::transport::options;
use azure_core::credentials::TokenCredential;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::{HttpClient, StatusCode};
use azure_storage_blob::{BlobClient, BlobContainerClient, BlobContainerClientOptions};
use bytes::Bytes;
use labelrelay_core::BackEndError;
use labelrelay_core::blob::{Fetched, name_below};
use labelrelay_core::{BlobError, BlobStore, BoxFuture, BoxStream};
use percent_encoding::{percent_decode_str, utf8_percent_encode};
use std::sync::Arc;

/// Objects below a prefix of a container. An object is made once and never overwritten.
pub struct AzureBlobStore {
    container: BlobContainerClient,
    /// URL of the container, as consumers get it: without a signature.
    url: String,
    /// Empty, or ends with a slash.
    prefix: String,
    resource: Resource,
}

impl AzureBlobStore {
    pub(crate) fn open(
        location: &StorageLocation,
        credential: Option<Arc<dyn TokenCredential>>,
        client: &Arc<dyn HttpClient>,
        setting: SettingValue<'_>,
    ) -> Result<Self, BackEndError> {
        let options = BlobContainerClientOptions {
            client_options: options(client),
            ..BlobContainerClientOptions::default()
        };
        let container =
            BlobContainerClient::new(location.url.clone(), credential, Some(options))
                .map_err(|_| setting.error("is not the URL of a container", "correct it"))?;
        Ok(Self {
            container,
            url: location.public_url(),
            prefix: match location.prefix.as_str() {
                "" => String::new(),
                prefix => format!("{prefix}/"),
            },
            resource: Resource {
                what: format!(
                    "the container `{}` of account `{}`",
                    location.name, location.account
                ),
                role: "Storage Blob Data Contributor",
            },
        })
    }

    fn blob(&self, key: &str) -> BlobClient {
        self.container.blob_client(&format!("{}{key}", self.prefix))
    }

    fn uri(&self, key: &str) -> String {
        let name = format!("{}{key}", self.prefix);
        format!("{}/{}", self.url, utf8_percent_encode(&name, PATH))
    }

    /// The key of an object that lies here.
    fn own_key(&self, uri: &str) -> Option<String> {
        let name = uri.strip_prefix(&self.url)?.strip_prefix('/')?;
        let name = percent_decode_str(name).decode_utf8().ok()?;
        name_below(&name, &self.prefix).map(str::to_owned)
    }

    /// The object of this key, whole in memory; `None` when there is none.
    async fn fetch(&self, key: &str) -> Result<Option<Bytes>, BlobError> {
        let read = async {
            let answer = self.blob(key).download(None).await?;
            answer.body.collect().await
        };
        match read.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn failed(&self, error: &Error) -> BlobError {
        AzureError::of(error, &self.resource).into()
    }

    /// Asks for the container's properties; see [`may_only_send`].
    async fn probe(&self) -> Result<(), BlobError> {
        match self.container.get_properties(None).await {
            Ok(_) => Ok(()),
            Err(error) if may_only_send(&error) => Ok(()),
            Err(error) => Err(self.failed(&error)),
        }
    }
}

impl BlobStore for AzureBlobStore {
    fn put<'a>(
        &'a self,
        key: &'a str,
        length: u64,
        body: BoxStream<'a, std::io::Result<Bytes>>,
    ) -> BoxFuture<'a, Result<String, BlobError>> {
        Box::pin(async move {
            self.upload(key, length, body).await?;
            Ok(self.uri(key))
        })
    }

    fn get<'a>(&'a self, uri: &'a str) -> BoxFuture<'a, Result<Fetched, BlobError>> {
        Box::pin(async move {
            let Some(key) = self.own_key(uri) else {
                return Ok(Fetched::Elsewhere);
            };
            let found = self.fetch(&key).await?;
            Ok(found.map_or(Fetched::Gone, Fetched::Body))
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), BlobError>> {
        Box::pin(self.probe())
    }
}

/// A container that does not exist is another matter.
fn is_gone(error: &Error) -> bool {
    let code = match error.kind() {
        ErrorKind::HttpResponse { error_code, .. } => error_code.as_deref(),
        _ => None,
    };
    error.http_status() == Some(StatusCode::NotFound) && code != Some("ContainerNotFound")
}
