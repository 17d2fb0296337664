//! Deliveries of which a fifth is withheld, into a cloud's queue, and a pull that sends exactly that.

use super::pull::sent;
use super::{Cloud, LONG};
use crate::pull_memory::{ANNOTATIONS, Platform, TOKEN};
use crate::support::Place;
use crate::traces::{TASKS, deliver_most};
use labelrelay_event::Envelope;
use std::collections::BTreeSet;

const CONFIG: &str = "[[source]]
name = 'label-studio'
provider = 'label-studio'
secret = 'env:HOOK'
";

impl Cloud<'_> {
    /// What was delivered is not sent again; what lost its trace is, with the same id; nothing is lost.
    pub(super) fn sends_only_what_left_no_trace(&self) {
        let all = TASKS * (1 + ANNOTATIONS);
        let platform = Platform::of(all);
        let place = || -> Place {
            let place = self
                .place(LONG)
                .with("HOOK", "a-secret-of-label-studio")
                .with("LABEL_STUDIO_URL", &platform.url)
                .with("LABEL_STUDIO_API_KEY", TOKEN);
            place.write("labelrelay.toml", CONFIG);
            place
        };
        let traced = place().with("LABELRELAY_TRACES", &below(&self.fallback, "traces"));
        let withheld = deliver_most(&traced);
        let delivered = self.events();
        assert_eq!(delivered.len(), 1 + 72);
        let missed: BTreeSet<_> = withheld
            .iter()
            .map(|id| format!("annotation/{id}"))
            .collect();
        let pull = ["pull", "label-studio", "--json"];
        assert_eq!(sent(&traced.run(&pull)), missed.len());
        let subjects = self.events().into_iter().map(|(_, subject)| subject);
        assert_eq!(subjects.collect::<BTreeSet<_>>(), missed);
        assert_eq!(sent(&traced.run(&pull)), 0);

        let ledger = below(&self.fallback, "another-ledger");
        let words = ["--ledger", ledger.as_str()];
        let ran = place().run(&[&pull[..], &words].concat());
        assert_eq!(sent(&ran), usize::try_from(all).unwrap());
        let pulled = self.events();
        let annotations = delivered
            .iter()
            .filter(|(_, subject)| subject.starts_with("annotation/"));
        let repeats: BTreeSet<_> = annotations.cloned().collect();
        assert_eq!(repeats.len(), 72);
        assert!(repeats.is_subset(&pulled));
    }

    /// Takes all events from the queue: their ids and subjects.
    fn events(&self) -> BTreeSet<(String, String)> {
        let event = |envelope: Vec<u8>| {
            let attributes = Envelope::decode(&envelope).unwrap().attributes;
            (attributes.id, attributes.subject.unwrap())
        };
        (self.drain)().into_iter().map(event).collect()
    }
}

/// A place below this one; a query, which may be a signature, stays the end.
pub(super) fn below(url: &str, name: &str) -> String {
    match url.split_once('?') {
        Some((path, query)) => format!("{path}/{name}?{query}"),
        None => format!("{url}/{name}"),
    }
}
