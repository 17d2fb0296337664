//! Google Cloud for labelrelay: Pub/Sub as a queue, Cloud Storage for claim checks and as a fallback,
//! Secret Manager for secrets.
//!
//! | setting | what it names |
//! |---|---|
//! | `pubsub://PROJECT/TOPIC` | a topic; `?ordering=partition` sets ordering keys |
//! | `pubsub://PROJECT/SUBSCRIPTION` | for a consumer, a subscription |
//! | `gs://BUCKET/PREFIX` | a prefix in Cloud Storage |
//! | `gcp-secretmanager:projects/PROJECT/secrets/NAME` | a secret; its newest two enabled versions are live |
//! | `gcp-secretmanager:projects/PROJECT/secrets/NAME/versions/N` | one version of it |
//! | `gcp-secretmanager:NAME` | the same, in the project that `GOOGLE_CLOUD_PROJECT` names |
//!
//! Our identity: [Application Default Credentials][adc], which in Google's cloud are the service account of
//! the machine, and elsewhere a file: a key, or workload identity federation. If that fails, no other is tried. `PUBSUB_EMULATOR_HOST`, `STORAGE_EMULATOR_HOST` and `SECRET_MANAGER_EMULATOR_HOST` send
//! everything to an emulator instead, without credentials.
//!
//! No retry of a client's own decides anything, nor does its batching: core's deadlines do, and an attempt
//! that was given up makes the next one begin on a connection of its own.
//!
//! [adc]: https://cloud.google.com/docs/authentication/application-default-credentials

mod backend;
#[cfg(test)]
mod cloud_tests;
mod credentials_and_endpoints;
mod identity;
mod location;
mod pubsub;
mod rest;
mod secret_manager;
mod storage;
#[cfg(test)]
mod stub;

pub use credentials_and_endpoints::{Google, provide_tls};
pub use pubsub::{MAX_REQUEST_BYTES, PubSubQueue, PubSubSource};
pub use secret_manager::SecretManagerSecret;
pub use storage::{GcsBlobStore, GcsFallback, GcsObjectStore};
