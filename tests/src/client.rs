//! An HTTP/1.1 client that sends the bytes it is given, and nothing of its own.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest time for any answer of ours.
const PATIENCE: Duration = Duration::from_secs(120);

/// A keep-alive connection.
pub struct Client(BufReader<TcpStream>);

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends bytes, of a request or of a part of one.
    ///
    /// # Errors
    /// When the connection broke.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Reads one answer, interim ones (100) included.
    ///
    /// # Errors
    /// When the connection broke or what came is not an answer.
    pub fn read(&mut self) -> io::Result<Response> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or(io::ErrorKind::InvalidData)?;
        let mut length = 0;
        loop {
            line.clear();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value
                    .trim()
                    .parse()
                    .map_err(|_| io::ErrorKind::InvalidData)?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(Response { status, body })
    }

    /// Sends a request and reads its answer, which may come before all of the request is sent.
    ///
    /// # Errors
    /// When the connection broke or what came is not an answer.
    pub fn exchange(&mut self, request: &[u8]) -> io::Result<Response> {
        let written = self.write(request);
        let answer = self.read();
        // A server that refuses by the head alone may close while the body is still being sent.
        if answer.is_err() {
            written.and(answer)
        } else {
            answer
        }
    }
}

/// Sends one request on a connection of its own.
pub fn once(address: SocketAddr, request: &[u8]) -> Response {
    Client::connect(address)
        .and_then(|mut client| client.exchange(request))
        .expect("an answer")
}

impl Response {
    /// The member `name` of an answer of labelrelay.
    pub fn member(&self, name: &str) -> Option<String> {
        let body: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        Some(body.get(name)?.as_str()?.to_owned())
    }

    /// The body as text, for messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The request's outcome.
    pub fn outcome(&self) -> String {
        self.member("outcome")
            .unwrap_or_else(|| panic!("no outcome in {}", String::from_utf8_lossy(&self.body)))
    }
}

/// The head of a request, as a server of tests reads it.
#[derive(Debug, Clone)]
pub struct Request {
    line: Vec<String>,
    headers: Vec<(String, String)>,
}

impl Request {
    /// Method.
    pub fn method(&self) -> &str {
        &self.line[0]
    }

    /// Path, as it was written.
    pub fn path(&self) -> &str {
        self.line[1].split('?').next().unwrap_or_default()
    }

    /// Text behind the question mark.
    pub fn query(&self) -> Option<&str> {
        self.line[1].split_once('?').map(|(_, query)| query)
    }

    /// Names and values of its headers, as they were written.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The first header called `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads the head of a request; `None` when the connection ends or what comes is none.
pub fn read_head(reader: &mut impl BufRead) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let line: Vec<String> = lines.first()?.split(' ').map(str::to_owned).collect();
    let headers = lines[1..].iter().map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_owned(), value.trim().to_owned()))
    });
    let headers = headers.collect::<Option<_>>()?;
    (line.len() == 3).then_some(Request { line, headers })
}

/// Reads a request without a body.
pub fn read_request(stream: &mut TcpStream) -> Option<Request> {
    read_head(&mut BufReader::new(stream))
}
