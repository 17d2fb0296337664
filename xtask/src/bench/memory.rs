//! Resident memory of a server, as the kernel counts it.

use crate::Outcome;

/// Kilobytes of one process.
#[derive(Clone, Copy, Default)]
pub(crate) struct Memory {
    /// The most that was ever resident.
    pub(crate) peak: u64,
    /// Resident now.
    pub(crate) now: u64,
}

/// Memory of `pid` and, for a server that forks its workers, of its children.
pub(crate) fn of(pid: u32) -> Outcome<Memory> {
    let mut memory = one(pid)?;
    let children =
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    for child in children.split_whitespace() {
        let child = one(child.parse()?)?;
        memory.peak += child.peak;
        memory.now += child.now;
    }
    Ok(memory)
}

fn one(pid: u32) -> Outcome<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))
        .map_err(|error| format!("cannot read the memory of process {pid} from /proc ({error}): the benchmark runs on Linux"))?;
    let field = |name: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_default();
        line.split_whitespace()
            .next()
            .and_then(|kilobytes| kilobytes.parse().ok())
            .unwrap_or(0)
    };
    Ok(Memory {
        peak: field("VmHWM:"),
        now: field("VmRSS:"),
    })
}
