//! The GNU C library's allocator keeps what it once had; this asks it now and then to give it back.
//! MEASUREMENTS.md has what else was tried.

use std::time::Duration;

/// Pause between two looks. The kernel's own number is read, which costs some microseconds.
const LOOK: Duration = Duration::from_secs(5);

/// Least gain that is worth the walk through all free memory, some milliseconds for each hundred MiB.
const WORTH_BYTES: u64 = 16 * 1024 * 1024;

/// A task, not a thread: a thread more is a fifth of a millisecond of a function's start. The kernel is asked where
/// requests are served; the walk through free memory is where it holds up none.
pub(super) fn start() {
    tokio::spawn(async {
        let mut trims = Trims::default();
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(now) = resident() else {
                return;
            };
            if trims.is_due(now) {
                let _ = tokio::task::spawn_blocking(trim).await;
                trims.done(resident().unwrap_or(now));
            }
        }
    });
}

#[derive(Default)]
struct Trims {
    /// Memory in use after the last one.
    after: u64,
    before: u64,
}

impl Trims {
    /// When memory was taken since the last time, and no more is being taken now.
    fn is_due(&mut self, now: u64) -> bool {
        let has_settled = now <= std::mem::replace(&mut self.before, now);
        // Memory that went back by itself makes room for a smaller burst to count.
        self.after = self.after.min(now);
        has_settled && now >= self.after + WORTH_BYTES
    }

    fn done(&mut self, now: u64) {
        self.after = now;
        self.before = now;
    }
}

/// Bytes of this process that are in memory.
fn resident() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = pages.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[expect(unsafe_code, reason = "no crate makes this call safely")]
fn trim() {
    // SAFETY: gives free memory back and touches no other; it may be called at any time, by any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_trimmed_once_after_each_burst() {
        const MIB: u64 = 1024 * 1024;
        let mut trims = Trims::default();
        let mut look = |mib: u64| trims.is_due(mib * MIB);
        assert!(!look(12));
        assert!(!look(12) && !look(20), "nothing to speak of");
        assert!(!look(200) && !look(400), "it still grows");
        assert!(look(400));
        trims.done(30 * MIB);
        let mut look = |mib: u64| trims.is_due(mib * MIB);
        assert!(!look(30) && !look(40) && !look(40));
        assert!(!look(50) && look(50));
        // Memory that cannot be given back is in use, and not asked for again and again.
        trims.done(50 * MIB);
        assert!((0..10).all(|_| !trims.is_due(50 * MIB)));
    }

    #[test]
    fn resident_memory_is_read_from_the_kernel() {
        let before = resident().unwrap();
        let block = vec![1_u8; 64 * 1024 * 1024];
        assert!(resident().unwrap() >= before + block.len() as u64 / 2);
    }
}
