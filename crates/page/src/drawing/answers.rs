//! Answers and relations of an annotation.

use super::budget::Budget;
use super::view::{Answer, Relation, State};
use labelrelay_event::changes::{Annotation, Answer as Given, Classification};
use std::collections::HashMap;
use std::sync::Arc;

/// Values of one answer.
const MAX_VALUES: usize = 100;

/// Characters of one value.
pub(super) const MAX_CHARACTERS: usize = 1_000;

/// Questions and answers above one that are named with it: the nearest.
const MAX_PARENTS: usize = 6;

/// Characters of each: the body has them once, and they stand above thousands of answers.
const MAX_PARENT_CHARACTERS: usize = 100;

type Question<'c> = (
    Option<&'c str>,
    Option<&'c str>,
    Option<i64>,
    Option<i64>,
    &'c [Arc<str>],
);

fn question<'c>(answer: &'c Classification<'_>) -> Question<'c> {
    (
        answer.name.as_deref(),
        answer.region.as_deref(),
        answer.frame,
        answer.item,
        &*answer.parent,
    )
}

/// The answers, each with what it was before.
pub(super) fn answers(
    now: &Annotation<'_>,
    before: Option<&Annotation<'_>>,
    budget: &mut Budget,
) -> Vec<Answer> {
    let before = before.map(|before| {
        let known = before.classifications.iter();
        known
            .map(|answer| (question(answer), values(answer)))
            .collect::<HashMap<_, _>>()
    });
    let mut found = Vec::new();
    for answer in &now.classifications {
        if !budget.take(0) {
            continue;
        }
        let values = values(answer);
        let known = before.as_ref().map(|known| known.get(&question(answer)));
        let (state, was) = match known {
            None => (State::Plain, None),
            Some(None) => (State::New, None),
            Some(Some(same)) if *same == values => (State::Same, None),
            Some(Some(other)) => (State::Changed, Some(other.clone())),
        };
        found.push(Answer {
            name: answer.name.as_deref().map(cut),
            region: answer.region.as_deref().map(cut),
            frame: answer.frame,
            item: answer.item,
            parent: parents(answer),
            values,
            was,
            state,
        });
    }
    found
}

/// The connections of regions.
pub(super) fn relations(now: &Annotation<'_>, budget: &mut Budget) -> Vec<Relation> {
    let mut found = Vec::new();
    for relation in &now.relations {
        if !budget.take(0) {
            continue;
        }
        let labels = relation.labels.iter().take(MAX_VALUES);
        found.push(Relation {
            from: relation.from.as_deref().map(cut),
            to: relation.to.as_deref().map(cut),
            direction: relation.direction.as_deref().map(cut),
            labels: labels.map(|label| cut(label)).collect(),
        });
    }
    found
}

fn parents(answer: &Classification<'_>) -> Vec<String> {
    let left_out = answer.parent.len().saturating_sub(MAX_PARENTS);
    let nearest = answer.parent.iter().skip(left_out);
    let nearest = nearest.map(|above| cut_at(above, MAX_PARENT_CHARACTERS));
    let rest = (left_out > 0).then(|| "…".to_owned());
    rest.into_iter().chain(nearest).collect()
}

fn values(answer: &Classification<'_>) -> Vec<String> {
    let values = answer.values.iter().take(MAX_VALUES);
    let mut values: Vec<_> = values.map(value).collect();
    let left_out = answer.values.len().saturating_sub(MAX_VALUES);
    if left_out > 0 {
        values.push(format!("… and {left_out} others"));
    }
    values
}

fn value(given: &Given<'_>) -> String {
    match given {
        Given::Text(text) => cut(text),
        Given::Number(number) => number.to_string(),
        Given::Path(path) => {
            let path: Vec<_> = path.iter().take(MAX_VALUES).map(|step| cut(step)).collect();
            path.join(" › ")
        }
        _ => "an answer of a kind that this version does not know".to_owned(),
    }
}

/// A text with a bound.
pub(super) fn cut(text: &str) -> String {
    cut_at(text, MAX_CHARACTERS)
}

fn cut_at(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}
