//! The archive, as `status` looks at it: whether it can be reached, and how far it is.

use super::report::{Archive as Found, Report};
use super::stores::check_directory;
use crate::archive_store;
use crate::durations::words;
use crate::env::Env;
use crate::error::{CliError, chain};
use crate::locations::StoreLocation;
use crate::open;
use jiff::Timestamp;
use labelrelay_archive::{Archive, ArchiveError};
use labelrelay_core::config::{ArchiveConfig, Config};
use labelrelay_core::{Clock, ObjectStore};
use labelrelay_local::{Filter, QueueFile};
use labelrelay_startup::SystemClock;
use std::sync::Arc;
use std::time::Duration;

/// Time that a store may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running `serve` needs no longer for what came, beside the pauses between its rounds.
const ROUND: Duration = Duration::from_secs(10 * 60);

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Looks at the archive that the settings name, and makes none.
pub(super) async fn look(
    config: &Config,
    settings: &ArchiveConfig,
    queue: Option<&QueueFile>,
    env: &Env<'_>,
    report: &mut Report,
) -> Result<(), CliError> {
    let (location, at) = archive_store::configured_location(config, settings)?;
    check_directory(&location, at)?;
    let mut found = Found {
        url: match &location {
            StoreLocation::Directory(_) => format!("file:{location}"),
            StoreLocation::Cloud(..) => location.to_string(),
        },
        ..Found::default()
    };
    found.is_missing = match &location {
        StoreLocation::Directory(directory) => !directory.exists(),
        StoreLocation::Cloud(..) => false,
    };
    if !found.is_missing {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let store = open::object_store(&location, at, env, &clock).await?;
        let asked = tokio::time::timeout(PATIENCE, ask(store, &found.url)).await;
        let fault = match asked {
            Ok(Ok((archive, gaps))) => {
                found.gaps = Some(gaps);
                if let Some(queue) = queue {
                    compare(queue, archive, &mut found)?;
                }
                None
            }
            Ok(Err(ArchiveError::Missing { .. })) => {
                found.is_missing = true;
                None
            }
            Ok(Err(error)) => Some(chain(&error)),
            Err(_) => Some(format!(
                "the archive at {} did not answer within {}",
                found.url,
                words(PATIENCE)
            )),
        };
        report.faults.extend(fault.map(|why| {
            let hold = words(settings.hold);
            format!("{why}. Deliveries go on, and the queue keeps what is not archived {hold} longer than other events: until then, see that `serve` can list, read, create and replace objects there, or correct `archive.url`")
        }));
    }
    // Without a `serve`, nobody writes it.
    if report.serve.is_some() {
        report.warnings.extend(late(&found, settings));
    }
    report.archive = Some(found);
    Ok(())
}

/// Its random name, and the number of notes on what is missing there.
async fn ask(store: Arc<dyn ObjectStore>, url: &str) -> Result<(u64, usize), ArchiveError> {
    let archive = Archive::open(store, url).await?;
    Ok((archive.id(), archive.gaps().await?.len()))
}

/// Finds out how far the archive of this random name is in the queue.
fn compare(queue: &QueueFile, archive: u64, found: &mut Found) -> Result<(), CliError> {
    // Without a mark, it begins with all that the queue holds.
    let through = queue.archive_mark(archive)?.map_or(0, |mark| mark.through);
    let filter = Filter {
        after: Some(through),
        ..Filter::default()
    };
    // What was removed without it has numbers, too, and does not wait.
    let oldest = queue.list(&filter, 1)?.pop();
    let Some(oldest) = oldest else {
        found.waiting_events = Some(0);
        return Ok(());
    };
    let before = oldest.seq.saturating_sub(1);
    found.waiting_events = Some(queue.last_number()?.saturating_sub(before));
    let now_ms = Timestamp::now().as_millisecond();
    let age_ms = now_ms.saturating_sub(oldest.received_ms);
    found.oldest_waits_seconds = Some(u64::try_from(age_ms).unwrap_or(0) / 1000);
    Ok(())
}

/// A warning of what a running `serve` should have written by now.
fn late(found: &Found, settings: &ArchiveConfig) -> Option<String> {
    let waits = Duration::from_secs(found.oldest_waits_seconds?);
    if waits <= settings.every.saturating_mul(3).saturating_add(ROUND) {
        return None;
    }
    // Exact enough for people.
    let unit = if waits >= 2 * DAY {
        DAY
    } else if waits >= 2 * HOUR {
        HOUR
    } else {
        MINUTE
    };
    let unit = unit.as_secs();
    let waits = Duration::from_secs(waits.as_secs() / unit * unit);
    Some(format!(
        "the archive is behind: its oldest event that waits to be written came {} ago; unless the archive was switched on just now, the log of `serve` says why: look for `archive_fails`",
        words(waits)
    ))
}
