//! Running other programs, saying which, and how long it took.

use crate::{Outcome, processor};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Names of the steps that were run, with their times, for the closing lines.
#[derive(Default)]
pub(crate) struct Steps(Vec<Step>);

struct Step {
    name: String,
    took: Duration,
    /// Where the system tells it.
    processor: Option<Duration>,
}

impl Steps {
    /// Does `work` under a heading; the first failure ends the run.
    pub(crate) fn run<T>(&mut self, name: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        println!("\n== {name}");
        let (start, before) = (Instant::now(), used());
        let done = work().map_err(|error| format!("{name}: {error}"))?;
        let step = Step {
            name: name.to_owned(),
            took: start.elapsed(),
            processor: used()
                .zip(before)
                .map(|(now, before)| now.saturating_sub(before)),
        };
        println!("   {}", step.line());
        self.0.push(step);
        Ok(done)
    }

    /// Prints what was run. A program that was begun in one step and ended in another counts where it ended.
    pub(crate) fn summary(&self) {
        println!("\n== summary: time, and processor time");
        for step in &self.0 {
            println!("ok  {}", step.line());
        }
        let all = Step {
            name: format!("{} steps, 0 failures", self.0.len()),
            took: self.0.iter().map(|step| step.took).sum(),
            processor: self.0.iter().map(|step| step.processor).sum(),
        };
        println!("ok  {}", all.line());
    }
}

impl Step {
    fn line(&self) -> String {
        let processor = self.processor.map_or_else(
            || " ".repeat(8),
            |processor| format!("{:7.1} s", processor.as_secs_f64()),
        );
        let took = self.took.as_secs_f64();
        format!("{took:7.1} s {processor}  {}", self.name)
    }
}

/// Processor time of all programs that were run and have ended.
fn used() -> Option<Duration> {
    Some(processor::own().ok()?.children)
}
/// The cargo that runs us, with these arguments; none of them holds a space.
pub(crate) fn cargo(arguments: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(arguments.split(' '))
        .current_dir(crate::paths::root());
    command
}

/// Runs `command` to its end, its output going where ours goes.
pub(crate) fn status(command: &mut Command) -> Outcome {
    let line = show(command);
    println!("$ {line}");
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|e| format!("cannot run `{line}`: {e}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{line}` ended with {status}").into())
    }
}

/// Runs `command` and gives back what it wrote to its standard output.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let line = show(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("cannot run `{line}`: {e}"))?;
    if !output.status.success() {
        return Err(format!(
            "`{line}` ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}
