//! A request in a file, as it went over the wire: head, blank line, body.

use super::chunked;

/// A request that was recorded.
#[derive(Debug)]
pub(super) struct Recorded {
    headers: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    /// Changes that were made to the body, or could not be.
    chunks: Option<&'static str>,
}

impl Recorded {
    pub(super) fn parse(file: &[u8]) -> Result<Self, String> {
        let ends = [(&b"\r\n\r\n"[..], 4), (b"\n\n", 2)];
        let (head, body) = ends
            .iter()
            .filter_map(|&(end, length)| {
                let at = file.windows(length).position(|window| window == end)?;
                Some((file.get(..at)?, file.get(at + length..)?))
            })
            .min_by_key(|(head, _)| head.len())
            .ok_or(
                "the request file has no blank line, which ends the head: add it, or give the body \
                 alone with --file",
            )?;
        let mut headers = Vec::new();
        for (number, line) in head.split(|&byte| byte == b'\n').enumerate() {
            match header(line) {
                Some(header) => headers.push(header),
                // The request line, which a file may begin with.
                None if number == 0 => {}
                None => {
                    return Err(format!(
                        "line {} of the request file is no header: is the blank line missing that \
                         ends the head?",
                        number + 1
                    ));
                }
            }
        }
        let mut recorded = Self {
            headers,
            body: body.to_vec(),
            chunks: None,
        };
        if recorded.is_chunked() {
            recorded.unchunk();
        }
        Ok(recorded)
    }

    fn is_chunked(&self) -> bool {
        self.lines("transfer-encoding")
            .iter()
            .any(|coding| coding.to_ascii_lowercase().ends_with(b"chunked"))
    }

    /// Signed is the body that the receiver's program sees, which has no chunks.
    fn unchunk(&mut self) {
        self.chunks = Some(if let Some(body) = chunked::decode(&self.body) {
            self.body = body;
            "Transfer-Encoding is chunked: the body was put together from its chunks"
        } else {
            "Transfer-Encoding is chunked, but the file has no whole chunks: the body was taken as it stands"
        });
    }

    /// All values of a header.
    pub(super) fn lines(&self, name: &str) -> Vec<Vec<u8>> {
        let fits = |(header, _): &&(String, Vec<u8>)| header.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .filter(fits)
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// Reasons to doubt that the file is what went over the wire.
    pub(super) fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        let text = |name: &str| {
            self.lines(name)
                .first()
                .map(|value| String::from_utf8_lossy(value).into_owned())
        };
        let length = text("content-length").and_then(|length| length.parse::<usize>().ok());
        if let Some(length) = length.filter(|&length| length != self.body.len()) {
            doubts.push(format!(
                "Content-Length says {length} bytes, the file has {}: the body was changed when it was saved",
                self.body.len()
            ));
        }
        doubts.extend(self.chunks.map(str::to_owned));
        doubts
    }
}

/// Name, in small letters, and value.
fn header(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, value) = line.split_at(colon);
    let name = http::HeaderName::from_bytes(name).ok()?;
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    Some((name.as_str().to_owned(), value.to_vec()))
}
