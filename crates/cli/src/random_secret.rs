//! Secrets that nobody can guess, from the system's random bytes.

use crate::error::CliError;

/// 62^40 possibilities are 238 bits: more than the 160 of the HMAC-SHA1 that the secret keys.
const CHARACTERS: usize = 40;

/// Letters and digits alone: both platforms take them, and no shell, URL or header changes them.
pub(crate) fn new_secret() -> Result<String, CliError> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut secret = String::with_capacity(CHARACTERS);
    while secret.len() < CHARACTERS {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes).map_err(|error| {
            CliError::failed(format_args!("the system has no random bytes: {error}"))
        })?;
        // Six bits name 64 places; the last two are thrown away, so that all 62 are equally likely.
        let letters = bytes
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte & 63)));
        secret.extend(
            letters
                .map(|&letter| char::from(letter))
                .take(CHARACTERS - secret.len()),
        );
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_alphanumeric_and_differ() {
        let (one, two) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), CHARACTERS);
        assert!(one.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}
