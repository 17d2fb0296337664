//! Questions and their answers.

use super::object::{name_of, other};
use crate::changes::{Answer, Classification, Region};
use crate::json::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// Answers that were read, and questions of which one was not as it should be.
#[derive(Default)]
pub(super) struct Answers<'a> {
    pub(super) read: Vec<Classification<'a>>,
    pub(super) unread: Vec<Region<'a>>,
}

type Text<'a> = Cow<'a, str>;

/// Answers that a question may stand below. Each question below answers holds a list of what led to it: with hundreds
/// of names in each of them, a body of a few megabytes would become a gigabyte.
const MAX_ANSWERS_ABOVE: usize = 16;

/// Code points of the names of those questions and answers together: a dataset writes them for each question below.
const MAX_CHARACTERS_ABOVE: usize = 4_096;

/// Questions and answers that led to a question.
#[derive(Clone, Default)]
struct Above {
    /// Their names, outermost first.
    names: Arc<[Arc<str>]>,
    /// Code points of all names.
    characters: usize,
}

impl Above {
    fn with(&self, question: &Name, answer: &Name) -> Self {
        let led = [Arc::clone(&question.text), Arc::clone(&answer.text)];
        Self {
            names: self.names.iter().cloned().chain(led).collect(),
            characters: self.characters + question.characters + answer.characters,
        }
    }

    fn is_too_much(&self) -> bool {
        self.names.len() > 2 * MAX_ANSWERS_ABOVE || self.characters > MAX_CHARACTERS_ABOVE
    }
}

/// A name for many to share, counted once: one name may lead to a hundred thousand questions.
struct Name {
    text: Arc<str>,
    characters: usize,
}

impl Name {
    fn of(text: Option<&str>) -> Self {
        let text = text.unwrap_or_default();
        Self {
            text: Arc::from(text),
            characters: text.chars().count(),
        }
    }
}

/// Members of a question that hold its answers, in any of the forms that Labelbox writes.
const HOLDERS: [&str; 8] = [
    "answer",
    "radio_answer",
    "text_answer",
    "conversational_radio_answer",
    "conversational_text_answer",
    "answers",
    "checklist_answers",
    "conversational_checklist_answers",
];

impl<'a> Answers<'a> {
    /// Reads questions in the order in which they stand, and after each those that its answers led to.
    pub(super) fn read(
        &mut self,
        written: Option<Value<'_, 'a>>,
        region: Option<&Text<'a>>,
        frame: Option<i64>,
    ) {
        let region: Option<Arc<str>> = region.map(|id| Arc::from(&**id));
        // A stack in place of recursion: bodies may be nested deeply.
        let questions = written.map(Value::several).unwrap_or_default();
        let mut waiting: Vec<(Value<'_, 'a>, Above)> = Vec::new();
        let top = Above::default();
        waiting.extend(questions.into_iter().rev().map(|one| (one, top.clone())));
        while let Some((question, above)) = waiting.pop() {
            if question.is_array() {
                // v1 writes lists of lists.
                let inner: Vec<_> = question.items().collect();
                waiting.extend(inner.into_iter().rev().map(|one| (one, above.clone())));
                continue;
            }
            if above.is_too_much() {
                // It holds what stands below it.
                self.unread.push(other(question, None));
                continue;
            }
            let chosen = chosen(question);
            let name = name_of(question);
            let mut shared_name = None;
            for answer in chosen.iter().rev() {
                let Some(below) = answer.member("classifications") else {
                    continue;
                };
                let below = below.several();
                if below.is_empty() {
                    continue;
                }
                let asked = shared_name.get_or_insert_with(|| Name::of(name.as_deref()));
                let led = above.with(asked, &Name::of(text_of(*answer).as_deref()));
                waiting.extend(below.into_iter().rev().map(|one| (one, led.clone())));
            }
            let values = chosen.into_iter().map(text_of);
            let values: Option<Vec<_>> = values.map(|text| text.map(Answer::Text)).collect();
            match values.filter(|_| question.is_object()) {
                Some(values) => self.read.push(Classification {
                    name,
                    values,
                    region: region.clone(),
                    frame,
                    item: None,
                    parent: above.names,
                    raw: question.raw(),
                }),
                None => self.unread.push(other(question, None)),
            }
        }
    }
}

/// The answers to one question: one, or an array.
fn chosen<'d, 'a>(question: Value<'d, 'a>) -> Vec<Value<'d, 'a>> {
    let held = HOLDERS.into_iter().filter_map(|name| question.member(name));
    for held in held {
        if !held.is_array() {
            return vec![held];
        }
        let answers: Vec<_> = held.items().collect();
        if !answers.is_empty() {
            return answers;
        }
    }
    Vec::new()
}

/// The answer's text, its content, or its name.
fn text_of<'a>(answer: Value<'_, 'a>) -> Option<Text<'a>> {
    if !answer.is_object() {
        return answer.text();
    }
    match answer.find("content") {
        Some(content) => content.text(),
        None => name_of(answer),
    }
}
