//! `--json`: one envelope a line on stdout. An event is acknowledged once its line was written.

use super::mode::{Broken, Mode, Problem};
use crate::output::print_json_pieces;
use bytes::Bytes;
use labelrelay_archive::on_one_line;
use labelrelay_consumer::{Outcome, Slots};
use labelrelay_core::{BoxFuture, ReceivedEvent};
use labelrelay_event::Attributes;
use std::borrow::Cow;
use std::io;
use std::sync::mpsc;
use tokio::sync::{oneshot, watch};

/// Lines under way at the same time: a reader that is slow keeps no more from other consumers.
pub(super) const LINES: usize = 100;

struct Line {
    bytes: Bytes,
    written: oneshot::Sender<()>,
}

/// Lines, which a thread of its own writes: a reader that is slow keeps no event from being extended.
pub(super) struct Lines(mpsc::Sender<Line>);

impl Lines {
    pub(super) fn start() -> io::Result<(Self, Broken)> {
        let (sender, lines) = mpsc::channel();
        let (report, broken) = watch::channel(None);
        std::thread::Builder::new()
            .name("lines".to_owned())
            .spawn(move || write(&lines, &report))?;
        Ok((Self(sender), broken))
    }

    /// Lets the thread write a line, and waits until it did. Without a writer, others can have the event at once.
    async fn write(&self, bytes: Bytes) -> Outcome {
        let (written, answer) = oneshot::channel();
        // A line that was not sent goes here, and with it the sender of its answer.
        if self.0.send(Line { bytes, written }).is_err() {
            return Outcome::NotBegun;
        }
        match answer.await {
            Ok(()) => Outcome::Done,
            Err(_) => Outcome::NotBegun,
        }
    }
}

/// Writes until that fails, or nobody has anything to write.
fn write(lines: &mpsc::Receiver<Line>, broken: &watch::Sender<Option<Problem>>) {
    for line in lines {
        match print_json_pieces(&[&line.bytes]) {
            Ok(()) => {
                // If nobody waits for it any more, the event comes again.
                let _ = line.written.send(());
            }
            Err(error) => {
                broken.send_replace(Some(Problem::Output(error)));
                return;
            }
        }
    }
}

impl Mode for Lines {
    fn hand_on<'a>(
        &'a self,
        _: &'a Attributes,
        event: &'a ReceivedEvent,
        _: &'a Slots,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(self.write(line(&event.envelope)))
    }
}

/// The envelope as a line, and no copy of it where it is one.
fn line(envelope: &Bytes) -> Bytes {
    match on_one_line(envelope) {
        Cow::Borrowed(_) => envelope.clone(),
        Cow::Owned(line) => line.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hangs if the line that could not be sent is kept while its answer is waited for.
    #[tokio::test]
    async fn without_a_writer_others_have_the_event_at_once() {
        let (sender, lines) = mpsc::channel();
        drop(lines);
        let outcome = Lines(sender).write(Bytes::from_static(b"{}")).await;
        assert_eq!(outcome, Outcome::NotBegun);
    }
}
