//! Azure for labelrelay: Storage Queue and Service Bus as queues, Blob Storage for claim checks and as a
//! fallback, Key Vault for secrets.
//!
//! | setting | what it names |
//! |---|---|
//! | `azure-queue://ACCOUNT/QUEUE` | a Storage Queue; `?ttl_s=N` lets messages expire, which they else never do |
//! | `servicebus://NAMESPACE/QUEUE` | a Service Bus queue or topic; `?session=partition` asks for sessions, `?max_message_bytes=N` is for the premium tier |
//! | `az://ACCOUNT/CONTAINER/PREFIX` | a prefix in Blob Storage |
//! | `azure-keyvault:VAULT/SECRET` | a secret; its newest two enabled versions are live |
//!
//! Instead of the first and the third, the full URL of queue or container can be given: for the other
//! clouds of Azure, for emulators, and with a shared access signature as its query.
//!
//! Our identity: the signature in the URL; else `AZURE_STORAGE_CONNECTION_STRING`, if it is about this account;
//! else a workload identity (`AZURE_FEDERATED_TOKEN_FILE`), a service principal (`AZURE_TENANT_ID`,
//! `AZURE_CLIENT_ID`, and `AZURE_CLIENT_SECRET` or `AZURE_CLIENT_CERTIFICATE_PATH`) or the managed identity of
//! the machine, where `AZURE_CLIENT_ID` picks one of several.
//!
//! No retry of the SDK's decides anything: its own go on for 81 s against a dead endpoint. Core's deadlines
//! do, and an attempt that failed or was given up makes the next one begin on fresh connections.

mod backend;
mod blob;
mod connection_string;
mod credential;
mod error;
mod key_vault;
mod key_vault_store;
mod location;
mod percent_encode_sets;
mod queue_source;
mod service_bus;
mod storage_queue;
#[cfg(test)]
mod stub;
mod transport;
#[cfg(test)]
mod vault;

pub use backend::Azure;
pub use blob::{AzureBlobFallback, AzureBlobStore, AzureObjectStore};
pub use key_vault::KeyVaultSecret;
pub use queue_source::StorageQueueSource;
pub use service_bus::ServiceBusQueue;
pub use storage_queue::{MAX_MESSAGE_BYTES, StorageQueue};
