//! The way of a delivery, part by part: each is well, or one sentence says what to do.

use super::newest::Newest;
use super::on_queue::Queue;
use super::relay_state::RelayState;
use jiff::Timestamp;
use labelrelay_core::chain;
use labelrelay_local::{QueueFile, QueueStats};
use labelrelay_page::{Part, PartState};
use labelrelay_record::{RecordError, Recorded};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Events wait for so long only if nobody takes them.
const PATIENCE: Duration = Duration::from_secs(60);

/// While something was accepted this lately, a refusal is no fault of the source: anybody may send what is refused.
const STILL_TAKEN: Duration = Duration::from_secs(60);

pub(super) struct Strip {
    pub(super) relay: RelayState,
    pub(super) base: String,
    /// Directory of the dataset that is made of the events, where one is known.
    pub(super) dataset: Option<PathBuf>,
}

impl Strip {
    /// The parts, where `newest` is what the record has last.
    pub(super) fn parts(
        &self,
        newest: Result<Newest, RecordError>,
        queue: &Queue,
    ) -> Vec<PartState> {
        let (source, relay) = match newest {
            Ok(newest) => (source(&newest), self.relay(newest.any.as_ref())),
            Err(error) => (
                well(Part::Source, "not known without the record".to_owned()),
                ill(Part::Relay, chain(&error)),
            ),
        };
        let mut parts = vec![source, relay];
        match queue {
            Queue::Elsewhere(name) => parts.push(well(
                Part::Queue,
                format!("{name}: its own tools say how many events wait"),
            )),
            Queue::File { file, clock, .. } => {
                let looked = QueueFile::open(file, Arc::clone(clock))
                    .map_err(|error| chain(&error))
                    .and_then(|file| look(&file).map_err(|error| chain(&error)));
                match looked {
                    Ok((stats, seen)) => parts.extend([depth(&stats), consumer(&stats, seen)]),
                    Err(words) => parts.push(ill(Part::Queue, words)),
                }
            }
        }
        parts.extend(self.dataset.as_deref().map(dataset));
        parts
    }

    fn relay(&self, newest: Option<&Recorded>) -> PartState {
        if let Some(reason) = self.relay.queue_fails() {
            return ill(
                Part::Relay,
                format!(
                    "the queue does not take events, so they wait in the fallback until it does: {reason}"
                ),
            );
        }
        match newest {
            Some(newest) if newest.row.status >= 500 => ill(
                Part::Relay,
                format!(
                    "the newest delivery could not be taken ({}): `labelrelay status` says what is wrong",
                    newest.row.status
                ),
            ),
            _ => well(Part::Relay, format!("takes deliveries at {}", self.base)),
        }
    }
}

type Looked = (QueueStats, Option<Duration>);

fn look(file: &QueueFile) -> Result<Looked, labelrelay_local::FileError> {
    Ok((file.watched()?, file.consumer_seen()?))
}

fn well(part: Part, words: String) -> PartState {
    PartState {
        part,
        is_ok: true,
        words,
    }
}

fn ill(part: Part, words: String) -> PartState {
    PartState {
        part,
        is_ok: false,
        words,
    }
}

fn source(newest: &Newest) -> PartState {
    let Some(last) = &newest.of_source else {
        return ill(
            Part::Source,
            "nothing came yet: enter the URL on the platform, or try `labelrelay send`".to_owned(),
        );
    };
    let row = &last.row;
    let came = ago(since(row.arrived_ms));
    if (400..500).contains(&row.status) {
        let taken = newest.accepted.as_ref();
        let taken = taken.map(|accepted| since(accepted.row.arrived_ms));
        if let Some(age) = taken.filter(|age| *age < STILL_TAKEN) {
            let words = format!(
                "a delivery was accepted {}; another one was refused with {} {came}",
                ago(age),
                row.status
            );
            return well(Part::Source, words);
        }
        let reason = row.reason.as_deref().unwrap_or(&row.outcome);
        return ill(
            Part::Source,
            format!(
                "the newest delivery, {came}, was refused with {}: {reason}; its line in the list says what to do",
                row.status
            ),
        );
    }
    well(Part::Source, format!("the newest delivery came {came}"))
}

fn depth(stats: &QueueStats) -> PartState {
    let letters = match stats.dead {
        0 => {
            let words = match stats.oldest_ready_age {
                None => "nothing waits".to_owned(),
                Some(age) => format!("{}, the oldest came {}", waiting(stats.ready), ago(age)),
            };
            return well(Part::Queue, words);
        }
        1 => "1 dead letter".to_owned(),
        dead => format!("{dead} dead letters"),
    };
    ill(
        Part::Queue,
        format!(
            "{letters}, and {}: see `labelrelay events list --dead`; once the consumer is mended, `labelrelay events retry --dead`",
            waiting(stats.ready)
        ),
    )
}

fn consumer(stats: &QueueStats, seen: Option<Duration>) -> PartState {
    let waits = stats.oldest_ready_age.unwrap_or_default() >= PATIENCE;
    match seen {
        None if stats.ready == 0 => {
            well(Part::Consumer, "none was seen, and nothing waits".to_owned())
        }
        None => ill(
            Part::Consumer,
            "nobody has received anything yet: start your consumer, or try `labelrelay queue receive`".to_owned(),
        ),
        Some(seen) if waits && seen >= PATIENCE => ill(
            Part::Consumer,
            format!(
                "gone since {}, and {}: start it again",
                time(seen),
                waiting(stats.ready)
            ),
        ),
        Some(seen) => well(Part::Consumer, format!("did something {}", ago(seen))),
    }
}

fn dataset(dir: &Path) -> PartState {
    let status = match labelrelay_dataset::status(dir) {
        Ok(status) => status,
        Err(error) => return ill(Part::Dataset, error.to_string()),
    };
    let dir = dir.display();
    let Some(snapshot) = status.snapshot else {
        let words = format!("no snapshot so far: `labelrelay dataset sync {dir}`");
        return ill(Part::Dataset, words);
    };
    if let Some(verdict) = status.verdict.filter(|verdict| !verdict.is_equal()) {
        let words = format!(
            "not what the platform has: {} missing, {} extra, {} different; `labelrelay dataset verify {dir}` compares again",
            verdict.missing, verdict.extra, verdict.different
        );
        return ill(Part::Dataset, words);
    }
    let written = snapshot.at.parse::<Timestamp>();
    let written = written.map_or_else(
        |_| String::new(),
        |at| format!(", written {}", ago(since(at.as_millisecond()))),
    );
    let words = format!("{} annotations{written}", snapshot.counts.annotations);
    well(Part::Dataset, words)
}

fn waiting(events: u64) -> String {
    match events {
        0 => "nothing waits".to_owned(),
        1 => "1 event waits".to_owned(),
        events => format!("{events} events wait"),
    }
}

/// Time that has passed since a moment, in milliseconds since 1970.
pub(super) fn since(ms: i64) -> Duration {
    let now = Timestamp::now().as_millisecond();
    Duration::from_millis(now.saturating_sub(ms).max(0).cast_unsigned())
}

/// How long ago something was, for a person.
pub(super) fn ago(age: Duration) -> String {
    if age < Duration::from_secs(2) {
        "a moment ago".to_owned()
    } else {
        format!("{} ago", time(age))
    }
}

/// In the unit in which a person would say it.
fn time(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use labelrelay_record::Row;

    fn stats(ready: u64, dead: u64, oldest: Option<u64>) -> QueueStats {
        let mut stats = QueueStats::default();
        stats.ready = ready;
        stats.dead = dead;
        stats.oldest_ready_age = oldest.map(Duration::from_secs);
        stats
    }

    #[test]
    fn a_queue_is_well_without_dead_letters() {
        let empty = depth(&stats(0, 0, None));
        assert!(empty.is_ok);
        assert_eq!(empty.words, "nothing waits");
        let waits = depth(&stats(12, 0, Some(185)));
        assert_eq!(waits.words, "12 events wait, the oldest came 3 min ago");
        let dead = depth(&stats(1, 2, Some(1)));
        assert!(!dead.is_ok);
        assert!(dead.words.starts_with("2 dead letters, and 1 event waits"));
    }

    #[test]
    fn a_consumer_is_gone_once_events_wait_for_it() {
        let second = Some(Duration::from_secs(1));
        let hour = Some(Duration::from_secs(3600));
        for (stats, seen, is_ok) in [
            (stats(0, 0, None), None, true),
            (stats(1, 0, Some(1)), None, false),
            (stats(1, 0, Some(90)), second, true),
            (stats(1, 0, Some(1)), hour, true),
            (stats(1, 0, Some(90)), hour, false),
        ] {
            let state = consumer(&stats, seen);
            assert_eq!(state.is_ok, is_ok, "{}", state.words);
        }
    }

    #[test]
    fn a_dataset_without_a_snapshot_is_not_well() {
        let directory = tempfile::tempdir().unwrap();
        let missing = dataset(&directory.path().join("cars"));
        assert!(!missing.is_ok && missing.part == Part::Dataset);
        let store = labelrelay_dataset::Store::open(directory.path()).unwrap();
        let empty = dataset(directory.path());
        assert!(!empty.is_ok);
        assert!(empty.words.contains("dataset sync"), "{}", empty.words);
        drop(store);
    }

    #[test]
    fn the_newest_delivery_says_how_source_and_relay_are() {
        let strip = Strip {
            relay: RelayState::default(),
            base: "http://127.0.0.1:8090".to_owned(),
            dataset: None,
        };
        let delivery = |status, arrived_ms| {
            let row = Row {
                status,
                arrived_ms,
                outcome: "x".to_owned(),
                ..Row::default()
            };
            Some(Recorded::new(1, row))
        };
        let are_ok = |newest| {
            let queue = Queue::Elsewhere("stdout:".to_owned());
            let parts = strip.parts(Ok(newest), &queue);
            let parts = parts.iter().map(|state| (state.part, state.is_ok));
            parts.collect::<Vec<_>>()
        };
        let is_ok = |status| {
            are_ok(Newest {
                any: delivery(status, 0),
                of_source: delivery(status, 0),
                accepted: delivery(200, 0),
            })
        };
        let (source, relay, queue) = (Part::Source, Part::Relay, Part::Queue);
        assert_eq!(is_ok(200), [(source, true), (relay, true), (queue, true)]);
        assert_eq!(is_ok(401), [(source, false), (relay, true), (queue, true)]);
        let refused = super::source(&Newest {
            of_source: delivery(401, 0),
            ..Newest::default()
        });
        assert!(
            refused.words.ends_with("says what to do"),
            "{}",
            refused.words
        );
        assert_eq!(is_ok(503), [(source, true), (relay, false), (queue, true)]);
        // A stranger's refusal, while others are taken; and one that is for no source.
        let now = Timestamp::now().as_millisecond();
        for (of_source, accepted) in [(401, delivery(200, now)), (200, None)] {
            let newest = Newest {
                any: delivery(404, now),
                of_source: delivery(of_source, now),
                accepted,
            };
            let all = [(source, true), (relay, true), (queue, true)];
            assert_eq!(are_ok(newest), all, "{of_source}");
        }
    }
}
