//! Warnings about secrets, at the start and in `status`. They never contain any part of a secret.

use crate::provider::Provider;
use crate::secret::Secret;
use crate::source::Source;

/// Signing secrets shorter than this can be found by brute force, offline, from one recorded delivery.
const SHORT_SECRET_BYTES: usize = 16;

pub(super) fn secret_warnings(source: &Source, secrets: &[Secret], warnings: &mut Vec<String>) {
    let mut add = |what: String| warnings.push(format!("source `{}`: {what}", source.name));
    source.secrets.doubts().into_iter().for_each(&mut add);
    for secret in secrets {
        let name = secret.name();
        if secret.bytes() < SHORT_SECRET_BYTES {
            add(format!(
                "the secret {name} has {} bytes; use {SHORT_SECRET_BYTES} or more, shorter ones can be found by trying",
                secret.bytes()
            ));
        }
        for doubt in secret.doubts() {
            add(format!("the secret {name} {doubt}"));
        }
        if source.provider == Provider::LabelStudio && secret.is_beyond_latin_1() {
            add(format!(
                "the secret {name} has characters that Label Studio cannot send in a header; use letters and digits"
            ));
        }
    }
}
