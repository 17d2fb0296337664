//! The places of all values in a JSON text, for a mutation to put another in one's place.

use std::ops::Range;

/// Places of each value, and of each member of an object, from its key to its value.
#[derive(Default)]
pub(super) struct Places {
    pub(super) values: Vec<Range<usize>>,
    pub(super) members: Vec<Range<usize>>,
}

impl Places {
    /// Of a text that is JSON; of anything else, as far as it looks like it.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut found = Self::default();
        // Beginning of a container, and the key that it stands under.
        let mut open: Vec<(usize, Option<usize>)> = Vec::new();
        let mut key = None;
        let mut at = 0;
        while let Some(sign) = text.get(at) {
            let start = at;
            at += 1;
            match sign {
                b'{' | b'[' => {
                    open.push((start, key.take()));
                }
                b'}' | b']' => {
                    let Some((start, its_key)) = open.pop() else {
                        return found;
                    };
                    found.keep(start..at, its_key);
                }
                b'"' => {
                    while text.get(at).is_some_and(|sign| *sign != b'"') {
                        at += 1 + usize::from(text[at] == b'\\');
                    }
                    at = (at + 1).min(text.len());
                    if text[at..].trim_ascii_start().first() == Some(&b':') {
                        key = Some(start);
                    } else {
                        found.keep(start..at, key.take());
                    }
                }
                b'-' | b'0'..=b'9' | b'a'..=b'z' => {
                    while text
                        .get(at)
                        .is_some_and(|sign| sign.is_ascii_alphanumeric() || b"+-.".contains(sign))
                    {
                        at += 1;
                    }
                    found.keep(start..at, key.take());
                }
                _ => {}
            }
        }
        found
    }

    /// Keeps what is within members of this name, if there are any.
    pub(super) fn stay_within(&mut self, text: &[u8], name: &str) {
        let key = format!("\"{name}\"").into_bytes();
        let all = self
            .members
            .iter()
            .filter(|place| text[place.start..].starts_with(&key));
        let all: Vec<_> = all.cloned().collect();
        let is_within = |place: &Range<usize>| {
            all.iter()
                .any(|one| one.start < place.start && place.end <= one.end)
        };
        if !all.is_empty() {
            self.values.retain(is_within);
            self.members.retain(is_within);
        }
    }

    fn keep(&mut self, value: Range<usize>, key: Option<usize>) {
        if let Some(key) = key {
            self.members.push(key..value.end);
        }
        self.values.push(value);
    }
}
