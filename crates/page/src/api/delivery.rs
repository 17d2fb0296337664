//! One delivery, as its side of the page shows it.

use super::body::{self, Found};
use super::curl;
use super::list::Line;
use super::media::{self, Media, MediaView};
use super::outline::{self, Row};
use super::steps::{self, Step};
use super::text::CutText;
use crate::data::Delivery;
use crate::drawing::{self, Drawings, Version};
use labelrelay_event::Envelope;
use serde::Serialize;

/// Bytes of a body that are shown as they came.
const MAX_RAW_BYTES: usize = 64 * 1024;

/// Bytes of the message around a body.
const MAX_ENVELOPE_BYTES: usize = 16 * 1024;

#[derive(Serialize)]
pub(super) struct DeliveryView {
    summary: Line,
    cure: Option<String>,
    facts: Vec<(&'static str, String)>,
    head: Option<String>,
    steps: Vec<Step>,
    envelope: Option<CutText>,
    body: BodyView,
    curl: String,
    previous: Option<String>,
    actions: Vec<&'static str>,
    /// Images that somebody may want to see below the drawing.
    media: Vec<MediaView>,
    #[serde(flatten)]
    drawings: Drawings,
}

#[derive(Serialize)]
struct BodyView {
    state: &'static str,
    words: Option<String>,
    bytes: usize,
    #[serde(flatten)]
    raw: CutText,
    outline: Vec<Row>,
    outline_cut: Option<String>,
}

impl DeliveryView {
    pub(super) fn of(delivery: &Delivery, relay_url: Option<&str>) -> Self {
        let message = delivery.message.as_deref();
        let decoded = message.map(Envelope::decode);
        let envelope = decoded.as_ref().and_then(|decoded| decoded.as_ref().ok());
        let found = body::find(delivery, envelope);
        let now = Version {
            message,
            body: match &found {
                Found::Whole(bytes) => Some(&**bytes),
                Found::Start(_) | Found::Missing(_) => None,
            },
        };
        // What nobody has vouched for names nothing that is worth a click.
        let vouched = now.body.filter(|_| message.is_some());
        let media = vouched.map(media::of).unwrap_or_default();
        let before = delivery.previous.as_ref().map(|previous| Version {
            message: Some(previous.message.as_slice()),
            body: previous.body.as_deref(),
        });
        let shown = match (&decoded, envelope) {
            (Some(Ok(_)), Some(envelope)) => {
                let text = serde_json::to_vec_pretty(&envelope.attributes).unwrap_or_default();
                Some(CutText::of(&text, MAX_ENVELOPE_BYTES))
            }
            (Some(Err(error)), _) => {
                let mut cut = CutText::of(message.unwrap_or_default(), MAX_ENVELOPE_BYTES);
                let rest = cut.cut.take().unwrap_or_default();
                cut.cut = Some(format!("It cannot be read: {error}. {rest}"));
                Some(cut)
            }
            _ => None,
        };
        Self {
            summary: Line::of(&delivery.summary),
            cure: delivery.cure.clone(),
            facts: facts(delivery),
            head: delivery.head.clone(),
            steps: steps::of(delivery),
            envelope: shown,
            curl: curl::command(delivery, relay_url, &found),
            body: BodyView::of(&found),
            previous: delivery
                .previous
                .as_ref()
                .map(|previous| previous.name.clone()),
            actions: delivery
                .actions
                .iter()
                .map(|action| action.as_str())
                .collect(),
            media: media.iter().map(Media::view).collect(),
            drawings: drawing::of(now, before),
        }
    }
}

impl BodyView {
    fn of(found: &Found<'_>) -> Self {
        let (state, bytes, words): (_, &[u8], _) = match found {
            Found::Whole(bytes) => ("whole", &**bytes, None),
            Found::Start(bytes) => {
                let words = "Only the first part of this body was kept.";
                ("start", *bytes, Some(words.to_owned()))
            }
            Found::Missing(words) => ("missing", Default::default(), Some(words.clone())),
        };
        let outline = outline::of(bytes);
        Self {
            state,
            words,
            bytes: bytes.len(),
            raw: CutText::of(bytes, MAX_RAW_BYTES),
            outline: outline.rows,
            outline_cut: outline.cut,
        }
    }
}

/// What is known of the request, beside its head.
fn facts(delivery: &Delivery) -> Vec<(&'static str, String)> {
    let summary = &delivery.summary;
    let facts = [
        ("Method", &delivery.method),
        ("Path", &delivery.path),
        ("Sender", &delivery.client),
        ("Replica", &delivery.replica),
        ("Source", &summary.source),
        ("Type", &summary.event_type),
        ("Subject", &summary.subject),
        ("Project", &summary.project),
        ("Event", &summary.event_id),
        ("Delivery", &summary.delivery_id),
        ("Secret", &delivery.verified_by),
        ("SHA-256", &delivery.body_sha256),
        ("Queue", &delivery.queue_state),
    ];
    let facts = facts.into_iter();
    let known = facts.filter_map(|(label, fact)| Some((label, fact.clone()?)));
    known.collect()
}
