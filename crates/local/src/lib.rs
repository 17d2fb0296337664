//! The part of labelrelay that keeps events on one machine: the embedded queue (`SQLite`), beside the stores in
//! directories that `labelrelay-files` brings.
//!
//! Two ways into one queue file:
//!
//! - [`EmbeddedQueue`] is for the one process that takes deliveries in. It owns the file: a second owner is
//!   refused. It commits whatever has arrived since its last commit in one transaction, recognises
//!   repeats, and prunes what was acknowledged.
//! - [`QueueFile`] is for everybody who reads: receive, acknowledge, dead letters, list, export. It works
//!   beside the owner, from other processes, and its transactions are small enough not to delay it. What was
//!   found instead of delivered is appended by it, too.
//!
//! [`FileSource`] is a queue file for asynchronous consumers, as `labelrelay_core::EventSource`.
//!
//! [`LedgerFile`] remembers what was found, in a file of its own.
//!
//! Storage: an event is appended once and never touched again until it is pruned; what happens
//! to it (received, acknowledged, dead) lies in a small table beside. So a send touches only the ends of
//! its tables. `MEASUREMENTS.md` in this crate's folder has the figures behind this and behind the page size.

mod archive_mark;
mod backend;
mod canonical_path;
mod cut_off_files;
mod disk_reserve;
mod displaced_error;
mod displaced_files;
mod embedded;
mod foreign_files;
mod ledger;
mod lock;
mod prune;
mod queue_file;
mod queue_file_error;
mod schema;
mod source;
mod sqlite;
mod sqlite_error;

pub use archive_mark::LostToArchive;
pub use backend::Local;
pub use embedded::{EmbeddedQueue, KeptForRecord, LedgerFigures, Options};
pub use labelrelay_files::{FileBlobStore, FileFallback, file_of, path_in};
pub use ledger::{LedgerChanges, LedgerFile};
pub use queue_file::{
    Acknowledgement, ArchiveMark, DeadLetter, Delivery, Event, EventAttributes, Export, Filter,
    Pattern, QueueFile, QueueSettings, QueueStats, Received, State, StoredEnvelope, StoredEvent,
    envelope_damage,
};
pub use queue_file_error::{FileError, OpenError};
pub use source::FileSource;
