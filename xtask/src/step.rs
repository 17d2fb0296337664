//! Runs other programs as steps: says which, and how long each took.

use crate::left_out_tests::Incomplete;
use crate::paths::target;
use crate::{Outcome, cpu_time};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Names of the steps that were run, with their times, for the closing lines.
#[derive(Default)]
pub(crate) struct Steps(Vec<Step>);

struct Step {
    name: String,
    verdict: Verdict,
    took: Duration,
    /// Processor time, on systems that tell it.
    processor: Option<Duration>,
}

enum Verdict {
    Passed,
    /// Reason.
    Failed(String),
    /// Names what it, or a part of it, needs and does not find.
    LeftOut(String),
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

    /// Notes a suite, or a part of one, that cannot run on this machine. [`Self::summary`] says so, and fails with
    /// an error of its own.
    pub(crate) fn left_out(&mut self, name: &str, why: &str) {
        println!("\n== {name}: left out");
        self.0.push(Step {
            name: name.to_owned(),
            verdict: Verdict::LeftOut(why.to_owned()),
            took: Duration::ZERO,
            processor: None,
        });
    }

    fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        println!("\n== {name}");
        let (start, before) = (Instant::now(), used());
        let done = work();
        let step = Step {
            name: name.to_owned(),
            verdict: match &done {
                Ok(_) => Verdict::Passed,
                Err(error) => Verdict::Failed(error.to_string()),
            },
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
            let verdict = match step.verdict {
                Verdict::Passed => "ok    ",
                Verdict::Failed(_) => "FAILED",
                Verdict::LeftOut(_) => "absent",
            };
            println!("{verdict}  {}", step.line());
        }
        let failures: Vec<String> = self.0.iter().filter_map(Step::failed).collect();
        let all = Step {
            name: format!("{} steps, {} failures", self.0.len(), failures.len()),
            verdict: Verdict::Passed,
            took: self.0.iter().map(|step| step.took).sum(),
            processor: self.0.iter().map(|step| step.processor).sum(),
        };
        println!("        {}", all.line());
        let left_out: Vec<&Step> = self.0.iter().filter(|step| step.is_left_out()).collect();
        for step in &left_out {
            if let Verdict::LeftOut(why) = &step.verdict {
                println!("left out: {}: {why}", step.name);
            }
        }
        match (failures.is_empty(), left_out.len()) {
            (false, _) => Err(failures.join("; ").into()),
            (true, 0) => Ok(()),
            (true, absent) => Err(Incomplete(absent).into()),
        }
    }
}

impl Step {
    fn failed(&self) -> Option<String> {
        let Verdict::Failed(why) = &self.verdict else {
            return None;
        };
        Some(format!("{}: {why}", self.name))
    }

    fn is_left_out(&self) -> bool {
        matches!(self.verdict, Verdict::LeftOut(_))
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
    as_by_hand(&mut command);
    command
}

/// Takes from a command that runs cargo what the cargo that runs us has set. Build scripts look at some of it, and
/// would run again, with all that is built on them, each time that it is another cargo's turn.
pub(crate) fn as_by_hand(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        }) {
            command.env_remove(name);
        }
    }
}

/// When everything that [`status`] runs has to be over.
static END: OnceLock<Instant> = OnceLock::new();

/// Tells the tests how much of the time is left for what they make as much of as there is time for, in seconds.
const SECONDS_LEFT: &str = "LABELRELAY_TEST_SECONDS";

/// What [`status`] runs from now on is ended at `end`, with all that it started.
pub(crate) fn end_by(end: Instant) {
    let _first = END.set(end);
}

/// Runs `command` to its end, its output going where ours goes.
pub(crate) fn status(command: &mut Command) -> Outcome {
    let line = show(command);
    println!("$ {line}");
    command.stdin(Stdio::null());
    let status = match END.get() {
        None => command.status(),
        Some(end) => return status_by(*end, command, &line),
    };
    let status = status.map_err(|e| format!("cannot run `{line}`: {e}"))?;
    ended(&line, status)
}

/// The same, in a group of processes that is ended as a whole when the time is over.
fn status_by(end: Instant, command: &mut Command, line: &str) -> Outcome {
    let left = end.saturating_duration_since(Instant::now());
    command.env(SECONDS_LEFT, left.as_secs().to_string());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let spawned = command.spawn();
    let mut child = spawned.map_err(|e| format!("cannot run `{line}`: {e}"))?;
    loop {
        if let Some(status) = child.try_wait()? {
            return ended(line, status);
        }
        if Instant::now() >= end {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let group = format!("-{}", child.id());
    let _ended = Command::new("kill").args(["-KILL", "--", &group]).status();
    let _ended = child.kill();
    child.wait()?;
    Err(format!("the time was over before `{line}` ended").into())
}

pub(crate) fn ended(line: &str, status: ExitStatus) -> Outcome {
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{line}` ended with {status}").into())
    }
}

/// A program that runs while other steps do. It writes to a file, which is printed once it has ended, so that no
/// two suites write between each other's lines.
pub(crate) struct Beside {
    line: String,
    child: Child,
    output: PathBuf,
}

impl Beside {
    pub(crate) fn begin(name: &str, mut command: Command) -> Outcome<Self> {
        let output = target()?.join(format!("{name}.out"));
        let file = File::create(&output)?;
        let line = show(&command);
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .map_err(|e| format!("cannot run `{line}`: {e}"))?;
        Ok(Self {
            line,
            child,
            output,
        })
    }

    /// Waits for the end, then prints all that the program wrote. Gives it back, with how the program ended.
    pub(crate) fn end(mut self) -> Outcome<(Outcome, Vec<u8>)> {
        let status = self.child.wait()?;
        println!("$ {}", self.line);
        let wrote = std::fs::read(&self.output)?;
        io::stdout().write_all(&wrote)?;
        Ok((ended(&self.line, status), wrote))
    }
}

impl Drop for Beside {
    /// A run that ends early leaves nothing running.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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

pub(crate) fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Path of a program of this machine.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Root's programs are not on everybody's path.
    std::env::split_paths(&path)
        .chain([Path::new("/usr/sbin").to_owned()])
        .map(|folder| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .find(|program| program.is_file())
}

/// The search path with the folder of `program` first.
pub(crate) fn path_with(program: &Path) -> Outcome<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = program.parent().map(Path::to_owned).into_iter();
    Ok(std::env::join_paths(
        folders.chain(std::env::split_paths(&path)),
    )?)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_failed_is_named_and_the_table_has_it() {
        let mut steps = Steps::default();
        steps.run("first", || Ok(())).unwrap();
        let broken = || -> Outcome { Err("it broke".into()) };
        let failed = steps.run("second", broken).unwrap_err();
        assert_eq!(failed.to_string(), "second: it broke");
        assert_eq!(steps.0.len(), 2);
        let told = steps.summary().unwrap_err();
        assert_eq!(told.to_string(), "second: it broke");
    }
}
