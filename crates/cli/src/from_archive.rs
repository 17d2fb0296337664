//! Events of an archive, for the verbs that read them.

use crate::archive_store;
use crate::env::Env;
use crate::error::CliError;
use crate::output::{one_line, say};
use futures_util::future::try_join_all;
use labelrelay_archive::{Archive, ArchivedEvent, Lines, Listing, Packed, Search, Segment};
use labelrelay_local::Filter;
use std::collections::HashSet;
use tokio::runtime::Runtime;

/// Files whose names are told one by one; of more, how many.
const NAMED: usize = 5;

/// Files that are on their way at once: each is a request of its own, and a store answers many.
const AT_ONCE: usize = 8;

/// Files that are unpacked at once, which is most of the work of a search. Each is in memory, and one of a stranger may be
/// large.
const UNPACKED_AT_ONCE: usize = 2;

pub(crate) struct FromArchive {
    runtime: Runtime,
    archive: Archive,
    search: Search,
    listing: Listing,
}

impl FromArchive {
    /// Opens the archive at `url`, to look for what passes `filter`.
    pub(crate) fn open(url: &str, filter: Filter, env: &Env<'_>) -> Result<Self, CliError> {
        let runtime = crate::runtime::small()?;
        let archive = runtime.block_on(archive_store::named(url, "--from", env))?;
        let search = Search::new(filter);
        let listing = runtime.block_on(archive.list(search.filter()))?;
        Ok(Self {
            runtime,
            archive,
            search,
            listing,
        })
    }

    /// The archive, and the runtime that it was opened in.
    pub(crate) fn into_parts(self) -> (Runtime, Archive) {
        (self.runtime, self.archive)
    }

    /// URL of the archive, without a signature.
    pub(crate) fn url(&self) -> &str {
        self.archive.url()
    }

    /// Hands each event to `take`, until that has enough: by day, and on a day in the order of the files. An event that is
    /// there twice is handed over once. Says what cannot be read; the answer is how much that is. A file of somebody else is
    /// named, and nothing is missing for it.
    pub(crate) fn each(
        &self,
        mut take: impl FnMut(&ArchivedEvent<'_>) -> Result<bool, CliError>,
    ) -> Result<u64, CliError> {
        self.tell_foreign();
        let mut troubles = 0_u64;
        let mut seen = HashSet::new();
        for segments in self.segments().chunks(AT_ONCE) {
            let under_way = segments.iter().map(|segment| self.archive.fetch(segment));
            let fetched = self.runtime.block_on(try_join_all(under_way))?;
            let unpacked = fetched.chunks(UNPACKED_AT_ONCE).flat_map(unpacked);
            for (segment, lines) in segments.iter().zip(unpacked) {
                let Some(lines) = lines else {
                    let words = "it was removed meanwhile; look again for its events";
                    say(format_args!("{}: {words}", segment.name()));
                    troubles += 1;
                    continue;
                };
                if let Some(damage) = lines.damage() {
                    let (name, damage) = (segment.name(), one_line(damage));
                    say(format_args!(
                        "{name}: {damage}; what is whole in it is read"
                    ));
                    troubles += 1;
                }
                let mut unreadable = 0_u64;
                for event in self.search.events(&lines) {
                    let event = match event {
                        Ok(event) => event,
                        Err(reason) => {
                            if unreadable == 0 {
                                let (name, reason) = (segment.name(), one_line(&reason));
                                say(format_args!("{name}: a line in it is {reason}"));
                            }
                            unreadable += 1;
                            continue;
                        }
                    };
                    let attributes = &event.attributes;
                    // One that was sent again on purpose is another message.
                    let key = (attributes.id.clone(), attributes.replayedtime.clone());
                    if seen.insert(key) && !take(&event)? {
                        return Ok(troubles + unreadable);
                    }
                }
                troubles += unreadable;
            }
        }
        Ok(troubles)
    }

    /// Says what the archive knows that it has not.
    pub(crate) fn tell_gaps(&self) -> Result<(), CliError> {
        for gap in self.runtime.block_on(self.archive.gaps())? {
            say(format_args!("missing in the archive: {gap}"));
        }
        Ok(())
    }

    fn segments(&self) -> Vec<&Segment> {
        let mut segments: Vec<_> = self.listing.segments.iter().collect();
        if self.search.filter().newest_first {
            segments.reverse();
        }
        segments
    }

    fn tell_foreign(&self) {
        let foreign = &self.listing.foreign;
        for name in foreign.iter().take(NAMED) {
            let name = one_line(name);
            say(format_args!(
                "{name}: is none of an archive's files, and is not read"
            ));
        }
        if let Some(more) = foreign.len().checked_sub(NAMED).filter(|more| *more > 0) {
            say(format_args!("{more} more files are none of an archive's"));
        }
    }
}

/// The lines of each of these files that is there.
fn unpacked(files: &[Option<Packed>]) -> Vec<Option<Lines>> {
    std::thread::scope(|scope| {
        let unpack = |file: &Option<Packed>| file.as_ref().map(Packed::unpack);
        let threads = files.iter().map(|file| scope.spawn(move || unpack(file)));
        let threads: Vec<_> = threads.collect();
        let lines = threads.into_iter().map(|thread| {
            let lines = thread.join();
            // As if it had panicked here.
            lines.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        lines.collect()
    })
}
