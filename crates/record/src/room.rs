//! Room on the disk: the last of it is the queue's, since a delivery that finds none is refused.

use std::path::Path;

const MIB: u64 = 1024 * 1024;

/// So much stays free for the queue, or half of a smaller disk. The queue's reserve, which is 16 MiB at most, and what
/// consumers need when they give that up, fit into it many times.
const LEFT_FREE: u64 = 128 * MIB;

/// Tells whether so little room is left that the record takes none of it. `was_low`: it was so when the caller looked
/// last; then a little more has to be free, so that this does not change with every delivery.
pub(crate) fn is_low(record: &Path, was_low: bool) -> bool {
    disk(record).is_some_and(|(bytes, free)| is_too_little(bytes, free, was_low))
}

/// Size of the disk that the record is on; `None` if the system does not say.
pub(crate) fn disk_bytes(record: &Path) -> Option<u64> {
    disk(record).map(|(bytes, _)| bytes)
}

fn is_too_little(bytes: u64, free: u64, was_low: bool) -> bool {
    let least = LEFT_FREE.min(bytes / 2);
    let more = if was_low { least / 8 } else { 0 };
    free < least + more
}

/// Size of the disk that the record is on, and its free room; `None` if the system does not say.
#[cfg(unix)]
fn disk(record: &Path) -> Option<(u64, u64)> {
    let directory = match record.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    };
    let told = rustix::fs::statvfs(directory).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
    (told.f_blocks > 0).then(|| (bytes(told.f_blocks), bytes(told.f_bavail)))
}

#[cfg(not(unix))]
const fn disk(_: &Path) -> Option<(u64, u64)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_disk_is_left_alone() {
        for (bytes, free, was_low, is_low) in [
            (1024 * MIB, 128 * MIB, false, false),
            (1024 * MIB, 127 * MIB, false, true),
            (1024 * MIB, 143 * MIB, true, true),
            (1024 * MIB, 144 * MIB, true, false),
            (64 * MIB, 48 * MIB, false, false),
            (64 * MIB, 31 * MIB, false, true),
            (64 * MIB, 35 * MIB, true, true),
            (64 * MIB, 36 * MIB, true, false),
        ] {
            assert_eq!(
                is_too_little(bytes, free, was_low),
                is_low,
                "{free} of {bytes} are free, {was_low}"
            );
        }
    }
}
