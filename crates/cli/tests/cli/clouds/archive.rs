//! An archive in the cloud's store, of what the cloud's queue has.

use super::{Cloud, LONG, delivered};
use labelrelay_tests::sender;
use std::collections::BTreeSet;

impl Cloud<'_> {
    /// `archive write` archives what `serve` queued, and the verbs find it there. Nothing is left on the queue.
    pub(super) fn is_archived(&self, words: &[&str]) {
        let place = self.place(LONG);
        let serving = place.serve(&[]);
        let bodies = ["one", "two", "three"].map(sender::label);
        for body in &bodies {
            assert_eq!(delivered(&serving, body).status, 200);
        }
        assert_eq!(serving.stop(), 0);
        let archive = match self.blob_store.split_once('?') {
            Some((path, query)) => format!("{path}/archive?{query}"),
            None => format!("{}/archive", self.blob_store),
        };
        let write = ["archive", "write", &archive, "--queue", &self.queue];
        let ran = place.run(&[&write[..], &["--until-idle", "5s"], words].concat());
        assert_eq!(ran.good(), "archived 3 events\n", "{}", ran.stderr);
        self.assert_clean(&ran.stderr);

        let from = ["--from", archive.as_str()];
        let listed = place.run(&[&["events", "list", "--json"][..], &from].concat());
        listed.good();
        self.assert_clean(&listed.stderr);
        let body = |event: &serde_json::Value| {
            let id = event["id"].as_str().unwrap();
            let show = ["events", "show", id, "--body"];
            let shown = place.run(&[&show[..], &from].concat());
            shown.good().as_bytes().to_vec()
        };
        let found: BTreeSet<Vec<u8>> = listed.json().iter().map(body).collect();
        assert_eq!(found, BTreeSet::from(bodies));
        // One file is nothing to be put together; that is asked of the store all the same.
        let compact = ["archive", "compact", &archive, "--before", "2100-01-01"];
        let ran = place.run(&compact);
        assert!(ran.good().starts_with("0 files removed"), "{ran:?}");
        assert!((self.drain)().is_empty());
    }
}
