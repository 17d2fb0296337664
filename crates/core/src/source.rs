//! A source: one webhook endpoint, with a platform, secrets and rules of its own.

use crate::config::SourceConfig;
use crate::secret::SecretRing;
use std::ops::Deref;

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
    sources: Vec<Source>,
    default: usize,
}

impl Routes {
    /// The sources in the order of the configuration. The one at `default` also owns every path that
    /// no other one owns.
    pub fn new(sources: Vec<Source>, default: usize) -> Self {
        Self { sources, default }
    }

    /// The source that owns `path`, and what of the path lies below it.
    pub fn find<'p>(&self, path: &'p str) -> Option<(&Source, &'p str)> {
        let rest = path.strip_prefix('/').unwrap_or(path);
        let (first, below) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        match self.sources.iter().find(|source| source.name == first) {
            Some(source) => Some((source, below)),
            None => self.sources.get(self.default).map(|source| (source, path)),
        }
    }

    /// All sources.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }
}
