//! From an address below `/api/` to an answer.

use super::body::bytes_of;
use super::delivery::DeliveryView;
use super::list;
use super::media;
use super::media_form::Form;
use crate::answer::{Refusal, body_file, event_file, json};
use crate::data::{Acted, Action, Delivery, PageData};
use crate::query::{Query, decoded_path};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Serialize;

/// The answer to a request for `path`, below `/api/`.
pub(crate) fn answer(
    data: &dyn PageData,
    relay_url: Option<&str>,
    path: &str,
    query: &Query,
) -> Result<Response<Bytes>, Refusal> {
    match path {
        "deliveries" => list::answer(data, query).map(|list| json(&list)),
        "strip" => Ok(json(&strip(data))),
        "sources" => Ok(json(&sources(data))),
        _ => {
            let name = path.strip_prefix("deliveries/").ok_or_else(|| {
                let words = "nothing has this address";
                Refusal::new(StatusCode::NOT_FOUND, words)
            })?;
            if let Some(name) = name.strip_suffix("/body") {
                let body = bytes_of(&find(data, name)?);
                return body
                    .map(body_file)
                    .map_err(|words| Refusal::new(StatusCode::NOT_FOUND, words));
            }
            if let Some(name) = name.strip_suffix("/event") {
                let message = find(data, name)?.message;
                return message.map(event_file).ok_or_else(|| {
                    let words = "this delivery has no event, or the event is gone from the queue";
                    Refusal::new(StatusCode::NOT_FOUND, words)
                });
            }
            let delivery = find(data, name)?;
            Ok(json(&DeliveryView::of(&delivery, relay_url)))
        }
    }
}

/// The document of a medium that somebody wants to see or to hear, such as `r12/0/audio`.
pub(crate) fn media_document(
    data: &dyn PageData,
    path: &str,
    query: &Query,
) -> Result<Response<Bytes>, Refusal> {
    let mut parts = path.split('/');
    let named = (
        parts.next(),
        parts.next(),
        parts.next().and_then(Form::named),
    );
    let ((Some(name), Some(place), Some(form)), None) = (named, parts.next()) else {
        let words = "no medium has this address";
        return Err(Refusal::new(StatusCode::NOT_FOUND, words));
    };
    media::document(&find(data, name)?, place, form, query.get("t"))
}

fn find(data: &dyn PageData, name: &str) -> Result<Delivery, Refusal> {
    let name = decoded_path(name);
    let found = data.delivery(&name)?;
    found.ok_or_else(no_such_delivery)
}

fn no_such_delivery() -> Refusal {
    let words =
        "the record has no such delivery: it may have been removed to make room for later ones";
    Refusal::new(StatusCode::NOT_FOUND, words)
}

/// Something that is done with the event of a delivery.
pub(crate) struct Deed {
    name: String,
    action: Action,
}

impl Deed {
    /// What a path asks for, such as `/api/deliveries/r12/retry`; `None` if that is nothing that can be done.
    pub(crate) fn of(path: &str) -> Option<Self> {
        let (name, action) = path.strip_prefix("/api/deliveries/")?.rsplit_once('/')?;
        let action = Action::ALL.into_iter().find(|it| it.as_str() == action)?;
        Some(Self {
            name: decoded_path(name),
            action,
        })
    }

    /// Does it.
    pub(crate) fn answer(&self, data: &dyn PageData) -> Result<Response<Bytes>, Refusal> {
        #[derive(Serialize)]
        struct Words {
            words: String,
        }
        match data.act(&self.name, self.action)? {
            Some(Acted::Done(words)) => Ok(json(&Words { words })),
            Some(Acted::Refused(words)) => Err(Refusal::new(StatusCode::CONFLICT, words)),
            None => Err(no_such_delivery()),
        }
    }
}

#[derive(Serialize)]
struct Strip {
    parts: Vec<StripPart>,
}

#[derive(Serialize)]
struct StripPart {
    part: &'static str,
    ok: bool,
    words: String,
}

fn strip(data: &dyn PageData) -> Strip {
    let parts = data.strip().into_iter().map(|state| StripPart {
        part: state.part.as_str(),
        ok: state.is_ok,
        words: state.words,
    });
    Strip {
        parts: parts.collect(),
    }
}

#[derive(Serialize)]
struct Sources {
    sources: Vec<Source>,
}

#[derive(Serialize)]
struct Source {
    name: String,
    platform: String,
    enter: Vec<(String, String)>,
    facts: Vec<(String, String)>,
    findings: Vec<String>,
}

fn sources(data: &dyn PageData) -> Sources {
    let sources = data.sources().into_iter().map(|source| Source {
        name: source.name,
        platform: source.platform,
        enter: source.enter,
        facts: source.facts,
        findings: source.findings,
    });
    Sources {
        sources: sources.collect(),
    }
}
