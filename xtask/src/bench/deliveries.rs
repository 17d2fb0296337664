//! Bodies of a benchmark: signed deliveries, each with a delivery id and a signature of its own.
//!
//! Repeats would flatter a server that recognises them. All bodies of one size share a prefix, so the
//! HMAC over that prefix is computed once and cloned: signing costs the generator a tail of about a
//! hundred bytes, whatever the size.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The secret that all measured servers know.
pub(crate) const SECRET: &str = "benchmark0secret0of0forty0characters0000";

/// The path of the source on all of them.
pub(crate) const PATH: &str = "/labelbox";

/// Deliveries of one size.
pub(crate) struct Deliveries {
    prefix: Vec<u8>,
    /// State of the HMAC after the prefix.
    mac: Hmac<Sha1>,
    size: usize,
    next: AtomicU64,
    /// Path before the source's.
    below: &'static str,
}

/// Buffers of one connection, used again for each request.
#[derive(Default)]
pub(crate) struct Request {
    /// Request line and headers.
    pub(crate) head: String,
    /// Part after the shared prefix.
    pub(crate) tail: String,
}

/// Length of what [`Deliveries::fill`] writes as the tail.
const TAIL_BYTES: usize = 150;

impl Deliveries {
    /// Deliveries whose bodies are `size` bytes long, at least 600.
    pub(crate) fn new(size: usize) -> Self {
        let prefix = prefix(size - TAIL_BYTES);
        let mac = signer().chain_update(&prefix);
        // Starts where no earlier run of the generator was, against the same database or another.
        let start = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| {
                u64::try_from(time.as_nanos() & u128::from(u64::MAX)).unwrap_or(0)
            });
        Self {
            prefix,
            mac,
            size,
            next: AtomicU64::new(start),
            below: "",
        }
    }

    /// The same, sent to paths below `below`.
    pub(crate) fn below(mut self, below: &'static str) -> Self {
        self.below = below;
        self
    }

    /// The part that all bodies begin with.
    pub(crate) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Makes the next delivery in `request`.
    pub(crate) fn fill(&self, request: &mut Request) {
        // Odd multiplier: a bijection, so numbers stay distinct while ids look as unordered as real ones.
        let id = self
            .next
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        request.tail.clear();
        request.head.clear();
        // Writing to a String cannot fail.
        let _ = write!(
            request.tail,
            r#""dataRow":{{"id":"ckdr00000{id:016x}"}},"id":"ckla00000{id:016x}","createdAt":"2026-09-24T04:56:08Z","updatedAt":"2026-09-24T04:56:08Z"}}"#,
        );
        while request.tail.len() < TAIL_BYTES {
            request.tail.insert(request.tail.len() - 1, ' ');
        }
        let signature = self
            .mac
            .clone()
            .chain_update(request.tail.as_bytes())
            .finalize()
            .into_bytes();
        let _ = write!(
            request.head,
            "POST {}{PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Labelbox-Event: LABEL_CREATED\r\n\
             X-Labelbox-Id: ckdelivery{id:016x}\r\nContent-Length: {}\r\nX-Hub-Signature: sha1=",
            self.below, self.size,
        );
        for byte in signature {
            let _ = write!(request.head, "{byte:02x}");
        }
        request.head.push_str("\r\n\r\n");
    }
}

/// HMAC-SHA1 with the shared secret.
pub(crate) fn signer() -> Hmac<Sha1> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    Hmac::new_from_slice(SECRET.as_bytes()).expect("a key of any length")
}

/// A v1 label up to its data row: mostly `label`, JSON inside a string, as the platform sends it.
fn prefix(length: usize) -> Vec<u8> {
    const HEAD: &str = r#"{"benchmarkAgreement":null,"project":{"name":"Image project","deleted":false,"updatedAt":"2020-09-15T21:19:52Z","id":"ckf4fx97mel7z0729qm72dhyv","createdAt":"2020-09-15T21:00:27Z","description":"Image editor demo"},"deleted":false,"agreement":null,"label":"{\"objects\":["#;
    const FOOT: &str = r#"],\"classifications\":[]}","secondsToLabel":9.581,"#;
    const OBJECT: &str = r##"{\"featureId\":\"ckfgcff8n01v50z9n54gr2a8a\",\"schemaId\":\"ckf4g0be000fm0y3e8oavh4fv\",\"title\":\"Tree\",\"value\":\"tree\",\"color\":\"#e0ff00\",\"bbox\":{\"top\":117.25,\"left\":1043.5,\"height\":96,\"width\":41},\"classifications\":[]}"##;
    let mut text = String::with_capacity(length);
    text.push_str(HEAD);
    let mut separator = "";
    while text.len() + 1 + OBJECT.len() + FOOT.len() <= length {
        text.push_str(separator);
        text.push_str(OBJECT);
        separator = ",";
    }
    while text.len() + FOOT.len() < length {
        text.push(' ');
    }
    text.push_str(FOOT);
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn bodies_are_json_of_the_size_asked_for_distinct_and_signed() {
        for size in [1024, 100 * 1024] {
            let deliveries = Deliveries::new(size);
            let (mut request, mut seen) = (Request::default(), HashSet::new());
            for _ in 0..100 {
                deliveries.fill(&mut request);
                let body = [deliveries.prefix(), request.tail.as_bytes()].concat();
                assert_eq!(body.len(), size);
                serde_json::from_slice::<serde_json::Value>(&body).expect("JSON");
                let mac = signer().chain_update(&body).finalize().into_bytes();
                let hex = mac
                    .iter()
                    .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
                assert!(
                    request
                        .head
                        .ends_with(&format!("X-Hub-Signature: sha1={hex}\r\n\r\n"))
                );
                assert!(
                    request
                        .head
                        .contains(&format!("Content-Length: {size}\r\n"))
                );
                assert!(seen.insert(body) && seen.insert(request.head.clone().into_bytes()));
            }
        }
    }
}
