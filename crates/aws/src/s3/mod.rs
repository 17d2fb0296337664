//! Objects in S3: claim checks, and the fallback.

mod blob_store;
mod body_stream;
mod check;
mod content;
mod error;
mod fallback;
mod listing;
mod location;

pub use blob_store::S3BlobStore;
pub use fallback::S3Fallback;
pub(crate) use location::S3Location;
