//! Function-URL events around signed deliveries, as the platform hands them out.

use crate::Outcome;
use crate::bench::deliveries::{Deliveries, PATH, Request, signer};
use hmac::Mac;
use std::fmt::Write as _;

/// Makes events of one size of body, each distinct.
pub(super) struct Events(Deliveries);

impl Events {
    pub(super) fn new(body_bytes: usize) -> Self {
        Self(Deliveries::new(body_bytes))
    }

    /// The next event.
    pub(super) fn next(&self) -> Outcome<Vec<u8>> {
        let mut request = Request::default();
        self.0.fill(&mut request);
        let body = [self.0.prefix(), request.tail.as_bytes()].concat();
        let value = |name: &str| {
            let lines = request.head.lines();
            lines
                .filter_map(|line| line.split_once(": "))
                .find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
                .unwrap_or_default()
        };
        event(body, value("x-hub-signature"), value("x-labelbox-id"))
    }
}

/// Length of the large body. Its event is under the platform's limit of 6,291,456 bytes because it is
/// mostly digits; five megabytes of short strings would not be, their quotes take two bytes each.
pub(super) const LARGE: usize = 5_000_000;

/// An event whose body is a mask's outline: [`LARGE`] bytes.
pub(super) fn large(number: u64) -> Outcome<Vec<u8>> {
    const HEAD: &str = r#"{"project":{"id":"ckf4fx97mel7z0729qm72dhyv"},"label":"{\"objects\":[{\"value\":\"tree\",\"line\":["#;
    let tail = format!(
        r#"[0,0]]}}]}}","dataRow":{{"id":"ckdr00000{number:016x}"}},"id":"ckla00000{number:016x}","createdAt":"2026-09-24T04:56:08Z","updatedAt":"2026-09-24T04:56:08Z"}}"#
    );
    let mut body = String::with_capacity(LARGE);
    body.push_str(HEAD);
    let mut point = 0_u32;
    while body.len() + tail.len() + 20 < LARGE {
        point = point.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        write!(
            body,
            "[{}.{:02},{}],",
            point >> 20,
            point % 100,
            (point >> 8) & 0xfff
        )?;
    }
    while body.len() + tail.len() < LARGE {
        body.push(' ');
    }
    body.push_str(&tail);
    let mac = signer().chain_update(&body).finalize().into_bytes();
    let signature = mac
        .iter()
        .fold("sha1=".to_owned(), |text, byte| format!("{text}{byte:02x}"));
    event(
        body.into_bytes(),
        &signature,
        &format!("ckdelivery{number:016x}"),
    )
}

fn event(body: Vec<u8>, signature: &str, delivery: &str) -> Outcome<Vec<u8>> {
    let body = String::from_utf8(body)?;
    let event = serde_json::json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": PATH,
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "content-length": body.len().to_string(),
            "content-type": "application/json",
            "host": "abcdefghijklmnopqrstuvwxyz012345.lambda-url.us-east-1.on.aws",
            "user-agent": "axios/1.6.0",
            "x-amzn-tls-cipher-suite": "TLS_AES_128_GCM_SHA256",
            "x-amzn-tls-version": "TLSv1.3",
            "x-amzn-trace-id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
            "x-hub-signature": signature,
            "x-labelbox-event": "LABEL_CREATED",
            "x-labelbox-id": delivery,
        },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abcdefghijklmnopqrstuvwxyz012345",
            "domainName": "abcdefghijklmnopqrstuvwxyz012345.lambda-url.us-east-1.on.aws",
            "domainPrefix": "abcdefghijklmnopqrstuvwxyz012345",
            "http": {
                "method": "POST",
                "path": PATH,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "axios/1.6.0",
            },
            "requestId": "5bef4de7-ad49-4b0e-87f6-ef6c87fc2e70",
            "routeKey": "$default",
            "stage": "$default",
            "time": "24/Sep/2026:04:56:08 +0000",
            "timeEpoch": 1_790_225_768_000_u64,
        },
        "body": body,
        "isBase64Encoded": false,
    });
    Ok(serde_json::to_vec(&event)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_large_event_carries_five_megabytes_of_signed_json_within_the_platforms_limit() {
        let event = large(7).expect("made");
        assert!(event.len() < 6_291_456, "{}", event.len());
        let event: serde_json::Value = serde_json::from_slice(&event).expect("JSON");
        let body = event["body"].as_str().expect("a body");
        assert_eq!(body.len(), LARGE);
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let label = body["label"].as_str().expect("a label");
        serde_json::from_str::<serde_json::Value>(label).expect("JSON in JSON");
    }

    #[test]
    fn a_small_event_carries_what_the_signature_covers() {
        let event = Events::new(1024).next().expect("made");
        let event: serde_json::Value = serde_json::from_slice(&event).expect("JSON");
        let body = event["body"].as_str().expect("a body");
        assert_eq!(body.len(), 1024);
        let mac = signer().chain_update(body).finalize().into_bytes();
        let hex = mac
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        assert_eq!(event["headers"]["x-hub-signature"], format!("sha1={hex}"));
    }
}
