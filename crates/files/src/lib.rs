//! Directories as labelrelay uses them: [`FileSpool`] for large bodies while they arrive,
//! [`FileBlobStore`] for claim checks, [`FileFallback`] for events that the queue does not take.
//!
//! Everything that waits for the disk happens on threads that nobody else needs; no runtime is known
//! here. A crate of its own, so that a cloud's program has a spool without linking an embedded queue.

mod dir_sync;
mod fallback;
mod private;
mod read;
mod spool;
mod store;
mod temporary;
mod uri;
mod write;
mod writer_pool;

pub use fallback::FileFallback;
pub use private::{private_dir, private_file};
pub use spool::FileSpool;
pub use store::FileBlobStore;
pub use uri::file_of;
