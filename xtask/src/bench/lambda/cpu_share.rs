//! A share of one processor, as Lambda gives it: by memory, a whole one at 1,769 MB.

use super::function::Function;
use crate::Outcome;
use std::fs;
use std::path::{Path, PathBuf};

/// Mount points of the control groups of processor time: alone (version 1), or with all others.
const MOUNT_POINTS: [(&str, &str); 2] = [
    ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us"),
    ("/sys/fs/cgroup", "cpu.max"),
];

/// Microseconds after which a used-up share is filled again: what others have seen from inside functions,
/// as pauses of up to 20 ms. A longer one would
/// hide how often a small share runs out.
pub(super) const PERIOD: u64 = 20_000;

/// Megabytes that buy one whole processor.
pub(super) const WHOLE: u64 = 1_769;

/// A control group for one run, removed when dropped.
pub(super) struct CpuShare {
    group: PathBuf,
    version_1: bool,
}

impl CpuShare {
    pub(super) fn new() -> Outcome<Self> {
        let name = format!("labelrelay-bench-{}", std::process::id());
        for (place, limit) in MOUNT_POINTS {
            let group = Path::new(place).join(&name);
            if fs::create_dir(&group).is_ok() {
                let share = Self {
                    version_1: limit != "cpu.max",
                    group,
                };
                if share.group.join(limit).exists() {
                    return Ok(share);
                }
            }
        }
        Err("cannot make a control group for processor time: run as root on Linux".into())
    }

    /// From now on, what is in the group gets what a function with so much memory gets.
    pub(super) fn set(&self, megabytes: u64) -> Outcome {
        // Less than a millisecond is refused by the kernel.
        let quota = (PERIOD * megabytes / WHOLE).max(1_000);
        if self.version_1 {
            // Widened first: the kernel checks each of the two against the other.
            self.write("cpu.cfs_quota_us", "-1")?;
            self.write("cpu.cfs_period_us", &PERIOD.to_string())?;
            self.write("cpu.cfs_quota_us", &quota.to_string())
        } else {
            self.write("cpu.max", &format!("{quota} {PERIOD}"))
        }
    }

    /// Puts a function into the group.
    pub(super) fn hold(&self, function: &Function) -> Outcome {
        self.write("cgroup.procs", &function.pid().to_string())
    }

    fn write(&self, name: &str, value: &str) -> Outcome {
        let path = self.group.join(name);
        fs::write(&path, value)
            .map_err(|error| format!("cannot write {value} to {}: {error}", path.display()).into())
    }
}

impl Drop for CpuShare {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.group) {
            eprintln!("cannot remove {}: {error}", self.group.display());
        }
    }
}
