//! labelrelay as a service on Cloud Run.
//!
//! Cloud Run functions have no runtime for Rust: a compiled function is a service, which keeps the same
//! contract (a port in `PORT`, HTTP/1 or HTTP/2 without TLS, SIGTERM ten seconds before the end). One instance
//! serves many requests at once.
//!
//! The same program is a job, which no URL reaches: `labelrelay-cloud-function redrive` moves events from the
//! fallback into the queue ([`redrive`]).

pub mod init;
pub mod log;
pub mod platform_request;
pub mod redrive;
pub mod stop;
mod trace;

pub use trace::Trace;
