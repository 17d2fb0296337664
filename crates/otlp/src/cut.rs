//! Texts that strangers chose: thousands of them wait.

/// As much of a text as its first so many characters.
pub(crate) fn cut(text: &str, characters: usize) -> &str {
    let end = text.char_indices().nth(characters);
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}
