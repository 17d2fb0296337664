//! Keys as text: JSON in ASCII, as Python writes it, so that both languages find each other's.

use super::StateError;
use labelrelay_event::changes::{Key, Kind};
use std::fmt::Write as _;

/// `["/source", "kind", "id"]`.
pub(super) fn written(key: &Key<'_>) -> String {
    let mut text = String::with_capacity(key.source.len() + key.id.len() + 24);
    text.push('[');
    for (at, part) in [&*key.source, key.kind.as_str(), &*key.id]
        .into_iter()
        .enumerate()
    {
        if at > 0 {
            text.push_str(", ");
        }
        quote(part, &mut text);
    }
    text.push(']');
    text
}

/// `[[…], […]]`.
pub(super) fn written_all(keys: &[Key<'_>]) -> String {
    let keys: Vec<String> = keys.iter().map(written).collect();
    format!("[{}]", keys.join(", "))
}

/// A string as `json.dumps` of Python writes it: nothing but printable ASCII.
fn quote(part: &str, text: &mut String) {
    text.push('"');
    for character in part.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            ' '..='~' => text.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing into memory does not fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text.push('"');
}

type Parts = (String, String, String);

/// The key that was written so.
pub(super) fn key_of(text: &str) -> Result<Key<'static>, StateError> {
    let parts = serde_json::from_str(text).map_err(|error| no_key(text, error))?;
    of(parts)
}

/// The keys that were written so.
pub(super) fn keys_of(text: &str) -> Result<Vec<Key<'static>>, StateError> {
    if text == "[]" {
        return Ok(Vec::new());
    }
    let all: Vec<Parts> = serde_json::from_str(text).map_err(|error| no_key(text, error))?;
    all.into_iter().map(of).collect()
}

fn of((source, kind, id): Parts) -> Result<Key<'static>, StateError> {
    let Some(known) = Kind::named(&kind) else {
        return Err(StateError::new(format!(
            "it holds a thing of the kind {kind:?}, which this version does not know: use a newer one"
        )));
    };
    Ok(Key::new(source, known, id))
}

fn no_key(text: &str, error: serde_json::Error) -> StateError {
    let text: String = text.chars().take(80).collect();
    StateError::new(format!("{text:?} in it is no key: the file is damaged")).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_python_writes_them() {
        for (id, text) in [
            ("7", r#"["/ls", "annotation", "7"]"#),
            ("é", r#"["/ls", "annotation", "\u00e9"]"#),
            ("\u{1f600}", r#"["/ls", "annotation", "\ud83d\ude00"]"#),
            ("a\"b\\c\u{7f}", r#"["/ls", "annotation", "a\"b\\c\u007f"]"#),
            (
                "\n\r\t\u{8}\u{c}\u{1}",
                r#"["/ls", "annotation", "\n\r\t\b\f\u0001"]"#,
            ),
            ("\\ud83d", r#"["/ls", "annotation", "\\ud83d"]"#),
        ] {
            let key = Key::new("/ls", Kind::Annotation, id);
            assert_eq!(written(&key), text);
            assert_eq!(key_of(text).unwrap(), key);
        }
        let keys = ["1", "2"].map(|id| Key::new("/ls", Kind::Task, id));
        let text = r#"[["/ls", "task", "1"], ["/ls", "task", "2"]]"#;
        assert_eq!(written_all(&keys), text);
        assert_eq!(keys_of(text).unwrap(), keys);
        assert_eq!(keys_of("[]").unwrap(), []);
    }

    #[test]
    fn text_that_is_no_key_is_an_error() {
        for (text, words) in [
            ("", "damaged"),
            (r#"["/ls", "task"]"#, "damaged"),
            (r#"["/ls", "pixel", "1"]"#, "newer"),
        ] {
            let error = key_of(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
