//! The one pipeline of labelrelay, the same behind every adapter: route, authenticate, read,
//! verify, describe, embed or claim, send, answer.
//!
//! This crate knows no async runtime, reads no environment, and links no web framework and no cloud.
//! Those come in through small object-safe traits: [`EventQueue`], [`BlobStore`],
//! [`SecretSource`], [`Spool`], [`Clock`], [`Entropy`], [`Observer`].
//!
//! An adapter does four things (`labelrelay-http` shows all of them):
//!
//! 1. turn the platform's request into a [`RequestHead`] and a stream of body bytes;
//! 2. `relay.receive(head, body).await`, which routes, checks what can be checked early, and reads
//!    the body to its last byte;
//! 3. `relay.complete(received)`, in a task of its own, detached from the connection;
//! 4. answer with what comes first: that task's [`Answer`], or [`Answer::late`] at `answer_by`.

pub mod address;
pub mod backend;
pub mod blob;
mod changed_attributes;
pub mod clock;
pub mod config;
pub mod connection_retirement;
mod data_encoding;
pub mod derive;
pub mod describe;
mod error_chain;
pub mod event_source;
pub mod fallback;
pub mod filter;
pub mod from_api;
pub mod identity;
mod lease;
pub mod ledger;
pub mod object_store;
pub mod observe;
pub mod observed_queue;
pub mod outcome;
mod path;
pub mod payload;
pub mod provider;
pub mod queue;
pub mod queue_view;
pub mod relay;
pub mod replay;
pub mod request;
pub mod secret;
pub mod signature;
pub mod source;
pub mod spool;
pub mod task_facts;
pub mod time;
pub mod trace_context;
pub mod traces;
mod transfer_allowance;

pub use labelrelay_json as json;

pub use backend::{BackEnd, BackEndError, CommandLineBackEnd, Location};
pub use blob::{BlobError, BlobStore};
pub use clock::{Clock, Entropy};
pub use error_chain::chain;
pub use event_source::{
    EventSource, EventSourceError, Extended, ReceivedEvent, Settled, SourceOptions,
};
pub use fallback::FallbackStore;
pub use lease::{Held, Lease};
pub use ledger::{Ledger, LedgerError};
pub use object_store::ObjectStore;
pub use observe::{Exchange, NoObserver, Observer, Report};
pub use outcome::{Answer, Outcome};
pub use payload::Payload;
pub use queue::{
    Copies, DeadLetterCount, EventQueue, OutboundMessage, QueueError, QueueErrorKind, QueueLimits,
    Receipt,
};
pub use queue_view::{QueueView, ViewPage, ViewedEvent, ViewedState};
pub use relay::{BodyError, Intake, Parts, Received, Relay, Verification};
pub use request::RequestHead;
pub use secret::{Secret, SecretError, SecretSource, SecretStore};
pub use signature::Verified;
pub use source::Source;
pub use spool::{Spool, SpoolError, SpoolWriter, Spooled};
pub use trace_context::{EventTrace, TraceContext};

/// A boxed future that can move between threads: what makes the back-end traits object-safe.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A boxed stream that can move between threads.
pub type BoxStream<'a, T> = std::pin::Pin<Box<dyn futures_util::Stream<Item = T> + Send + 'a>>;
