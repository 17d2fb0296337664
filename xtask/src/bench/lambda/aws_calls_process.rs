//! The calls to AWS alone, in a process of their own: the same client, and nothing around it.

use super::function::Environment;
use crate::Outcome;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A started program; ended when dropped.
pub(super) struct Bare {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Milliseconds that fetching the secret and opening the connection took, side by side.
    pub(super) opened_ms: f64,
}

impl Bare {
    /// Starts `program`, which makes its clients, fetches the secret and opens the connection.
    pub(super) fn start(program: &Path, environment: &Environment) -> Outcome<Self> {
        let mut child = Command::new(program)
            .env_clear()
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_SESSION_TOKEN", "test")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a process was started without pipes".into());
        };
        let mut bare = Self {
            child,
            orders,
            answers: BufReader::new(answers),
            opened_ms: f64::NAN,
        };
        let opened = bare.line()?;
        bare.opened_ms = *opened.first().ok_or("the bare calls said nothing")?;
        Ok(bare)
    }

    /// Sends the message in the file `message` that many times; returns the milliseconds of each call.
    pub(super) fn send(&mut self, times: usize, message: &Path) -> Outcome<Vec<f64>> {
        writeln!(self.orders, "{times} {}", message.display())?;
        self.orders.flush()?;
        self.line()
    }

    fn line(&mut self) -> Outcome<Vec<f64>> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(format!("the bare calls ended with {}", self.child.wait()?).into());
        }
        Ok(line
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // Nothing is left to do about an error here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
