//! Regions that a format cannot express: counted, and named with the reason. Nothing is left out in silence.

use crate::DatasetError;
use crate::output::Output;
use crate::selection::{Chosen, Sample};
use serde_json::json;
use std::path::Path;

/// The file of rejected regions.
pub(crate) struct Rejects {
    output: Output,
    pub(crate) count: u64,
}

/// Name of the file within a snapshot.
pub(crate) const NAME: &str = "rejects.jsonl";

impl Rejects {
    pub(crate) fn create(dir: &Path) -> Result<Self, DatasetError> {
        Ok(Self {
            output: Output::create(&dir.join(NAME))?,
            count: 0,
        })
    }

    pub(crate) fn add(
        &mut self,
        format: &str,
        sample: &Sample,
        annotation: &Chosen,
        region: Option<&str>,
        kind: &str,
        reason: &str,
    ) -> Result<(), DatasetError> {
        self.count += 1;
        self.output.line(&json!({
            "format": format, "source": sample.source, "project": sample.project, "task": sample.task,
            "item": sample.item, annotation.kind.as_str(): annotation.id, "region": region, "kind": kind,
            "reason": reason,
        }))
    }

    /// Rejects a whole image.
    pub(crate) fn add_sample(
        &mut self,
        format: &str,
        sample: &Sample,
        reason: &str,
    ) -> Result<(), DatasetError> {
        self.count += 1;
        self.output.line(&json!({
            "format": format, "source": sample.source, "project": sample.project, "task": sample.task,
            "item": sample.item, "kind": "image", "reason": reason,
        }))
    }

    pub(crate) fn end(self) -> Result<(String, String), DatasetError> {
        Ok((NAME.to_owned(), self.output.end()?))
    }
}
