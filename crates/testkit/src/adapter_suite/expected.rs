//! The suite for programs that bring their own clock and queue: cases that need no relay of their own, compared
//! with `serve`'s results, but for what differs between any two runs.

use super::masked::masked;
use super::{Case, Observed, cases, observe_with, serve};
use crate::request::TestRequest;
use labelrelay_core::QueueLimits;
use std::collections::BTreeMap;

/// A request of a case, with what comes of it.
pub struct Expected {
    /// The case.
    pub name: String,
    /// The request that is sent.
    pub request: TestRequest,
    status: u16,
    body: Vec<u8>,
    envelopes: Vec<Vec<u8>>,
}

/// Cases in which each request is an event of its own, or none, with what comes of them where the queue has these
/// limits. Not every queue recognises repeats, and nobody tells a real one to fail.
pub async fn expected(limits: QueueLimits) -> Vec<Expected> {
    let observed = observe_with("serve", &serve, limits).await;
    let cases = cases().into_iter().zip(observed);
    cases
        .filter(|(case, _)| case.faults.is_empty())
        .filter_map(|(case, observed)| one_by_one(case, observed))
        .flatten()
        .collect()
}

/// The requests of a case with what came of each; `None` where that cannot be told.
fn one_by_one(case: Case, observed: Observed) -> Option<Vec<Expected>> {
    let mut envelopes: Vec<_> = observed.envelopes.iter().map(|sent| masked(sent)).collect();
    let shares = match case.requests.len() {
        1 => vec![std::mem::take(&mut envelopes)],
        requests if requests == envelopes.len() => {
            envelopes.into_iter().map(|sent| vec![sent]).collect()
        }
        _ => return None,
    };
    let outcomes = observed.responses.into_iter().zip(shares);
    let requests = case.requests.into_iter().zip(outcomes);
    let expected = requests.map(|((request, status), (response, envelopes))| Expected {
        name: case.name.clone(),
        request,
        status,
        body: response.body,
        envelopes,
    });
    Some(expected.collect())
}

impl Expected {
    /// Asserts that a program answered so.
    pub fn assert_answer(&self, status: u16, body: &[u8]) {
        let shown = String::from_utf8_lossy(body);
        assert_eq!(status, self.status, "{}: {shown}", self.name);
        assert_eq!(
            String::from_utf8_lossy(&masked(body)),
            String::from_utf8_lossy(&masked(&self.body)),
            "{}",
            self.name
        );
    }
}

/// Asserts that a queue has the events that `serve` put on its own queue, each the same number of times.
pub fn assert_queued<'a>(queued: &[Vec<u8>], cases: impl IntoIterator<Item = &'a Expected>) {
    let mut count: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    let mut expected = 0;
    for envelope in cases.into_iter().flat_map(|case| &case.envelopes) {
        *count.entry(envelope.clone()).or_default() += 1;
        expected += 1;
    }
    assert_eq!(queued.len(), expected, "events on the queue");
    for envelope in queued {
        *count.entry(masked(envelope)).or_default() -= 1;
    }
    for (envelope, difference) in count {
        let shown = String::from_utf8_lossy(&envelope[..envelope.len().min(2000)]);
        assert_eq!(difference, 0, "{shown}");
    }
}
