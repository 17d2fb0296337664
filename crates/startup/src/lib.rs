//! The start of every program of labelrelay, in one way: the programs add what their platform asks for, and
//! nothing else.
//!
//! | step | where |
//! |---|---|
//! | clocks and randomness | [`SystemClock`], [`OsEntropy`] |
//! | the log's level, lines and observer | [`log`] |
//! | find and read the configuration | [`configuration`] |
//! | open what it names | [`Open`] |
//! | end the start, or begin and wait | [`settle`] |
//! | move the fallback's events into the queue | [`redrive`] |
//!
//! It reads neither the environment nor the command line: a program's `main` does, and hands them in. It knows
//! no cloud: whoever opens things is a [`BackEnd`](labelrelay_core::BackEnd). It knows no HTTP.

mod clock_and_entropy;
pub mod configuration;
mod error;
pub mod log;
mod open;
pub mod redrive;
mod setting;
#[cfg(feature = "spool")]
mod spool;
mod start_policy;
mod traced_queue;

pub use clock_and_entropy::{OsEntropy, SystemClock};
pub use error::{EXIT_BAD_CONFIGURATION, StartError};
pub use open::{Claims, Injected, Open};
pub use setting::{BLOB_STORE, CLAIM_CHECK, FALLBACK, Name, QUEUE, SPOOL_DIR, Setting, TRACES};
#[cfg(feature = "spool")]
pub use spool::spool;
pub use start_policy::{FailedCheck, examine, settle, warm, warn};
