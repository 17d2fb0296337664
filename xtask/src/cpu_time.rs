//! Processor time, as the kernel counts it.

use crate::Outcome;
use std::time::Duration;

/// The kernel counts in hundredths of a second, whatever its own clock is.
const TICK: Duration = Duration::from_millis(10);

/// Processor time that a process has used so far, and that its children had used which it has waited for.
#[derive(Clone, Copy)]
pub(crate) struct CpuTime {
    #[cfg_attr(not(feature = "load"), expect(dead_code, reason = "for benchmarks"))]
    pub(crate) own: Duration,
    pub(crate) children: Duration,
}

/// Processor time of this process.
pub(crate) fn own() -> Outcome<CpuTime> {
    read("self")
}

/// Processor time of process `pid`.
#[cfg(feature = "load")]
pub(crate) fn of(pid: u32) -> Outcome<CpuTime> {
    read(&pid.to_string())
}

fn read(process: &str) -> Outcome<CpuTime> {
    let file = format!("/proc/{process}/stat");
    let stat = std::fs::read_to_string(&file)
        .map_err(|error| format!("cannot read {file} ({error}): Linux alone counts it there"))?;
    let [user, system, children_user, children_system] =
        ticks(&stat).ok_or_else(|| format!("{file} is not what it was"))?;
    Ok(CpuTime {
        own: TICK * u32::try_from(user + system)?,
        children: TICK * u32::try_from(children_user + children_system)?,
    })
}

/// The 14th to the 17th field: user's and system's time, then both of the children. The second field may hold
/// anything, up to its bracket.
fn ticks(stat: &str) -> Option<[u64; 4]> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields
        .split_whitespace()
        .skip(11)
        .map(|field| field.parse::<u64>().ok());
    Some([
        times.next()??,
        times.next()??,
        times.next()??,
        times.next()??,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_for_any_program_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 25 17 3 4 20 0 4 0 100 1000 100";
        assert_eq!(ticks(stat), Some([25, 17, 3, 4]));
        assert_eq!(ticks("7 (a) S"), None);
        assert!(own().is_ok());
    }
}
