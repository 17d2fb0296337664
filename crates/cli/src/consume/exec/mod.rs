//! `--exec`: a command for each event, which gets the envelope on its standard input.

mod last_line;
mod running;

use super::mode::Mode;
use crate::env::Env;
use crate::error::CliError;
use labelrelay_consumer::{Outcome, Slots};
use labelrelay_core::{BoxFuture, ReceivedEvent};
use labelrelay_event::Attributes;
use last_line::LastLine;
use running::Running;
use std::path::PathBuf;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{ChildStdin, Command};
use tokio::time::timeout;

/// `EX_DATAERR` and `EX_TEMPFAIL` of sysexits.h.
const NO_USE: i32 = 65;
const NOT_NOW: i32 = 75;

/// Codes with which a shell says that it could not run a program, or found none: no event is to blame for that.
const NO_PROGRAM: [i32; 2] = [126, 127];

/// Longest value of a variable, in bytes. Linux takes 128 KiB with the name, Windows 32 KiB; a longer one would keep the
/// command from being started.
const LONGEST_VARIABLE: usize = 32 * 1024 - 64;

/// Processes that the command started may hold its outputs open; its last words are waited for this long.
const LAST_WORDS: Duration = Duration::from_millis(500);

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
            .stderr(Stdio::piped());
        for (name, value) in variables(attributes) {
            // The one of an event before must not pass for this one's.
            command.env_remove(name);
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        Running::start(&mut command)
    }

    async fn run(&self, attributes: &Attributes, envelope: &[u8]) -> Outcome {
        let mut running = match self.start(attributes) {
            Ok(running) => running,
            // No memory, no processes: the event is not to blame.
            Err(error) => {
                return Outcome::hindered(format!("the command could not be started: {error}"));
            }
        };
        let said = LastLine::default();
        let (stdin, stderr) = (running.child.stdin.take(), running.child.stderr.take());
        let mut reading = pin!(said.pass_on(stderr));
        let mut is_read = false;
        let ended = async {
            // Dropped with this: a command whose time is over may wait for the end of its input.
            let mut giving = pin!(give(stdin, envelope));
            let mut is_given = false;
            loop {
                tokio::select! {
                    status = running.wait() => break status,
                    () = &mut giving, if !is_given => is_given = true,
                    () = &mut reading, if !is_read => is_read = true,
                }
            }
        };
        let ended = match self.timeout {
            None => Ok(ended.await),
            Some(limit) => timeout(limit, ended).await.map_err(|_| limit),
        };
        if ended.is_err() {
            // Somebody reads meanwhile: a command that says much at its end would wait for that.
            let mut ending = pin!(running.end());
            loop {
                tokio::select! {
                    () = &mut ending => break,
                    () = &mut reading, if !is_read => is_read = true,
                }
            }
        }
        if !is_read {
            let _ = timeout(LAST_WORDS, reading).await;
        }
        let status = match ended {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => {
                return Outcome::hindered(format!("the command cannot be waited for: {error}"));
            }
            Err(limit) => {
                let limit = crate::durations::words(limit);
                let late = format!("the command had not ended after {limit}");
                return Outcome::failed(said.after(late));
            }
        };
        outcome(status, &said)
    }
}

impl Mode for Exec {
    fn hand_on<'a>(
        &'a self,
        attributes: &'a Attributes,
        event: &'a ReceivedEvent,
        _: &'a Slots,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(self.run(attributes, &event.envelope))
    }
}

/// Variables for the command. What no variable can hold is left out.
fn variables(attributes: &Attributes) -> [(&'static str, Option<&str>); 6] {
    [
        ("CE_ID", Some(attributes.id.as_str())),
        ("CE_TYPE", Some(attributes.event_type.as_str())),
        ("CE_SOURCE", Some(attributes.source.as_str())),
        ("CE_SUBJECT", attributes.subject.as_deref()),
        // As OpenTelemetry hands a trace to a process.
        ("TRACEPARENT", attributes.traceparent.as_deref()),
        ("TRACESTATE", attributes.tracestate.as_deref()),
    ]
    .map(|(name, value)| (name, value.filter(|value| can_hold(value))))
}

fn can_hold(value: &str) -> bool {
    value.len() <= LONGEST_VARIABLE && !value.contains('\0')
}

/// Writes the envelope as it was queued, and a line break: some read lines only. A command need not read it.
async fn give(stdin: Option<ChildStdin>, envelope: &[u8]) {
    if let Some(mut stdin) = stdin
        && stdin.write_all(envelope).await.is_ok()
    {
        let _ = stdin.write_all(b"\n").await;
    }
}

fn outcome(status: ExitStatus, said: &LastLine) -> Outcome {
    if status.success() {
        return Outcome::Done;
    }
    let ended = match status.code() {
        Some(code) => format!("the command ended with {code}"),
        None => format!("the command was ended by {}", signal(status)),
    };
    match status.code() {
        Some(NO_USE) => {
            let reason = Some(said.text()).filter(|said| !said.is_empty());
            Outcome::Rejected {
                reason: reason.unwrap_or(ended),
            }
        }
        Some(code) if code == NOT_NOW || NO_PROGRAM.contains(&code) => {
            Outcome::hindered(said.after(ended))
        }
        _ => Outcome::failed(said.after(ended)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_no_variable_holds_is_left_out() {
        let mut attributes = Attributes::default();
        attributes.id = "1".to_owned();
        attributes.source = "/a\0b".to_owned();
        attributes.subject = Some("x".repeat(200_000));
        attributes.traceparent = Some("00-1-2-01".to_owned());
        let values = variables(&attributes).map(|(_, value)| value);
        assert_eq!(
            values,
            [Some("1"), Some(""), None, None, Some("00-1-2-01"), None]
        );
    }
}
