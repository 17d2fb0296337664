//! Directories as labelrelay uses them: [`FileSpool`] for large bodies while they arrive,
//! [`FileBlobStore`] for claim checks, [`FileFallback`] for events that the queue does not take, [`FileObjectStore`] for
//! files under names of one's choice.
//!
//! Everything that waits for the disk happens on threads that nobody else needs; no runtime is known
//! here. A crate of its own, so that a cloud's program has a spool without linking an embedded queue.

mod backend;
mod blob_error;
mod blob_store;
mod dir_sync;
mod disk_thread;
mod fallback;
mod file_stream;
mod file_uri;
mod object_store;
mod object_writer;
mod own_file;
mod private_files;
mod spool;
mod sqlite_journal;
mod temporary_file;
mod writer_pool;

pub use backend::{Directories, path_in};
pub use blob_store::FileBlobStore;
pub use fallback::FileFallback;
pub use file_uri::file_of;
pub use object_store::FileObjectStore;
pub use own_file::{ForeignFile, OwnFileError, foreign_file, own_file};
pub use private_files::{private_dir, private_file};
pub use spool::FileSpool;
pub use sqlite_journal::names_another_file;
