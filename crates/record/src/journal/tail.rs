//! The deliveries that were not moved into the record yet, for whoever reads.

use super::list_beside;
use super::segment::Segment;
use crate::entry::{Entry, entries};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

/// Deliveries of the journal with higher numbers than a given one. Its files are open: those that are removed
/// meanwhile are read all the same.
pub(crate) struct Tail {
    files: Vec<Segment>,
    after: i64,
}

impl Tail {
    /// Opens the journal beside the record in the file `record`, for what follows the delivery `after`. To miss nothing,
    /// it is opened before the record is looked at.
    pub(crate) fn open(record: &Path, after: i64) -> io::Result<Self> {
        let files = list_beside(record)?;
        let following = files.iter().skip(1).map(|(first, _)| *first);
        let mut open = Vec::new();
        for ((_, path), next) in files.iter().zip(following.chain([i64::MAX])) {
            let is_wanted = next > after.saturating_add(1);
            if is_wanted {
                open.extend(Segment::open(path)?);
            }
        }
        Ok(Self { files: open, after })
    }

    /// Leaves out what the record has, which is everything up to the delivery `moved`.
    pub(crate) fn skip_to(&mut self, moved: i64) {
        self.after = self.after.max(moved);
    }

    /// Shows each delivery, until `visit` has seen enough. What is damaged is left out.
    pub(crate) fn visit(
        &mut self,
        newest_first: bool,
        mut visit: impl FnMut(i64, &Entry<'_>) -> ControlFlow<()>,
    ) -> io::Result<()> {
        let after = self.after;
        let mut files: Vec<_> = self.files.iter_mut().collect();
        if newest_first {
            files.reverse();
        }
        let mut buffer = Vec::new();
        for file in files {
            let (mut frames, _) = file.frames()?;
            frames.retain(|frame| frame.header.last() > after);
            if newest_first {
                frames.reverse();
            }
            for frame in &frames {
                if !file.entries(frame, &mut buffer)? {
                    continue;
                }
                let numbered = (frame.header.first..).zip(entries(&buffer));
                let mut wanted: Vec<_> = numbered.filter(|(number, _)| *number > after).collect();
                if newest_first {
                    wanted.reverse();
                }
                for (number, bytes) in wanted {
                    if let Some(entry) = Entry::decode(bytes)
                        && visit(number, &entry).is_break()
                    {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}
