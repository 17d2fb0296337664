//! The relay under test, with its sources and its queue.

use crate::clock::{CountingEntropy, FakeClock};
use crate::in_memory::{MemoryBlobs, MemoryQueue, RecordingObserver};
use labelrelay_core::config::{Config, SecretRef};
use labelrelay_core::{Parts, QueueLimits, Relay};
use std::path::PathBuf;
use std::sync::Arc;

/// The secret of all sources.
pub const SECRET: &str = "conformance0secret0of0forty0characters00";
/// A secret that no source has.
pub const WRONG_SECRET: &str = "somebody0elses0secret0forty0characters00";

/// The sources of all cases; the variable `SECRET` holds the secret of each.
pub const CONFIG: &str = r#"
[[source]]
name = "labelbox"
provider = "labelbox"
secret = "env:SECRET"
models = ["segmenter"]

[[source]]
name = "label-studio"
provider = "label-studio"
secret = "env:SECRET"
ml_backend = true

[[source]]
name = "named-header"
provider = "label-studio"
secret = "env:SECRET"
header = "X-Webhook-Token"

[[source]]
name = "elsewhere-only"
provider = "labelbox"
secret = "env:SECRET"
allow = ["192.0.2.0/24"]

[[source]]
name = "loopback-only"
provider = "labelbox"
secret = "env:SECRET"
allow = ["127.0.0.1"]

[[source]]
name = "deletions"
provider = "labelbox"
secret = "env:SECRET"
include = ["com.labelbox.label.deleted"]

[[source]]
name = "small"
provider = "labelbox"
secret = "env:SECRET"
max_body_bytes = 100
"#;

/// Limits as particular as those of SQS.
pub const LIMITS: QueueLimits = QueueLimits {
    max_message_bytes: 1_048_576,
    xml_characters_only: true,
    single_line: false,
};

/// A relay with a source of each kind, and its queue, which has these limits.
pub fn relay_with_queue(limits: QueueLimits) -> (Arc<Relay>, Arc<MemoryQueue>) {
    let lookup = |name: &str| (name == "SECRET").then(|| SECRET.to_owned());
    let config = Config::from_toml(CONFIG, "suite.toml", PathBuf::new(), &lookup).unwrap();
    let queue = Arc::new(MemoryQueue::new(limits));
    let parts = Parts::new(
        queue.clone(),
        Arc::new(FakeClock::at("2026-11-21T09:47:10.371842Z")),
        Arc::new(CountingEntropy::default()),
        Arc::new(RecordingObserver::default()),
    )
    .with_blobs(Some(Arc::new(MemoryBlobs::default())));
    let open = |reference: &SecretRef, end| {
        Ok(reference
            .open(end, &lookup, "suite.toml", "secret")?
            .unwrap())
    };
    (Arc::new(Relay::new(&config, parts, &open).unwrap()), queue)
}
