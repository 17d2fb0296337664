//! What somebody does on the page with an event of the embedded queue: as `events retry` and `events replay` do it.

use crate::claimed_data::has_its_data;
use crate::damaged_event::damaged_event;
use labelrelay_core::replay::as_replay;
use labelrelay_core::{Clock, QueueLimits, chain};
use labelrelay_event::Envelope;
use labelrelay_local::{FileError, Options, QueueFile, State, StoredEvent, envelope_damage};
use labelrelay_page::{Acted, Action, DataError};

/// After this number no event is looked at: one that is sent again is held against none.
const END: u64 = i64::MAX.cast_unsigned();

/// What can be done with an event.
pub(super) fn possible(stored: &StoredEvent) -> Vec<Action> {
    let is_dead = stored.event.state == State::Dead;
    let retry = is_dead.then_some(Action::Retry);
    retry.into_iter().chain([Action::Replay]).collect()
}

/// Does it. The log says so: who looks for where an event came from finds it there.
pub(super) fn act(
    file: &QueueFile,
    stored: &StoredEvent,
    action: Action,
    clock: &dyn Clock,
) -> Result<Acted, DataError> {
    let acted = match action {
        Action::Retry => retry(file, stored.event.seq),
        Action::Replay => replay(file, stored, clock),
    };
    let acted = acted.map_err(|error| DataError(chain(&error)))?;
    if let Acted::Done(_) = acted {
        let (seq, id) = (stored.event.seq, &*stored.event.id);
        tracing::info!(name: "done_on_page", action = action.as_str(), seq, id, "somebody did this on the page");
    }
    Ok(acted)
}

fn retry(file: &QueueFile, seq: u64) -> Result<Acted, FileError> {
    Ok(if file.requeue_dead(Some(&[seq]))? == 0 {
        Acted::Refused(format!("event {seq} is no dead letter, or no longer one"))
    } else {
        Acted::Done(format!(
            "event {seq} is ready again, as if it had never been received"
        ))
    })
}

fn replay(file: &QueueFile, stored: &StoredEvent, clock: &dyn Clock) -> Result<Acted, FileError> {
    let seq = stored.event.seq;
    if let Some(reason) = envelope_damage(&stored.envelope) {
        return Ok(Acted::Refused(damaged_event(seq, &reason)));
    }
    let limits = QueueLimits::bytes(Options::default().max_message_bytes);
    let message = Envelope::decode(&stored.envelope)
        .map_err(|error| error.to_string())
        .and_then(|envelope| has_its_data(&envelope))
        .and_then(|()| {
            as_replay(&stored.envelope, clock.now(), limits).map_err(|error| error.to_string())
        });
    let message = match message {
        Ok(message) => message,
        Err(reason) => {
            return Ok(Acted::Refused(format!(
                "event {seq} cannot be sent again: {reason}"
            )));
        }
    };
    file.append(&[message], END)?;
    Ok(Acted::Done(format!(
        "event {seq} is on the queue once more, with the same id and with `replayedtime`"
    )))
}
