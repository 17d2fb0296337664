//! The URI of a file, and the way back: what a claim check carries on one machine.

use std::path::{Path, PathBuf};

/// Percent-encodes what may not stand in a URI's path; the directory's name may hold anything.
pub(super) fn of(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut uri = "file://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            let _never_fails = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// The path of a `file:///…` URI, percent-decoded; `None` of any other.
pub fn file_of(uri: &str) -> Option<PathBuf> {
    let mut rest = uri
        .strip_prefix("file://")
        .filter(|path| path.starts_with('/'))?;
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((before, coded)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let (digits, after) = coded.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_comes_back_from_its_uri() {
        for path in ["/a/b", "/with space/100%/ü", "/", "/%41", "/line\nbreak"] {
            assert_eq!(
                file_of(&of(Path::new(path))).as_deref(),
                Some(Path::new(path))
            );
        }
        for wrong in [
            "s3://a/b",
            "file:/a",
            "file://host/a",
            "/a",
            "file:///%4",
            "file:///%",
            "file:///%zz",
            "file:///%é",
        ] {
            assert_eq!(file_of(wrong), None, "{wrong}");
        }
    }
}
