//! Snapshots, counts and ages in words.

use jiff::Timestamp;
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
        (counts.media_missing, "media without a copy"),
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
    if counts.annotations == 0 && counts.other_state > 0 {
        let state = snapshot.policy.as_ref().and_then(|it| it.state.as_deref());
        let _ = write!(
            words,
            "\nno annotation is in the state {:?}: write it as the platform does, or leave --state out",
            state.unwrap_or_default()
        );
    }
    format!("{words}\n{}, sha256 {}", path.display(), snapshot.digest)
}

pub(super) fn counted(count: u64, one: &str, several: &str) -> String {
    let name = if count == 1 { one } else { several };
    format!("{count} {name}")
}

/// Time since `at`, in the largest unit of which it has one.
pub(super) fn age(at: &str, now: Timestamp) -> String {
    let Ok(since) = at.parse::<Timestamp>() else {
        return format!("at {at}");
    };
    let seconds = now.duration_since(since).as_secs().max(0);
    let (unit, size) = match seconds {
        0..60 => ("s", 1),
        60..3600 => ("min", 60),
        3600..86_400 => ("h", 3600),
        _ => ("d", 86_400),
    };
    format!("{} {unit} ago", seconds / size)
}
