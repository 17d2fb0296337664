//! The event of a delivery on the queue; or why it, or its body, is not shown, and what to do: the same for the verbs and
//! for the page.

use crate::archive_store;
use crate::error::CliError;
use crate::locations::StoreLocation;
use labelrelay_core::Outcome;
use labelrelay_core::config::Config;
use labelrelay_local::{FileError, QueueFile, StoredEvent};
use labelrelay_record::Row;

const GONE: &str =
    "the queue does not have this event any more: it was acknowledged, and pruned since";

/// Events that are looked at for that of a delivery: ids have no index, and so many are read in a moment.
const LOOKED_AT: u32 = 100_000;

/// Clocks of the record and the queue agree, but for what a correction of the time of day changes in between.
const EARLIER_MS: i64 = 1000;

/// How the next one is still there when somebody looks.
pub(crate) const TO_KEEP_MORE: &str = "to keep more of the later ones, raise `keep_events_bytes` in [serve.record] or `retain_acknowledged_s` in [embedded_queue], or name an [archive]";

/// Tells whether the queue or the fallback took it, now or before.
pub(crate) fn became_event(row: &Row) -> bool {
    let is_on_queue = [Outcome::Accepted, Outcome::Repeat]
        .iter()
        .any(|outcome| outcome.as_str() == row.outcome);
    row.event_id.is_some() && is_on_queue
}

/// The event `id` on the queue, if it came with this delivery.
pub(crate) fn find(
    file: &QueueFile,
    id: &str,
    delivery: &Row,
) -> Result<Option<StoredEvent>, FileError> {
    let from_ms = delivery.arrived_ms.saturating_sub(EARLIER_MS);
    file.find_since(id, from_ms, LOOKED_AT)
}

/// Why the event of a delivery is not there. The queue keeps the newest events of deliveries, within a bound: a disk shall
/// not fill up for whoever may look.
pub(crate) fn gone(row: &Row, archive: Option<&str>) -> String {
    match (&row.event_id, archive) {
        _ if row.fell_back => {
            "the event went to the fallback; it waits there, or was acknowledged and pruned since"
                .to_owned()
        }
        (Some(id), Some(url)) => format!(
            "{GONE}; the archive has it, if there was one by then: `labelrelay events show {id} --from {url}`"
        ),
        _ => format!("{GONE}; {TO_KEEP_MORE}"),
    }
}

/// The same, where events are on a queue that is no file.
pub(crate) fn elsewhere(queue: &str) -> String {
    format!("the event is on {queue}, into which its own tools look")
}

/// Why the record has nothing of the body of a delivery that became no event.
pub(crate) fn no_body(row: &Row, keeps_bodies: bool) -> &'static str {
    if row.body_bytes == 0 && row.body_sha256.is_some() {
        "the body was empty"
    } else if row.body_bytes == 0 {
        "nothing of a body was read: the head alone decided, or no body came"
    } else if keeps_bodies {
        "the record has nothing of this body: it was not read whole, it was spooled, or the bounds of [serve.record] left no room"
    } else {
        "the record has nothing of this body: [serve.record] has `bodies = false`; without that, it keeps the start of later ones"
    }
}

/// Tells whether the record keeps the start of a body that became no event.
pub(crate) fn keeps_bodies(config: &Config) -> bool {
    config.serve.record.bodies.unwrap_or(true)
}

/// URL of the archive for a command that somebody runs in any folder: whole, and without a signature.
pub(crate) fn archive_url(config: &Config) -> Result<Option<String>, CliError> {
    let Some(settings) = &config.archive else {
        return Ok(None);
    };
    let (location, _) = archive_store::configured_location(config, settings)?;
    Ok(Some(match location {
        StoreLocation::Directory(folder) => {
            let folder = std::path::absolute(&folder).unwrap_or(folder);
            format!("file:{}", folder.display())
        }
        cloud @ StoreLocation::Cloud(..) => cloud.to_string(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_record::Row;

    #[test]
    fn a_missing_body_says_why() {
        let sha = || Some("e3b0".to_owned());
        for (bytes, sha256, keeps, words) in [
            (0, None, true, "nothing of a body was read"),
            (0, None, false, "nothing of a body was read"),
            (0, sha(), true, "was empty"),
            (7, sha(), true, "bounds of [serve.record]"),
            (7, sha(), false, "`bodies = false`"),
        ] {
            let row = Row {
                body_bytes: bytes,
                body_sha256: sha256,
                ..Row::default()
            };
            let said = no_body(&row, keeps);
            assert!(said.contains(words), "{bytes}, {keeps}: {said}");
        }
    }
}
