//! Writes what a consumer received. The queue is somebody else's, and events have no numbers of its own.

use crate::archive::Archive;
use crate::batch::Batch;
use crate::error::ArchiveError;

impl Archive {
    /// Writes envelopes as one batch. The first one gets the number `first`, and each of the others the next one: `writer`
    /// gives no number twice. `received_ms` stands for the time of an envelope that has none, milliseconds
    /// since 1970. Once it is answered, all of them are there for good, but for those whose numbers are returned: they are
    /// no envelopes.
    ///
    /// # Errors
    /// [`ArchiveError`]; some of them may be there.
    pub async fn append(
        &self,
        writer: u64,
        first: u64,
        received_ms: i64,
        envelopes: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<Vec<u64>, ArchiveError> {
        let mut batch = Batch::default();
        for (number, envelope) in (first..).zip(envelopes) {
            batch.add(number, received_ms, envelope);
        }
        for (segment, lines) in batch.files(writer, first) {
            self.write(&segment, lines).await?;
        }
        Ok(batch.unreadable)
    }
}
