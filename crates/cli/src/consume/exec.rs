//! `--exec`: a command for each event, which gets the envelope on its standard input.

use super::mode::Mode;
use crate::env::Env;
use crate::envelope_line::on_one_line;
use crate::error::CliError;
use labelrelay_consumer::{Outcome, Turn};
use labelrelay_core::{BoxFuture, ReceivedEvent};
use labelrelay_event::Attributes;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, Command};
use tokio::time::timeout;

/// `EX_DATAERR` and `EX_TEMPFAIL` of sysexits.h.
const NO_USE: i32 = 65;
const NOT_NOW: i32 = 75;

/// Bytes of a line of standard error that are passed on together, and of a reason at most.
const LONGEST_LINE: u64 = 8 * 1024;

/// What the command has started may hold its outputs open; its last words are waited for this long.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Time between the signal that asks a command to end and the one that ends it.
const GRACE: Duration = Duration::from_secs(5);

pub(super) struct Exec {
    command: String,
    timeout: Option<Duration>,
    directory: PathBuf,
}

impl Exec {
    pub(super) fn new(
        command: &str,
        timeout: Option<Duration>,
        env: &Env<'_>,
    ) -> Result<Self, CliError> {
        if command.trim().is_empty() {
            return Err(CliError::usage("--exec names no command"));
        }
        Ok(Self {
            command: command.to_owned(),
            timeout,
            directory: env.cwd().to_owned(),
        })
    }

    fn start(&self, attributes: &Attributes) -> std::io::Result<Running> {
        let (shell, flag) = if cfg!(unix) {
            ("/bin/sh", "-c")
        } else {
            ("cmd", "/C")
        };
        let mut command = Command::new(shell);
        command
            .args([flag, &self.command])
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for (name, value) in variables(attributes) {
            // The one of an event before must not pass for this one's.
            command.env_remove(name);
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        // A group of its own: Ctrl-C is for this program, which lets the command finish.
        #[cfg(unix)]
        command.process_group(0);
        let child = command.spawn()?;
        Ok(Running(child))
    }

    async fn run(&self, attributes: &Attributes, envelope: &[u8]) -> Outcome {
        let mut running = match self.start(attributes) {
            Ok(running) => running,
            // No memory, no processes: the event is not to blame.
            Err(error) => {
                return Outcome::hindered(format!("the command could not be started: {error}"));
            }
        };
        let said = Arc::new(LastLine::default());
        let (stdin, stderr) = (running.0.stdin.take(), running.0.stderr.take());
        let pipes = async {
            let (_, ()) = tokio::join!(give(stdin, envelope), pass_on(stderr, &said));
        };
        let mut pipes = std::pin::pin!(pipes);
        let ended = async {
            let mut is_closed = false;
            loop {
                tokio::select! {
                    status = running.0.wait() => break (status, is_closed),
                    () = &mut pipes, if !is_closed => is_closed = true,
                }
            }
        };
        let ended = match self.timeout {
            None => Ok(ended.await),
            Some(limit) => timeout(limit, ended).await.map_err(|_| limit),
        };
        let (status, is_closed) = match ended {
            Ok((Ok(status), is_closed)) => (status, is_closed),
            Ok((Err(error), _)) => {
                return Outcome::hindered(format!("the command cannot be waited for: {error}"));
            }
            Err(limit) => {
                running.end().await;
                let limit = crate::durations::words(limit);
                return Outcome::failed(format!("the command had not ended after {limit}"));
            }
        };
        if !is_closed {
            let _ = timeout(LAST_WORDS, pipes).await;
        }
        outcome(status, said.text())
    }
}

impl Mode for Exec {
    fn hand_on<'a>(
        &'a self,
        attributes: &'a Attributes,
        event: &'a ReceivedEvent,
        _: &'a Turn,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let mut line = on_one_line(&event.envelope).into_owned();
            line.push(b'\n');
            self.run(attributes, &line).await
        })
    }
}

/// Variables for the command. What no variable can hold is left out.
fn variables(attributes: &Attributes) -> [(&'static str, Option<&str>); 4] {
    [
        ("CE_ID", Some(attributes.id.as_str())),
        ("CE_TYPE", Some(attributes.event_type.as_str())),
        ("CE_SOURCE", Some(attributes.source.as_str())),
        ("CE_SUBJECT", attributes.subject.as_deref()),
    ]
    .map(|(name, value)| (name, value.filter(|value| !value.contains('\0'))))
}

/// A command that may still run; when it is dropped, all that it started ends with it.
struct Running(Child);

impl Running {
    /// Asks it to end, and ends it.
    async fn end(&mut self) {
        self.signal(false);
        if timeout(GRACE, self.0.wait()).await.is_err() {
            self.signal(true);
            let _ = self.0.kill().await;
        }
    }

    #[cfg(unix)]
    fn signal(&self, ends: bool) {
        use rustix::process::{Pid, Signal, kill_process_group};
        // `None` once it was waited for: its number may be another's by then.
        let group = self.0.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = group.and_then(Pid::from_raw) {
            let signal = if ends { Signal::KILL } else { Signal::TERM };
            // It may have ended just now.
            let _ = kill_process_group(group, signal);
        }
    }

    #[cfg(not(unix))]
    fn signal(&self, _: bool) {}
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(true);
    }
}

/// Writes the envelope. A command need not read it.
async fn give(stdin: Option<ChildStdin>, envelope: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(envelope).await;
    }
}

/// Passes standard error on, line by line, and remembers the last line.
async fn pass_on(stderr: Option<ChildStderr>, said: &LastLine) {
    let Some(stderr) = stderr else { return };
    let mut lines = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut lines)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .await;
        if !read.is_ok_and(|read| read > 0) {
            return;
        }
        said.keep(&line);
        crate::output::pass_on(&line);
    }
}

/// The last line of standard error that has something on it.
#[derive(Default)]
struct LastLine(Mutex<Vec<u8>>);

impl LastLine {
    fn keep(&self, line: &[u8]) {
        let line = line.trim_ascii();
        if !line.is_empty() {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.clear();
            kept.extend_from_slice(line);
        }
    }

    fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

fn outcome(status: ExitStatus, said: String) -> Outcome {
    if status.success() {
        return Outcome::Done;
    }
    if status.code() == Some(NO_USE) {
        let reason = if said.is_empty() {
            format!("the command ended with {NO_USE}")
        } else {
            said
        };
        return Outcome::Rejected { reason };
    }
    let ended = match status.code() {
        Some(code) => format!("the command ended with {code}"),
        None => format!("the command was ended by {}", signal(status)),
    };
    let reason = if said.is_empty() {
        ended
    } else {
        format!("{ended}: {said}")
    };
    if status.code() == Some(NOT_NOW) {
        Outcome::hindered(reason)
    } else {
        Outcome::failed(reason)
    }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal().map_or_else(
        || "something".to_owned(),
        |signal| format!("signal {signal}"),
    )
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> String {
    "something".to_owned()
}
