//! The labels of a v2 body: how many over all projects, which one if it is one, and their newest time.

use crate::time;
use jiff::Timestamp;

/// Summary of any number of labels.
#[derive(Debug, Default)]
pub(super) struct Labels {
    pub(super) count: u32,
    /// Id of the first one.
    pub(super) first_id: String,
    /// The latest `label_details.updated_at`, and how it was written.
    pub(super) newest: Option<(Timestamp, String)>,
}

impl Labels {
    pub(super) fn add(&mut self, id: &str, updated_at: &str) {
        if self.count == 0 {
            id.clone_into(&mut self.first_id);
        }
        self.count = self.count.saturating_add(1);
        if let Some(time) = time::parse(updated_at) {
            self.see(time, updated_at);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        if self.count == 0 {
            self.first_id = other.first_id;
        }
        self.count = self.count.saturating_add(other.count);
        if let Some((time, written)) = other.newest {
            self.see(time, &written);
        }
    }

    fn see(&mut self, time: Timestamp, written: &str) {
        if self
            .newest
            .as_ref()
            .is_none_or(|(newest, _)| time > *newest)
        {
            self.newest = Some((time, written.to_owned()));
        }
    }
}

/// The labels under `projects`, project by project.
#[derive(Debug, Default)]
pub(super) struct Projects {
    /// Number of projects, and the id of the first.
    pub(super) count: u32,
    pub(super) first_id: String,
    closed: Labels,
    open: Labels,
}

impl Projects {
    /// A project's key. The last of repeated keys wins: as long as there is one project only, its
    /// repetition replaces it. Among several the labels are several either way.
    pub(super) fn begin(&mut self, id: &str) {
        if self.count == 1 && self.first_id == id {
            self.open = Labels::default();
            return;
        }
        self.closed.merge(std::mem::take(&mut self.open));
        if self.count == 0 {
            id.clone_into(&mut self.first_id);
        }
        self.count = self.count.saturating_add(1);
    }

    /// The labels of the project that was begun last.
    pub(super) fn labels(&mut self) -> &mut Labels {
        &mut self.open
    }

    /// The labels of all projects.
    pub(super) fn all(&self) -> (u32, &str, Option<&(Timestamp, String)>) {
        let first = if self.closed.count > 0 {
            &self.closed
        } else {
            &self.open
        };
        let newest = match (&self.closed.newest, &self.open.newest) {
            (Some(a), Some(b)) => Some(if a.0 > b.0 { a } else { b }),
            (a, b) => a.as_ref().or(b.as_ref()),
        };
        (
            self.closed.count.saturating_add(self.open.count),
            &first.first_id,
            newest,
        )
    }
}
