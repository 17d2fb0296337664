//! Opens what a configuration names.

use crate::blob::{AzureBlobFallback, AzureBlobStore};
use crate::connection_string::ConnectionString;
use crate::credential::credential;
use crate::key_vault::KeyVaultSecret;
use crate::location::{SettingKey, StorageLocation};
use crate::service_bus::ServiceBusQueue;
use crate::storage_queue::StorageQueue;
use crate::transport::client;
use azure_core::credentials::TokenCredential;
use azure_core::http::HttpClient;
use jiff::Timestamp;
use labelrelay_core::config::{ConfigError, ENVIRONMENT, Lookup};
use labelrelay_core::{BlobStore, Clock, EventQueue, FallbackStore, SecretSource};
use std::sync::Arc;

/// Shared by all parts of Azure: connections, and our identity.
pub struct Azure {
    client: Arc<dyn HttpClient>,
    credential: Arc<dyn TokenCredential>,
    storage: Option<ConnectionString>,
    service_bus: Option<ConnectionString>,
    clock: Arc<dyn Clock>,
}

impl Azure {
    /// Takes identities and connection strings from the environment behind `lookup`. Nothing is connected
    /// to yet. Needs a tokio runtime when anything of it is used.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable and the cure.
    pub fn load(lookup: Lookup<'_>, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let client = client();
        Ok(Self {
            credential: credential(lookup, &client)?,
            client,
            storage: connection_string(lookup, "AZURE_STORAGE_CONNECTION_STRING")?,
            service_bus: connection_string(lookup, "AZURE_SERVICEBUS_CONNECTION_STRING")?,
            clock,
        })
    }

    /// The queue at `url`, which `key` of `origin` holds.
    ///
    /// # Errors
    /// [`ConfigError`] when it is not the URL of a queue of Azure.
    pub fn queue(
        &self,
        url: &str,
        origin: &str,
        key: &str,
    ) -> Result<Arc<dyn EventQueue>, ConfigError> {
        let setting = SettingKey { origin, key };
        if url.starts_with("servicebus://") {
            let queue = ServiceBusQueue::open(
                url,
                self.service_bus.as_ref(),
                Arc::clone(&self.client),
                Arc::clone(&self.credential),
                Arc::clone(&self.clock),
                setting,
            )?;
            return Ok(Arc::new(queue));
        }
        if !is_one_of(url, &["azure-queue", "https", "http"]) {
            return Err(setting.error(
                "is not the URL of a queue that this build can open",
                "write azure-queue://ACCOUNT/QUEUE or servicebus://NAMESPACE/QUEUE",
            ));
        }
        let known = ["ttl_s"];
        let location =
            StorageLocation::parse(url, "queue", &known, self.storage.as_ref(), setting)?;
        let credential = self.credential_for(&location);
        Ok(Arc::new(StorageQueue::open(
            &location,
            credential,
            &self.client,
            setting,
        )?))
    }

    /// The store for claim checks at `url`.
    ///
    /// # Errors
    /// [`ConfigError`] when it is not the URL of a container of Azure.
    pub fn blob_store(
        &self,
        url: &str,
        origin: &str,
        key: &str,
    ) -> Result<Arc<dyn BlobStore>, ConfigError> {
        Ok(Arc::new(self.container(url, origin, key)?))
    }

    /// The fallback at `url`.
    ///
    /// # Errors
    /// [`ConfigError`] when it is not the URL of a container of Azure.
    pub fn fallback(
        &self,
        url: &str,
        origin: &str,
        key: &str,
    ) -> Result<Arc<dyn FallbackStore>, ConfigError> {
        let store = self.container(url, origin, key)?;
        Ok(Arc::new(AzureBlobFallback::new(store)))
    }

    /// The secret called `name` after `azure-keyvault:`, refused after `not_after`.
    ///
    /// # Errors
    /// [`ConfigError`] when the name is not one of a secret in Key Vault.
    pub fn secret(
        &self,
        name: &str,
        not_after: Option<Timestamp>,
        origin: &str,
        key: &str,
    ) -> Result<Box<dyn SecretSource>, ConfigError> {
        let setting = SettingKey { origin, key };
        let credential = Arc::clone(&self.credential);
        let clock = Arc::clone(&self.clock);
        let secret =
            KeyVaultSecret::open(name, credential, &self.client, clock, not_after, setting)?;
        Ok(Box::new(secret))
    }

    fn container(&self, url: &str, origin: &str, key: &str) -> Result<AzureBlobStore, ConfigError> {
        let setting = SettingKey { origin, key };
        if !is_one_of(url, &["az", "https", "http"]) {
            return Err(setting.error(
                "is not the URL of a store that this build can open",
                "write az://ACCOUNT/CONTAINER/PREFIX",
            ));
        }
        let location = StorageLocation::parse(url, "blob", &[], self.storage.as_ref(), setting)?;
        AzureBlobStore::open(
            &location,
            self.credential_for(&location),
            &self.client,
            setting,
        )
    }

    fn credential_for(&self, location: &StorageLocation) -> Option<Arc<dyn TokenCredential>> {
        (!location.is_signed).then(|| Arc::clone(&self.credential))
    }
}

fn is_one_of(url: &str, schemes: &[&str]) -> bool {
    url.split_once("://")
        .is_some_and(|(scheme, _)| schemes.contains(&scheme))
}

fn connection_string(
    lookup: Lookup<'_>,
    variable: &str,
) -> Result<Option<ConnectionString>, ConfigError> {
    let Some(text) = lookup.text(variable)? else {
        return Ok(None);
    };
    let parsed = ConnectionString::parse(&text).ok_or_else(|| {
        ConfigError::new(
            ENVIRONMENT,
            variable,
            "is not a connection string",
            "write Name=value;Name=value, as the portal shows it",
        )
    })?;
    Ok(Some(parsed))
}
