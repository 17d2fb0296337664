//! Texts as a table takes them.

use std::borrow::Cow;

/// The text without a character that no text of Postgres has.
pub(super) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}
