//! Lines of stdin and signals, in the order in which they come. A thread of its own reads the lines, so that a receive
//! that waits hears of the next one.

use crate::error::CliError;
use crate::runtime;
use crate::serve::Signals;
use std::io::{BufRead, Read as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Bytes of a request. A thousand receipts are 60,000.
const MAX_LINE: u64 = 1024 * 1024;

/// Lines that are read before their turn; more wait in the pipe.
const AHEAD: usize = 16;

pub(super) enum Input {
    Line(Vec<u8>),
    /// A line of more than [`MAX_LINE`], passed over.
    TooLong,
    /// Stdin ended, or cannot be read.
    End,
    /// A signal to end.
    Stop,
}

pub(super) struct Inputs(Receiver<Input>);

/// Gives `send` what comes from now on, until that returns `false`.
fn listen(send: impl Fn(Input) -> bool + Clone + Send + 'static) -> Result<(), CliError> {
    let runtime = runtime::small()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals::new()?
    };
    let of_signals = send.clone();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            loop {
                runtime.block_on(signals.next());
                // Out of the runtime, where one may wait for room.
                if !of_signals(Input::Stop) {
                    return;
                }
            }
        })?;
    std::thread::Builder::new()
        .name("requests".to_owned())
        .spawn(move || read_all(std::io::stdin().lock(), send))?;
    Ok(())
}

/// The same inputs, for whoever waits for other things besides.
pub(super) fn start_async() -> Result<tokio::sync::mpsc::Receiver<Input>, CliError> {
    let (sender, inputs) = tokio::sync::mpsc::channel(AHEAD);
    listen(move |input| sender.blocking_send(input).is_ok())?;
    Ok(inputs)
}

impl Inputs {
    /// Reads from now on.
    pub(super) fn start() -> Result<Self, CliError> {
        let (sender, inputs) = sync_channel(AHEAD);
        listen(move |input| sender.send(input).is_ok())?;
        Ok(Self(inputs))
    }

    /// The next one, whenever it comes.
    pub(super) fn next(&self) -> Input {
        self.0.recv().unwrap_or(Input::End)
    }

    /// The next one, if it comes within `time`.
    pub(super) fn within(&self, time: Duration) -> Option<Input> {
        match self.0.recv_timeout(time) {
            Ok(input) => Some(input),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Input::End),
        }
    }
}

/// Words for a line that was passed over.
pub(super) fn too_long() -> String {
    format!("no request: the line has more than {MAX_LINE} bytes")
}

fn read_all(mut from: impl BufRead, send: impl Fn(Input) -> bool) {
    loop {
        let input = read_one(&mut from);
        let is_end = matches!(input, Input::End);
        if !send(input) || is_end {
            return;
        }
    }
}

fn read_one(from: &mut impl BufRead) -> Input {
    loop {
        let mut line = Vec::new();
        match from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return Input::End,
            Ok(_) if line.ends_with(b"\n") => {}
            // The last line may have no end. The limit may also have been in its way.
            Ok(read) if (read as u64) < MAX_LINE => {}
            Ok(_) => {
                return match skip_line(from) {
                    Ok(()) => Input::TooLong,
                    Err(_) => Input::End,
                };
            }
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            return Input::Line(text.to_vec());
        }
    }
}

fn skip_line(from: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = from.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let passed = end.map_or(buffer.len(), |end| end + 1);
        from.consume(passed);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_an_end_costs_no_memory_and_the_next_one_is_read() {
        let mut all = vec![b'x'; 3 * 1024 * 1024];
        all.extend_from_slice(b"\n\n {} \r\nlast");
        let mut from = all.as_slice();
        assert!(matches!(read_one(&mut from), Input::TooLong));
        assert!(matches!(read_one(&mut from), Input::Line(line) if line == b"{}"));
        assert!(matches!(read_one(&mut from), Input::Line(line) if line == b"last"));
        assert!(matches!(read_one(&mut from), Input::End));
    }
}
