//! The texts in the data of a task, for a span to be compared with.

use crate::json::Value;
use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

/// Comparisons that one event is worth, each as many as the characters of the marked text and one. Spans times texts would
/// be minutes for a body of a megabyte.
pub(super) const MAX_COMPARED: u64 = 10_000_000;

/// The texts of one task, read when the first span asks.
pub(super) struct TaskTexts<'d, 'a> {
    data: Option<Value<'d, 'a>>,
    /// Comparisons that are left to the event.
    left: Rc<Cell<u64>>,
    read: OnceCell<Texts<'d>>,
}

#[derive(Default)]
struct Texts<'d> {
    texts: Vec<Text<'d>>,
    /// Texts of each paragraph of a dialogue.
    paragraphs: Vec<Vec<Text<'d>>>,
}

impl<'d, 'a> TaskTexts<'d, 'a> {
    /// `data` is the task's member.
    pub(super) fn new(data: Option<Value<'d, 'a>>, left: &Rc<Cell<u64>>) -> Self {
        Self {
            left: Rc::clone(left),
            data: data.filter(|data| data.is_object()),
            read: OnceCell::new(),
        }
    }

    /// Comparisons that are left to the event.
    pub(super) fn left(&self) -> u64 {
        self.left.get()
    }

    /// Gives comparisons back: whatever was found by them is not used.
    pub(super) fn set_left(&self, left: u64) {
        self.left.set(left);
    }

    fn read(&self) -> Option<&Texts<'d>> {
        let data = self.data?;
        Some(self.read.get_or_init(|| {
            let mut found = Texts::default();
            for (_, value) in data.members() {
                found.texts.extend(Text::of(value));
                for paragraph in value.items().filter(|one| one.is_object()) {
                    let texts = paragraph.members().into_iter();
                    let texts = texts.filter_map(|(_, value)| Text::of(value));
                    found.paragraphs.push(texts.collect());
                }
            }
            found
        }))
    }

    /// Tells whether any text has `part` from the character `start` on; `None` without data, or if nothing is left
    /// for so many comparisons.
    pub(super) fn have(&self, start: u64, part: &[u8]) -> Option<bool> {
        self.any_has(&self.read()?.texts, start, part)
    }

    /// The same of the texts of a paragraph; `None` if there is none of this number.
    pub(super) fn paragraph_has(&self, number: u32, start: u64, part: &[u8]) -> Option<bool> {
        let paragraph = self.read()?.paragraphs.get(number as usize)?;
        self.any_has(paragraph, start, part)
    }

    fn any_has(&self, texts: &[Text<'d>], start: u64, part: &[u8]) -> Option<bool> {
        let each = characters(part).saturating_add(1);
        let cost = each.saturating_mul(texts.len() as u64);
        self.left.set(self.left.get().checked_sub(cost)?);
        Some(texts.iter().any(|text| text.has(start, part)))
    }
}

/// A text, and where some of its characters begin.
struct Text<'d> {
    bytes: Cow<'d, [u8]>,
    /// Place of every 64th character; none if all have one byte.
    marks: Vec<usize>,
}

const STEP: usize = 64;

impl<'d> Text<'d> {
    fn of(value: Value<'d, '_>) -> Option<Self> {
        let bytes = value.is_text().then(|| value.exact())?;
        let marks = if bytes.is_ascii() {
            Vec::new()
        } else {
            starts(&bytes, 0).step_by(STEP).collect()
        };
        Some(Self { bytes, marks })
    }

    fn has(&self, start: u64, part: &[u8]) -> bool {
        let Ok(start) = usize::try_from(start) else {
            return false;
        };
        let at = if self.marks.is_empty() {
            Some(start)
        } else {
            let mark = self.marks.get(start / STEP).copied();
            mark.and_then(|mark| starts(&self.bytes, mark).nth(start % STEP))
        };
        let rest = at.and_then(|at| self.bytes.get(at..));
        rest.is_some_and(|rest| rest.starts_with(part))
    }
}

/// Places from `from` on at which a character begins.
fn starts(bytes: &[u8], from: usize) -> impl Iterator<Item = usize> {
    let rest = bytes.iter().enumerate().skip(from);
    rest.filter(|(_, byte)| !is_continued(**byte))
        .map(|(at, _)| at)
}

fn is_continued(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Characters of a text. Half of a surrogate pair is one.
pub(in crate::changes) fn characters(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| !is_continued(**byte)).count() as u64
}
