//! Objects in S3: claim checks, the fallback, and files that are published.

mod blob_store;
mod body_stream;
mod check;
mod checksum;
mod error;
mod fallback;
mod fetch;
mod list_page;
mod location;
mod object_store;

pub(crate) use blob_store::MAX_OBJECT;
pub use blob_store::S3BlobStore;
pub use fallback::S3Fallback;
pub(crate) use location::S3Location;
pub use object_store::S3ObjectStore;

/// No answer but an object's bytes is larger.
const MAX_ANSWER: usize = 4 * 1024 * 1024;
