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
