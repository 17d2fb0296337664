//! Postgres as a queue for labelrelay.
//!
//! | setting | what it names |
//! |---|---|
//! | `postgres://USER@HOST/DATABASE` | the tables of a queue, in the schema `labelrelay` |
//! | `?schema=NAME` | another schema, which is another queue |
//! | `?password=env:NAME`, `?password=file:PATH` | where the password is; else `PGPASSWORD`, else the file that `PGPASSFILE` names |
//! | `?sslmode=verify-full`, `?sslmode=disable` | TLS or none. Unless it is said: TLS, but not to this machine |
//! | `?sslrootcert=FILE` | certificates to trust instead of those that this machine trusts |
//! | `?repeat_window_s=N` | time within which a second event with the same id is a repeat: 300 |
//! | `?pool=N` | connections at most: 4 |
//!
//! What waits to be sent goes in one statement, so that one commit makes many events durable. A repeat is found by a unique
//! index over the ids of the window, which Postgres itself keeps right among replicas. A look into the partitions of a
//! table would need a lock for each id, of which a server has room for a few thousand.
//!
//! With the feature `record`, `PostgresRecord` is the record of deliveries beside the queue, which all replicas share.
//!
//! No statement waits for ever: each has a limit here and a shorter one at the server, and a connection that broke or hung
//! is used no more.

mod backend;
mod connection;
mod examine;
mod failure;
mod location;
mod objects;
mod password;
mod pool;
mod queue;
mod receipt;
#[cfg(feature = "record")]
mod record;
mod rights;
mod schema;
mod source;
mod standby_wait;
mod store;
mod tls;
mod view;
mod writer;

pub use backend::Postgres;
pub use queue::{MAX_MESSAGE_BYTES, PostgresQueue};
#[cfg(feature = "record")]
pub use record::{PostgresRecord, RecordRuntime};
pub use source::PostgresSource;
