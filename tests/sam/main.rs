//! `template.yaml`, checked by the linters and the security scanner, and deployed with the real SAM
//! command line to a stand-in for AWS that runs the real function and holds it to its permissions; and
//! `infra/aws/reconcile.yaml`, `infra/aws/consumer.yaml` and `infra/aws/archive.yaml`, the stacks beside it.
//!
//! `cargo xtask aws` runs these.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod archive;
mod archive_stack;
mod aws;
mod checks;
mod consumer;
mod consumer_stack;
mod delivery;
mod demands;
mod deploy;
mod front_doors;
mod outage;
mod permissions;
mod reconcile;
mod stack;
mod tool;
mod variants;
