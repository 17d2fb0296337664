//! The URI of a file, and the way back: what a claim check carries on one machine.

use std::path::{Path, PathBuf};

/// Percent-encodes what may not stand in a URI's path; the directory's name may hold anything.
pub(crate) fn of(path: &Path) -> String {
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

/// The path of a `file:///…` URI, percent-decoded; `None` of any other. On Unix a path may be any bytes.
pub fn file_of(uri: &str) -> Option<PathBuf> {
    let mut rest = uri
        .strip_prefix("file://")
        .filter(|path| path.starts_with('/'))?;
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((before, coded)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let (digits, after) = coded.split_at_checked(2)?;
        // A sign, which a number may have, is no digit.
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    path(bytes)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere a path is text")]
fn path(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    Some(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn path(bytes: Vec<u8>) -> Option<PathBuf> {
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

    /// Found by fuzzing: a sign was taken for a digit.
    #[test]
    fn an_escape_is_two_digits() {
        assert_eq!(file_of("file:///%+1"), None);
    }

    /// Found by fuzzing: the body of a claim check below such a directory was not found again.
    #[cfg(unix)]
    #[test]
    fn a_directory_name_may_be_no_unicode() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/\xa4/x"));
        assert_eq!(of(path), "file:///%A4/x");
        assert_eq!(file_of(&of(path)).as_deref(), Some(path));
    }
}
