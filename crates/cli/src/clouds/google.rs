//! Pub/Sub, Cloud Storage and Secret Manager.

use super::{BackEnd, Setting};
use jiff::Timestamp;
use labelrelay_core::config::{ConfigError, ENVIRONMENT, Lookup, SecretRef};
use labelrelay_core::{BlobStore, EventQueue, FallbackStore, SecretSource};
use labelrelay_google::Google;
use std::sync::Arc;

pub(super) fn open(lookup: Lookup<'_>) -> Result<Box<dyn BackEnd>, ConfigError> {
    let google = Google::load(lookup).map_err(|error| error.at(ENVIRONMENT, "GOOGLE"))?;
    Ok(Box::new(google))
}

impl BackEnd for Google {
    fn queue(&self, url: &str, at: Setting<'_>) -> Result<Arc<dyn EventQueue>, ConfigError> {
        let opened = self.queue(url);
        Ok(Arc::new(
            opened.map_err(|error| error.at(at.origin, at.key))?,
        ))
    }

    fn blob_store(&self, url: &str, at: Setting<'_>) -> Result<Arc<dyn BlobStore>, ConfigError> {
        let opened = self.blob_store(url);
        Ok(Arc::new(
            opened.map_err(|error| error.at(at.origin, at.key))?,
        ))
    }

    fn fallback(&self, url: &str, at: Setting<'_>) -> Result<Arc<dyn FallbackStore>, ConfigError> {
        let opened = self.fallback(url);
        Ok(Arc::new(
            opened.map_err(|error| error.at(at.origin, at.key))?,
        ))
    }

    fn secret(
        &self,
        reference: &SecretRef,
        end: Option<Timestamp>,
        at: Setting<'_>,
    ) -> Result<Box<dyn SecretSource>, ConfigError> {
        match reference {
            SecretRef::Store {
                scheme: "gcp-secretmanager",
                name,
            } => match self.secret(name, end) {
                Ok(secret) => Ok(Box::new(secret)),
                Err(error) => Err(error.at(at.origin, at.key)),
            },
            _ => Err(ConfigError::new(
                at.origin,
                at.key,
                "is in no store of Google Cloud",
                "name one of gcp-secretmanager:NAME, env:NAME or file:/path",
            )),
        }
    }
}
