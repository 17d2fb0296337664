//! Steps on the way: for people a line as soon as each is taken, for programs one JSON object at the end.

use crate::env::Env;
use crate::error::CliError;
use crate::output::{one_line, print, print_json, say};
use labelrelay_reconcile::PlatformError;
use serde::Serialize;
use std::fmt::Display;
use std::io::IsTerminal as _;

/// Reason why a walk ends before its end.
pub(super) enum Problem {
    /// To be said as the last step.
    Step(String),
    /// Of the output, or of the words on the command line.
    Cli(CliError),
}

impl From<PlatformError> for Problem {
    fn from(error: PlatformError) -> Self {
        Self::Step(error.message)
    }
}

impl From<CliError> for Problem {
    fn from(error: CliError) -> Self {
        Self::Cli(error)
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Self::Cli(error.into())
    }
}

#[derive(Serialize)]
struct Step {
    ok: bool,
    message: String,
}

pub(super) struct Report {
    json: bool,
    /// Marks before a step that went well, and before one that did not.
    marks: [&'static str; 2],
    steps: Vec<Step>,
    warnings: Vec<String>,
    errors: Vec<String>,
}

/// Printed by `--json`.
#[derive(Serialize)]
struct Whole<'a, T> {
    ok: bool,
    #[serde(flatten)]
    facts: &'a T,
    steps: &'a [Step],
    warnings: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl Report {
    pub(super) fn new(json: bool, env: &Env<'_>) -> Self {
        let marks = if std::io::stdout().is_terminal() && shows_utf8(env) {
            ["✓", "✗"]
        } else {
            ["ok", "--"]
        };
        Self {
            json,
            marks,
            steps: Vec::new(),
            warnings: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// A step that went well.
    pub(super) fn done(&mut self, message: impl Display) -> Result<(), CliError> {
        self.step(true, message.to_string())
    }

    /// A step that did not, and what to do.
    pub(super) fn failed(&mut self, message: impl Display) -> Result<(), CliError> {
        let message = message.to_string();
        self.errors.push(message.clone());
        self.step(false, message)
    }

    /// A step that did not go well, and that the rest does without.
    pub(super) fn doubted(&mut self, message: impl Display) -> Result<(), CliError> {
        let message = message.to_string();
        self.warnings.push(message.clone());
        self.step(false, message)
    }

    /// Something that may be wrong.
    pub(super) fn warn(&mut self, message: String) {
        if !self.json {
            say(format_args!("warning: {}", one_line(&message)));
        }
        self.warnings.push(message);
    }

    /// Words that belong to no step, for people alone.
    pub(super) fn hint(&self, words: impl Display) -> Result<(), CliError> {
        if !self.json {
            print(format_args!("{words}"))?;
        }
        Ok(())
    }

    pub(super) fn has_failed(&self) -> bool {
        !self.errors.is_empty()
    }

    fn step(&mut self, ok: bool, message: String) -> Result<(), CliError> {
        if !self.json {
            let [good, bad] = self.marks;
            let mark = if ok { good } else { bad };
            print(format_args!("  {mark} {}", one_line(&message)))?;
        }
        self.steps.push(Step { ok, message });
        Ok(())
    }

    /// Ends with what the walk came to: `facts` are for programs.
    pub(super) fn end(
        mut self,
        walked: Result<(), Problem>,
        facts: &impl Serialize,
    ) -> Result<(), CliError> {
        match walked {
            Ok(()) => {}
            Err(Problem::Step(message)) => self.failed(message)?,
            Err(Problem::Cli(error)) => return Err(error),
        }
        if self.json {
            print_json(&Whole {
                ok: !self.has_failed(),
                facts,
                steps: &self.steps,
                warnings: &self.warnings,
                error: self.errors.first().map(String::as_str),
            })?;
        }
        match (self.has_failed(), self.json) {
            (false, _) => Ok(()),
            (true, true) => Err(CliError::Reported),
            (true, false) => {
                let [_, bad] = self.marks;
                Err(CliError::failed(format_args!(
                    "not all is done: the lines that begin with {bad} say why, and what to do"
                )))
            }
        }
    }
}

/// Tells whether the terminal writes UTF-8, as the locale says.
fn shows_utf8(env: &Env<'_>) -> bool {
    let set = |name| env.var(name).ok().flatten();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
