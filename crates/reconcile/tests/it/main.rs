//! The HTTP client and the API's lists, against a server that misbehaves on demand. What they are for runs
//! against a real Label Studio, in `tests/e2e`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod erring_servers;
mod given_again;
mod http;
mod management;
mod projects;
mod proxy;
mod server;
mod silence;
mod walk;
mod watermark;
