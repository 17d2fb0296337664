//! Storage Queue, Service Bus, Blob Storage and Key Vault.

use super::{BackEnd, Setting};
use jiff::Timestamp;
use labelrelay_azure::Azure;
use labelrelay_core::config::{ConfigError, Lookup, SecretRef};
use labelrelay_core::{BlobStore, Clock, EventQueue, FallbackStore, SecretSource};
use std::sync::Arc;

pub(super) fn open(
    lookup: Lookup<'_>,
    clock: &Arc<dyn Clock>,
) -> Result<Box<dyn BackEnd>, ConfigError> {
    Ok(Box::new(Azure::load(lookup, Arc::clone(clock))?))
}

impl BackEnd for Azure {
    fn queue(&self, url: &str, at: Setting<'_>) -> Result<Arc<dyn EventQueue>, ConfigError> {
        self.queue(url, at.origin, at.key)
    }

    fn blob_store(&self, url: &str, at: Setting<'_>) -> Result<Arc<dyn BlobStore>, ConfigError> {
        self.blob_store(url, at.origin, at.key)
    }

    fn fallback(&self, url: &str, at: Setting<'_>) -> Result<Arc<dyn FallbackStore>, ConfigError> {
        self.fallback(url, at.origin, at.key)
    }

    fn secret(
        &self,
        reference: &SecretRef,
        end: Option<Timestamp>,
        at: Setting<'_>,
    ) -> Result<Box<dyn SecretSource>, ConfigError> {
        match reference {
            SecretRef::Store {
                scheme: "azure-keyvault",
                name,
            } => self.secret(name, end, at.origin, at.key),
            _ => Err(ConfigError::new(
                at.origin,
                at.key,
                "is in no store of Azure",
                "name one of azure-keyvault:VAULT/SECRET, env:NAME or file:/path",
            )),
        }
    }
}
