//! Options of a snapshot.

use crate::export::Format;
use crate::media_copy::MediaCopy;
use crate::redact::Addresses;
use crate::split::Splits;
use crate::which::Which;
use crate::{DatasetError, Store};
use rusqlite::OptionalExtension as _;
use serde_json::{Value, json};
use std::time::Duration;

/// Changes with every change of what is written, so that a snapshot of before does not pass for one of now.
const WRITER: u32 = 5;

/// Contents of a snapshot, and how many of them are kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Formats.
    pub formats: Vec<Format>,
    /// Annotations of a task that are exported.
    pub which: Which,
    /// Sizes of the parts.
    pub splits: Splits,
    /// A state that an annotation has to be in. `approved`: the last review of it in this version accepted it, or
    /// its data row is in Labelbox's step `Done`. Or another name of a step in Labelbox's workflow, or `rejected`.
    pub state: Option<String>,
    /// Copies of the media: samples name them in place of the platform's addresses, and their heads say sizes that the
    /// platform does not say.
    pub media: Vec<MediaCopy>,
    /// Part of addresses that is exported.
    pub addresses: Addresses,
    /// Exports who made an annotation; if not, nothing is exported either that the platform wrote and that may say it.
    pub authors: bool,
    /// Rows that a part of a table of Parquet has at most. A larger one is divided; the next snapshot writes those parts alone
    /// that changed.
    pub part_rows: u32,
    /// Snapshots that are kept, the newest among them. At least one.
    pub keep: usize,
    /// Age up to which others are kept besides.
    pub keep_for: Duration,
}

impl Options {
    /// This format, and defaults for the rest: the latest annotation of each task, 80/10/10 percent, ten snapshots.
    pub fn of(format: Format) -> Self {
        Self {
            formats: vec![format],
            which: Which::default(),
            splits: Splits::default(),
            state: None,
            media: Vec::new(),
            addresses: Addresses::default(),
            authors: true,
            part_rows: 8192,
            keep: 10,
            keep_for: Duration::ZERO,
        }
    }

    /// Whatever two snapshots of one state must have in common to be equal.
    pub(crate) fn fingerprint(&self) -> String {
        let formats: Vec<&str> = self.formats.iter().map(|it| it.as_str()).collect();
        let media = self.media.iter();
        let media: Vec<_> = media
            .map(|it| json!([it.address, it.path.to_string_lossy()]))
            .collect();
        json!({
            "formats": formats, "which": self.which.as_str(), "splits": self.splits.percents(), "state": self.state,
            "addresses": self.addresses.as_str(), "authors": self.authors, "media": media, "writer": WRITER,
        })
        .to_string()
    }

    /// Names of the options of `labelrelay dataset sync` of which these have others than `other`: `--format`. What is kept of older
    /// snapshots does not count.
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        let without = |it: &Self| (it.authors, it.addresses == Addresses::None);
        let keeps_queries = |it: &Self| it.addresses == Addresses::Whole;
        let all = [
            ("--format", self.formats != other.formats),
            ("--which", self.which != other.which),
            ("--split", self.splits != other.splits),
            ("--state", self.state != other.state),
            ("--without", without(self) != without(other)),
            (
                "--keep-queries",
                keeps_queries(self) != keeps_queries(other),
            ),
            ("--media", self.media != other.media),
        ];
        let differing = all.into_iter().filter(|(_, differs)| *differs);
        differing.map(|(name, _)| name).collect()
    }

    /// Options of the last snapshot in the dataset, with ten that are kept; `None` if there is none.
    ///
    /// # Errors
    /// [`DatasetError`] when the state cannot be read.
    pub fn of_last(store: &Store) -> Result<Option<Self>, DatasetError> {
        let text: Option<String> = store
            .db
            .query_row(
                "SELECT options FROM snapshots ORDER BY number DESC LIMIT 1",
                [],
                |row| row.get(0),
            )
            .optional()
            .map_err(store.failed())?;
        Ok(text.and_then(|text| Self::parse(&text)))
    }

    pub(crate) fn parse(fingerprint: &str) -> Option<Self> {
        let told: Value = serde_json::from_str(fingerprint).ok()?;
        let formats = told.get("formats")?.as_array()?.iter();
        let named = |name: &Value| {
            Format::ALL
                .into_iter()
                .find(|it| Some(it.as_str()) == name.as_str())
        };
        let percent = |place: usize| u8::try_from(told.get("splits")?.get(place)?.as_u64()?).ok();
        let which = told.get("which")?.as_str()?;
        let addresses = told.get("addresses")?.as_str()?;
        Some(Self {
            formats: formats.map(named).collect::<Option<_>>()?,
            which: Which::ALL.into_iter().find(|it| it.as_str() == which)?,
            splits: Splits::percent(percent(0)?, percent(1)?, percent(2)?)?,
            state: told.get("state")?.as_str().map(ToOwned::to_owned),
            media: media_of(&told).unwrap_or_default(),
            addresses: Addresses::ALL
                .into_iter()
                .find(|it| it.as_str() == addresses)?,
            authors: told.get("authors")?.as_bool()?,
            ..Self::of(Format::Coco)
        })
    }
}

/// Copies of the media, as a fingerprint has them.
fn media_of(told: &Value) -> Option<Vec<MediaCopy>> {
    let copies = told.get("media")?.as_array()?.iter();
    let copies = copies.map(|copy| {
        let text = |place: usize| copy.get(place)?.as_str();
        format!("{}={}", text(0)?, text(1)?).parse().ok()
    });
    copies.collect()
}
