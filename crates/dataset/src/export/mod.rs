//! Formats. Each gets every sample once, and says of each region that it cannot express why.

mod coco;
mod format;
mod jsonl;
pub(crate) mod parquet;
mod rejects;
mod writer;
mod yolo;

use crate::DatasetError;
use crate::class_list::ClassList;
use std::path::Path;

pub use format::{Format, YoloTask};
pub(crate) use rejects::Rejects;
pub(crate) use writer::Writer;

/// The writer of a format that is written sample by sample; `None` for one that is written from the tables.
pub(crate) fn writer<'c>(
    format: Format,
    dir: &Path,
    classes: &'c ClassList,
) -> Result<Option<Box<dyn Writer + 'c>>, DatasetError> {
    let dir = dir.join(format.as_str());
    Ok(Some(match format {
        Format::Coco => Box::new(coco::Coco::begin(&dir, classes)?),
        Format::Yolo(task) => Box::new(yolo::Yolo::begin(&dir, task, classes)?),
        Format::Jsonl => Box::new(jsonl::Jsonl::begin(&dir)?),
        Format::Parquet => return Ok(None),
    }))
}
