//! The command line as its users see it: real processes, free ports, directories of their own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail it by panicking"
)]

#[cfg(all(feature = "aws", feature = "azure", feature = "google"))]
mod clouds;
mod configuration;
mod demo;
#[cfg(unix)]
mod displaced;
mod documents;
mod environment;
mod events;
mod export;
#[cfg(unix)]
mod failing;
#[cfg(unix)]
mod full_disk;
mod help;
mod home;
mod large;
mod log;
#[cfg(target_os = "linux")]
mod memory;
mod more;
mod output;
mod private_address;
mod pull;
mod queue;
mod replay;
mod requests;
mod running;
mod secret_files;
mod secrets;
mod send;
mod serve;
mod settings;
mod status;
mod support;
mod terminal;
#[cfg(unix)]
mod terminal_device;
mod tls;
mod told;
mod upkeep;
mod urls;
mod verify;
mod wrapping;
mod zero;
