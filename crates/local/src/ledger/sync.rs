//! Copies of a ledger: a snapshot to take elsewhere, and the merge of two.

use super::error::failed;
use super::{LedgerFile, open};
use labelrelay_core::ledger::LedgerError;
use std::path::Path;

/// Merges two copies. Together they know what either of them knows: of a thing, whatever [`Known::covers`] the
/// other, and a version that is newer than a deletion in the other copy counts as there; of a project, the later watermark, because everything before it was recorded in one of the two, and the walk
/// of the later pass: what one of the two has not seen is asked for before it counts as gone. Changes that no delivery
/// brought are those of the copy whose run ended later; of two that did not end, the most, for both may have found the same.
///
/// [`Known::covers`]: labelrelay_core::ledger::Known::covers
const MERGE: &str = "
INSERT INTO sources SELECT * FROM other.sources WHERE true ON CONFLICT DO NOTHING;
INSERT INTO projects SELECT * FROM other.projects WHERE true
    ON CONFLICT(source, project) DO UPDATE SET
        look = max(projects.look, excluded.look),
        watermark = max(coalesce(projects.watermark, excluded.watermark),
                        coalesce(excluded.watermark, projects.watermark)),
        full = max(coalesce(projects.full, excluded.full), coalesce(excluded.full, projects.full)),
        walk = iif(excluded.look >= projects.look, excluded.walk, projects.walk),
        walk_began = iif(excluded.look >= projects.look, excluded.walk_began, projects.walk_began),
        walk_after = iif(excluded.look >= projects.look, excluded.walk_after, projects.walk_after),
        delivered = max(projects.delivered, excluded.delivered),
        told = max(projects.told, excluded.told),
        undelivered = CASE WHEN excluded.told > projects.told THEN excluded.undelivered
                           WHEN excluded.told < projects.told THEN projects.undelivered
                           ELSE max(projects.undelivered, excluded.undelivered) END;
INSERT INTO things SELECT * FROM other.things WHERE true
    ON CONFLICT(source, kind, id) DO UPDATE SET
        project = coalesce(excluded.project, things.project), holder = coalesce(excluded.holder, things.holder),
        event_id = excluded.event_id, gone = excluded.gone,
        look = iif(coalesce(excluded.project, things.project) IS NOT things.project, excluded.look, things.look),
        sequence = iif(excluded.gone, coalesce(excluded.sequence, things.sequence), excluded.sequence)
    WHERE iif(things.gone,
        NOT excluded.gone AND excluded.sequence IS NOT NULL
            AND coalesce(things.sequence < excluded.sequence, 1),
        iif(excluded.gone,
            coalesce(things.sequence <= excluded.sequence, 1),
            things.event_id != excluded.event_id AND coalesce(things.sequence < excluded.sequence, 1)));
UPDATE things SET look = max(things.look, its.look) FROM other.things AS its
    WHERE things.source = its.source AND things.kind = its.kind AND things.id = its.id
        AND (its.project IS things.project OR its.project IS NULL);
";

impl LedgerFile {
    /// Writes a copy of the ledger at `path` to the new file `to`, whole and as of one moment, also while
    /// somebody records in it.
    ///
    /// # Errors
    /// [`LedgerError`] when it cannot be read, or `to` exists or cannot be written.
    pub fn snapshot(path: &Path, to: &Path) -> Result<(), LedgerError> {
        let db = open::existing(path)?;
        db.execute("VACUUM INTO ?1", [text(to)?]).map_err(failed)?;
        Ok(())
    }

    /// Adds what the ledger at `other` knows to the one at `path`: two runs began with the same copy, and each
    /// recorded something.
    ///
    /// # Errors
    /// [`LedgerError`] when either cannot be read, or is none; the one at `path` is as it was then.
    pub fn merge(path: &Path, other: &Path) -> Result<(), LedgerError> {
        let _lock = open::lock(path)?;
        Self::merge_into_open(path, other)
    }

    /// The same for the ledger at `path` that this process has open.
    ///
    /// # Errors
    /// As [`merge`](Self::merge).
    pub fn merge_into_open(path: &Path, other: &Path) -> Result<(), LedgerError> {
        let db = open::file(path)?;
        // A store may hold what an older program put there.
        drop(open::current(other)?);
        db.execute("ATTACH ?1 AS other", [text(other)?])
            .map_err(failed)?;
        let merge = || {
            let transaction = super::begin(&db)?;
            transaction.execute_batch(MERGE)?;
            transaction.commit()
        };
        merge().map_err(failed)
    }
}

pub(super) fn text(path: &Path) -> Result<&str, LedgerError> {
    path.to_str()
        .ok_or_else(|| LedgerError::permanent(format!("{}: its path is not UTF-8", path.display())))
}
