//! File descriptors: as many as connections need, and no more connections than there are descriptors for.

/// Descriptors beside connections: the queue's files, the record's, secrets that are read again, blobs, the log; spooled
/// bodies, of which the memory for their pieces allows 256 unless configured otherwise; connections that come and go
/// (`ServeOptions::sockets`); and requests of the page, of which eight are answered at once, with the files of the queue,
/// of the record and of its journal, which are 32 at most as a rule.
const OTHERS: u64 = 128 + 256 + 257 + 8 * 32;

/// Raises the process's limit where it is too low for `wanted` connections; how many there can be then.
#[cfg(unix)]
pub(super) fn connections(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let needed = wanted as u64 + OTHERS;
    // `None` is no limit.
    let Some(mut current) = limit.current.filter(|&current| current < needed) else {
        return wanted;
    };
    let raised = limit.maximum.map_or(needed, |most| most.min(needed));
    let ask = Rlimit {
        current: Some(raised),
        maximum: limit.maximum,
    };
    if setrlimit(Resource::Nofile, ask).is_ok() {
        current = raised;
    }
    let fit = fitting(wanted, current);
    if fit < wanted {
        tracing::warn!(name: "connections_limited", descriptors = current, connections = fit, wanted, "the system's limit of file descriptors leaves room for fewer connections; raise it (ulimit -n, LimitNOFILE)");
    }
    fit
}

/// Other systems count handles by memory.
#[cfg(not(unix))]
pub(super) fn connections(wanted: usize) -> usize {
    wanted
}

/// At least half of the descriptors are for connections, however few there are.
#[cfg(unix)]
fn fitting(wanted: usize, descriptors: u64) -> usize {
    let fit = descriptors.saturating_sub(OTHERS).max(descriptors / 2);
    usize::try_from(fit).unwrap_or(wanted).clamp(1, wanted)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_files() {
        for (descriptors, fit) in [
            (1921, 1024),
            (1024, 512),
            (256, 128),
            (64, 32),
            (0, 1),
            (u64::MAX, 1024),
        ] {
            assert_eq!(fitting(1024, descriptors), fit, "{descriptors}");
        }
    }
}
