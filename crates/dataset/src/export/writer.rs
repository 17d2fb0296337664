//! The side that every format shows.

use super::rejects::Rejects;
use crate::DatasetError;
use crate::selection::Sample;

/// A file of a snapshot, and its digest.
pub(crate) type Written = (String, String);

/// Writes one format.
pub(crate) trait Writer {
    fn sample(&mut self, sample: &Sample, rejects: &mut Rejects) -> Result<(), DatasetError>;

    /// Ends all files; their names within the snapshot, and their digests.
    fn end(self: Box<Self>) -> Result<Vec<Written>, DatasetError>;
}
