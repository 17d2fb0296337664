//! Ranges of frames that somebody marked on a video. The readers of changes give such a region no shape (`Other`), so
//! what the platform sent is drawn as it came.

use labelrelay_event::changes::Region;
use serde::Deserialize;

#[derive(Deserialize)]
struct Item {
    value: Value,
}

#[derive(Deserialize)]
struct Value {
    ranges: Vec<Range>,
}

#[derive(Deserialize)]
struct Range {
    start: f64,
    end: f64,
}

/// The ranges of a region of this kind; `None` of another kind, and of one that has none that can be drawn.
pub(super) fn ranges(kind: &str, region: &Region<'_>) -> Option<Vec<[f64; 2]>> {
    if kind.strip_suffix("labels").unwrap_or(kind) != "timeline" {
        return None;
    }
    let item: Item = region.raw.parse().ok()?;
    let ranges = item.value.ranges.into_iter();
    let ranges: Vec<_> = ranges
        .map(|Range { start, end }| [start.min(end), start.max(end)])
        .collect();
    let are_drawable = ranges.iter().flatten().all(|frame| frame.is_finite());
    (are_drawable && !ranges.is_empty()).then_some(ranges)
}
