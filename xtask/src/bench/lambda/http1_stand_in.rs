//! Requests read from a connection, and answers written to it, by blocking calls: a stand-in whose own
//! work is a few microseconds and whose moments are exact.

use std::io::{self, Read, Write};

/// A client's request.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// The value of `x-amz-target`, which names the operation of AWS's JSON protocols.
    pub(super) target: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Most headers that a request may have.
const HEADERS: usize = 64;

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// The next request; `None` when the client closed the connection between two.
pub(super) fn read<S: Read + Write>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Request>> {
    let mut head = loop {
        if let Some(head) = Head::parse(buffer)? {
            break head;
        }
        if !fill(stream, buffer)? {
            return if buffer.is_empty() {
                Ok(None)
            } else {
                Err(bad("the connection ended within a request"))
            };
        }
    };
    if head.waits {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        stream.flush()?;
    }
    let whole = head.length + head.body_length;
    while buffer.len() < whole {
        if !fill(stream, buffer)? {
            return Err(bad("the connection ended within a body"));
        }
    }
    let rest = buffer.split_off(whole);
    head.request.body = buffer.split_off(head.length);
    *buffer = rest;
    Ok(Some(head.request))
}

/// Writes an answer in one piece, so that it does not wait for the client's acknowledgement.
pub(super) fn write<S: Write>(
    stream: &mut S,
    status: u16,
    headers: &str,
    body: &[u8],
) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat())?;
    stream.flush()
}

struct Head {
    request: Request,
    length: usize,
    body_length: usize,
    /// `true` if the client waits for leave to send its body.
    waits: bool,
}

impl Head {
    fn parse(bytes: &[u8]) -> io::Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let length = match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(bad(&format!("not a request: {error}"))),
        };
        let value = |name: &str| {
            let header = parsed
                .headers
                .iter()
                .find(|header| header.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(header.value).ok()
        };
        if value("transfer-encoding").is_some() {
            return Err(bad("a body in chunks, which this stand-in does not read"));
        }
        let body_length = match value("content-length").map(str::parse) {
            None => 0,
            Some(Ok(length)) => length,
            Some(Err(_)) => return Err(bad("a length that is no number")),
        };
        Ok(Some(Self {
            request: Request {
                method: parsed.method.unwrap_or_default().to_owned(),
                path: parsed.path.unwrap_or_default().to_owned(),
                target: value("x-amz-target").map(str::to_owned),
                body: Vec::new(),
            },
            length,
            body_length,
            waits: value("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")),
        }))
    }
}

/// Reads what is there; `false` at the end of the connection.
fn fill<S: Read>(stream: &mut S, buffer: &mut Vec<u8>) -> io::Result<bool> {
    let start = buffer.len();
    buffer.resize(start + CHUNK, 0);
    let read = stream.read(buffer.get_mut(start..).unwrap_or_default());
    buffer.truncate(start + read.as_ref().map_or(0, |count| *count));
    match read {
        Ok(count) => Ok(count > 0),
        // A client that is killed says no goodbye.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A connection on which the client has sent everything already.
    struct Sent(Cursor<Vec<u8>>, Vec<u8>);

    impl Read for Sent {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            // Byte by byte: a request arrives in any pieces.
            let one = buffer.len().min(1);
            self.0.read(&mut buffer[..one])
        }
    }

    impl Write for Sent {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn pipelined_requests_are_separated_and_continue_is_sent() {
        let text = b"POST /a HTTP/1.1\r\nX-Amz-Target: Service.Do\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nxyzGET /b HTTP/1.1\r\n\r\n";
        let mut sent = Sent(Cursor::new(text.to_vec()), Vec::new());
        let mut buffer = Vec::new();
        let first = read(&mut sent, &mut buffer).expect("read").expect("there");
        assert_eq!(
            (
                first.method.as_str(),
                first.path.as_str(),
                first.target.as_deref()
            ),
            ("POST", "/a", Some("Service.Do"))
        );
        assert_eq!(first.body, b"xyz");
        let second = read(&mut sent, &mut buffer).expect("read").expect("there");
        assert_eq!(
            (second.method.as_str(), second.body.len()),
            ("GET", 0),
            "{}",
            second.path
        );
        assert!(read(&mut sent, &mut buffer).expect("read").is_none());
        assert_eq!(sent.1, b"HTTP/1.1 100 Continue\r\n\r\n");
    }

    #[test]
    fn a_truncated_or_chunked_request_is_an_error() {
        for text in [
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab",
            "POST / HT",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ] {
            let mut sent = Sent(Cursor::new(text.as_bytes().to_vec()), Vec::new());
            assert!(read(&mut sent, &mut Vec::new()).is_err(), "{text}");
        }
    }
}
