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

/// The path of Label Studio's source, whose secret is the same.
pub(crate) const LABEL_STUDIO_PATH: &str = "/label-studio";

/// Kind of delivery.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A v1 label of Labelbox that is new.
    New,
    /// The same with a signature that is wrong.
    Forged,
    /// The same, one of [`REPEATED`] that are sent again and again.
    Repeated,
    /// A new annotation of Label Studio, whose header carries the secret.
    LabelStudio,
}

/// Deliveries of [`Kind::Repeated`] that are distinct: many times as many as connections, so that none meets itself.
const REPEATED: u64 = 1000;

/// Deliveries of one kind and size.
pub(crate) struct Deliveries {
    kind: Kind,
    prefix: Vec<u8>,
    /// State of the HMAC after the prefix.
    mac: Hmac<Sha1>,
    size: usize,
    first: u64,
    next: AtomicU64,
    /// Path before the source's.
    below: &'static str,
    /// Sources that take turns, instead of the one at [`PATH`]; their paths are `/s0`, `/s1` and so on.
    sources: Option<u64>,
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
        Self::of(Kind::New, size)
    }

    /// The same of another kind.
    pub(crate) fn of(kind: Kind, size: usize) -> Self {
        let length = size - TAIL_BYTES;
        let prefix = match kind {
            Kind::LabelStudio => filled(ANNOTATION_HEAD, ANNOTATION_REGION, "],", length),
            Kind::New | Kind::Forged | Kind::Repeated => filled(HEAD, OBJECT, FOOT, length),
        };
        let mac = signer().chain_update(&prefix);
        // Starts where no earlier run of the generator was, against the same database or another.
        let start = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| {
                u64::try_from(time.as_nanos() & u128::from(u64::MAX)).unwrap_or(0)
            });
        Self {
            kind,
            prefix,
            mac,
            size,
            first: start,
            next: AtomicU64::new(start),
            below: "",
            sources: None,
        }
    }

    /// The same, sent to paths below `below`.
    pub(crate) fn below(mut self, below: &'static str) -> Self {
        self.below = below;
        self
    }

    /// The same, sent to so many sources in turn; at least one.
    pub(crate) fn over_sources(mut self, sources: u64) -> Self {
        self.sources = Some(sources.max(1));
        self
    }

    /// Tells whether this is the status with which a server should answer.
    pub(crate) fn is_expected(&self, status: u16) -> bool {
        match self.kind {
            Kind::Forged => status == 401,
            Kind::New | Kind::Repeated | Kind::LabelStudio => (200..300).contains(&status),
        }
    }

    /// The part that all bodies begin with.
    pub(crate) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Makes the next delivery in `request`.
    pub(crate) fn fill(&self, request: &mut Request) {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let number = match self.kind {
            Kind::Repeated => self.first + next.wrapping_sub(self.first) % REPEATED,
            Kind::New | Kind::Forged | Kind::LabelStudio => next,
        };
        // Odd multiplier: a bijection, so numbers stay distinct while ids look as unordered as real ones.
        let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.fill_tail(request, id);
        while request.tail.len() < TAIL_BYTES {
            request.tail.insert(request.tail.len() - 1, ' ');
        }
        self.fill_head(request, number, id);
    }

    fn fill_tail(&self, request: &mut Request, id: u64) {
        request.tail.clear();
        // Writing to a String cannot fail.
        let _ = match self.kind {
            Kind::LabelStudio => {
                // An annotation's number and the time of its change, distinct together.
                let (number, micros) = (id >> 20, id & 0xf_ffff);
                write!(
                    request.tail,
                    r#""task":19,"completed_by":1,"created_at":"2026-09-24T04:56:08.000000Z","id":{number},"updated_at":"2026-09-24T04:57:{:02}.{:06}Z"}}}}"#,
                    micros / 1_000_000,
                    micros % 1_000_000,
                )
            }
            Kind::New | Kind::Forged | Kind::Repeated => write!(
                request.tail,
                r#""dataRow":{{"id":"ckdr00000{id:016x}"}},"id":"ckla00000{id:016x}","createdAt":"2026-09-24T04:56:08Z","updatedAt":"2026-09-24T04:56:08Z"}}"#,
            ),
        };
    }

    fn fill_head(&self, request: &mut Request, number: u64, id: u64) {
        let Request { head, tail } = request;
        head.clear();
        let _ = write!(head, "POST {}", self.below);
        let _ = match (self.kind, self.sources) {
            (Kind::LabelStudio, _) => write!(head, "{LABEL_STUDIO_PATH}"),
            (_, Some(sources)) => write!(head, "/s{}", number % sources),
            (_, None) => write!(head, "{PATH}"),
        };
        let _ = write!(
            head,
            " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
            self.size
        );
        if self.kind == Kind::LabelStudio {
            let _ = write!(head, "Authorization: Bearer {SECRET}\r\n\r\n");
            return;
        }
        let signature = self
            .mac
            .clone()
            .chain_update(tail.as_bytes())
            .finalize()
            .into_bytes();
        let _ = write!(
            head,
            "X-Labelbox-Event: LABEL_CREATED\r\nX-Labelbox-Id: ckdelivery{id:016x}\r\nX-Hub-Signature: sha1="
        );
        let forgery = u8::from(self.kind == Kind::Forged);
        for byte in signature {
            let _ = write!(head, "{:02x}", byte ^ forgery);
        }
        head.push_str("\r\n\r\n");
    }
}

/// HMAC-SHA1 with the shared secret.
pub(crate) fn signer() -> Hmac<Sha1> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    Hmac::new_from_slice(SECRET.as_bytes()).expect("a key of any length")
}

/// A v1 label up to its data row: mostly `label`, JSON inside a string, as the platform sends it.
const HEAD: &str = r#"{"benchmarkAgreement":null,"project":{"name":"Image project","deleted":false,"updatedAt":"2020-09-15T21:19:52Z","id":"ckf4fx97mel7z0729qm72dhyv","createdAt":"2020-09-15T21:00:27Z","description":"Image editor demo"},"deleted":false,"agreement":null,"label":"{\"objects\":["#;
const FOOT: &str = r#"],\"classifications\":[]}","secondsToLabel":9.581,"#;
const OBJECT: &str = r##"{\"featureId\":\"ckfgcff8n01v50z9n54gr2a8a\",\"schemaId\":\"ckf4g0be000fm0y3e8oavh4fv\",\"title\":\"Tree\",\"value\":\"tree\",\"color\":\"#e0ff00\",\"bbox\":{\"top\":117.25,\"left\":1043.5,\"height\":96,\"width\":41},\"classifications\":[]}"##;

/// A new annotation of Label Studio up to what its tail says of it.
const ANNOTATION_HEAD: &str = r#"{"action":"ANNOTATION_CREATED","project":{"id":2,"title":"Cars","created_at":"2026-09-24T04:00:00.000000Z"},"task":{"id":19},"annotation":{"was_cancelled":false,"ground_truth":false,"result":["#;
const ANNOTATION_REGION: &str = r#"{"id":"WArqkkifYE","from_name":"box","to_name":"image","type":"rectanglelabels","original_width":1920,"original_height":1080,"value":{"x":10.5,"y":20.25,"width":12.5,"height":8.75,"rotation":0,"rectanglelabels":["Car"]}}"#;

/// `head`, as many of `object` as there is room for, and `foot` behind blanks: `length` bytes in all.
fn filled(head: &str, object: &str, foot: &str, length: usize) -> Vec<u8> {
    let mut text = String::with_capacity(length);
    text.push_str(head);
    let mut separator = "";
    while text.len() + 1 + object.len() + foot.len() <= length {
        text.push_str(separator);
        text.push_str(object);
        separator = ",";
    }
    while text.len() + foot.len() < length {
        text.push(' ');
    }
    text.push_str(foot);
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
    #[test]
    fn kinds_differ_in_what_their_names_say() {
        let mut request = Request::default();
        let signed = |deliveries: &Deliveries, request: &Request| {
            let body = [deliveries.prefix(), request.tail.as_bytes()].concat();
            let mac = signer().chain_update(&body).finalize().into_bytes();
            let hex = mac
                .iter()
                .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
            request.head.contains(&hex)
        };
        let forged = Deliveries::of(Kind::Forged, 1024);
        forged.fill(&mut request);
        assert!(!signed(&forged, &request) && forged.is_expected(401) && !forged.is_expected(200));

        let repeated = Deliveries::of(Kind::Repeated, 1024);
        let mut seen = HashSet::new();
        for _ in 0..REPEATED + 100 {
            repeated.fill(&mut request);
            assert!(signed(&repeated, &request));
            seen.insert(request.head.clone());
        }
        assert_eq!(seen.len(), 1000);

        let annotations = Deliveries::of(Kind::LabelStudio, 1024);
        let mut seen = HashSet::new();
        for _ in 0..1000 {
            annotations.fill(&mut request);
            assert!(request.head.starts_with("POST /label-studio HTTP/1.1\r\n"));
            assert!(
                request
                    .head
                    .contains(&format!("Authorization: Bearer {SECRET}\r\n"))
            );
            let body = [annotations.prefix(), request.tail.as_bytes()].concat();
            assert_eq!(body.len(), 1024);
            serde_json::from_slice::<serde_json::Value>(&body).expect("JSON");
            assert!(seen.insert(body));
        }

        let sources = Deliveries::new(1024).over_sources(3);
        let mut paths = HashSet::new();
        for _ in 0..6 {
            sources.fill(&mut request);
            paths.extend(request.head.split(' ').nth(1).map(str::to_owned));
        }
        let all = ["/s0", "/s1", "/s2"].map(str::to_owned);
        assert_eq!(paths, HashSet::from(all));
    }
}
