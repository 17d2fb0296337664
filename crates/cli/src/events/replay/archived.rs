//! Sends events of an archive again.

use super::progress::Progress;
use super::selection::{PAGE_BYTES, PAGE_EVENTS};
use super::target::{Outgoing, Target};
use super::{Args, configured};
use crate::claimed_data::has_its_data;
use crate::env::Env;
use crate::error::CliError;
use crate::events::archived::print_one;
use crate::from_archive::FromArchive;
use crate::output::{one_line, say};
use crate::queue_file::QueueArgs;
use labelrelay_archive::ArchivedEvent;
use labelrelay_event::{Data, Envelope};
use labelrelay_local::envelope_damage;
use std::collections::HashSet;

pub(super) fn run(
    args: &Args,
    url: &str,
    queue_args: &QueueArgs,
    env: &Env<'_>,
) -> Result<(), CliError> {
    let from = FromArchive::open(url, args.which.archived()?, env)?;
    // An event that was sent again before is there more than once.
    let mut seen = HashSet::new();
    let mut chosen = |event: &ArchivedEvent<'_>| {
        let takes = takes(event, args.claimed)?;
        Ok::<_, String>(takes && seen.insert(event.attributes.id.clone()))
    };
    if args.dry_run {
        let mut count = 0_u64;
        let troubles = from.each(|event| {
            match chosen(event) {
                Ok(false) => {}
                Ok(true) => {
                    print_one(event, args.json)?;
                    count += 1;
                }
                Err(reason) => {
                    let (id, reason) = (one_line(&event.attributes.id), one_line(&reason));
                    say(format_args!("could not be sent: {id}: {reason}"));
                }
            }
            Ok(true)
        })?;
        say(format_args!("{count} would be sent again"));
        return readable(troubles);
    }
    let config = configured(args, queue_args, env)?;
    let queue = match &args.to {
        Some(_) => None,
        None => Some(queue_args.open(env)?),
    };
    let runtime = crate::runtime::small()?;
    let target = Target::open(args.to.as_deref(), queue.as_ref(), config.as_ref(), env);
    let target = runtime.block_on(target)?;
    let mut progress = Progress::begin(args.shows_progress());
    let (mut page, mut bytes) = (Vec::new(), 0_u64);
    let troubles = from.each(|event| {
        match chosen(event) {
            Ok(false) => return Ok(true),
            Ok(true) => {}
            Err(reason) => {
                progress.refuse(vec![format!("{}: {reason}", event.attributes.id)]);
                return Ok(true);
            }
        }
        bytes += event.envelope.len() as u64;
        page.push(Outgoing {
            id: event.attributes.id.clone(),
            envelope: event.envelope.to_vec(),
        });
        if page.len() < PAGE_EVENTS && bytes < PAGE_BYTES {
            return Ok(true);
        }
        bytes = 0;
        let page = std::mem::take(&mut page);
        Ok(progress.sent(runtime.block_on(target.send(page))))
    })?;
    if !progress.is_broken() {
        progress.sent(runtime.block_on(target.send(page)));
    }
    if progress.is_empty() && !args.json {
        say(format_args!(
            "the archive has no event that passes the filter"
        ));
    }
    progress.end(args.json)?;
    readable(troubles)
}

/// Tells whether the event is asked for; or why it cannot be sent.
fn takes(event: &ArchivedEvent<'_>, claimed: bool) -> Result<bool, String> {
    let envelope = Envelope::decode(event.envelope).map_err(|error| error.to_string())?;
    if claimed && envelope.data != Data::Reference {
        return Ok(false);
    }
    if let Some(reason) = envelope_damage(event.envelope) {
        return Err(reason);
    }
    has_its_data(&envelope).map(|()| true)
}

fn readable(troubles: u64) -> Result<(), CliError> {
    if troubles == 0 {
        return Ok(());
    }
    Err(CliError::failed(
        "not all of the archive could be read: what was said above is missing",
    ))
}
