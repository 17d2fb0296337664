//! The suite for programs, which bring their own clock and queue: cases that need no relay of their own, held
//! against what `serve` makes of them, but for what no two runs share.

use super::masked::masked;
use super::{Case, cases, observe_with, serve};
use crate::request::TestRequest;
use labelrelay_core::QueueLimits;
use std::collections::BTreeMap;

/// A case of one request, with what comes of it.
pub struct Expected {
    /// The case.
    pub name: String,
    /// What is sent.
    pub request: TestRequest,
    status: u16,
    body: Vec<u8>,
    envelopes: Vec<Vec<u8>>,
}

/// Cases of one request, with what comes of them where the queue has these limits. Not every queue recognises
/// repeats, and nobody tells a real one to fail.
pub async fn expected(limits: QueueLimits) -> Vec<Expected> {
    let observed = observe_with("serve", &serve, limits).await;
    let alone = |case: &Case| case.requests.len() == 1 && case.faults.is_empty();
    let cases = cases().into_iter().zip(observed);
    cases
        .filter(|(case, _)| alone(case))
        .map(|(mut case, mut observed)| Expected {
            name: case.name,
            request: case.requests.remove(0).0,
            status: observed.responses[0].status,
            body: observed.responses.remove(0).body,
            envelopes: observed.envelopes.iter().map(|sent| masked(sent)).collect(),
        })
        .collect()
}

impl Expected {
    /// That a program answered so.
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

/// That what lies on a queue is what `serve` put on its own, as often.
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
