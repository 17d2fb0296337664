//! Conformance suite of adapters, as plain functions: the same requests through each one, the same answers and
//! byte-identical envelopes out of each one.
//!
//! An adapter is a closure: it takes a relay and a request, and returns the response. Each case meets a
//! relay of its own, with a clock that stands, entropy that counts and a queue in memory. A new adapter
//! joins with one line:
//!
//! ```ignore
//! adapter_suite::same_as_serve("Lambda, function URL", &|relay, request| Box::pin(through_it(relay, request))).await;
//! ```

mod cases;
mod expected;
mod forgeries;
mod label_delivery;
mod masked;
mod relay;
mod serve;

pub use cases::cases;
pub use expected::{Expected, assert_queued, expected};
pub use masked::masked;
pub use relay::{CONFIG, LIMITS, SECRET, WRONG_SECRET, relay_with_queue};
pub use serve::serve;

use crate::in_memory::Fault;
use crate::request::TestRequest;
use bytes::Bytes;
use labelrelay_core::{BoxFuture, QueueLimits, Relay};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An adapter under test.
pub type Adapter<'a> = &'a dyn Fn(Arc<Relay>, TestRequest) -> BoxFuture<'static, AdapterResponse>;

/// An adapter's response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterResponse {
    /// Status code.
    pub status: u16,
    /// The headers that core's answer asks for, by name.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: Vec<u8>,
}

impl AdapterResponse {
    /// A response with those of `headers` that matter; a server's own, such as a date, do not.
    pub fn new<'a>(
        status: u16,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        body: Vec<u8>,
    ) -> Self {
        const ASKED_FOR: [&str; 4] = ["allow", "cache-control", "content-type", "retry-after"];
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .filter(|(name, _)| ASKED_FOR.contains(&name.as_str()))
            .collect();
        Self {
            status,
            headers,
            body,
        }
    }
}

/// Requests that one relay gets, one after the other.
pub struct Case {
    /// The case's name.
    pub name: String,
    /// The requests, each with the status that it must have.
    pub requests: Vec<(TestRequest, u16)>,
    /// Faults of the queue at the first sends.
    pub faults: Vec<Fault>,
    /// Number of events on the queue afterwards, if the case is about that.
    pub events: Option<usize>,
}

impl Case {
    /// One request.
    pub fn one(name: impl Into<String>, request: TestRequest, status: u16) -> Self {
        Self {
            name: name.into(),
            requests: vec![(request, status)],
            faults: Vec::new(),
            events: None,
        }
    }
}

/// Result of a case, seen from outside.
#[derive(Debug, PartialEq, Eq)]
pub struct Observed {
    /// The case.
    pub name: String,
    /// The responses.
    pub responses: Vec<AdapterResponse>,
    /// The envelopes on the queue.
    pub envelopes: Vec<Bytes>,
}

/// Every case through `adapter`; each status is asserted.
pub async fn observe(name: &str, adapter: Adapter<'_>) -> Vec<Observed> {
    observe_with(name, adapter, LIMITS).await
}

/// The same with a queue of other limits.
pub async fn observe_with(name: &str, adapter: Adapter<'_>, limits: QueueLimits) -> Vec<Observed> {
    let all = observe_cases(name, adapter, limits, cases()).await;
    assert!(all.len() > 200, "only {} cases", all.len());
    all
}

async fn observe_cases(
    name: &str,
    adapter: Adapter<'_>,
    limits: QueueLimits,
    cases: Vec<Case>,
) -> Vec<Observed> {
    let mut all = Vec::new();
    for case in cases {
        let (relay, queue) = relay_with_queue(limits);
        queue.fail_with(&case.faults);
        let mut responses = Vec::new();
        for (request, status) in case.requests {
            let response = adapter(Arc::clone(&relay), request).await;
            assert_eq!(
                response.status,
                status,
                "{name}, {}: {}",
                case.name,
                String::from_utf8_lossy(&response.body)
            );
            responses.push(response);
        }
        let sent = queue.messages().into_iter();
        let envelopes: Vec<_> = sent.map(|sent| sent.body).collect();
        if let Some(events) = case.events {
            assert_eq!(envelopes.len(), events, "{name}, {}: events", case.name);
        }
        all.push(Observed {
            name: case.name,
            responses,
            envelopes,
        });
    }
    all
}

/// Every case through `adapter` and through `serve`: the same comes out.
pub async fn same_as_serve(name: &str, adapter: Adapter<'_>) {
    let expected = observe("serve", &serve).await;
    let got = observe(name, adapter).await;
    assert_same(name, &expected, &got);
}

/// The same without the cases in which a header stands twice, for a platform that hands over one line of each.
pub async fn same_as_serve_in_single_lines(name: &str, adapter: Adapter<'_>) {
    let single = || {
        let mut cases = cases();
        cases.retain(|case| {
            case.requests
                .iter()
                .all(|(request, _)| request.has_single_lines())
        });
        assert!(cases.len() > 190, "only {} cases", cases.len());
        cases
    };
    let expected = observe_cases("serve", &serve, LIMITS, single()).await;
    let got = observe_cases(name, adapter, LIMITS, single()).await;
    assert_same(name, &expected, &got);
}

fn assert_same(name: &str, expected: &[Observed], got: &[Observed]) {
    assert_eq!(expected.len(), got.len(), "{name}");
    for (expected, got) in expected.iter().zip(got) {
        let case = &expected.name;
        assert_eq!(got.responses, expected.responses, "{name}, {case}");
        assert!(
            got.envelopes == expected.envelopes,
            "{name}, {case}: other envelopes\n{:?}\n{:?}",
            got.envelopes,
            expected.envelopes
        );
    }
}
