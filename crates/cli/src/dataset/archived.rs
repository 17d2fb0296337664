//! Takes the events of an archive into a dataset.

use crate::env::Env;
use crate::error::CliError;
use crate::from_archive::FromArchive;
use crate::output::say;
use labelrelay_dataset::Store;
use labelrelay_event::Event;
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
    let mut taken = Taken::default();
    let (mut page, mut bytes) = (Vec::new(), 0);
    let troubles = from.each(|event| {
        bytes += event.envelope.len();
        page.push(event.envelope.to_vec());
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
    fn fold(&mut self, store: &mut Store, page: &[Vec<u8>]) -> Result<(), CliError> {
        let (mut events, mut failed) = (Vec::with_capacity(page.len()), Vec::new());
        for envelope in page {
            match Event::parse(envelope) {
                Ok(event) if event.is_claimed() => self.claimed += 1,
                Ok(event) => events.push(event),
                Err(error) => failed.push(error),
            }
        }
        if !events.is_empty() {
            let verdicts = store.fold(&events)?;
            let causes = verdicts.into_iter().filter_map(Result::err);
            failed.extend(causes.map(|cause| cause.cause().clone()));
        }
        if failed.is_empty() {
            return Ok(());
        }
        self.unreadable += failed.len() as u64;
        let noted: Vec<_> = failed
            .iter()
            .map(|error| (error.event_id().unwrap_or("archived"), error.reason()))
            .collect();
        Ok(store.note_unreadable(&noted)?)
    }
}
