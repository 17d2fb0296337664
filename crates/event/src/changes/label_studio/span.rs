//! Parts of texts.

use super::item::Item;
use super::task_texts::{TaskTexts, characters};
use crate::changes::{Shape, Span};
use crate::json::Value;

/// Offsets within the text.
pub(super) fn span<'a>(
    item: &Item<'_, 'a>,
    beside: Option<&TaskTexts<'_, 'a>>,
) -> Option<Shape<'a>> {
    let offsets = offsets(item, "start", "end")?;
    Some(make(item, Some(offsets), None, beside))
}

/// Offsets within a paragraph of a dialogue, whose number is `start` and `end`; or within what `XPaths` name.
pub(super) fn paragraph_span<'a>(
    item: &Item<'_, 'a>,
    beside: Option<&TaskTexts<'_, 'a>>,
) -> Shape<'a> {
    let number = |name| item.member(name).and_then(Value::text);
    let (first, last) = (number("start"), number("end"));
    let is_number = |text: &str| text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    let paragraph = first
        .filter(|first| is_number(first) && last.as_ref() == Some(first))
        .and_then(|first| first.parse().ok());
    match (paragraph, offsets(item, "startOffset", "endOffset")) {
        (Some(paragraph), Some(offsets)) => make(item, Some(offsets), Some(paragraph), beside),
        _ => make(item, None, None, None),
    }
}

fn offsets(item: &Item<'_, '_>, start: &str, end: &str) -> Option<(u64, u64)> {
    let whole = |name| item.member(name).and_then(Value::whole);
    let start = u64::try_from(whole(start)?).ok()?;
    let end = u64::try_from(whole(end)?).ok()?;
    (start <= end).then_some((start, end))
}

fn make<'a>(
    item: &Item<'_, 'a>,
    offsets: Option<(u64, u64)>,
    paragraph: Option<u32>,
    beside: Option<&TaskTexts<'_, 'a>>,
) -> Shape<'a> {
    let written = item.member("text").filter(|text| text.is_text());
    let verified = offsets.zip(written).and_then(|((start, end), written)| {
        let text = written.exact();
        if text.is_empty() {
            return None;
        }
        if characters(&text) != end - start {
            return Some(false);
        }
        match paragraph {
            Some(number) => beside?.paragraph_has(number, start, &text),
            None => beside?.have(start, &text),
        }
    });
    Shape::Span(Span {
        start: offsets.map(|(start, _)| start),
        end: offsets.map(|(_, end)| end),
        text: written.and_then(Value::text),
        verified,
        paragraph,
    })
}
