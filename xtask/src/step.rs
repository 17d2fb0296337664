//! Runs other programs as steps: says which, and how long each took.

use crate::{Outcome, cpu_time};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Names of the steps that were run, with their times, for the closing lines.
#[derive(Default)]
pub(crate) struct Steps(Vec<Step>);

struct Step {
    name: String,
    /// Why it failed.
    failure: Option<String>,
    took: Duration,
    /// Processor time, on systems that tell it.
    processor: Option<Duration>,
}

impl Steps {
    /// Does `work` under a heading; the first failure ends the run.
    pub(crate) fn run<T>(&mut self, name: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        self.step(name, work)
            .map_err(|error| format!("{name}: {error}").into())
    }

    /// Runs a suite that nothing after it needs: when it fails, the others are run all the same, so that one
    /// run tells of all that is wrong. [`Self::summary`] fails then.
    pub(crate) fn suite(&mut self, name: &str, work: impl FnOnce() -> Outcome) {
        if let Err(error) = self.step(name, work) {
            println!("FAILED {name}: {error}");
        }
    }

    fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        println!("\n== {name}");
        let (start, before) = (Instant::now(), used());
        let done = work();
        let step = Step {
            name: name.to_owned(),
            failure: done.as_ref().err().map(ToString::to_string),
            took: start.elapsed(),
            processor: used()
                .zip(before)
                .map(|(now, before)| now.saturating_sub(before)),
        };
        println!("   {}", step.line());
        self.0.push(step);
        done
    }

    /// Prints what was run. A program that was begun in one step and ended in another counts where it ended.
    ///
    /// # Errors
    /// When a suite failed: its name, and the first words of why.
    pub(crate) fn summary(&self) -> Outcome {
        println!("\n== summary: time, and processor time");
        for step in &self.0 {
            let verdict = if step.failure.is_none() {
                "ok    "
            } else {
                "FAILED"
            };
            println!("{verdict}  {}", step.line());
        }
        let failures: Vec<String> = self.0.iter().filter_map(Step::failed).collect();
        let all = Step {
            name: format!("{} steps, {} failures", self.0.len(), failures.len()),
            failure: None,
            took: self.0.iter().map(|step| step.took).sum(),
            processor: self.0.iter().map(|step| step.processor).sum(),
        };
        println!("        {}", all.line());
        if failures.is_empty() {
            Ok(())
        } else {
            Err(failures.join("; ").into())
        }
    }
}

impl Step {
    fn failed(&self) -> Option<String> {
        let why = self.failure.as_ref()?;
        Some(format!("{}: {why}", self.name))
    }

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
    Some(cpu_time::own().ok()?.children)
}
/// The cargo that runs us, with these arguments; none of them holds a space.
pub(crate) fn cargo(arguments: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(arguments.split(' '))
        .current_dir(crate::paths::root());
    // Set by the cargo that runs us. Build scripts look at some of them, and would run again, with all that is
    // built on them, each time that it is another cargo's turn.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        }) {
            command.env_remove(name);
        }
    }
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

/// The Python of this machine, which `PYTHON` names if it is another than the first on the path.
pub(crate) fn python() -> Command {
    Command::new(std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into()))
}

/// The kind of machine that this one is, as rustc names it.
pub(crate) fn host() -> Outcome<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let told = output(Command::new(rustc).arg("-vV"))?;
    let line = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line
        .ok_or("rustc does not say what machine this is")?
        .to_owned())
}
