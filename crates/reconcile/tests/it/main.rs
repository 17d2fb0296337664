//! The HTTP client, against a server that misbehaves on demand. What it is for runs against a real Label
//! Studio, in `tests/e2e`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http;
mod server;
