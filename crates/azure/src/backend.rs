//! Opens what a configuration names.

use crate::blob::{AzureBlobFallback, AzureBlobStore, AzureObjectStore};
use crate::connection_string::ConnectionString;
use crate::credential::{Identity, credential};
use crate::key_vault::KeyVaultSecret;
use crate::location::{SettingValue, StorageLocation};
use crate::queue_source::{AccountQueue, PROCESSOR, StorageQueueSource};
use crate::service_bus::ServiceBusQueue;
use crate::storage_queue::{SENDER, StorageQueue, connect, dead_letter_name, resource};
use crate::transport::client;
use azure_core::credentials::TokenCredential;
use azure_core::http::HttpClient;
use jiff::Timestamp;
use labelrelay_core::backend::{
    BackEnd, BackEndError, CommandLineBackEnd, Forms, Location, Opening,
};
use labelrelay_core::config::{Lookup, SecretRef};
use labelrelay_core::{
    BlobStore, Clock, EventQueue, EventSource, FallbackStore, ObjectStore, SecretSource,
    SecretStore, SourceOptions,
};
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by all parts of Azure: connections, and our identity.
pub struct Azure {
    client: Arc<dyn HttpClient>,
    credential: Arc<Identity>,
    /// Something was opened that asks with it: with signatures and connection strings nothing does.
    has_identity: AtomicBool,
    storage: Option<ConnectionString>,
    service_bus: Option<ConnectionString>,
    clock: Arc<dyn Clock>,
}

impl Azure {
    /// Takes identities and connection strings from the environment behind `lookup`. Nothing is connected
    /// to yet. Needs a tokio runtime when anything of it is used.
    ///
    /// # Errors
    /// [`BackEndError`] names the variable and the cure.
    pub fn load(lookup: Lookup<'_>, clock: Arc<dyn Clock>) -> Result<Self, BackEndError> {
        let client = client();
        Ok(Self {
            credential: credential(lookup, &client)?,
            has_identity: AtomicBool::new(false),
            client,
            storage: connection_string(lookup, "AZURE_STORAGE_CONNECTION_STRING")?,
            service_bus: connection_string(lookup, "AZURE_SERVICEBUS_CONNECTION_STRING")?,
            clock,
        })
    }

    /// The queue at `url`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a queue of Azure.
    pub fn queue(&self, url: &str) -> Result<Arc<dyn EventQueue>, BackEndError> {
        let setting = SettingValue(url);
        if url.starts_with("servicebus://") {
            let credential: Arc<dyn TokenCredential> = match self.service_bus {
                // Its key comes first.
                Some(_) => self.credential.clone(),
                None => self.token_credential(),
            };
            let queue = ServiceBusQueue::open(
                url,
                self.service_bus.as_ref(),
                Arc::clone(&self.client),
                credential,
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
        let location = self.storage_queue(url)?;
        let credential = self.credential_for(&location);
        Ok(Arc::new(StorageQueue::open(
            &location,
            credential,
            &self.client,
            setting,
        )?))
    }

    /// The events of the Storage Queue at `url`, for a consumer. Rejected ones go to `dead_letter` of the options, the
    /// URL of a queue or the name of one in the same account, else to the queue's name with `-poison`. It needs the roles
    /// `Storage Queue Data Message Processor` on the queue, and `Storage Queue Data Message Sender` on the other.
    ///
    /// # Errors
    /// [`BackEndError`] when a URL is none of a Storage Queue, or one of both queues is not there.
    pub async fn event_source(
        &self,
        url: &str,
        options: &SourceOptions,
    ) -> Result<StorageQueueSource, BackEndError> {
        let setting = SettingValue(url);
        if !is_one_of(url, &["azure-queue", "https", "http"]) {
            return Err(setting.error(
                "is no queue that events can be received from here",
                "write azure-queue://ACCOUNT/QUEUE; for Service Bus, use its own client",
            ));
        }
        let location = self.storage_queue(url)?;
        let dead_letters = match options.dead_letter.as_deref() {
            None => {
                let name = dead_letter_name(&location.name);
                let beside = location.sibling(&name);
                beside.ok_or_else(|| {
                    let problem = format!(
                        "has no place for dead letters: `{name}`, the name of the queue beside it, is longer than 63 characters or otherwise none"
                    );
                    setting.error(&problem, "name a queue of the account for dead letters")
                })?
            }
            Some(place) if place.contains("://") => self.storage_queue(place)?,
            Some(name) => location.sibling(name).ok_or_else(|| {
                // A signature may follow.
                let shown = name.split('?').next().unwrap_or_default();
                let problem = format!(
                    "has a place for dead letters, `{}`, that is no name of a queue",
                    shown.escape_debug()
                );
                let cure = "write 3 to 63 small letters, digits and single hyphens, or azure-queue://ACCOUNT/QUEUE";
                setting.error(&problem, cure)
            })?,
        };
        if dead_letters.is_of(&location) {
            let problem = "cannot be its own place for dead letters";
            return Err(setting.error(problem, "name another queue"));
        }
        let queue = self.account_queue(&location, PROCESSOR, setting)?;
        let dead_letters = self.account_queue(&dead_letters, SENDER, setting)?;
        StorageQueueSource::open(queue, dead_letters, options, url).await
    }

    fn account_queue(
        &self,
        location: &StorageLocation,
        role: &'static str,
        setting: SettingValue<'_>,
    ) -> Result<AccountQueue, BackEndError> {
        let credential = self.credential_for(location);
        Ok(AccountQueue {
            client: connect(location, credential, &self.client, setting)?,
            resource: resource(location, role),
            clock: Arc::clone(&self.clock),
        })
    }

    fn storage_queue(&self, url: &str) -> Result<StorageLocation, BackEndError> {
        let known = ["ttl_s"];
        StorageLocation::parse(
            url,
            "queue",
            &known,
            self.storage.as_ref(),
            SettingValue(url),
        )
    }

    /// The store for claim checks at `url`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a container of Azure.
    pub fn blob_store(&self, url: &str) -> Result<Arc<dyn BlobStore>, BackEndError> {
        Ok(Arc::new(self.container(url)?))
    }

    /// The fallback at `url`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a container of Azure.
    pub fn fallback(&self, url: &str) -> Result<Arc<dyn FallbackStore>, BackEndError> {
        let store = self.container(url)?;
        Ok(Arc::new(AzureBlobFallback::new(store)))
    }

    /// The store for files at `url`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the URL of a container of Azure.
    pub fn object_store(&self, url: &str) -> Result<AzureObjectStore, BackEndError> {
        self.container(url).map(AzureObjectStore::new)
    }

    /// The secret that `reference` names, refused after `not_after`.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the name of a secret in Key Vault.
    pub fn secret(
        &self,
        reference: &SecretRef,
        not_after: Option<Timestamp>,
    ) -> Result<Box<dyn SecretSource>, BackEndError> {
        Ok(Box::new(self.key_vault(reference, not_after)?))
    }

    /// The store that `reference` names, to put a secret there.
    ///
    /// # Errors
    /// [`BackEndError`] when it is not the name of a secret in Key Vault.
    pub fn secret_store(
        &self,
        reference: &SecretRef,
    ) -> Result<Box<dyn SecretStore>, BackEndError> {
        Ok(Box::new(self.key_vault(reference, None)?))
    }

    fn key_vault(
        &self,
        reference: &SecretRef,
        not_after: Option<Timestamp>,
    ) -> Result<KeyVaultSecret, BackEndError> {
        let shown = reference.to_string();
        let setting = SettingValue(&shown);
        let SecretRef::Store {
            scheme: "azure-keyvault",
            name,
        } = reference
        else {
            return Err(setting.error(
                "is in no store of Azure",
                "name one of azure-keyvault:VAULT/SECRET, env:NAME or file:/path",
            ));
        };
        let credential = self.token_credential();
        let clock = Arc::clone(&self.clock);
        KeyVaultSecret::open(name, credential, &self.client, clock, not_after, setting)
    }

    fn container(&self, url: &str) -> Result<AzureBlobStore, BackEndError> {
        let setting = SettingValue(url);
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
        (!location.is_signed).then(|| self.token_credential())
    }

    fn token_credential(&self) -> Arc<dyn TokenCredential> {
        self.has_identity.store(true, Ordering::Relaxed);
        self.credential.clone()
    }
}

impl BackEnd for Azure {
    fn forms(&self) -> Forms {
        Forms {
            queue: "azure-queue://ACCOUNT/QUEUE or servicebus://NAMESPACE/QUEUE",
            store: "az://ACCOUNT/CONTAINER/PREFIX",
            secret: "azure-keyvault:VAULT/SECRET",
        }
    }

    fn queue<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn EventQueue>> {
        Box::pin(ready(self.queue(at.url)))
    }

    fn blob_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn BlobStore>> {
        Box::pin(ready(self.blob_store(at.url)))
    }

    fn fallback<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn FallbackStore>> {
        Box::pin(ready(self.fallback(at.url)))
    }

    fn secret<'a>(
        &'a self,
        reference: &'a SecretRef,
        not_after: Option<Timestamp>,
    ) -> Opening<'a, Box<dyn SecretSource>> {
        Box::pin(ready(self.secret(reference, not_after)))
    }
}

impl CommandLineBackEnd for Azure {
    fn identity(&self) -> Option<String> {
        let is_used = self.has_identity.load(Ordering::Relaxed);
        is_used.then(|| self.credential.name().to_owned())
    }

    fn identity_doubts(&self) -> Vec<String> {
        let is_used = self.has_identity.load(Ordering::Relaxed);
        let doubt = is_used.then(|| self.credential.doubt()).flatten();
        doubt.into_iter().collect()
    }

    fn event_source<'a>(
        &'a self,
        at: Location<'a>,
        options: &'a SourceOptions,
    ) -> Opening<'a, Arc<dyn EventSource>> {
        Box::pin(async move {
            let opened = self.event_source(at.url, options).await?;
            Ok(Arc::new(opened) as _)
        })
    }

    fn object_store<'a>(&'a self, at: Location<'a>) -> Opening<'a, Arc<dyn ObjectStore>> {
        let opened = self.object_store(at.url);
        Box::pin(ready(opened.map(|store| Arc::new(store) as _)))
    }

    fn secret_store<'a>(&'a self, reference: &'a SecretRef) -> Opening<'a, Box<dyn SecretStore>> {
        Box::pin(ready(self.secret_store(reference)))
    }
}

fn is_one_of(url: &str, schemes: &[&str]) -> bool {
    url.split_once("://")
        .is_some_and(|(scheme, _)| schemes.contains(&scheme))
}

fn connection_string(
    lookup: Lookup<'_>,
    variable: &str,
) -> Result<Option<ConnectionString>, BackEndError> {
    let Some(text) = lookup.text(variable)? else {
        return Ok(None);
    };
    let parsed = ConnectionString::parse(&text).ok_or_else(|| {
        BackEndError::of_variable(
            variable,
            "is not a connection string",
            "write Name=value;Name=value, as the portal shows it",
        )
    })?;
    Ok(Some(parsed))
}
