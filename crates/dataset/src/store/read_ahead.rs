//! Reads the next events while those before them are written. To read one takes a quarter of the work.

use super::task::{self, Beside};
use super::version::Receipt;
use labelrelay_event::changes::Change;
use labelrelay_event::{Event, EventError};
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, scope};

/// Events that are handed over together. So many or fewer are read by whoever writes them.
const TOGETHER: usize = 32;

/// Bytes of bodies after which no more events are added to those: what was read of a body is larger than the body.
const BYTES: usize = 512 * 1024;

/// What was read of an event whose body is what the sender sent.
pub(super) struct Contents<'e> {
    pub(super) changes: Vec<Change<'e>>,
    /// What stands beside the thing that a delivery is about.
    pub(super) beside: Option<Beside<'e>>,
    pub(super) receipt: Receipt,
}

impl<'e> Contents<'e> {
    fn read(event: &'e Event<'e>) -> Result<Self, EventError> {
        event.verify()?;
        Ok(Self {
            changes: event.changes()?,
            beside: task::read_beside(event),
            receipt: Receipt::of(event),
        })
    }
}

/// Hands each event to `take`, in their order, with what was read of it. Ends with the first error of `take`.
pub(super) fn each<'e, E>(
    events: &'e [Event<'e>],
    mut take: impl FnMut(&'e Event<'e>, Result<Contents<'e>, EventError>) -> Result<(), E>,
) -> Result<(), E> {
    if events.len() <= TOGETHER {
        return events
            .iter()
            .try_for_each(|event| take(event, Contents::read(event)));
    }
    scope(|scope| {
        // One lot waits while another is read, so that what is in memory does not grow with the events.
        let (door, lots) = sync_channel(1);
        let reading = Builder::new()
            .name("dataset-reading".to_owned())
            .spawn_scoped(scope, move || {
                let mut left = events;
                while !left.is_empty() {
                    let (lot, rest) = left.split_at(lot_of(left));
                    left = rest;
                    let read: Vec<_> = lot
                        .iter()
                        .map(|event| (event, Contents::read(event)))
                        .collect();
                    if door.send(read).is_err() {
                        return; // whoever takes them has ended
                    }
                }
            });
        if reading.is_err() {
            // The system has no thread to give.
            return events
                .iter()
                .try_for_each(|event| take(event, Contents::read(event)));
        }
        lots.into_iter()
            .flatten()
            .try_for_each(|(event, read)| take(event, read))
    })
}

/// Events at the beginning that are handed over together: one at least.
fn lot_of(events: &[Event<'_>]) -> usize {
    let mut bytes = 0;
    let is_within = |event: &&Event<'_>| {
        let fits = bytes < BYTES;
        bytes += event.raw().map_or(0, <[u8]>::len);
        fits
    };
    events.iter().take(TOGETHER).take_while(is_within).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: usize, digest: &str) -> Vec<u8> {
        let body =
            format!(r#"{{"action":"TASKS_CREATED","tasks":[{{"id":{number},"data":{{}}}}]}}"#);
        let digest = match digest {
            "" => labelrelay_event::Digest::of(body.as_bytes()).to_hex(),
            other => other.to_owned(),
        };
        format!(
            r#"{{"specversion":"1.0","id":"{number}","source":"/ls","type":"io.labelstud.task.created","datasha256":"{digest}","receivedtime":"2026-11-21T09:47:12Z","data":{body}}}"#
        )
        .into_bytes()
    }

    /// Red if an event is lost between two lots, comes twice, or in another place; and if one that cannot be read keeps others
    /// from being read.
    #[test]
    fn events_come_in_their_order_however_many_there_are() {
        for count in [0, 1, TOGETHER, TOGETHER + 1, 10 * TOGETHER + 7] {
            let messages: Vec<_> = (0..count)
                .map(|it| message(it, if it % 10 == 3 { "00" } else { "" }))
                .collect();
            let events: Vec<_> = messages
                .iter()
                .map(|it| Event::parse(it).unwrap())
                .collect();
            let mut taken = Vec::new();
            each(&events, |event, read| {
                let number: usize = event.attributes().id.parse().unwrap();
                assert_eq!(read.is_err(), number % 10 == 3, "{number}");
                taken.push(number);
                Ok::<(), ()>(())
            })
            .unwrap();
            assert_eq!(taken, (0..count).collect::<Vec<_>>());
            // Whoever ends early waits for nothing.
            let mut left = 5;
            let ended = each(&events, |_, _| {
                left -= 1;
                if left == 0 { Err("enough") } else { Ok(()) }
            });
            assert_eq!(ended, if count < 5 { Ok(()) } else { Err("enough") });
        }
    }

    /// Red if large bodies are read together: each may be of 100 MB.
    #[test]
    fn a_lot_has_few_large_bodies() {
        let padded = |bytes: usize| {
            let mut message = message(1, "00");
            let end = message.len() - 2;
            let padding = format!(r#","x":"{}""#, "x".repeat(bytes));
            message.splice(end..end, padding.into_bytes());
            message
        };
        let (small, large) = (padded(10), padded(BYTES));
        let events = |messages: &[&[u8]]| -> usize {
            let read: Vec<_> = messages
                .iter()
                .map(|it| Event::parse(it).unwrap())
                .collect();
            lot_of(&read)
        };
        assert_eq!(events(&[&large, &large, &small]), 1);
        assert_eq!(events(&[&small, &large, &small]), 2);
        assert_eq!(events(&vec![&*small; TOGETHER + 5]), TOGETHER);
    }
}
