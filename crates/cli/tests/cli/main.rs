//! The command line as its users see it: real processes, free ports, directories of their own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail it by panicking"
)]

mod ack_and_prune;
#[cfg(unix)]
mod archive;
mod archive_outages;
#[cfg(unix)]
mod archive_page;
mod archive_speed;
mod archive_status;
mod archive_write;
#[cfg(all(feature = "aws", feature = "azure", feature = "google"))]
mod clouds;
mod configuration;
mod connect;
#[cfg(unix)]
mod consume;
#[cfg(unix)]
mod damaged_queue;
mod dataset;
#[cfg(target_os = "linux")] // disks of a size of their own
mod dataset_disk;
mod dataset_fetch;
#[cfg(target_os = "linux")]
mod dataset_speed;
mod demo;
#[cfg(unix)]
mod derived;
#[cfg(unix)]
mod displaced_queue;
mod documents;
mod environment;
mod events;
mod events_export;
mod events_replay;
#[cfg(unix)]
mod failing_consumers;
mod finding_serve;
#[cfg(unix)]
mod full_disk;
mod help;
mod help_width;
mod large_bodies;
mod list_limit;
mod local_dir;
mod log;
mod logs_and_metrics;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(unix)]
mod on_call;
#[cfg(unix)]
mod page;
mod private_address;
mod pull;
#[cfg(target_os = "linux")]
mod pull_memory;
mod queue;
mod queue_pipe;
#[cfg(unix)]
mod record;
mod secret_files;
mod send;
mod send_errors;
mod send_tls;
mod serve;
mod serve_pull;
mod serve_settings;
#[cfg(target_os = "linux")]
mod service_manager;
mod status;
mod stdout_full_or_closed;
mod support;
mod terminal;
#[cfg(unix)]
mod terminal_device;
#[cfg(unix)]
mod terminal_progress;
#[cfg(target_os = "linux")]
mod traces;
mod upgrade;
mod verify;
mod verify_input;
mod verify_secret_forms;
mod workspace;
mod zero_configuration;
