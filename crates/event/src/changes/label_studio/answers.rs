//! Items that answer a question, and those that connect two regions.

use super::item::Item;
use crate::changes::{Answer, Classification, Relation};
use crate::json::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// The answers; `None` if something is said that is not as it should be.
pub(super) fn classification<'a>(
    item: &Item<'_, 'a>,
    region: Option<Arc<str>>,
) -> Option<Classification<'a>> {
    Some(Classification {
        name: item.name(),
        values: answers(item)?,
        region,
        frame: None,
        item: item.number_of_image(),
        parent: Arc::default(),
        raw: item.json.object().raw(),
    })
}

fn answers<'a>(item: &Item<'_, 'a>) -> Option<Vec<Answer<'a>>> {
    let Some(value) = &item.value else {
        return Some(Vec::new());
    };
    let held = match item.kind() {
        "textarea" => value.find("text"),
        "pairwise" => value.find("selected"),
        // One list, under the item's own name.
        "ranker" => item
            .member("ranker")
            .and_then(|lists| Some(lists.members().first()?.1)),
        kind => value.find(kind),
    };
    let Some(held) = held else {
        let value = value.object();
        return (!value.says_something() && !value.is_number()).then(Vec::new);
    };
    let is_number = matches!(item.kind(), "rating" | "number");
    if is_number && let Some(number) = held.number() {
        return Some(vec![Answer::Number(number)]);
    }
    // A zero is said: nothing must read as unanswered that was answered.
    if !held.says_something() && !held.is_number() {
        return Some(Vec::new());
    }
    match item.kind() {
        "rating" | "number" => None,
        "choices" | "taxonomy" if !held.is_array() => None,
        // A nested choice is a path.
        "choices" => held.items().map(choice).collect(),
        "taxonomy" => held
            .items()
            .map(|one| all_texts(one).map(Answer::Path))
            .collect(),
        _ => Some(all_texts(held)?.into_iter().map(Answer::Text).collect()),
    }
}

fn choice<'a>(one: Value<'_, 'a>) -> Option<Answer<'a>> {
    if one.is_array() {
        return all_texts(one).map(Answer::Path);
    }
    one.text().map(Answer::Text)
}

/// The strings in an array, or the one string that it is; `None` if anything else is there.
pub(super) fn all_texts<'a>(value: Value<'_, 'a>) -> Option<Vec<Cow<'a, str>>> {
    if value.is_array() {
        return value.items().map(Value::text).collect();
    }
    Some(vec![value.text()?])
}

/// The relation; `None` if it does not say between which regions.
pub(super) fn relation<'a>(item: &Item<'_, 'a>) -> Option<Relation<'a>> {
    let end = |name| item.json.member(name).and_then(Value::identifier);
    Some(Relation {
        from: Some(end("from_id")?),
        to: Some(end("to_id")?),
        direction: item.json.member("direction").and_then(Value::text),
        labels: item
            .json
            .member("labels")
            .map(Value::texts)
            .unwrap_or_default(),
        raw: item.json.object().raw(),
    })
}
