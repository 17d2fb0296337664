//! `--json`: one envelope a line on stdout. An event is acknowledged once its line was written.

use super::mode::Mode;
use crate::envelope_line::on_one_line;
use crate::output::print_json_pieces;
use labelrelay_consumer::{Outcome, Turn};
use labelrelay_core::{BoxFuture, ReceivedEvent};
use labelrelay_event::Attributes;
use std::io;
use std::sync::mpsc;
use tokio::sync::{oneshot, watch};

/// Lines under way at the same time: a reader that is slow keeps no more from other consumers.
pub(super) const LINES: usize = 100;

struct Line {
    bytes: Vec<u8>,
    written: oneshot::Sender<()>,
}

/// Lines, which a thread of its own writes: a reader that is slow keeps no event from being extended.
pub(super) struct Lines(mpsc::Sender<Line>);

/// Why nothing more can be written; `None` as long as it can.
pub(super) type Broken = watch::Receiver<Option<io::Error>>;

impl Lines {
    pub(super) fn start() -> io::Result<(Self, Broken)> {
        let (sender, lines) = mpsc::channel();
        let (report, broken) = watch::channel(None);
        std::thread::Builder::new()
            .name("lines".to_owned())
            .spawn(move || write(&lines, &report))?;
        Ok((Self(sender), broken))
    }
}

/// Writes until that fails, or nobody has anything to write.
fn write(lines: &mpsc::Receiver<Line>, broken: &watch::Sender<Option<io::Error>>) {
    for line in lines {
        match print_json_pieces(&[&line.bytes]) {
            Ok(()) => {
                // If nobody waits for it any more, the event comes again.
                let _ = line.written.send(());
            }
            Err(error) => {
                broken.send_replace(Some(error));
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
        _: &'a Turn,
    ) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let (written, answer) = oneshot::channel();
            let line = Line {
                bytes: on_one_line(&event.envelope).into_owned(),
                written,
            };
            // Without a writer both fail, and others can have the event at once.
            match (self.0.send(line), answer.await) {
                (Ok(()), Ok(())) => Outcome::Done,
                _ => Outcome::NotBegun,
            }
        })
    }
}
