//! The texts of a task of Label Studio, in pieces: each with the spans that it is a part of.

use super::answers::{MAX_CHARACTERS, cut};
use super::view::{Piece, Span, State, Text};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// Texts of one task.
const MAX_TEXTS: usize = 20;

/// Longest text that is shown, with its quotes and escapes.
const MAX_TEXT_BYTES: usize = 100_000;

/// Spans that are marked in one text. All of them are listed below it.
const MAX_MARKS: usize = 500;

/// Spans that one piece is told to be a part of: of many, each a part of the next, every piece would name all.
const MAX_OF_PIECE: usize = 8;

/// A name, and the characters that offsets count.
pub(super) struct TaskTexts(Vec<(String, Vec<char>)>);

#[derive(Deserialize)]
struct Body<'b> {
    #[serde(borrow)]
    task: Option<&'b RawValue>,
}

#[derive(Deserialize)]
struct Task<'b> {
    #[serde(borrow)]
    data: Option<&'b RawValue>,
}

/// A place in a text, and the number of its span.
struct Mark {
    start: usize,
    end: usize,
    span: usize,
}

impl TaskTexts {
    /// The texts of the task in this body; none where it has no task.
    pub(super) fn of(body: &[u8]) -> Self {
        let data = || -> Option<BTreeMap<String, &RawValue>> {
            let body: Body<'_> = serde_json::from_slice(body).ok()?;
            let task: Task<'_> = serde_json::from_str(body.task?.get()).ok()?;
            serde_json::from_str(task.data?.get()).ok()
        };
        let texts = data().unwrap_or_default().into_iter();
        let texts = texts.filter_map(|(name, value)| {
            let written = Some(value.get()).filter(|it| it.len() <= MAX_TEXT_BYTES);
            let text: String = serde_json::from_str(written?).ok()?;
            Some((cut(&name), text.chars().collect()))
        });
        Self(texts.take(MAX_TEXTS).collect())
    }

    /// The texts that these spans are in, as far as somebody checked that they are.
    pub(super) fn marked(&self, spans: &[Span]) -> Vec<Text> {
        let mut found = Vec::new();
        for (name, characters) in &self.0 {
            let marks = spans.iter().enumerate();
            let marks = marks.filter_map(|(number, span)| mark(characters, number, span));
            let marks: Vec<_> = marks.take(MAX_MARKS).collect();
            if !marks.is_empty() {
                found.push(Text {
                    name: name.clone(),
                    pieces: pieces(characters, &marks),
                });
            }
        }
        found
    }
}

/// The place of a span in this text; `None` if it is not there.
fn mark(characters: &[char], span: usize, told: &Span) -> Option<Mark> {
    let is_now = !matches!(told.tag.state, State::Was | State::Gone);
    if !is_now || told.verified != Some(true) || told.paragraph.is_some() {
        return None;
    }
    let start = usize::try_from(told.start?).ok()?;
    let end = usize::try_from(told.end?).ok()?;
    let there = characters.get(start..end)?;
    // The span's text is cut, too.
    let there: String = there.iter().take(MAX_CHARACTERS + 1).collect();
    (Some(cut(&there)) == told.text).then_some(Mark { start, end, span })
}

fn pieces(characters: &[char], marks: &[Mark]) -> Vec<Piece> {
    let mut ends = BTreeSet::from([0, characters.len()]);
    ends.extend(marks.iter().flat_map(|mark| [mark.start, mark.end]));
    let ends: Vec<_> = ends.into_iter().collect();
    let pieces = ends.iter().zip(ends.iter().skip(1)).map(|(from, to)| {
        let text = characters.get(*from..*to).unwrap_or_default();
        let marks = marks
            .iter()
            .filter(|mark| mark.start <= *from && *to <= mark.end)
            .take(MAX_OF_PIECE);
        Piece(text.iter().collect(), marks.map(|mark| mark.span).collect())
    });
    pieces.collect()
}
