//! Servers that speak the clouds' protocols on this machine, each a process of its own that ends with its value.
//!
//! A variable tells where each is installed; `cargo xtask test` installs them and sets it.

mod azurite;
pub mod boto3;
mod fake_gcs;
mod fauxqs;
mod function;
mod labelbox;
mod ministack;
pub mod misbehaving_aws;
mod nats;
mod postgres;
mod process;
mod pubsub;
mod rotel;
mod seaweedfs;

pub use azurite::{Azurite, Message as AzureMessage, Tls};
pub use fake_gcs::FakeGcs;
pub use fauxqs::Fauxqs;
pub use function::{Function, Watched};
pub use labelbox::{API_KEY, Labelbox};
pub use ministack::Ministack;
pub use misbehaving_aws::{Behaviour, Misbehaving};
pub use nats::Nats;
pub use postgres::{Postgres, WaitCanceller};
pub use process::{Server, free_ports};
pub use pubsub::{PubSub, Pulled};
pub use rotel::{CollectedSpan, Rotel};
pub use seaweedfs::Seaweedfs;

use std::path::PathBuf;

/// Access key and secret key that all of them take.
pub const KEY: &str = "test";

/// The region that tests live in: not any server's default, so that one that is not told is found out.
pub const REGION: &str = "eu-central-1";

/// The path that `variable` names, which must be there.
pub fn installed(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set; `cargo xtask test` sets it"));
    let path = PathBuf::from(path);
    assert!(
        path.exists(),
        "{variable} names {}, which is not there",
        path.display()
    );
    path
}

/// The environment by which an AWS SDK finds `endpoint` and nothing else.
pub fn environment(endpoint: &str) -> Vec<(String, String)> {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", KEY),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
