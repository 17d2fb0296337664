//! A request's head as text that may be kept.

use crate::blot;
use crate::options::Options;
use http::HeaderMap;
use std::borrow::Cow;

/// Longest value that is kept whole.
const VALUE_BYTES: usize = 1024;

/// Longest head: more than any sender's, and little enough for a flood.
const HEAD_BYTES: usize = 16 * 1024;

const CUT_OFF: &str = " [cut off]";

/// Writes the lines of a head: name, colon, value.
pub(crate) fn push_lines(out: &mut String, headers: &HeaderMap, options: &Options) {
    for (name, value) in headers {
        let before = out.len();
        let name = name.as_str();
        out.push_str(name);
        out.push_str(": ");
        if options.blots_out && blot::is_credential(name, &options.secret_headers) {
            blot::push_credential(out, name, value.as_bytes());
        } else {
            let text = String::from_utf8_lossy(value.as_bytes());
            let kept = if options.blots_out {
                blot::text(&text)
            } else {
                Cow::Borrowed(&*text)
            };
            push_bounded(out, &kept);
        }
        out.push('\n');
        if out.len() > HEAD_BYTES {
            out.truncate(before);
            out.push_str("…\n");
            break;
        }
    }
}

/// Text of a request that is no header: blotted out unless asked for, and bounded.
pub(crate) fn words<'a>(text: &'a str, options: &Options) -> Cow<'a, str> {
    if !options.blots_out {
        return bounded(text);
    }
    match blot::text(text) {
        Cow::Borrowed(text) => bounded(text),
        Cow::Owned(text) => Cow::Owned(bounded(&text).into_owned()),
    }
}

/// Words of our own, which hold nothing that has to be blotted out.
pub(crate) fn bounded(text: &str) -> Cow<'_, str> {
    if text.len() <= VALUE_BYTES {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    push_bounded(&mut out, text);
    Cow::Owned(out)
}

fn push_bounded(out: &mut String, text: &str) {
    if text.len() <= VALUE_BYTES {
        out.push_str(text);
        return;
    }
    let mut end = VALUE_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    out.push_str(text.get(..end).unwrap_or_default());
    out.push_str(CUT_OFF);
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn lines(headers: &HeaderMap, options: &Options) -> String {
        let mut out = String::new();
        push_lines(&mut out, headers, options);
        out
    }

    fn head(lines: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        headers
    }

    #[test]
    fn secrets_are_blotted_out_unless_asked_for() {
        let headers = head(&[
            ("host", "a.example"),
            ("authorization", "Bearer hush"),
            ("x-studio", "hush"),
            ("referer", "https://a.example/?who=hush"),
        ]);
        let mut options = Options {
            secret_headers: vec!["x-studio".to_owned()],
            ..Options::default()
        };
        let kept = lines(&headers, &options);
        assert!(!kept.contains("hush"), "{kept}");
        assert!(kept.contains("host: a.example\n"), "{kept}");
        options.blots_out = false;
        assert_eq!(lines(&headers, &options).matches("hush").count(), 3);
    }

    #[test]
    fn no_head_is_large() {
        let long = "é".repeat(4096);
        let mut headers = HeaderMap::new();
        for _ in 0..100 {
            headers.append("x-long", HeaderValue::from_bytes(long.as_bytes()).unwrap());
        }
        let kept = lines(&headers, &Options::default());
        assert!(kept.len() <= HEAD_BYTES + 2 * VALUE_BYTES, "{}", kept.len());
        assert!(kept.contains(CUT_OFF));
    }
}
