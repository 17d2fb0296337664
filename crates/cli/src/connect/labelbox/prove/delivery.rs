//! One delivery, as far as a report may tell of it: sizes, times, names of known headers and members. No value that
//! somebody chose, no id, no text of a body.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Version};
use labelrelay_core::signature::{SIGNATURE_256_HEADER, SIGNATURE_HEADER, sign_sha1, sign_sha256};
use labelrelay_event::Digest;
use serde::Serialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// Names that documents show at the top of a body. Any other may be a name of somebody's, and is only counted.
const KNOWN: [&str; 40] = [
    "action",
    "actorId",
    "agreement",
    "batch_id",
    "benchmark_id",
    "consensus",
    "createdAt",
    "createdBy",
    "dataRowId",
    "dataRowIds",
    "data_row",
    "dataset_name",
    "destinationTaskId",
    "destinationTaskName",
    "externalId",
    "external_id",
    "id",
    "isBenchmarkReferenceLabel",
    "isDeleted",
    "label",
    "labelUrl",
    "labeledData",
    "labels",
    "media_attributes",
    "metadata",
    "metadata_fields",
    "attachments",
    "organizationId",
    "originTaskId",
    "originTaskName",
    "project",
    "projectId",
    "projects",
    "reviews",
    "secondsToLabel",
    "timestamp",
    "type",
    "updatedAt",
    "viewLabel",
    "workspace",
];

/// Names of headers that senders and proxies are known to set. Any other may be a name of somebody's, and is only counted.
const KNOWN_HEADERS: [&str; 38] = [
    "accept",
    "accept-encoding",
    "authorization",
    "baggage",
    "cache-control",
    "cdn-loop",
    "cf-connecting-ip",
    "cf-ipcountry",
    "cf-ray",
    "cf-visitor",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "expect",
    "forwarded",
    "host",
    "idempotency-key",
    "keep-alive",
    "sentry-trace",
    "te",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "user-agent",
    "via",
    "x-amzn-trace-id",
    "x-b3-traceid",
    "x-cloud-trace-context",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-hub-signature",
    "x-hub-signature-256",
    "x-real-ip",
    "x-request-id",
    "x-retry-count",
];

/// Beginning of the names that are Labelbox's own.
const OF_LABELBOX: &str = "x-labelbox-";

/// Names of Labelbox's own headers that are told, at most; a word is not longer than [`LONGEST`].
const MOST_HEADERS: usize = 60;
const LONGEST: usize = 48;

/// Answer that a delivery got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Answered {
    Ok,
    Unavailable,
    /// None, until Labelbox had enough.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Shape {
    V1,
    V2,
    Workflow,
    Other,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Delivery {
    /// Since the webhook was made.
    pub(super) at_ms: u64,
    pub(super) answered: Answered,
    /// Time until Labelbox had enough of waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) waited_ms: Option<u64>,
    pub(super) http: &'static str,
    pub(super) headers: Vec<String>,
    /// Headers whose names are not told.
    pub(super) other_headers: usize,
    pub(super) sha1: Option<bool>,
    pub(super) sha256: Option<bool>,
    pub(super) event: Option<String>,
    pub(super) has_id: bool,
    pub(super) is_length_told: bool,
    pub(super) content_type: Option<String>,
    pub(super) body_bytes: usize,
    pub(super) shape: Shape,
    pub(super) members: Vec<&'static str>,
    /// Members whose names no document shows.
    pub(super) other_members: usize,
    /// Number of the earlier delivery with the same body, and with the same id.
    pub(super) same_body_as: Option<usize>,
    pub(super) same_id_as: Option<usize>,
    #[serde(skip)]
    pub(super) digest: Digest,
    #[serde(skip)]
    id: Option<Vec<u8>>,
}

/// The signatures of a body that is signed with `secret`: fits, does not fit, or is not there.
pub(super) fn signatures(
    headers: &HeaderMap,
    body: &[u8],
    secret: &[u8],
) -> (Option<bool>, Option<bool>) {
    let fits = |name: &str, right: &str| {
        let shown = headers.get(name)?;
        Some(shown.as_bytes().eq_ignore_ascii_case(right.as_bytes()))
    };
    (
        fits(SIGNATURE_HEADER, &sign_sha1(secret, body)),
        fits(SIGNATURE_256_HEADER, &sign_sha256(secret, body)),
    )
}

impl Delivery {
    /// Looks at a delivery that is signed with our secret. `earlier` came before.
    pub(super) fn new(
        head: &Parts,
        body: &Bytes,
        (sha1, sha256): (Option<bool>, Option<bool>),
        at_ms: u64,
        earlier: &[Self],
    ) -> Self {
        let header = |name: &str| head.headers.get(name);
        let digest = Digest::of(body);
        let id = header("x-labelbox-id").map(|id| id.as_bytes().to_vec());
        let same_id = |other: &Self| id.is_some() && other.id == id;
        #[expect(clippy::zero_sized_map_values, reason = "a set reads no JSON object")]
        let members: Option<BTreeMap<String, IgnoredAny>> = serde_json::from_slice(body).ok();
        let members = members.unwrap_or_default();
        let known = |name: &&'static str| members.contains_key(*name);
        let known: Vec<_> = KNOWN.iter().copied().filter(known).collect();
        let content_type = header("content-type").and_then(|value| value.to_str().ok());
        let headers = names(&head.headers);
        Self {
            at_ms,
            answered: Answered::Ok,
            waited_ms: None,
            http: match head.version {
                Version::HTTP_10 => "1.0",
                Version::HTTP_11 => "1.1",
                _ => "other",
            },
            other_headers: head.headers.keys_len().saturating_sub(headers.len()),
            headers,
            sha1,
            sha256,
            event: header("x-labelbox-event").map(|event| word(event.as_bytes())),
            has_id: id.is_some(),
            is_length_told: header("content-length").is_some(),
            content_type: content_type.map(media_type),
            body_bytes: body.len(),
            shape: shape(&known),
            other_members: members.len().saturating_sub(known.len()),
            members: known,
            same_body_as: earlier.iter().position(|other| other.digest == digest),
            same_id_as: earlier.iter().position(same_id),
            digest,
            id,
        }
    }
}

fn shape(members: &[&str]) -> Shape {
    let has = |name: &str| members.contains(&name);
    if has("data_row") && has("projects") {
        Shape::V2
    } else if has("dataRowIds") {
        Shape::Workflow
    } else if has("label") || has("labels") {
        Shape::V1
    } else {
        Shape::Other
    }
}

/// Names of headers that are known, in the order in which they came.
fn names(headers: &HeaderMap) -> Vec<String> {
    let is_told = |name: &&str| {
        KNOWN_HEADERS.contains(name) || (name.starts_with(OF_LABELBOX) && name.len() <= LONGEST)
    };
    let names = headers.keys().map(http::HeaderName::as_str).filter(is_told);
    names.take(MOST_HEADERS).map(str::to_owned).collect()
}

/// A name of an event: words of capitals or small letters. Anything else is not told.
fn word(value: &[u8]) -> String {
    let is_word = value
        .iter()
        .all(|byte| byte.is_ascii_alphabetic() || b"_.-".contains(byte));
    match std::str::from_utf8(value) {
        Ok(text) if is_word && !text.is_empty() && text.len() <= LONGEST => text.to_owned(),
        _ => "(something else)".to_owned(),
    }
}

/// The type without its parameters.
fn media_type(value: &str) -> String {
    let bare = value.split(';').next().unwrap_or_default().trim();
    let is_one = bare.len() <= LONGEST
        && bare
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/+.-".contains(&byte));
    if is_one {
        bare.to_ascii_lowercase()
    } else {
        "(something else)".to_owned()
    }
}
