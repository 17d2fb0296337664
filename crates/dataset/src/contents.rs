//! Contents of a snapshot: its files, and how much is in them.

use crate::class_list::ClassList;
use crate::counts::Counts;
use crate::earlier::Earlier;
use crate::export::parquet::{self, Shown};
use crate::export::{Format, Rejects, Writer, writer};
use crate::manifest::Files;
use crate::options::Options;
use crate::part_counts;
use crate::selection::{self, Policy};
use crate::store::unreadable;
use crate::{DatasetError, Store};
use std::path::Path;

/// Writes all files into `dir`, but for those tables' parts that did not change since the `earlier` snapshot: these it
/// shares with that one.
pub(crate) fn write(
    store: &Store,
    options: &Options,
    dir: &Path,
    earlier: Option<&Earlier>,
) -> Result<(Counts, Files), DatasetError> {
    let failed = store.failed();
    // One moment for all that is read.
    let moment = store.db.unchecked_transaction().map_err(&failed)?;
    let classes = ClassList::read(&moment).map_err(&failed)?;
    let mut rejects = Rejects::create(dir)?;
    let mut writers: Vec<Box<dyn Writer + '_>> = Vec::new();
    for format in &options.formats {
        writers.extend(writer(*format, dir, &classes)?);
    }
    let policy = policy(options);
    // Copies of media come and go without a change of the state.
    let mut counts = if writers.is_empty() && policy.media.is_empty() {
        part_counts::total(&moment, &policy, &options.fingerprint()).map_err(&failed)?
    } else {
        let tally = selection::each(&moment, &policy, |sample| {
            for writer in &mut writers {
                writer.sample(&sample, &mut rejects)?;
            }
            Ok::<(), Stop>(())
        });
        let tally = tally.map_err(|stop| match stop {
            Stop::Dataset(error) => error,
            Stop::Database(error) => failed(error),
        })?;
        Counts::from(tally)
    };
    counts.classes = classes.0.len() as u64;
    counts.rejected = rejects.count;
    counts.unreadable = unreadable::count(&moment).map_err(&failed)?;
    let mut files: Files = [rejects.end()?].into();
    for writer in writers {
        files.extend(writer.end()?);
    }
    if options.formats.contains(&Format::Parquet) {
        let shown = Shown {
            splits: policy.splits,
            addresses: policy.addresses,
            authors: policy.authors,
        };
        files.extend(parquet::write(
            &moment,
            dir,
            shown,
            earlier,
            store.failed(),
        )?);
    }
    // It has the counts of parts.
    moment.commit().map_err(&failed)?;
    Ok((counts, files))
}

fn policy(options: &Options) -> Policy {
    Policy {
        which: options.which,
        splits: options.splits,
        state: options.state.clone(),
        media: options.media.clone(),
        addresses: options.addresses,
        authors: options.authors,
    }
}

enum Stop {
    Dataset(DatasetError),
    Database(rusqlite::Error),
}

impl From<DatasetError> for Stop {
    fn from(error: DatasetError) -> Self {
        Self::Dataset(error)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}
