//! Running other programs, saying which, and how long it took.

use crate::Outcome;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Names of the steps that were run, with their times, for the closing lines.
#[derive(Default)]
pub(crate) struct Steps(Vec<(String, f64)>);

impl Steps {
    /// Does `work` under a heading; the first failure ends the run.
    pub(crate) fn run(&mut self, name: &str, work: impl FnOnce() -> Outcome) -> Outcome {
        println!("\n== {name}");
        let start = Instant::now();
        work().map_err(|error| format!("{name}: {error}"))?;
        self.0
            .push((name.to_owned(), start.elapsed().as_secs_f64()));
        Ok(())
    }

    /// Prints what was run.
    pub(crate) fn summary(&self) {
        println!("\n== summary");
        for (name, seconds) in &self.0 {
            println!("ok  {seconds:7.1} s  {name}");
        }
        println!("{} steps, 0 failures", self.0.len());
    }
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
