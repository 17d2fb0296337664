//! Runs `cargo test`, and what failed once more by itself: a full test run starts some thousand servers on machines
//! that are busy with other things. A test that passes the second time is named in the summary, with all that it
//! wrote the first time, so that nobody has to guess which one it was. A test that fails twice fails the run.

mod reader;

use crate::Outcome;
use crate::step::{ended, show};
use reader::{Read, Reader};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// Tests that are run again. When more fail, something is broken.
const AT_MOST: usize = 10;

/// What failed in a run of all suites.
pub(crate) struct SecondRuns {
    failed: RefCell<Vec<Failed>>,
    /// Gets what the tests write.
    out: RefCell<Box<dyn Write>>,
}

/// A test that failed the first time.
struct Failed {
    name: String,
    wrote: Vec<String>,
    then: Then,
}

/// How a test went the second time.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    Passed,
    Failed,
    /// There was no second run, or none that says it.
    Unknown,
}

impl Then {
    fn told(self) -> &'static str {
        match self {
            Self::Passed => "passed the second time, by itself",
            Self::Failed => "FAILED twice",
            Self::Unknown => "FAILED",
        }
    }
}

/// What a `cargo test` said.
struct TestOutput {
    outcome: Outcome,
    read: Read,
}

impl SecondRuns {
    /// Nothing has failed yet. What the tests write goes to `out`.
    pub(crate) fn writing_to(out: impl Write + 'static) -> Self {
        Self {
            failed: RefCell::default(),
            out: RefCell::new(Box::new(out)),
        }
    }

    /// Runs the tests of `command`, a `cargo test` with `--no-fail-fast` or of one program.
    ///
    /// # Errors
    /// When a test failed twice, when more than [`AT_MOST`] failed, and when cargo or a test's program did. It names
    /// what failed: the end of a long log has it then.
    pub(crate) fn tests(&self, command: &mut Command) -> Outcome {
        let first = self.run(command)?;
        self.judge(command, first)
    }

    /// The same for several commands; all are run.
    pub(crate) fn all(&self, commands: impl IntoIterator<Item = Command>) -> Outcome {
        let mut outcome = Ok(());
        for mut command in commands {
            outcome = outcome.and(self.tests(&mut command));
        }
        outcome
    }

    /// The same for a command that was run already: it ended with `outcome`, and `wrote` this.
    pub(crate) fn after(&self, command: &Command, outcome: Outcome, wrote: &[u8]) -> Outcome {
        let mut reader = Reader::default();
        for line in wrote.split(|byte| *byte == b'\n') {
            reader.line(String::from_utf8_lossy(line).trim_end());
        }
        let read = reader.end();
        self.judge(command, TestOutput { outcome, read })
    }

    fn judge(&self, command: &Command, first: TestOutput) -> Outcome {
        let TestOutput { outcome, read } = first;
        let Err(error) = outcome else {
            return Ok(());
        };
        let names: Vec<String> = read.failed.iter().map(|(name, _)| name.clone()).collect();
        let again = self.again(command, &names, read.broke_off);
        let failed = read.failed.into_iter().map(|(name, wrote)| {
            let then = match &again {
                Ok(failing) if failing.contains(&name) => Then::Failed,
                Ok(_) => Then::Passed,
                Err(_) => Then::Unknown,
            };
            Failed { name, wrote, then }
        });
        self.failed.borrow_mut().extend(failed);
        match again {
            Ok(failing) if failing.is_empty() => Ok(()),
            Ok(failing) => Err(format!("{error}; failed twice: {}", failing.join(", ")).into()),
            Err(why) if names.is_empty() => Err(format!("{error}; {why}").into()),
            Err(why) => Err(format!("{error}; failed: {}; {why}", names.join(", ")).into()),
        }
    }

    /// Runs what failed once more. Gives what failed again, or says why nobody knows.
    fn again(
        &self,
        command: &Command,
        names: &[String],
        broke_off: Option<(usize, usize)>,
    ) -> Result<Vec<String>, String> {
        if let Some(counts) = broke_off {
            return Err(format!("no second run: {}", broken_off(counts)));
        }
        if names.is_empty() {
            return Err("no test of it failed".to_owned());
        }
        if names.len() > AT_MOST {
            return Err(format!(
                "no second run: {} are more than {AT_MOST}",
                names.len()
            ));
        }
        let second = self
            .run(&mut only(command, names))
            .map_err(|error| format!("the second run: {error}"))?;
        let Read {
            failed,
            ran,
            broke_off,
        } = second.read;
        if let Some(counts) = broke_off {
            return Err(format!("the second run: {}", broken_off(counts)));
        }
        // One whose name does not say where it is, as that of a test in a document.
        if ran < names.len() {
            return Err(format!("the second run found {ran} of {}", names.len()));
        }
        match second.outcome {
            Ok(()) => Ok(Vec::new()),
            Err(error) if failed.is_empty() => Err(format!("the second run: {error}")),
            Err(_) => Ok(failed.into_iter().map(|(name, _)| name).collect()),
        }
    }

    /// Prints what failed, and what passed after that.
    pub(crate) fn print(&self) {
        for failed in self.failed.borrow().iter() {
            let then = failed.then.told();
            println!("\n== {}: {then}; it wrote the first time:", failed.name);
            for line in &failed.wrote {
                println!("{line}");
            }
        }
    }

    /// Runs it, handing on what it writes.
    fn run(&self, command: &mut Command) -> Outcome<TestOutput> {
        let mut out = self.out.borrow_mut();
        let line = show(command);
        writeln!(out, "$ {line}")?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("cannot run `{line}`: {e}"))?;
        let mut reader = Reader::default();
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = BufReader::new(stdout);
            let mut bytes = Vec::new();
            while stdout.read_until(b'\n', &mut bytes)? > 0 {
                out.write_all(&bytes)?;
                reader.line(String::from_utf8_lossy(&bytes).trim_end());
                bytes.clear();
            }
        }
        let status = child.wait()?;
        Ok(TestOutput {
            outcome: ended(&line, status),
            read: reader.end(),
        })
    }
}

fn broken_off((begun, over): (usize, usize)) -> String {
    format!("of {begun} programs, {over} said how their tests went")
}

/// `command` with those tests alone, one at a time.
fn only(command: &Command, names: &[String]) -> Command {
    let mut again = Command::new(command.get_program());
    let at_once = |argument: &&std::ffi::OsStr| {
        let argument = argument.to_str();
        argument.is_some_and(|argument| argument.starts_with("--test-threads="))
    };
    again.args(command.get_args().filter(|argument| !at_once(argument)));
    if !command.get_args().any(|argument| argument == "--") {
        again.arg("--");
    }
    // What else is named there is part of a name, and no test's whole name.
    again.args(["--test-threads=1", "--exact"]).args(names);
    if let Some(folder) = command.get_current_dir() {
        again.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => again.env(name, value),
            None => again.env_remove(name),
        };
    }
    again
}

#[cfg(test)]
mod tests;
