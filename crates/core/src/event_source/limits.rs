//! Limits that a source keeps itself, because its queue does not: of the times that an event is received, and of the time
//! for which it is hidden.

use super::{EventSource, EventSourceError, ReceivedEvent, Settled};
use std::time::Duration;

/// Longest time for which an event is hidden by a queue that has no limit of its own: a year, and a day more.
pub const LONGEST_VISIBILITY: Duration = Duration::from_secs(366 * 86_400);

/// Refuses a time for which the queue `resource` hides no event, because it is longer than `longest`: the event would be
/// others' while it is worked on. `longest` is told in whole days.
///
/// # Errors
/// [`EventSourceError`] with the longest time as its cure.
///
/// ```
/// use labelrelay_core::event_source::{LONGEST_VISIBILITY, check_visibility};
/// use std::time::Duration;
///
/// assert!(check_visibility("queue", Duration::from_secs(60), LONGEST_VISIBILITY).is_ok());
/// let error = check_visibility("queue", Duration::from_secs(1 << 40), LONGEST_VISIBILITY);
/// assert!(error.unwrap_err().cure.contains("366 days"));
/// ```
pub fn check_visibility(
    resource: &str,
    time: Duration,
    longest: Duration,
) -> Result<(), EventSourceError> {
    if time <= longest {
        return Ok(());
    }
    let problem = format!("it hides no event for {} seconds", time.as_secs());
    let days = longest.as_secs() / 86_400;
    let cure = format!("ask for {days} days at most");
    Err(EventSourceError::new(resource, problem, cure))
}

/// What became of an event that was received too often, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Burial {
    /// The queue's own name of the event.
    pub place: String,
    /// Receives without an acknowledgement.
    pub times: u32,
    /// [`Settled::Done`] if it is a dead letter. [`Settled::Stale`] if others have it again: they will see the same. After
    /// an error it comes again.
    pub outcome: Result<Settled, EventSourceError>,
}

/// Makes dead letters of what was received more than `max_receives` times, one after the other, and returns the other
/// events. `tell` hears of each at once: a source logs it, and whoever waits for the others may give up.
pub async fn bury_too_often(
    source: &dyn EventSource,
    max_receives: Option<u32>,
    events: Vec<ReceivedEvent>,
    tell: &(dyn Fn(&Burial) + Send + Sync),
) -> Vec<ReceivedEvent> {
    let (too_often, sound) = split_too_often(events, max_receives);
    for event in too_often {
        tell(&bury(source, event).await);
    }
    sound
}

/// Events that were received more than `max_receives` times, and the others. Without a limit, and where the queue does not
/// count, none was.
pub fn split_too_often(
    events: Vec<ReceivedEvent>,
    max_receives: Option<u32>,
) -> (Vec<ReceivedEvent>, Vec<ReceivedEvent>) {
    let is_too_often = |event: &ReceivedEvent| {
        let received = event.receive_count.unwrap_or(0);
        max_receives.is_some_and(|most| received > most)
    };
    events.into_iter().partition(is_too_often)
}

/// Makes a dead letter of an event that was received too often. If that fails, it is received again.
pub async fn bury(source: &dyn EventSource, mut event: ReceivedEvent) -> Burial {
    // The last receive is this one, which no consumer saw.
    let times = event.receive_count.unwrap_or(0).saturating_sub(1);
    let reason = format!("received {times} times and never acknowledged");
    let outcome = source.reject(&mut event, &reason).await;
    Burial {
        place: event.place,
        times,
        outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Extended;
    use super::*;
    use crate::BoxFuture;
    use futures_executor::block_on;
    use std::future::ready;
    use std::sync::Mutex;

    type Answer<'a, T> = BoxFuture<'a, Result<T, EventSourceError>>;

    /// A source of which nothing but a rejection is asked. The event `lost` is others' meanwhile, and `kept` cannot be a dead
    /// letter.
    #[derive(Default)]
    struct Rejecting(Mutex<Vec<String>>);

    impl EventSource for Rejecting {
        fn receive(&self, _: usize, _: Duration, _: Duration) -> Answer<'_, Vec<ReceivedEvent>> {
            unreachable!("nothing is received")
        }

        fn ack<'a>(&'a self, _: &'a [&'a str]) -> Answer<'a, Vec<Settled>> {
            unreachable!("nothing is acknowledged")
        }

        fn retry<'a>(&'a self, _: &'a [&'a str], _: Duration) -> Answer<'a, Vec<Settled>> {
            unreachable!("nothing is given back")
        }

        fn extend<'a>(&'a self, _: &'a str, _: Duration) -> Answer<'a, Extended> {
            unreachable!("nothing is kept")
        }

        fn reject<'a>(
            &'a self,
            event: &'a mut ReceivedEvent,
            reason: &'a str,
        ) -> Answer<'a, Settled> {
            let rejected = format!("{}: {reason}", event.place);
            self.0.lock().unwrap().push(rejected);
            Box::pin(ready(match &*event.place {
                "lost" => Ok(Settled::Stale),
                "kept" => Err(EventSourceError::new("queue", "is full", "make room")),
                _ => Ok(Settled::Done),
            }))
        }
    }

    fn received() -> Vec<ReceivedEvent> {
        let event = |place: &str| ReceivedEvent::new("{}", "receipt", place);
        vec![
            event("buried").received(4),
            event("uncounted"),
            event("lost").received(9),
            event("the last time").received(3),
            event("kept").received(4),
        ]
    }

    #[test]
    fn what_was_received_too_often_is_rejected_once_and_told_and_nothing_else_is_touched() {
        let source = Rejecting::default();
        let told = Mutex::new(Vec::new());
        let tell = |burial: &Burial| {
            let outcome = burial.outcome.clone().map_err(|error| error.problem);
            let told_of = (burial.place.clone(), burial.times, outcome);
            told.lock().unwrap().push(told_of);
        };
        let sound = block_on(bury_too_often(&source, Some(3), received(), &tell));
        let places = |events: &[ReceivedEvent]| -> Vec<String> {
            events.iter().map(|event| event.place.clone()).collect()
        };
        assert_eq!(places(&sound), ["uncounted", "the last time"]);
        assert_eq!(
            *source.0.lock().unwrap(),
            [
                "buried: received 3 times and never acknowledged",
                "lost: received 8 times and never acknowledged",
                "kept: received 3 times and never acknowledged",
            ]
        );
        assert_eq!(
            *told.lock().unwrap(),
            [
                ("buried".to_owned(), 3, Ok(Settled::Done)),
                ("lost".to_owned(), 8, Ok(Settled::Stale)),
                ("kept".to_owned(), 3, Err("is full".to_owned())),
            ]
        );

        let source = Rejecting::default();
        let all = block_on(bury_too_often(&source, None, received(), &|_: &Burial| {
            unreachable!("nothing is buried")
        }));
        assert_eq!(places(&all), places(&received()));
        assert!(source.0.lock().unwrap().is_empty());
    }
}
