//! Takes the events of an archive into a dataset.

use crate::env::Env;
use crate::error::CliError;
use crate::from_archive::FromArchive;
use crate::output::say;
use labelrelay_dataset::{Store, Unreadable};
use labelrelay_event::{ErrorKind, Event, EventError};
use labelrelay_local::Filter;

/// Events of one transaction, and their bytes, about.
const PAGE_EVENTS: usize = 500;
const PAGE_BYTES: usize = 16 * 1024 * 1024;

/// What became of them.
#[derive(Default)]
struct Taken {
    claimed: u64,
    unreadable: u64,
}

/// Takes in all that the archive at `url` has, and says what it could not take. Their order does not matter: what is older
/// than what is known changes nothing. `true` if that was everything.
pub(super) fn take_in(url: &str, store: &mut Store, env: &Env<'_>) -> Result<bool, CliError> {
    let from = FromArchive::open(url, Filter::default(), env)?;
    store.set_queue(from.url());
    let mut taken = Taken::default();
    let (mut page, mut bytes) = (Vec::new(), 0);
    let troubles = from.each(|event| {
        bytes += event.envelope.len();
        page.push((event.attributes.id.clone(), event.envelope.to_vec()));
        if page.len() >= PAGE_EVENTS || bytes >= PAGE_BYTES {
            taken.fold(store, &page)?;
            page.clear();
            bytes = 0;
        }
        Ok(true)
    })?;
    taken.fold(store, &page)?;
    from.tell_gaps()?;
    let Taken {
        claimed,
        unreadable,
    } = taken;
    if claimed > 0 {
        // A query may be a signature.
        let url = url.split('?').next().unwrap_or(url);
        say(format_args!(
            "{claimed} events have their data in the blob store, and were not taken in: send them into a queue with `labelrelay events replay --claimed --from {url} --to QUEUE`, and take that in with `labelrelay dataset sync`"
        ));
    }
    if unreadable > 0 {
        say(format_args!(
            "{unreadable} events could not be read, and are noted in the dataset"
        ));
    }
    Ok(troubles + claimed == 0)
}

impl Taken {
    /// Takes events in, which are named by their ids.
    fn fold(&mut self, store: &mut Store, page: &[(String, Vec<u8>)]) -> Result<(), CliError> {
        let events = page.iter().map(|(_, envelope)| Event::parse(envelope));
        let verdicts = store.fold(events)?;
        let mut failed: Vec<(&str, &EventError)> = Vec::new();
        for ((id, _), verdict) in page.iter().zip(&verdicts) {
            match verdict.as_ref().map_err(Unreadable::cause) {
                Ok(()) => {}
                Err(cause) if cause.kind() == ErrorKind::BodyClaimed => self.claimed += 1,
                Err(cause) => failed.push((id, cause)),
            }
        }
        if failed.is_empty() {
            return Ok(());
        }
        self.unreadable += failed.len() as u64;
        let noted: Vec<_> = failed
            .iter()
            .map(|(id, error)| (*id, error.reason()))
            .collect();
        Ok(store.note_unreadable(&noted)?)
    }
}
