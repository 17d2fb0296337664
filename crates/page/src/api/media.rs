//! Media of a task: where they are, and a document of its own for each that somebody wants to see or to hear.
//!
//! The page itself loads nothing from elsewhere. What somebody clicks at is a document with one image, one sound or one
//! video, in a frame without scripts or an origin: what it asks for is asked from another site, without the page's cookie.
//! Its policy names one host, the one that the person was told.

use super::body::bytes_of;
use super::media_form::{Form, Kind};
use crate::answer::{Refusal, media_document};
use crate::data::Delivery;
use bytes::Bytes;
use http::uri::{Authority, Scheme, Uri};
use http::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Largest body that is looked through: as large as one that is drawn.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Media that are named.
const MAX_MEDIA: usize = 20;

/// Longest address of one.
const MAX_URL_BYTES: usize = 8 * 1024;

/// Characters of the name of one.
const MAX_NAME: usize = 100;

/// Something that is labelled, and that a browser can fetch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Media {
    name: String,
    /// Its place in a list of images.
    item: Option<usize>,
    url: String,
    /// Scheme, host and port.
    origin: String,
    kind: Option<Kind>,
}

/// What the page tells of it. The rest of the address may be a signature.
#[derive(Debug, Serialize)]
pub(super) struct MediaView {
    name: String,
    item: Option<usize>,
    origin: String,
    /// What its address says that it is.
    kind: Option<Kind>,
}

#[derive(Deserialize)]
struct Body<'b> {
    #[serde(borrow)]
    task: Option<&'b RawValue>,
    #[serde(borrow, rename = "dataRow")]
    row_v1: Option<&'b RawValue>,
    #[serde(borrow, rename = "data_row")]
    row_v2: Option<&'b RawValue>,
}

#[derive(Deserialize)]
struct Task<'b> {
    #[serde(borrow)]
    data: Option<&'b RawValue>,
}

#[derive(Deserialize)]
struct DataRow {
    #[serde(alias = "rowData")]
    row_data: Option<String>,
}

impl Media {
    pub(super) fn view(&self) -> MediaView {
        MediaView {
            name: self.name.clone(),
            item: self.item,
            origin: self.origin.clone(),
            kind: self.kind,
        }
    }

    /// `None` for what a browser would not fetch from a host that can be named: a path, a bucket, an address with a
    /// password in it.
    fn at(name: &str, item: Option<usize>, url: String) -> Option<Self> {
        if url.len() > MAX_URL_BYTES {
            return None;
        }
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme().filter(|scheme| {
            let known = [Scheme::HTTP, Scheme::HTTPS];
            known.contains(scheme)
        })?;
        let host = uri.authority().filter(|host| is_plain(host))?;
        Some(Self {
            name: name.chars().take(MAX_NAME).collect(),
            item,
            origin: format!("{scheme}://{host}"),
            kind: Kind::of(uri.path()),
            url,
        })
    }
}

/// Tells whether it is a host, and a port perhaps, and nothing that means something else in a policy.
fn is_plain(authority: &Authority) -> bool {
    let is_letter = |sign: u8| sign.is_ascii_alphanumeric() || b".-:".contains(&sign);
    !authority.host().is_empty() && authority.as_str().bytes().all(is_letter)
}

/// The media that a sender's body names.
pub(super) fn of(body: &[u8]) -> Vec<Media> {
    if body.len() > MAX_BODY_BYTES {
        return Vec::new();
    }
    let Ok(body) = serde_json::from_slice::<Body<'_>>(body) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for row in [body.row_v1, body.row_v2].into_iter().flatten() {
        let row = serde_json::from_str::<DataRow>(row.get());
        if let Some(url) = row.ok().and_then(|row| row.row_data) {
            found.extend(Media::at("data row", None, url));
        }
    }
    if let Some(task) = body.task {
        of_task(task, &mut found);
    }
    found.truncate(MAX_MEDIA);
    found
}

fn of_task(task: &RawValue, found: &mut Vec<Media>) {
    let data = || -> Option<BTreeMap<String, &RawValue>> {
        let task: Task<'_> = serde_json::from_str(task.get()).ok()?;
        serde_json::from_str(task.data?.get()).ok()
    };
    for (name, value) in data().unwrap_or_default() {
        if found.len() >= MAX_MEDIA {
            return;
        }
        if let Ok(url) = serde_json::from_str::<String>(value.get()) {
            found.extend(Media::at(&name, None, url));
        } else if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
            let urls = list.into_iter().take(MAX_MEDIA).enumerate();
            found.extend(urls.filter_map(|(item, url)| {
                let url = serde_json::from_str(url.get()).ok()?;
                Media::at(&name, Some(item), url)
            }));
        }
    }
}

/// The document of one of them, by its place, in this form. `part` is what is played of it, in seconds, such as `1.5,2`.
pub(super) fn document(
    delivery: &Delivery,
    place: &str,
    form: Form,
    part: Option<&str>,
) -> Result<Response<Bytes>, Refusal> {
    let none = |words: String| Refusal::new(StatusCode::NOT_FOUND, words);
    if delivery.message.is_none() {
        let words = "this delivery became no event: nobody vouches for what it names";
        return Err(none(words.to_owned()));
    }
    let body = bytes_of(delivery).map_err(none)?;
    let place = place.parse::<usize>().ok();
    let media = place.and_then(|place| of(&body).into_iter().nth(place));
    let media = media.ok_or_else(|| none("the delivery names no such medium".to_owned()))?;
    let document = form.document(&media.url, part);
    let (media_type, directive) = (form.media_type(), form.directive());
    Ok(media_document(
        document,
        media_type,
        directive,
        &media.origin,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(body: &str) -> Vec<(String, Option<usize>, String)> {
        let media = of(body.as_bytes()).into_iter();
        media
            .map(|media| (media.name, media.item, media.origin))
            .collect()
    }

    #[test]
    fn both_platforms_say_where_their_media_are() {
        let told = |name: &str, item, origin: &str| (name.to_owned(), item, origin.to_owned());
        let task = r#"{"task":{"data":{"id":7,"pages":["https://b.example/1","http://b.example:81/2"],"image":"https://a.example/x?s=1"}}}"#;
        let expected = [
            told("image", None, "https://a.example"),
            told("pages", Some(0), "https://b.example"),
            told("pages", Some(1), "http://b.example:81"),
        ];
        assert_eq!(named(task), expected);
        for row in [
            r#"{"dataRow":{"rowData":"https://c.example/x"}}"#,
            r#"{"data_row":{"row_data":"https://c.example/x"}}"#,
        ] {
            assert_eq!(named(row), [told("data row", None, "https://c.example")]);
        }
    }

    #[test]
    fn what_a_browser_would_not_fetch_from_a_named_host_is_left_out() {
        for url in [
            "javascript:window.hit=1",
            "data:image/png;base64,AA==",
            "/data/upload/1/a.png",
            "//a.example/x",
            "s3://bucket/a.png",
            "ftp://a.example/x",
            "https://user:password@a.example/x",
            "https://[::1]/x",
            "https://a.example;script-src/x",
            "https://a.example'/x",
            "https:///x",
            "https://*.example/x",
            "",
        ] {
            let body = serde_json::json!({"task": {"data": {"image": url}}}).to_string();
            assert!(named(&body).is_empty(), "{url}");
        }
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL_BYTES));
        assert!(Media::at("image", None, long).is_none());
        for body in ["", "[]", "{\"task\":[]}", "{\"task\":{\"data\":[]}}"] {
            assert!(named(body).is_empty(), "{body}");
        }
        let many = vec!["https://a.example/x"; 100];
        let many = serde_json::json!({"task": {"data": {"a": many, "b": many}}}).to_string();
        assert_eq!(named(&many).len(), MAX_MEDIA);
    }
}
