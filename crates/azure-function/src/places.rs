//! What a configuration may name, opened.

use jiff::Timestamp;
use labelrelay_azure::Azure;
use labelrelay_core::config::{Config, ConfigError, ENVIRONMENT, Lookup, SecretRef};
use labelrelay_core::{BlobStore, EventQueue, FallbackStore, SecretSource};
use std::sync::Arc;

/// All of it is Azure's, but secrets may also stand in the environment, where the host puts what a Key
/// Vault reference of an app setting names, or in a file of the package.
pub(crate) struct Places<'a> {
    pub(crate) azure: &'a Azure,
    pub(crate) config: &'a Config,
    pub(crate) lookup: Lookup<'a>,
}

impl Places<'_> {
    pub(crate) fn queue(&self) -> Result<Arc<dyn EventQueue>, ConfigError> {
        let (origin, key) = self.stands("LABELRELAY_QUEUE", "queue");
        let Some(url) = self.config.queue.as_deref() else {
            return Err(ConfigError::new(
                origin,
                key,
                "is not set",
                "set it to azure-queue://ACCOUNT/QUEUE: the queue that shall get the events",
            ));
        };
        self.azure.queue(url, origin, key)
    }

    pub(crate) fn blob_store(&self) -> Result<Option<Arc<dyn BlobStore>>, ConfigError> {
        let (origin, key) = self.stands("LABELRELAY_BLOB_STORE", "blob_store");
        let url = self.config.blob_store.as_deref();
        url.map(|url| self.azure.blob_store(url, origin, key))
            .transpose()
    }

    pub(crate) fn fallback(&self) -> Result<Option<Arc<dyn FallbackStore>>, ConfigError> {
        let (origin, key) = self.stands("LABELRELAY_FALLBACK", "fallback");
        let url = self.config.fallback.as_deref();
        url.map(|url| self.azure.fallback(url, origin, key))
            .transpose()
    }

    pub(crate) fn secret(
        &self,
        reference: &SecretRef,
        end: Option<Timestamp>,
    ) -> Result<Box<dyn SecretSource>, ConfigError> {
        let (origin, key) = (self.config.origin.as_str(), reference.to_string());
        if let Some(secret) = reference.open(end, self.lookup, origin, &key)? {
            return Ok(secret);
        }
        match reference {
            SecretRef::Store {
                scheme: "azure-keyvault",
                name,
            } => self.azure.secret(name, end, origin, &key),
            _ => Err(ConfigError::new(
                origin,
                &key,
                "is in no store of Azure",
                "name one of azure-keyvault:VAULT/SECRET, env:NAME or file:/path",
            )),
        }
    }

    /// Where a setting stands: the environment wins over the file.
    fn stands<'s>(&'s self, variable: &'s str, key: &'s str) -> (&'s str, &'s str) {
        // What cannot be read was an error when the configuration was.
        let by_variable =
            matches!(self.lookup.text(variable), Ok(Some(_))) || self.config.origin == ENVIRONMENT;
        if by_variable {
            (ENVIRONMENT, variable)
        } else {
            (&self.config.origin, key)
        }
    }
}
