//! Values of a row, as far as they are shown.

use super::tables::Kind;
use crate::about::{About, Configs};
use crate::redact::Addresses;
use crate::split::Splits;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::borrow::Cow;

/// Choices of what is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) splits: Splits,
    pub(crate) addresses: Addresses,
    pub(crate) authors: bool,
}

/// What is needed of a row besides its values.
pub(super) struct Around<'c> {
    pub(super) db: &'c Connection,
    pub(super) shown: Shown,
    pub(super) configs: Configs,
}

impl Around<'_> {
    /// The address of the medium of a row's task: of the first one, if it has several.
    pub(super) fn media(&mut self, row: &Row<'_>) -> rusqlite::Result<Option<String>> {
        let [source, project, task] = task(row)?;
        let (source, task) = (source.unwrap_or_default(), task.unwrap_or_default());
        let about = About::read(self.db, &source, &task)?;
        let config = self.configs.of(self.db, &source, project.as_deref())?;
        Ok(about.media(config, None, self.shown.addresses))
    }
}

/// The part of the dataset that a row's task is in.
pub(super) fn split(row: &Row<'_>, splits: Splits) -> rusqlite::Result<&'static str> {
    let [source, project, task] = task(row)?.map(Option::unwrap_or_default);
    Ok(splits.of(&source, &project, &task).as_str())
}

/// Source, project and id of a row's task.
fn task(row: &Row<'_>) -> rusqlite::Result<[Option<String>; 3]> {
    Ok([row.get(0)?, row.get(1)?, row.get(2)?])
}

impl Shown {
    /// Bytes of a value in a column of this kind; `None` if there is none, or none to be shown.
    pub(super) fn bytes(self, kind: Kind, value: ValueRef<'_>) -> Option<Cow<'_, [u8]>> {
        let bytes = match value {
            ValueRef::Text(bytes) => bytes,
            ValueRef::Blob(bytes) if kind == Kind::Bytes => return Some(Cow::Borrowed(bytes)),
            _ => return None,
        };
        if !self.authors && matches!(kind, Kind::Author | Kind::Raw) {
            return None;
        }
        // SQLite does not say that a text is UTF-8, but nothing else was written.
        let text = || std::str::from_utf8(bytes).ok();
        match kind {
            Kind::Address => Some(self.addresses.one(text()?)?.into_bytes().into()),
            Kind::Data | Kind::Raw => Some(of_text(self.addresses.in_json(text()?)?)),
            Kind::Prose => Some(of_text(self.addresses.in_text(text()?))),
            Kind::Whole | Kind::Real => None,
            _ => Some(Cow::Borrowed(bytes)),
        }
    }
}

fn of_text(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}
