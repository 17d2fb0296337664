//! Requests as the platforms send them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Value of `X-Hub-Signature` for `body`.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes())
        .unwrap()
        .chain_update(body);
    mac.finalize()
        .into_bytes()
        .iter()
        .fold("sha1=".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// Head of a delivery of Labelbox, before its body.
pub struct Head<'a> {
    /// Path.
    pub path: &'a str,
    /// `X-Labelbox-Event`.
    pub event: &'a str,
    /// `X-Labelbox-Id`.
    pub delivery: &'a str,
    /// `X-Hub-Signature`.
    pub signature: &'a str,
    /// Further header lines, each with its line break.
    pub more: &'a str,
}

impl Head<'_> {
    /// The head's bytes, for a body of this length.
    pub fn bytes(&self, body_bytes: usize) -> Vec<u8> {
        let Self {
            path,
            event,
            delivery,
            signature,
            more,
        } = self;
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Labelbox-Id: {delivery}\r\n\
             X-Labelbox-Event: {event}\r\nX-Hub-Signature: {signature}\r\nContent-Length: {body_bytes}\r\n{more}\r\n"
        )
        .into_bytes()
    }

    /// The whole request.
    pub fn followed_by(&self, body: &[u8]) -> Vec<u8> {
        [&*self.bytes(body.len()), body].concat()
    }
}

/// A whole delivery of Labelbox, signed.
pub fn labelbox(secret: &str, event: &str, delivery: &str, body: &[u8]) -> Vec<u8> {
    let signature = signature(secret, body);
    Head {
        path: "/labelbox",
        event,
        delivery,
        signature: &signature,
        more: "",
    }
    .followed_by(body)
}

/// A v1 label of about 1 KB; different for each `tag`.
pub fn label(tag: &str) -> Vec<u8> {
    let objects =
        r#"{\"featureId\":\"ckfgcff8n01v50z9n54gr2a8a\",\"title\":\"Tree\",\"value\":\"tree\"},"#
            .repeat(8);
    format!(
        r#"{{"project":{{"name":"Image project","id":"ckf4fx97mel7z0729qm72dhyv"}},"deleted":false,"label":"{{\"objects\":[{objects}{{}}]}}", "secondsToLabel": 9.5810, "dataRow":{{"id":"ckdr{tag}"}},"id":"ckla{tag}","createdAt":"2026-09-24T04:56:08Z","updatedAt":"2026-09-24T04:56:08Z"}}"#
    )
    .into_bytes()
}

/// Value of an `Authorization` header of the kind that a URL with user and password makes.
pub fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// A delivery of Label Studio with this `Authorization` header.
pub fn label_studio(authorization: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /label-studio HTTP/1.1\r\nHost: localhost\r\nUser-Agent: python-requests/2.34.2\r\nAccept-Encoding: gzip, deflate\r\n\
         Accept: */*\r\nConnection: keep-alive\r\nAuthorization: {authorization}\r\nContent-Length: {}\r\nContent-Type: application/json\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
