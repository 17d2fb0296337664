//! The embedded queue, as `status` looks at it: what is in it, and who takes it out.

use super::report::{Consumer, Events, Report};
use crate::connect::{command_option, last_segment};
use crate::damaged_event::damaged_event;
use crate::durations::words;
use crate::env::Env;
use crate::error::{CliError, chain};
use crate::local_dir::LocalDir;
use crate::locations::QueueLocation;
use crate::queue_file;
use crate::recent_deliveries::RecentDeliveries;
use jiff::Timestamp;
use labelrelay_core::config::Config;
use labelrelay_local::{FileError, OpenError, QueueFile, QueueStats};
use std::path::Path;
use std::time::Duration;

/// A consumer that leaves an event for so long is gone.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Time for which the queue file's structure, and then its events, are looked through for damage: a small one whole.
const EXAMINED_FOR: Duration = Duration::from_secs(1);

/// Damaged events that are told of one by one.
const TOLD: usize = 3;

/// Looks into the file, which is there.
pub(super) fn open_checked(file: &Path, report: &mut Report) -> Result<QueueFile, CliError> {
    let mut queue = queue_file::open(QueueLocation::Sqlite(file.to_owned()))?;
    let stats = queue.stats()?;
    queue.check_structure(EXAMINED_FOR)?;
    let damaged = queue.damaged_events(EXAMINED_FOR)?;
    for (seq, reason) in damaged.iter().take(TOLD) {
        report.warnings.push(damaged_event(*seq, reason));
    }
    if let Some(more) = damaged.len().checked_sub(TOLD).filter(|more| *more > 0) {
        report
            .warnings
            .push(format!("{more} more events are damaged in the queue file"));
    }
    match queue.try_write() {
        Ok(()) => report.is_written_and_read = true,
        Err(error @ FileError::Locked(_)) => report.warnings.push(format!(
            "whether the queue takes an event was not found out: {}",
            chain(&error)
        )),
        Err(error) => report.faults.push(format!(
            "the queue does not take an event and give it back: {}",
            chain(&error)
        )),
    }
    let seen = queue.consumer_seen()?;
    if stats.dead > 0 {
        let letters = if stats.dead == 1 { "letter" } else { "letters" };
        report.warnings.push(format!(
            "{} dead {letters}: received too often and never acknowledged, or rejected; see `labelrelay events list --dead`, and `labelrelay events retry` when the consumer is mended",
            stats.dead
        ));
    }
    report.warnings.extend(consumer_gone(&stats, seen));
    report.events = Some(Events {
        ready: stats.ready,
        in_flight: stats.in_flight,
        dead: stats.dead,
    });
    report.consumer = Some(Consumer {
        seen_seconds_ago: seen.map(|age| age.as_secs()),
        oldest_waits_seconds: stats.oldest_ready_age.map(|age| age.as_secs()),
    });
    Ok(queue)
}

/// Reads what came lately, for whoever compares it with a platform.
pub(super) fn recent_deliveries(
    queue: &QueueFile,
    file: &Path,
) -> Result<RecentDeliveries, CliError> {
    Ok(RecentDeliveries::read(queue, file, Timestamp::now())?)
}

/// Words about a queue elsewhere, into which nothing is written: its consumers would get it.
pub(super) fn not_written(
    config: &Config,
    file: Option<&Path>,
    public_url: Option<&str>,
) -> String {
    // `connect` takes a URL that ends with a source's path already.
    let last = public_url.map(last_segment).unwrap_or_default();
    let ends_it = config.sources.iter().find(|source| source.name == last);
    let source = ends_it.or(config.sources.first());
    let source = source.map(|source| source.name.as_str());
    let to = public_url.zip(source);
    let to = to.map(|(url, source)| match (url.trim_end_matches('/'), ends_it) {
        (url, Some(_)) => url.to_owned(),
        (url, None) => format!("{url}/{source}"),
    });
    let file = file.map(|file| file.display().to_string());
    let options = [
        command_option("--to", to.as_deref()),
        command_option("--source", source),
        command_option("--config", file.as_deref()),
    ];
    format!(
        "an event in this queue: nobody could take exactly that one back. `labelrelay send{}` delivers a sample through the relay, and consumers take it for an event of the platform",
        options.concat()
    )
}

fn consumer_gone(stats: &QueueStats, seen: Option<Duration>) -> Option<String> {
    let waits = stats.oldest_ready_age.filter(|age| *age >= DAY)?;
    // Hours say enough.
    let hours = |age: Duration| words(Duration::from_secs(age.as_secs() / 3600 * 3600));
    let seen = match seen {
        Some(age) if age < Duration::from_secs(3600) => {
            "a consumer was here within the hour".to_owned()
        }
        Some(age) => format!("a consumer was last seen {} ago", hours(age)),
        None => "no consumer was seen".to_owned(),
    };
    Some(format!(
        "the oldest of {} ready events has waited for {}, and {seen}: start the consumer, or see why it is slow; `labelrelay events list` shows what waits",
        stats.ready,
        hours(waits)
    ))
}

/// Checks that `serve` could make a queue file that is not there yet: with a file that has no name, so that nothing
/// is left behind and no running `serve` sees it.
pub(super) fn can_be_made(file: &Path, env: &Env<'_>) -> Result<(), CliError> {
    // The directory of our own is made with it.
    let local_dir = LocalDir::below(env.cwd());
    if file == local_dir.queue_file() {
        return local_dir.has_configuration().map(drop);
    }
    if file.exists() {
        return Ok(());
    }
    let directory = file.parent().unwrap_or(env.cwd());
    tempfile::tempfile_in(directory)
        .map(drop)
        .map_err(|source| {
            let error = OpenError::Io {
                path: file.to_owned(),
                what: "making the file",
                source,
            };
            CliError::config(format_args!("queue: {}", chain(&error)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn the_path_of_a_source_is_in_the_url_of_a_sample_once() {
        let text = "[[source]]\nname = \"labelbox\"\nprovider = \"labelbox\"\nsecret = \"env:A\"\n\
                    [[source]]\nname = \"studio\"\nprovider = \"label-studio\"\nsecret = \"env:B\"\n";
        let nothing = |_: &str| None::<String>;
        let env = Env::new(&nothing, PathBuf::new());
        let config = Config::from_toml(text, "a.toml", PathBuf::new(), env.lookup()).unwrap();
        for (url, options) in [
            (None, " --source labelbox"),
            (
                Some("https://h.test"),
                " --to https://h.test/labelbox --source labelbox",
            ),
            (
                Some("https://h.test/relay/labelbox/"),
                " --to https://h.test/relay/labelbox --source labelbox",
            ),
            (
                Some("https://h.test/studio"),
                " --to https://h.test/studio --source studio",
            ),
            // A host is no path.
            (
                Some("https://studio"),
                " --to https://studio/labelbox --source labelbox",
            ),
        ] {
            let said = not_written(&config, None, url);
            let command = format!("`labelrelay send{options}`");
            assert!(said.contains(&command), "no {command} in {said}");
        }
    }
}
