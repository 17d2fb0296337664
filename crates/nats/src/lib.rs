//! NATS JetStream as a queue for labelrelay.
//!
//! | setting | what it names |
//! |---|---|
//! | `nats://HOST:PORT/STREAM/SUBJECT` | a stream, and the subject in it that events have; `tls://…` the same over TLS. Several hosts stand apart by commas |
//! | `?monitor=http://HOST:8222` | the server's monitoring port, which tells whether it syncs before it acknowledges |
//! | `?durability=sync_always`, `?durability=replicated` | the operator's word for that, where nobody can be asked |
//! | `?storage=memory` | allows a stream in memory |
//! | `?user=NAME&password=env:NAME`, `?token=…`, `?nkey=…`, `?credentials=file:PATH` | our identity, each by reference |
//! | `?tls_ca=FILE` | certificates to trust instead of those that this machine trusts |
//! | `?repeat_window_s=N` | time within which a second event with the same id is a repeat: 300. The stream's window is this long at least. 0: every copy is stored |
//! | `?leases=BUCKET` | a key-value bucket by which one process at a time does what only one is to do |
//! | `?consumer=NAME` | the durable consumer of whoever consumes: `labelrelay` |
//!
//! The client's own layer for JetStream is left out: what is said to JetStream are a few requests of JSON, and core's
//! deadlines decide how long an answer is waited for. A connection that broke or did not answer is used no more: the
//! next attempt opens another.

mod answers;
mod backend;
mod connection;
mod consumer;
mod credentials;
mod dead_letters;
mod examine;
mod failure;
mod lease;
mod location;
mod monitor;
mod queue;
mod receipt;
mod server;
mod settled;
mod source;
mod view;

pub use backend::Nats;
pub use queue::NatsQueue;
pub use source::NatsSource;
