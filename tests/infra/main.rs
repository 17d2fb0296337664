//! Checks of what is deployed elsewhere than on AWS, as far as they need no cloud: Terraform plans and applies
//! `infra/google` against a provider that has the real one's schema, scanners read `infra/azure` and the
//! Dockerfile, the Dockerfile's commands are run, and the documented consumers consume.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bicep;
mod consumers;
mod container;
mod dockerfile;
mod google;
mod google_watched;
mod image;
mod printed_consumers;
mod python_consumers;
mod scan;
mod terraform;
mod tool;
