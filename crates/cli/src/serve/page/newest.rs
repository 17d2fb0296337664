//! The newest deliveries of the record, by which the strip tells how the first parts of the way are.

use labelrelay_record::{Filter, Pattern, Record, RecordError, Recorded};

/// Deliveries among which an accepted one is looked for: outcomes have no index.
const LOOKED_AT: i64 = 1000;

#[derive(Default)]
pub(super) struct Newest {
    /// Whatever came.
    pub(super) any: Option<Recorded>,
    /// What was meant for a source. Whoever looks for something else at this address says nothing of one.
    pub(super) of_source: Option<Recorded>,
    /// What was accepted.
    pub(super) accepted: Option<Recorded>,
}

impl Newest {
    pub(super) fn of(record: &dyn Record) -> Result<Self, RecordError> {
        let newest = |filter: Filter| -> Result<Option<Recorded>, RecordError> {
            let filter = Filter {
                newest_first: true,
                ..filter
            };
            Ok(record.list(&filter, 1)?.pop())
        };
        let any = newest(Filter::default())?;
        let after = any.as_ref().map(|any| any.number.saturating_sub(LOOKED_AT));
        Ok(Self {
            // Of strangers, who alone name none, there are not many.
            of_source: newest(Filter {
                source: Some(Pattern::begins("")),
                ..Filter::default()
            })?,
            accepted: newest(Filter {
                outcome: Some(Pattern::exactly("accepted")),
                after,
                ..Filter::default()
            })?,
            any,
        })
    }
}
