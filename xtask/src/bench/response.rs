//! Reading one HTTP/1.x response off a connection that may carry more.

use std::io;

/// The parts of a response that matter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// `true` if another request may follow on the connection.
    pub(crate) keep_alive: bool,
    /// Bytes that it took of the buffer.
    pub(crate) length: usize,
}

/// Parses the response at the start of `bytes`; `None` when more must be read first. `eof` says that
/// nothing more will come, which ends a body without a length.
pub(crate) fn parse(bytes: &[u8], eof: bool) -> io::Result<Option<Response>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if eof {
            Err(bad("the connection ended within a head"))
        } else {
            Ok(None)
        };
    };
    let (head, body) = bytes.split_at(end + 4);
    let head = std::str::from_utf8(head).map_err(|_| bad("the head is not text"))?;
    let mut lines = head.trim_end().split("\r\n");
    let mut status_line = lines.next().unwrap_or_default().splitn(3, ' ');
    let http_1_0 = match status_line.next() {
        Some("HTTP/1.1") => false,
        Some("HTTP/1.0") => true,
        _ => return Err(bad("not an HTTP/1 response")),
    };
    let status = status_line
        .next()
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| bad("no status"))?;
    let (mut length, mut chunked, mut keep_alive) = (None, false, !http_1_0);
    for line in lines {
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| bad("a header without a colon"))?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(
                value
                    .parse::<usize>()
                    .map_err(|_| bad("a length that is no number"))?,
            );
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.eq_ignore_ascii_case("chunked");
        } else if name.eq_ignore_ascii_case("connection") {
            keep_alive = if http_1_0 {
                value.eq_ignore_ascii_case("keep-alive")
            } else {
                !value.eq_ignore_ascii_case("close")
            };
        }
    }
    let body_length = match (chunked, length) {
        (true, _) => chunks(body)?,
        (false, Some(length)) => (body.len() >= length).then_some(length),
        (false, None) => {
            keep_alive = false;
            eof.then_some(body.len())
        }
    };
    match body_length {
        Some(length) => Ok(Some(Response {
            status,
            keep_alive,
            length: end + 4 + length,
        })),
        None if eof => Err(bad("the connection ended within a body")),
        None => Ok(None),
    }
}

/// Length of a whole chunked body; `None` when more must be read first. Trailers are not expected.
fn chunks(body: &[u8]) -> io::Result<Option<usize>> {
    let mut at = 0;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        let Some(line) = rest.windows(2).position(|window| window == b"\r\n") else {
            return Ok(None);
        };
        let size = rest
            .get(..line)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let size = size
            .and_then(|digits| usize::from_str_radix(digits, 16).ok())
            .ok_or_else(|| bad("a chunk without a size"))?;
        at += line + 2 + size + 2;
        if at > body.len() {
            return Ok(None);
        }
        if size == 0 {
            return Ok(Some(at));
        }
    }
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_whole_at_its_last_byte_and_no_sooner() {
        for (text, status, keep_alive) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", 200, true),
            (
                "HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                503,
                false,
            ),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\nSuccess",
                200,
                false,
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                200,
                true,
            ),
        ] {
            for cut in 0..text.len() {
                assert_eq!(
                    parse(&text.as_bytes()[..cut], false).expect("so far right"),
                    None,
                    "{cut} of {text}"
                );
            }
            let more = format!("{text}HTTP/1.1 200 OK");
            let whole = parse(more.as_bytes(), false).expect("right");
            assert_eq!(
                whole,
                Some(Response {
                    status,
                    keep_alive,
                    length: text.len()
                })
            );
        }
    }

    #[test]
    fn without_a_length_the_end_of_the_connection_ends_the_body() {
        let text = b"HTTP/1.1 200 OK\r\n\r\nrest";
        assert_eq!(parse(text, false).expect("right"), None);
        assert_eq!(
            parse(text, true).expect("right"),
            Some(Response {
                status: 200,
                keep_alive: false,
                length: text.len()
            })
        );
    }

    #[test]
    fn a_truncated_response_is_an_error() {
        for text in [
            "",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
            "HTTP/2 200\r\n\r\n",
        ] {
            assert!(parse(text.as_bytes(), true).is_err(), "{text}");
        }
    }
}
