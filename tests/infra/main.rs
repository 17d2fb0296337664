//! Checks of what is deployed otherwise than by `template.yaml`, as far as they need no cloud: Terraform plans and
//! applies `infra/google` and `infra/aws` against providers that have the real ones' schemas, scanners read
//! `infra/azure`, the Dockerfile and the workflows, the Dockerfile's commands are run, the documented consumers consume,
//! and Prometheus' own checker tries its rules.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod alarms;
mod aws_module;
mod azure_alerts;
mod bicep;
mod consumers;
mod container;
mod dockerfile;
mod google;
mod google_archive;
mod google_consumer;
mod google_watched;
mod image;
mod printed_consumers;
mod prometheus;
mod python_consumers;
mod scan;
mod terraform;
mod tool;
mod workflows;
