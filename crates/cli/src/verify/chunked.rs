//! A body in chunks, as `Transfer-Encoding: chunked` puts it on the wire.

/// The body without the lengths of its chunks; `None` when these are not there, or do not fit.
pub(super) fn decode(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.iter().position(|&byte| byte == b'\n')?;
        let (line, after) = rest.split_at(end);
        // Text after a semicolon says more about the chunk, and belongs to no body.
        let digits = line.split(|&byte| byte == b';').next()?.trim_ascii();
        let length = length(digits)?;
        let after = after.get(1..)?;
        if length == 0 {
            // Trailers, which are no part of the body, and a blank line may follow.
            return Some(body);
        }
        let (chunk, after) = after.split_at_checked(length)?;
        body.extend_from_slice(chunk);
        rest = after
            .strip_prefix(b"\r\n")
            .or_else(|| after.strip_prefix(b"\n"))?;
    }
}

fn length(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    usize::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks() {
        for (file, body) in [
            ("5\r\nhello\r\n0\r\n\r\n", Some("hello")),
            (
                "5;a=b\r\nhello\r\n00a\r\n, you\r\nall\r\n0\r\nX: y\r\n\r\n",
                Some("hello, you\r\nall"),
            ),
            ("5\nhello\n0\n", Some("hello")),
            ("0\r\n\r\n", Some("")),
            ("{\"a\": 1}", None),
            ("{\n}", None),
            ("5\r\nhello\r\n", None),
            ("5\r\nhell", None),
            ("4\r\nhello\r\n0\r\n\r\n", None),
            ("+5\r\nhello\r\n0\r\n\r\n", None),
            ("ffffffffffffffff\r\nx", None),
            ("fffffffffffffffff\r\nx", None),
            ("", None),
        ] {
            let decoded = decode(file.as_bytes());
            assert_eq!(decoded.as_deref(), body.map(str::as_bytes), "{file:?}");
        }
    }
}
