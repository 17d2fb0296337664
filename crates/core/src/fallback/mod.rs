//! A second durable place for events that the queue did not take in time, and the way back from there.

mod claim;
mod intact_data;
mod keys;
mod redrive;
mod redriven;
mod room;
mod store;

pub(crate) use claim::claimed;
pub use keys::{BODIES, body_name};
pub(crate) use keys::{FALLBACK_SCHEME, claim_key, key};
pub use redrive::{MAX_ENVELOPE, redrive, redrive_up_to};
pub use redriven::{MAX_REASONS, Redriven};
pub use store::{FallbackStore, StoredBody};
