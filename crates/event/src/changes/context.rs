//! The part of its attributes that all changes of an event share.

use super::version::version;
use super::{By, Change, Changed, Key, Kind, Order, Record, Removed};
use crate::json::Value;
use crate::{Attributes, ErrorKind, EventError, Origin, TypeFrom};
use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

pub(super) struct Context<'c> {
    pub(super) attributes: &'c Attributes,
    source: Arc<str>,
    /// What removals hide, reckoned for the first one.
    until: OnceCell<Arc<str>>,
}

impl<'c> Context<'c> {
    pub(super) fn new(attributes: &'c Attributes) -> Self {
        Self {
            attributes,
            source: attributes.source.as_str().into(),
            until: OnceCell::new(),
        }
    }

    /// Tells whether the body is a thing by itself, fetched or derived, and not what a platform sent around it.
    pub(super) fn is_thing(&self) -> bool {
        self.attributes.origin.is_some()
    }

    /// The last word of the type.
    pub(super) fn action(&self) -> &'c str {
        let name = &self.attributes.event_type;
        name.rsplit_once('.').map_or(name, |(_, action)| action)
    }

    pub(super) fn error(&self, kind: ErrorKind, why: impl Into<String>) -> EventError {
        EventError::new(kind, Some(&self.attributes.id), why)
    }

    pub(super) fn unknown_type(&self) -> EventError {
        let why = format!("the type {} is not known", self.attributes.event_type);
        self.error(ErrorKind::UnknownPayload, why)
    }

    #[inline]
    pub(super) fn key<'a>(&self, kind: Kind, id: Cow<'a, str>) -> Key<'a> {
        Key::new(Arc::clone(&self.source), kind, id)
    }

    /// The key of a thing whose id is this value.
    #[inline]
    pub(super) fn key_of<'a>(
        &self,
        kind: Kind,
        id: Option<Value<'_, 'a>>,
    ) -> Result<Key<'a>, EventError> {
        let id = id.and_then(Value::identifier).ok_or_else(|| {
            let why = format!("the body names a {kind} without an id");
            self.error(ErrorKind::UnknownPayload, why)
        })?;
        Ok(self.key(kind, id))
    }

    /// Keys of the things with these ids, as far as they are known.
    pub(super) fn keys<'a, const N: usize>(
        &self,
        ids: [(Kind, Option<Cow<'a, str>>); N],
    ) -> Arc<[Key<'a>]> {
        let known = ids.into_iter().filter_map(|(kind, id)| Some((kind, id?)));
        known.map(|(kind, id)| self.key(kind, id)).collect()
    }

    /// A thing that is there. Its version is the time that is `written`; without `is_told`, nothing says that it was the
    /// last thing that happened.
    #[expect(clippy::unused_self, reason = "all changes are made here")]
    pub(super) fn changed<'a>(
        &self,
        key: Key<'a>,
        (written, is_told): (Option<&str>, bool),
        parents: Arc<[Key<'a>]>,
        record: Option<Record<'a>>,
    ) -> Change<'a> {
        let dated = written.and_then(version);
        let is_newer = is_told && dated.as_ref().is_some_and(|dated| dated.has_fraction);
        Change::Changed(Changed {
            key,
            version: dated.map(|dated| dated.text),
            order: if is_newer {
                Order::Newer
            } else {
                Order::Unknown
            },
            parents,
            record: record.map(Box::new),
        })
    }

    #[inline]
    pub(super) fn removed<'a>(&self, key: Key<'a>, parents: Arc<[Key<'a>]>) -> Change<'a> {
        let by = match (&self.attributes.origin, self.attributes.typefrom) {
            (Some(Origin::Reconcile), _) => By::Pull,
            (Some(_), _) => By::Parent,
            (None, Some(TypeFrom::Header)) => By::Header,
            (None, _) => By::Body,
        };
        let until = self.until.get_or_init(|| {
            let received = version(&self.attributes.receivedtime);
            // A time that is none hides nothing that was removed: `~` is after every version.
            received.map_or_else(|| "~".into(), |received| received.text.into())
        });
        Change::Removed(Removed {
            key,
            by,
            parents,
            until: Arc::clone(until),
        })
    }
}
