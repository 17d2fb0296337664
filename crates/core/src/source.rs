//! A source: one webhook endpoint, with a platform, secrets and rules of its own.

use crate::config::{Config, SourceConfig};
use crate::path::Segments;
use crate::secret::SecretRing;
use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

/// No source can be called so: names begin with a letter or digit.
const OWN: &str = "-";

/// One source of deliveries: its settings, and its live secrets.
pub struct Source {
    settings: SourceConfig,
    /// Live secrets.
    pub secrets: SecretRing,
}

impl Source {
    /// A source with these settings, whose references to secrets were opened into `secrets`.
    pub fn new(settings: SourceConfig, secrets: SecretRing) -> Self {
        Self { settings, secrets }
    }
}

/// A source is read like its settings; of the secrets it has the ring instead of the references.
impl Deref for Source {
    type Target = SourceConfig;

    fn deref(&self) -> &SourceConfig {
        &self.settings
    }
}

/// Finds the source that owns a path.
pub struct Routes {
    sources: Vec<Arc<Source>>,
    default: usize,
    /// Prefixes that a proxy may leave in front of every path.
    prefixes: Vec<Segments<'static>>,
}

/// Target of a path.
pub struct Route<'a> {
    /// The source that owns it.
    pub source: &'a Arc<Source>,
    /// Rest of the path below the source, in its one spelling.
    pub below: String,
    /// `true` if the path names the source; else it is the default one.
    pub is_named: bool,
}

impl Route<'_> {
    /// Tells whether no source has the path, and it is more than the root: often a misspelt name.
    pub(crate) fn is_nobodys(&self) -> bool {
        !self.is_named && self.below.len() > 1
    }
}

impl Routes {
    /// The sources of `config`, in its order. The default one also owns every path that no other one owns.
    pub(crate) fn new(sources: Vec<Arc<Source>>, config: &Config) -> Self {
        Self {
            sources,
            default: config.default_source,
            prefixes: config.prefixes(),
        }
    }

    /// The source that owns `path`, in whatever spelling. The first of these that fits decides:
    ///
    /// 1. a configured prefix, and a source's name behind it;
    /// 2. a source's name in front;
    /// 3. a source's name behind a prefix that nobody configured; of several names the first one;
    /// 4. the default source.
    ///
    /// This chooses whose secrets are tried, and proves nothing: what comes by a wrong path is refused.
    pub(crate) fn find(&self, path: &Segments<'_>) -> Option<Route<'_>> {
        let segments = path.as_slice();
        let behind = self.behind_prefix(segments);
        let named = behind
            .and_then(|rest| self.named(rest.split_first()?))
            .or_else(|| {
                let at = |start: usize| self.named(segments.get(start..)?.split_first()?);
                (0..segments.len()).find_map(at)
            });
        named.or_else(|| {
            Some(Route {
                source: self.sources.get(self.default)?,
                below: crate::path::path(behind.unwrap_or(segments)),
                is_named: false,
            })
        })
    }

    /// Rest of `path` below `/-/`, if the path is there: the relay's own paths, which no source can own.
    pub(crate) fn own(&self, path: &Segments<'_>) -> Option<String> {
        let segments = path.as_slice();
        let own = |segments: &[Cow<'_, str>]| match segments.split_first() {
            Some((first, rest)) if first == OWN => Some(rest.join("/")),
            _ => None,
        };
        own(segments).or_else(|| own(self.behind_prefix(segments)?))
    }

    fn named(&self, (first, rest): (&Cow<'_, str>, &[Cow<'_, str>])) -> Option<Route<'_>> {
        let source = self.sources.iter().find(|source| source.name == *first)?;
        Some(Route {
            source,
            below: crate::path::path(rest),
            is_named: true,
        })
    }

    fn behind_prefix<'s, 'p>(&self, segments: &'s [Cow<'p, str>]) -> Option<&'s [Cow<'p, str>]> {
        self.prefixes
            .iter()
            .find_map(|prefix| segments.strip_prefix(prefix.as_slice()))
    }

    /// All sources.
    pub fn sources(&self) -> &[Arc<Source>] {
        &self.sources
    }
}
