//! Requests as HTTP/1.1 brings them, and what SQS would answer.

use super::Behaviour;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use std::io::{self, Read};

/// One request.
pub(super) struct Request {
    pub(super) line: String,
    pub(super) action: String,
    pub(super) authorization: String,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// Reads one; `None` at the connection's end. What came beyond it stays in `unread`.
    pub(super) fn read(stream: &mut impl Read, unread: &mut Vec<u8>) -> io::Result<Option<Self>> {
        let end = loop {
            if let Some(end) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if !more(stream, unread)? {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&unread[..end]).into_owned();
        let header = |name: &str| {
            let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
            let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
            found.next().map_or("", |(_, value)| value.trim())
        };
        let length: usize = header("content-length").parse().unwrap_or_default();
        while unread.len() < end + 4 + length {
            if !more(stream, unread)? {
                return Ok(None);
            }
        }
        let action = header("x-amz-target").to_owned();
        let authorization = header("authorization").to_owned();
        let body = unread[end + 4..end + 4 + length].to_vec();
        unread.drain(..end + 4 + length);
        let line = head.lines().next().unwrap_or_default();
        let line = line.strip_suffix(" HTTP/1.1").unwrap_or(line).to_owned();
        Ok(Some(Self {
            line,
            action,
            authorization,
            body,
        }))
    }
}

fn more(stream: &mut impl Read, unread: &mut Vec<u8>) -> io::Result<bool> {
    let mut chunk = [0; 16 * 1024];
    let read = stream.read(&mut chunk)?;
    unread.extend_from_slice(&chunk[..read]);
    Ok(read > 0)
}

/// The whole answer, head and body.
pub(super) fn answer_of(behaviour: &Behaviour, request: &Request) -> String {
    if let Behaviour::Answer {
        status,
        headers,
        body,
    } = behaviour
    {
        let line = |(name, value): &(String, String)| [name, ": ", value, "\r\n"].concat();
        let headers: String = headers.iter().map(line).collect();
        return format!(
            "HTTP/1.1 {status} Told\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
    }
    let body = match request.action.as_str() {
        "AmazonSQS.SendMessage" => sent(behaviour, &request.body),
        _ => json!({ "Attributes": { "MaximumMessageSize": "1048576" } }),
    };
    let body = body.to_string();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn sent(behaviour: &Behaviour, request: &[u8]) -> Value {
    let request: Value = serde_json::from_slice(request).unwrap_or_default();
    let body = request["MessageBody"].as_str().unwrap_or_default();
    let mut answer = json!({
        "MessageId": "6c1f9ea9-6b6b-4a5e-9e2d-2f3f0d8a4f11",
        "MD5OfMessageBody": hex(&Md5::digest(body)),
        "MD5OfMessageAttributes": attributes(&request["MessageAttributes"]),
    });
    let other = Value::from(hex(&Md5::digest("something else")));
    match behaviour {
        Behaviour::WrongBodyMd5 => answer["MD5OfMessageBody"] = other,
        Behaviour::WrongAttributesMd5 => answer["MD5OfMessageAttributes"] = other,
        Behaviour::NoMd5 => answer["MD5OfMessageBody"] = Value::Null,
        Behaviour::NoMessageId => answer["MessageId"] = Value::Null,
        _ => {}
    }
    answer
}

/// As AWS documents it: by name, each part counted, a one for a value that is text.
fn attributes(given: &Value) -> String {
    let mut md5 = Md5::new();
    // The parser keeps members in the order of their names.
    for (name, value) in given.as_object().into_iter().flatten() {
        let text = |member: &str| value[member].as_str().unwrap_or_default().to_owned();
        let mut counted = |text: &str, between: &[u8]| {
            md5.update(between);
            md5.update(u32::try_from(text.len()).unwrap().to_be_bytes());
            md5.update(text);
        };
        counted(name, b"");
        counted(&text("DataType"), b"");
        counted(&text("StringValue"), b"\x01");
    }
    hex(&md5.finalize())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
