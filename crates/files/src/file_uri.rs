//! The URI of a file, and the way back: what a claim check carries on one machine.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use std::path::{Path, PathBuf};

/// The characters that a URI's path does not hold as they are.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

/// The URI of a path; the directory's name may hold anything.
pub(crate) fn of(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    format!("file://{}", percent_encode(bytes, ENCODED))
}

/// The path of a `file:///…` URI, percent-decoded; `None` of any other. On Unix a path may be any bytes.
pub fn file_of(uri: &str) -> Option<PathBuf> {
    let encoded = uri
        .strip_prefix("file://")
        .filter(|path| path.starts_with('/'))?;
    // The decoder leaves an invalid escape unchanged, and the URI would then name another file.
    let is_escape = |after: &str| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !encoded.split('%').skip(1).all(is_escape) {
        return None;
    }
    path(percent_decode_str(encoded).collect())
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
