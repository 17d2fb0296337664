//! What a credential looks like, wherever it stands.

/// Words in front of a credential, which say how it is meant.
pub(super) const SCHEMES: [&str; 4] = ["bearer", "basic", "token", "digest"];

/// Parameters whose value is a credential, wherever they stand.
pub(super) const PARAMETERS: [&str; 7] = [
    "token",
    "access_token",
    "secret",
    "password",
    "api_key",
    "apikey",
    "signature",
];

/// Letters and digits in a row that no word has, and that ids with dashes in them do not reach.
pub(super) const TOKEN_LETTERS: usize = 32;

/// Length of a token of Label Studio in its older form, which is hexadecimal digits.
const OLD_TOKEN_DIGITS: usize = 40;

/// Tells whether a part of a word is a token by its look.
pub(super) fn is_token(part: &str) -> bool {
    let part = part.trim_matches('.');
    if part.starts_with("eyJ") && part.len() > TOKEN_LETTERS {
        return true;
    }
    let is_word = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_word {
        return false;
    }
    let is_hex = part.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex && part.len() == OLD_TOKEN_DIGITS {
        return true;
    }
    let has = |is: fn(&u8) -> bool| part.as_bytes().iter().any(is);
    part.len() >= TOKEN_LETTERS && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}
