//! One fuzz target, built: libFuzzer round a function.

use super::Length;
use crate::Outcome;
use crate::step::status;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Longer inputs find nothing more, and take longer.
const MAX_BYTES: u32 = 16 * 1024;

/// A built target, and the folders of its inputs.
pub(super) struct Program {
    pub(super) name: String,
    pub(super) file: PathBuf,
    /// Inputs that runs find; grows from run to run.
    pub(super) found: PathBuf,
    /// Inputs that failed.
    pub(super) failures: PathBuf,
    /// Made of the fixtures.
    pub(super) seeds: PathBuf,
    /// Part of the repository.
    pub(super) kept: PathBuf,
}

impl Program {
    /// Runs it; how many executions there were.
    pub(super) fn run(&self, length: Length) -> Outcome<u64> {
        let length = match length {
            Length::Seconds(seconds) => format!("-max_total_time={seconds}"),
            Length::Runs(runs) => format!("-runs={runs}"),
        };
        let run = Command::new(&self.file)
            .args([
                &length,
                "-print_final_stats=1",
                "-timeout=20",
                "-rss_limit_mb=2048",
            ])
            .arg(format!("-max_len={MAX_BYTES}"))
            .arg(format!("-artifact_prefix={}/", self.failures.display()))
            .args([&self.found, &self.seeds, &self.kept])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .output()?;
        let said = String::from_utf8_lossy(&run.stderr);
        if !run.status.success() {
            let last: Vec<&str> = said.lines().rev().take(80).collect();
            for line in last.iter().rev() {
                eprintln!("{line}");
            }
            return Err(format!(
                "the fuzz target {} failed ({}); to see it again: {} {}/FILE",
                self.name,
                run.status,
                self.file.display(),
                self.failures.display()
            )
            .into());
        }
        let executions = said
            .lines()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
            .and_then(|count| count.trim().parse().ok())
            .ok_or("libFuzzer does not say how often it ran")?;
        println!("{:>18}: {executions} executions", self.name);
        Ok(executions)
    }

    /// Adds to the repository's inputs those found ones that reach code which the others do not.
    pub(super) fn keep(&self) -> Outcome {
        status(
            Command::new(&self.file)
                // Small ones only: what is kept is kept for ever.
                .args(["-merge=1", "-max_len=1024"])
                .args([&self.kept, &self.found, &self.seeds]),
        )
    }
}
