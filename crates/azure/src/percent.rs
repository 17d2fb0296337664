//! Percent-encoding, as signatures and object names need it.

use std::fmt::Write as _;

/// `text` with everything encoded but letters, digits and `-_.~`, and what stands in `also`.
pub(crate) fn encode(text: &str, also: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || also.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _never_fails = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
