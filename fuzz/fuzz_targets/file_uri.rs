//! The URIs of claim checks in a directory. Input: a choice, then a path, or a URI. A path comes back from
//! its URI; a URI means what any other decoder takes it for.

#![no_main]
#![allow(unreachable_pub)]

#[path = "../../crates/files/src/file_uri.rs"]
mod uri;

use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    if choice & 1 == 0 {
        let path = [b"/", rest].concat();
        let path = Path::new(OsStr::from_bytes(&path));
        let written = uri::of(path);
        assert!(
            written.bytes().all(|byte| byte.is_ascii_graphic()),
            "{written}"
        );
        assert_eq!(uri::file_of(&written).as_deref(), Some(path), "{written}");
    } else if let Ok(text) = std::str::from_utf8(rest) {
        let Some(path) = uri::file_of(text) else {
            return;
        };
        let coded = text
            .strip_prefix("file://")
            .expect("no other scheme is a file's");
        let decoded: Vec<u8> = percent_decode_str(coded).collect();
        assert_eq!(path.as_os_str().as_bytes(), decoded, "{text}");
        assert!(path.is_absolute());
    }
});
