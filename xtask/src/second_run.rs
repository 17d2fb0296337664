//! Runs `cargo test`, and what failed once more by itself: a full test run starts some thousand servers on machines
//! that are busy with other things. A test that passes the second time is named in the summary, with all that it
//! wrote the first time, so that nobody has to guess which one it was. A test that fails twice fails the run.

use crate::Outcome;
use crate::step::{ended, show};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// Tests that are run again. When more fail, something is broken.
const AT_MOST: usize = 3;

/// Lines of a failed test that the summary repeats, the last ones.
const LINES: usize = 60;

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
    passed_then: bool,
}

impl SecondRuns {
    /// Nothing has failed yet. What the tests write goes to `out`.
    pub(crate) fn writing_to(out: impl Write + 'static) -> Self {
        Self {
            failed: RefCell::default(),
            out: RefCell::new(Box::new(out)),
        }
    }

    /// Runs the tests of `command`, a `cargo test` with `--no-fail-fast`.
    ///
    /// # Errors
    /// When a test failed twice, when more than [`AT_MOST`] failed, and when cargo or a test's program did.
    pub(crate) fn tests(&self, command: &mut Command) -> Outcome {
        let first = self.run(command)?;
        let Err(error) = first.outcome else {
            return Ok(());
        };
        let names: Vec<&str> = first.failed.iter().map(|(name, _)| name.as_str()).collect();
        let again = !first.broke_off && (1..=AT_MOST).contains(&names.len());
        let second = again.then(|| self.run(&mut only(command, &names)));
        let still_failing: Option<Vec<String>> = match second {
            Some(Ok(second)) if second.outcome.is_ok() => Some(Vec::new()),
            Some(Ok(second)) if !second.broke_off && !second.failed.is_empty() => {
                Some(second.failed.into_iter().map(|(name, _)| name).collect())
            }
            _ => None,
        };
        let passes = still_failing.as_ref().is_some_and(Vec::is_empty);
        self.failed
            .borrow_mut()
            .extend(first.failed.into_iter().map(|(name, wrote)| {
                let passed_then = still_failing
                    .as_ref()
                    .is_some_and(|failing| !failing.contains(&name));
                Failed {
                    name,
                    wrote,
                    passed_then,
                }
            }));
        if passes { Ok(()) } else { Err(error) }
    }

    /// The same for several commands; all are run.
    pub(crate) fn all(&self, commands: impl IntoIterator<Item = Command>) -> Outcome {
        let mut outcome = Ok(());
        for mut command in commands {
            outcome = outcome.and(self.tests(&mut command));
        }
        outcome
    }

    /// Prints what failed, and what passed after that.
    pub(crate) fn print(&self) {
        for failed in self.failed.borrow().iter() {
            let then = if failed.passed_then {
                "passed the second time, by itself"
            } else {
                "FAILED"
            };
            println!("\n== {}: {then}; it wrote the first time:", failed.name);
            for line in &failed.wrote {
                println!("{line}");
            }
        }
    }
}

/// `command` with those tests alone.
fn only(command: &Command, names: &[&str]) -> Command {
    let mut again = Command::new(command.get_program());
    again.args(command.get_args());
    if !command.get_args().any(|argument| argument == "--") {
        again.arg("--");
    }
    // What else is named there is part of a name, and no test's whole name.
    again.arg("--exact").args(names);
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

/// What a `cargo test` said.
struct TestOutput {
    outcome: Outcome,
    /// Failed tests, with the last lines of what each wrote.
    failed: Vec<(String, Vec<String>)>,
    /// A test's program ended before it said how its tests went.
    broke_off: bool,
}

impl SecondRuns {
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
            broke_off: reader.begun != reader.over,
            failed: reader.failed(),
        })
    }
}

/// Reads the lines of Rust's test programs.
#[derive(Default)]
struct Reader {
    /// Programs that said how many tests they have.
    begun: usize,
    /// Programs that said how these went.
    over: usize,
    names: Vec<String>,
    blocks: Vec<(String, Vec<String>)>,
    place: Place,
}

#[derive(Default, PartialEq)]
enum Place {
    #[default]
    Elsewhere,
    /// In what failed tests wrote.
    Blocks,
    /// In the list of their names.
    Names,
}

impl Reader {
    fn line(&mut self, line: &str) {
        if line.starts_with("running ") && (line.ends_with(" tests") || line.ends_with(" test")) {
            self.begun += 1;
            self.place = Place::Elsewhere;
        } else if line.starts_with("test result: ") {
            self.over += 1;
            self.place = Place::Elsewhere;
        } else if line == "failures:" {
            // The first of two is followed by what the tests wrote, the second by their names.
            self.place = if self.place == Place::Blocks {
                Place::Names
            } else {
                Place::Blocks
            };
        } else {
            self.inside(line);
        }
    }

    fn inside(&mut self, line: &str) {
        match self.place {
            Place::Elsewhere => {}
            Place::Blocks => {
                let name = line
                    .strip_prefix("---- ")
                    .and_then(|rest| rest.strip_suffix(" stdout ----"));
                if let Some(name) = name {
                    self.blocks.push((name.to_owned(), Vec::new()));
                } else if let Some((_, wrote)) = self.blocks.last_mut() {
                    if wrote.len() == LINES {
                        wrote.remove(0);
                    }
                    wrote.push(line.to_owned());
                }
            }
            Place::Names => {
                if let Some(name) = line.strip_prefix("    ") {
                    self.names.push(name.to_owned());
                }
            }
        }
    }

    fn failed(self) -> Vec<(String, Vec<String>)> {
        let Self { names, blocks, .. } = self;
        let wrote = |name: &String| {
            let block = blocks.iter().find(|(of, _)| of == name);
            block.map(|(_, lines)| lines.clone()).unwrap_or_default()
        };
        names
            .into_iter()
            .map(|name| {
                let lines = wrote(&name);
                (name, lines)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Reader {
        let mut reader = Reader::default();
        lines.lines().for_each(|line| reader.line(line));
        reader
    }

    #[test]
    fn failed_tests_are_found_with_what_they_wrote() {
        let reader = read(
            "running 3 tests\ntest a ... ok\ntest b::c ... FAILED\ntest d ... FAILED\n\nsuccesses:\n\n---- a stdout ----\nx\n\n\
             successes:\n    a\n\nfailures:\n\n---- b::c stdout ----\nbecause\n\n---- d stdout ----\nwhy\n\n\
             failures:\n    b::c\n    d\n\ntest result: FAILED. 1 passed; 2 failed\n",
        );
        assert_eq!((reader.begun, reader.over), (1, 1));
        let failed = reader.failed();
        let names: Vec<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b::c", "d"]);
        assert_eq!(failed[0].1, ["because", ""]);
    }

    #[test]
    fn a_program_that_breaks_off_is_noticed() {
        let reader = read("running 1 test\ntest result: ok.\nrunning 2 tests\ntest a ... ok\n");
        assert_eq!((reader.begun, reader.over), (2, 1));
        assert!(reader.failed().is_empty());
    }

    #[test]
    fn the_second_run_has_the_same_settings_and_those_tests_alone() {
        let mut first = Command::new("cargo");
        first
            .args(["test", "--", "--ignored", "clouds::azure::"])
            .env("A", "1")
            .env_remove("B");
        let again = only(&first, &["clouds::azure::x"]);
        let arguments: Vec<_> = again.get_args().collect();
        assert_eq!(
            arguments,
            [
                "test",
                "--",
                "--ignored",
                "clouds::azure::",
                "--exact",
                "clouds::azure::x"
            ]
        );
        assert_eq!(again.get_envs().count(), 2);
    }

    #[test]
    fn a_failing_test_that_passes_the_second_time_passes() {
        // A test's program of one test, which fails where a file is missing, and makes it.
        let folder = tempfile::tempdir().unwrap();
        let script = |fails: &str| {
            let mut command = Command::new("sh");
            let lines = format!(
                "echo running 1 test; if {fails}; then touch made; printf 'failures:\\n\\n---- a stdout ----\\nb\\n\\nfailures:\\n    a\\n\\ntest result: FAILED.\\n'; exit 101; fi; echo 'test result: ok.'"
            );
            command
                .args(["-c", &lines, "--"])
                .current_dir(folder.path());
            command
        };
        let runs = SecondRuns::writing_to(std::io::sink());
        runs.tests(&mut script("[ ! -e made ]")).unwrap();
        assert!(runs.failed.borrow()[0].passed_then);
        runs.tests(&mut script("true")).unwrap_err();
        assert!(!runs.failed.borrow()[1].passed_then);
        assert_eq!(runs.failed.borrow()[1].wrote, ["b", ""]);
    }
}
