use super::{Key, Record};
use std::sync::Arc;

/// The state of one thing now.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change<'a> {
    /// It is there, in this version.
    Changed(Changed<'a>),
    /// It is gone.
    Removed(Removed<'a>),
}

impl<'a> Change<'a> {
    /// Names the thing.
    pub fn key(&self) -> &Key<'a> {
        match self {
            Self::Changed(changed) => &changed.key,
            Self::Removed(removed) => &removed.key,
        }
    }

    /// Keys of the things that hold it, nearest first, as far as the body says.
    pub fn parents(&self) -> &[Key<'a>] {
        match self {
            Self::Changed(changed) => &changed.parents,
            Self::Removed(removed) => &removed.parents,
        }
    }
}

/// A thing that is there, in this version.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Changed<'a> {
    /// Names the thing.
    pub key: Key<'a>,
    /// Compares as a string: `20261121T094710.371842000Z`. `None` if the platform gives none.
    pub version: Option<String>,
    /// The order that comparing versions tells.
    pub order: Order,
    /// Keys of the things that hold it, nearest first, as far as the body says.
    pub parents: Arc<[Key<'a>]>,
    /// Its contents; `None` if the body only names it.
    pub record: Option<Box<Record<'a>>>,
}

/// A thing that is gone, with everything that has it among its parents, in every version up to `until`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Removed<'a> {
    /// Names the thing.
    pub key: Key<'a>,
    /// Source of the news.
    pub by: By,
    /// Keys of the things that held it, nearest first, as far as the body says.
    pub parents: Arc<[Key<'a>]>,
    /// The version of a thing that was made when the relay received the removal. A later version is another thing with
    /// the same id: on `SQLite`, Label Studio gives the id of its newest task or annotation again.
    pub until: Arc<str>,
}

impl<'a> Removed<'a> {
    /// A removal that follows from another: of what a thing held that is gone.
    pub fn new(
        key: Key<'a>,
        by: By,
        parents: impl Into<Arc<[Key<'a>]>>,
        until: impl Into<Arc<str>>,
    ) -> Self {
        Self {
            key,
            by,
            parents: parents.into(),
            until: until.into(),
        }
    }
}

impl Removed<'_> {
    /// Tells whether the thing `key`, held by `parents`, is gone with this in this `version`.
    ///
    /// ```
    /// use labelrelay_event::Event;
    /// use labelrelay_event::changes::{Change, Key, Kind};
    ///
    /// let queued = br#"{"specversion":"1.0","id":"1","source":"/ls","type":"io.labelstud.task.deleted","datasha256":"00","receivedtime":"2026-11-21T09:47:12Z","data":{"tasks":[{"id":7}]}}"#;
    /// let event = Event::parse(queued)?;
    /// let changes = event.changes()?;
    /// let Change::Removed(task) = &changes[0] else { panic!("a task that is gone") };
    /// let annotation = Key::new("/ls", Kind::Annotation, "1");
    /// let parents = [Key::new("/ls", Kind::Task, "7")];
    /// assert!(task.takes(&annotation, &parents, Some("20261121T094700.000000000Z")));
    /// assert!(!task.takes(&annotation, &parents, Some("20261121T094713.000000000Z")));
    /// assert!(!task.takes(&annotation, &[], None));
    /// # Ok::<(), labelrelay_event::EventError>(())
    /// ```
    pub fn takes(&self, key: &Key<'_>, parents: &[Key<'_>], version: Option<&str>) -> bool {
        let is_ours = *key == self.key || parents.contains(&self.key);
        is_ours && version.unwrap_or_default() <= &*self.until
    }
}

/// Comparison of two versions of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// The greater version is the newer one, and equal versions are the same.
    Newer,
    /// There is no version, or it is in whole seconds, so that equal ones may differ, or the platform does not say what
    /// happened. Where a comparison does not settle it, ask the platform.
    Unknown,
}

/// Source of the news that a thing is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum By {
    /// The body, which the sender's credential covers.
    Body,
    /// A header too, which nobody signed: let it destroy nothing that you cannot get back.
    Header,
    /// The removal of several things, or of what held it.
    Parent,
    /// The platform's API, which no longer has it.
    Pull,
}

impl Order {
    /// The name: `newer`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newer => "newer",
            Self::Unknown => "unknown",
        }
    }
}

impl By {
    /// The name: `header`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Header => "header",
            Self::Parent => "parent",
            Self::Pull => "pull",
        }
    }
}
