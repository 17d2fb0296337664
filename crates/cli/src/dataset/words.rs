//! Snapshots in words.

use labelrelay_dataset::Snapshot;
use std::fmt::Write as _;
use std::path::Path;

/// Counts of a snapshot, in words; `dir` is the dataset's directory as the user wrote it.
pub(super) fn of_snapshot(snapshot: &Snapshot, dir: &Path) -> String {
    let counts = &snapshot.counts;
    let path = dir.join(&snapshot.path);
    let mut words = format!(
        "{}, {}",
        counted(counts.annotations, "annotation", "annotations"),
        counted(counts.classes, "class", "classes")
    );
    let mut separator = ';';
    for (count, what) in [
        (counts.skipped, "skipped"),
        (counts.not_chosen, "not chosen"),
        (counts.other_state, "in another state"),
        (counts.without_task, "of no known task"),
        (counts.deletion_unconfirmed, "whose deletion nobody signed"),
    ] {
        if count > 0 {
            let _ = write!(words, "{separator} {count} {what}");
            separator = ',';
        }
    }
    if counts.rejected > 0 {
        let rejects = path.join("rejects.jsonl");
        let _ = write!(
            words,
            "{separator} {} inexpressible ({})",
            counts.rejected,
            rejects.display()
        );
        separator = ',';
    }
    if counts.unreadable > 0 {
        let events = counted(counts.unreadable, "event", "events");
        let _ = write!(words, "{separator} {events} unreadable");
    }
    format!("{words}\n{}, sha256 {}", path.display(), snapshot.digest)
}

fn counted(count: u64, one: &str, several: &str) -> String {
    let name = if count == 1 { one } else { several };
    format!("{count} {name}")
}
