//! Errors of an archive.

use labelrelay_core::BlobError;
use labelrelay_local::FileError;

/// Why an archive could not be read or written. Whatever was written before is whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// There is none.
    #[error(
        "there is no archive at {url}: correct the URL, or let `serve` make one there: `[archive]` with `url` in its configuration"
    )]
    Missing {
        /// URL of the place.
        url: String,
    },
    /// The archive has another layout.
    #[error(
        "the archive at {url} has layout {found}, and this program knows layout {known}: use the program that wrote it; nothing was changed there"
    )]
    OtherLayout {
        /// URL of the archive.
        url: String,
        /// The archive's layout.
        found: u64,
        /// The layout that this program knows.
        known: u64,
    },
    /// Something else has the name of one of an archive's files.
    #[error(
        "`{name}` at {url} is none of an archive's files; it was left as it is: name another place, or move it away"
    )]
    Foreign {
        /// URL of the place.
        url: String,
        /// Name of the file.
        name: String,
    },
    /// Somebody else writes under the same name.
    #[error(
        "`{name}` at {url} was written by somebody else, from a copy of this queue file; it was left as it is: let one program write from one queue file"
    )]
    Taken {
        /// URL of the archive.
        url: String,
        /// Name of the file.
        name: String,
    },
    /// Somebody else replaces files there just now.
    #[error(
        "another program {work} in the archive at {url}: try again when it has ended. If there is none, it was ended, and you can go on ten minutes later, or once you have removed `{name}`"
    )]
    Busy {
        /// URL of the archive.
        url: String,
        /// Words for what it does.
        work: &'static str,
        /// Name of the file that says so.
        name: String,
    },
    /// This run was held up for so long that another one may have replaced files meanwhile.
    #[error(
        "this run stood still for ten minutes, and another one may have changed files in the archive at {url} meanwhile: nothing more was written; run it again"
    )]
    HeldUp {
        /// URL of the archive.
        url: String,
    },
    /// The store cannot be read or written.
    #[error("the archive at {url} cannot be reached, read or written")]
    Store {
        /// URL of the archive.
        url: String,
        /// Error of the store.
        #[source]
        source: BlobError,
    },
    /// The queue cannot be read.
    #[error("the queue cannot be read for the archive")]
    Queue(#[from] FileError),
    /// Lines could not be packed.
    #[error("events could not be packed for the archive")]
    Packing(#[from] std::io::Error),
}
