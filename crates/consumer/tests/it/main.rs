//! The consumer over a queue that a test can look into, over the embedded queue, and over what Lambda hands to a function.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test's helpers fail it by panicking"
)]

mod bodies;
mod claims;
mod given_again;
mod groups;
mod half_way;
mod labelbox;
#[cfg(feature = "lambda")]
mod lambda;
mod model;
mod poisoned;
#[cfg(feature = "sqlite")]
mod python;
mod refetched;
mod rules;
mod settlement;
mod source;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod state_suite;
mod stop;
mod worker;
