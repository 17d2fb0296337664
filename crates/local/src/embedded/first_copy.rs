//! Looks for the first copy of an event that comes again.

use crate::queue_file::envelope_damage;
use rusqlite::Connection;

/// Envelopes up to so many bytes are in one page with their id. To read more may fail where the id can be read, and
/// with it all deliveries that are written together.
const IN_ONE_PAGE: i64 = 8 * 1024;

/// The candidate whose id is `id`, whole. One that was damaged where it lies is none: who sends it again brings it
/// back.
pub(super) fn repeated(
    db: &Connection,
    candidates: impl Iterator<Item = u64>,
    id: &str,
) -> rusqlite::Result<Option<u64>> {
    for seq in candidates {
        let mut same = db.prepare_cached(
            "SELECT CASE WHEN length(envelope) <= ?3 THEN envelope END FROM events WHERE seq = ?1 AND id = ?2",
        )?;
        let mut rows = same.query((seq.cast_signed(), id, IN_ONE_PAGE))?;
        let Some(row) = rows.next()? else {
            continue;
        };
        let envelope = row.get_ref(0)?.as_bytes_or_null();
        if envelope.is_ok_and(|envelope| envelope.and_then(envelope_damage).is_none()) {
            return Ok(Some(seq));
        }
    }
    Ok(None)
}
