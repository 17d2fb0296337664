//! The one pipeline: route, authenticate, read, verify, describe, embed or claim, send, answer.
//!
//! [`Relay`] holds the parts and walks the steps, each in a file of its own ([`Relay::receive`] up to the last
//! byte, [`Relay::complete`] from there). A part has one thought and knows no relay: the body reader, the
//! verifier, the embedder, the claim check, the queue's sender, the fallback policy. What the steps hand on is a
//! `Delivery`.

mod admission;
mod attributes;
mod body_check;
mod body_reader;
mod breaker;
mod check;
mod claim_check;
mod complete;
mod deadlines;
mod delivery;
mod described_event;
mod dispatcher;
mod embedder;
mod fallback_policy;
mod head_checks;
mod in_flight;
mod intake;
mod memory_estimate;
mod not_stored;
mod parts;
mod pipeline;
mod queue_sender;
mod readiness_cache;
mod ready_endpoint;
mod receive;
mod refusal;
mod retry;
mod secret_lookup;
mod secret_warnings;
mod trace_writer;
mod verification_flag;
mod verifier;

pub use body_reader::{BodyError, DEFAULT_BODY_TIMEOUT};
pub use check::{Check, CheckError, Resource};
pub use deadlines::GIVE_UP;
pub use intake::{Intake, Received};
pub use parts::Parts;
pub use pipeline::{OpenSecret, Relay};
pub use verification_flag::Verification;
