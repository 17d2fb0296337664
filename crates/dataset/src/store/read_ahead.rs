//! Reads the next events while those before them are written. To read one takes a third of the work.

use super::task::{self, Beside};
use super::version::Receipt;
use labelrelay_event::changes::Change;
use labelrelay_event::{Event, EventError};
use std::sync::mpsc::{channel, sync_channel};
use std::thread::{Builder, scope};

/// Events that are handed over together. So many or fewer are read by whoever writes them.
const TOGETHER: usize = 32;

/// Bytes of bodies after which no more events are added to those: what was read of a body is larger than the body.
const BYTES: usize = 512 * 1024;

/// An event whose body is what the sender sent, and what was read of it.
pub(super) struct ReadEvent<'e> {
    pub(super) event: Event<'e>,
    pub(super) changes: Vec<Change<'e>>,
    /// What stands beside the thing that a delivery is about.
    pub(super) beside: Option<Beside<'e>>,
    pub(super) receipt: Receipt,
}

impl<'e> ReadEvent<'e> {
    fn of(event: Event<'e>) -> Result<Self, EventError> {
        event.verify()?;
        Ok(Self {
            changes: event.changes()?,
            beside: task::read_beside(&event),
            receipt: Receipt::of(&event),
            event,
        })
    }
}

/// What was read of an event, or why it cannot be read.
type MaybeRead<'e> = Result<ReadEvent<'e>, EventError>;

/// Hands what was read of each event to `take`, in their order. Ends with the first error of `take`.
pub(super) fn each<'e, E>(
    mut events: impl ExactSizeIterator<Item = Result<Event<'e>, EventError>> + Send,
    mut take: impl FnMut(&MaybeRead<'e>) -> Result<(), E>,
) -> Result<(), E> {
    if events.len() > TOGETHER {
        let taken = scope(|scope| {
            // One lot waits while another is read, so that what is in memory does not grow with the events.
            let (door, lots) = sync_channel::<Vec<MaybeRead<'e>>>(1);
            // Who asked for memory gives it back: from another thread that takes longer, and both wait for each other.
            let (done, used) = channel();
            let reading = Builder::new()
                .name("dataset-reading".to_owned())
                .spawn_scoped(scope, || {
                    let (door, used) = (door, used);
                    while let Some(lot) = next_lot(&mut events) {
                        if door.send(lot).is_err() {
                            return; // whoever takes them has ended
                        }
                        used.try_iter().for_each(drop);
                    }
                });
            // The system may have no thread to give.
            reading.ok()?;
            Some(lots.into_iter().try_for_each(|lot| {
                lot.iter().try_for_each(&mut take)?;
                let _ = done.send(lot); // the reading may have ended
                Ok(())
            }))
        });
        if let Some(taken) = taken {
            return taken;
        }
    }
    events.try_for_each(|event| take(&event.and_then(ReadEvent::of)))
}

/// The next events that are handed over together; `None` if there is none.
fn next_lot<'e>(
    events: &mut impl Iterator<Item = Result<Event<'e>, EventError>>,
) -> Option<Vec<MaybeRead<'e>>> {
    let mut lot = Vec::with_capacity(TOGETHER);
    let mut bytes = 0;
    while lot.len() < TOGETHER && bytes < BYTES {
        let Some(event) = events.next() else { break };
        if let Ok(event) = &event {
            bytes += event.raw().map_or(0, <[u8]>::len);
        }
        lot.push(event.and_then(ReadEvent::of));
    }
    (!lot.is_empty()).then_some(lot)
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
            let events = || messages.iter().map(|it| Event::parse(it));
            let mut taken = Vec::new();
            each(events(), |read| {
                let (id, is_read) = match read {
                    Ok(read) => (&*read.event.attributes().id, true),
                    Err(error) => (error.event_id().unwrap(), false),
                };
                let number: usize = id.parse().unwrap();
                assert_eq!(is_read, number % 10 != 3, "{number}");
                taken.push(number);
                Ok::<(), ()>(())
            })
            .unwrap();
            assert_eq!(taken, (0..count).collect::<Vec<_>>());
            // Whoever ends early waits for nothing.
            let mut left = 5;
            let ended = each(events(), |_| {
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
        let lots = |messages: &[&[u8]]| -> Vec<usize> {
            let mut events = messages.iter().map(|it| Event::parse(it));
            std::iter::from_fn(|| next_lot(&mut events))
                .map(|lot| lot.len())
                .collect()
        };
        assert_eq!(lots(&[&large, &large, &small]), [1, 1, 1]);
        assert_eq!(lots(&[&small, &large, &small]), [2, 1]);
        assert_eq!(lots(&vec![&*small; TOGETHER + 5]), [TOGETHER, 5]);
    }
}
