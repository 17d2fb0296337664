//! One attempt at something, after which the connections are used again only if it went well.

use super::Http;

/// Held while an attempt is under way. Dropped before [`answered`](Self::answered), because it failed or
/// because somebody lost patience, it sees to it that the next attempt connects anew.
pub(crate) struct Attempt<'a> {
    http: &'a Http,
    generation: u64,
    answered: bool,
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(http: &'a Http) -> Self {
        Self {
            http,
            generation: http.generation(),
            answered: false,
        }
    }

    /// The other side answered sensibly, whatever it said.
    pub(crate) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.http.renew(self.generation);
        }
    }
}
