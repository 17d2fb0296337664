//! Events that go on into other queues of the cloud.

use super::{Cloud, LONG, delivered};
use labelrelay_event::Envelope;
use labelrelay_tests::sender;
use std::collections::BTreeSet;

impl Cloud<'_> {
    /// `consume --into` sends what `serve` queued into both of these queues, the same bytes, and nothing is left where it
    /// was. `drain` takes out what a queue of this name has, `url` is its URL.
    pub(super) fn goes_on_into(
        &self,
        [one, other]: [&str; 2],
        missing: &str,
        drain: &dyn Fn(&str) -> Vec<Vec<u8>>,
        url: &dyn Fn(&str) -> String,
    ) {
        let place = self.place(LONG);
        let serving = place.serve(&[]);
        let bodies = ["one", "two", "three"].map(sender::label);
        for body in &bodies {
            assert_eq!(delivered(&serving, body).status, 200);
        }
        assert_eq!(serving.stop(), 0);
        // Before anything is taken.
        let consume = ["consume", &self.queue, "--until-idle", "5s", "--into"];
        let nowhere = url(missing);
        let ran = place.run(&[&consume[..], &[nowhere.as_str()]].concat());
        ran.failed(1, &["--into", missing]);
        let (first, second) = (url(one), url(other));
        let into = [first.as_str(), "--into", second.as_str()];
        let ran = place.run(&[&consume[..], &into].concat());
        ran.good();
        self.assert_clean(&ran.stderr);
        assert!((self.drain)().is_empty());
        let copies: BTreeSet<Vec<u8>> = drain(one).into_iter().collect();
        let others: BTreeSet<Vec<u8>> = drain(other).into_iter().collect();
        assert_eq!(copies, others);
        let data = |envelope: &Vec<u8>| {
            let envelope = Envelope::decode(envelope).unwrap();
            envelope.data.bytes().unwrap().unwrap().into_owned()
        };
        let found: BTreeSet<Vec<u8>> = copies.iter().map(data).collect();
        assert_eq!(found, BTreeSet::from(bodies));
        assert_eq!(copies.len(), 3);
    }
}
