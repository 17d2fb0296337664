//! A record of deliveries: one row for each request that was answered, in an `SQLite` file of its own.
//!
//! - [`Recorder`] is an observer of the pipeline. It makes a row of what it is told and goes on at once; a thread of its
//!   own writes. A row that finds no room is dropped and counted: nobody waits for the record.
//! - Rows come into a journal first, which costs a write for many of them. Another thread moves them into the file while
//!   there is time for it.
//! - [`RecordFile`] is for everybody who reads, also beside the process that writes. It reads the journal, too.
//!
//! The record answers questions. It is no queue: it promises less, and `serve` goes on without it.
//!
//! Rows that a secret has vouched for, and rows of strangers, are bounded apart everywhere: on the way to the thread, in
//! the file, and in the table of bodies. So whoever knows no secret cannot push out what counts.

mod access;
mod blot;
mod bounds;
mod class;
mod entry;
mod error;
mod filter;
mod forget;
mod forwarder;
mod head;
mod inbox;
mod intake;
mod journal;
mod lock;
mod meant;
mod moved;
mod mover;
mod needed;
mod open;
mod open_files;
mod options;
pub mod query;
mod reader;
mod recorder;
mod room;
mod row;
mod schema;
mod search;
mod set_aside;
mod shared;
mod sql;
mod store;
mod sums;
mod totals;
mod writer;

pub use access::{Moving, Record, SharedRecord};
pub use blot::{Blotted, fingerprint, text as blot_out};
pub use class::Class;
pub use error::RecordError;
pub use filter::{Filter, Pattern};
pub use forget::Address;
pub use inbox::MEMORY_BYTES;
pub use options::{BODY_BYTES, Limits, Options, beside};
pub use reader::{Body, RecordFile};
pub use recorder::Recorder;
pub use row::{Recorded, Row};
pub use sql::{Dialect, Statement, Value};
