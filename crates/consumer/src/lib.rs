//! A consumer of the events that labelrelay put on a queue.
//!
//! [`Consumer`] hands every change of an annotation, label, task or project to your handlers. Its rules are those of
//! [`docs/consuming.md`], and the same as of the consumer in Python:
//!
//! - An event is acknowledged when all its changes were handled, and not before.
//! - One that fails comes again after a pause that grows, and takes no other along. [`Failure::reject`] makes a dead letter
//!   of it.
//! - One thing is handled once at a time. What is older than what was handled is dropped. A removal takes what it held.
//! - An event stays hidden from other consumers while a handler works on it.
//!
//! A [`State`] remembers what was handled: [`MemoryState`], or with the feature `sqlite` a file that the processes of
//! one host share, or with the feature `postgres` or `dynamodb` tables that those of all hosts share. With the feature
//! `lambda`, a batch of SQS is answered with the messages that failed.
//!
//! [`Worker`] receives and settles events as they are, without a look at their changes.
//!
//! The crate knows no queue: give it any [`EventSource`](labelrelay_core::EventSource), such as `FileSource` of
//! `labelrelay-local` for the embedded queue. It logs by `tracing`, and never a body.
//!
//! [`docs/consuming.md`]: https://github.com/labelrelay/labelrelay/blob/main/docs/consuming.md

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The program of the documents compiles.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../../../docs/consuming.md")]
struct Consuming;

mod consumer;
mod failure;
mod incoming;
#[cfg(feature = "lambda")]
mod lambda;
mod outcome;
mod rules;
mod spread;
mod state;
mod stats;
mod words;
mod worker;

pub use consumer::Consumer;
pub use failure::Failure;
pub use incoming::Incoming;
pub use outcome::Outcome;
pub use rules::{fetch_body, whole_envelope};
#[cfg(feature = "dynamodb")]
pub use state::DynamoState;
#[cfg(feature = "postgres")]
pub use state::PostgresState;
#[cfg(feature = "sqlite")]
pub use state::SqliteState;
pub use state::{Known, MemoryState, REMEMBERED, State, StateError};
pub use stats::Stats;
pub use worker::{RunError, Settings, Slot, Slots, Work, Worker};
