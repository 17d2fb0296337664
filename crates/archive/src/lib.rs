//! An archive of events: every accepted event, by source and date, as lines of JSON in an object store or a directory.
//!
//! - [`Feeder`] follows the embedded queue and writes what it reads, a batch at a time. Nobody waits for it. It may be ended
//!   at any moment: what it had not finished it writes again, under the same names and with the same bytes.
//! - [`Archive`] is for everybody who reads.
//!
//! The archive is never written instead of the queue, and no answer waits for it.

mod append;
mod archive;
mod batch;
mod compact;
mod error;
mod feeder;
mod gap;
mod layout;
mod lease;
mod line;
mod listing;
mod packed;
mod rewrite;
mod search;

pub use archive::Archive;
pub use compact::Compacted;
pub use error::ArchiveError;
pub use feeder::{Feeder, Limits, Step};
pub use gap::{Gap, Reason};
pub use layout::Segment;
pub use line::on_one_line;
pub use listing::Listing;
pub use packed::{Lines, Packed};
pub use rewrite::Rewritten;
pub use search::{ArchivedEvent, Search};
