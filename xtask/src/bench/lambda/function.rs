//! One execution environment: a process that is the function, with a runtime API of its own.

use super::runtime_api::{Invocation, RuntimeApi};
use crate::Outcome;
use crate::bench::memory::{self, Memory};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Variables that a function finds besides those of the platform.
pub(super) type Environment = Vec<(&'static str, String)>;

/// A started function; ended when dropped.
pub(super) struct Function {
    api: RuntimeApi,
    child: Child,
    log: PathBuf,
    /// From before the process was made until it first asked for an event.
    pub(super) start: Duration,
    /// Processor time of the same.
    pub(super) start_cpu: Duration,
}

impl Function {
    /// Starts `program` and waits until it asks for an event.
    pub(super) fn start(program: &Path, folder: &Path, environment: &Environment) -> Outcome<Self> {
        let api = RuntimeApi::start()?;
        let log = folder.join("function.log");
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench")
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "2026/09/24/[$LATEST]bench")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_SESSION_TOKEN", "test")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(File::create(&log)?)
            .stderr(File::options().append(true).open(&log)?);
        let before = Instant::now();
        let mut child = command
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let polled = api.first_poll(|| alive(&mut child));
        let mut function = Self {
            api,
            child,
            log,
            start: Duration::ZERO,
            start_cpu: Duration::ZERO,
        };
        let polled = polled.map_err(|error| function.explain(&*error))?;
        function.start = polled - before;
        function.start_cpu = function.cpu()?;
        Ok(function)
    }

    /// Has it handle `event`.
    pub(super) fn invoke(&mut self, event: Vec<u8>) -> Outcome<Invocation> {
        let invoked = self.api.invoke(event, || alive(&mut self.child));
        invoked.map_err(|error| self.explain(&*error).into())
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory.
    pub(super) fn memory(&self) -> Outcome<Memory> {
        memory::of(self.child.id())
    }

    /// Processor time that all its threads have had.
    pub(super) fn cpu(&self) -> Outcome<Duration> {
        let mut total = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let times = std::fs::read_to_string(task?.path().join("schedstat"))?;
            let running = times.split_whitespace().next().unwrap_or_default();
            total += running.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(total))
    }

    /// Adds the last lines that the function logged to an error.
    fn explain(&self, error: &dyn std::fmt::Display) -> String {
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = said.lines().rev().take(10).collect();
        let lines = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
        format!("{error}; the function logged:\n{lines}")
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // Nothing is left to do about an error here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn alive(child: &mut Child) -> Outcome {
    match child.try_wait()? {
        None => Ok(()),
        Some(status) => Err(format!("the function ended with {status}").into()),
    }
}
