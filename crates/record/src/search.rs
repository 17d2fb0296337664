//! Finds deliveries by whatever somebody pastes: an id, or the beginning of one.

use crate::entry::Entry;
use crate::error::RecordError;
use crate::filter::Filter;
use crate::meant::{Meant, meant, named};
use crate::query;
use crate::reader::RecordFile;
use crate::row::Recorded;

impl RecordFile {
    /// Deliveries that pass `filter`, and have `text` as an id or as the beginning of one, `limit` at most: their name
    /// in the record, the event's id, the platform's id of the delivery, the subject with or without its kind, the
    /// project. A beginning has six characters at least. A text that begins as types do is one's beginning.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn search(
        &self,
        text: &str,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<Recorded>, RecordError> {
        let number = named(text);
        let meant = meant(text);
        let passes = |its, entry: &Entry<'_>| {
            let is_meant = || match &meant {
                Meant::Type(pattern) => pattern.matches(entry.event_type),
                Meant::Id(columns) => {
                    let values = |column: &str| match column {
                        "event_id" => entry.event_id,
                        "delivery_id" => entry.delivery_id,
                        "project" => entry.project,
                        _ => entry.subject,
                    };
                    number == Some(its)
                        || columns
                            .iter()
                            .any(|(column, pattern)| pattern.matches(values(column)))
                }
            };
            filter.passes(its, entry) && is_meant()
        };
        self.in_both(filter, limit, passes, |limit| {
            query::search(self, text, filter, limit)
        })
    }
}
