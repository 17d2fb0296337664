//! A stand-in for the Functions host, which no registry has. It does to a request what the host's source
//! does: routes by the prefix, adds headers of its own, keeps the path, cuts bodies into chunks of its
//! choice, refuses what is too large, asks for a key where the function does, and tells timers by requests
//! of its own.

use crate::client::{Client, Request, Response, read_head};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The host's limit for bodies.
pub const MAX_BODY_BYTES: usize = 104_857_600;

/// A function's key, where one is asked for.
pub const FUNCTION_KEY: &str = "function-key-of-tests";

/// A host in front of one handler. It takes no connections any more once it is dropped.
pub struct Host {
    /// Address for senders.
    pub address: SocketAddr,
    handler: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Host {
    /// Stands before the handler at `handler`; `with_key` as `"authLevel": "function"` does.
    pub fn start(handler: SocketAddr, with_key: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = Arc::new(Proxy { handler, with_key });
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let proxy = Arc::clone(&proxy);
                std::thread::spawn(move || proxy.serve(stream));
            }
        });
        Self {
            address,
            handler,
            stopped,
        }
    }

    /// Does as the host when a timer is due.
    pub fn timer(&self, function: &str) -> Response {
        let body = r#"{"Data":{"timer":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}},"Metadata":{"sys":{"MethodName":"redrive","UtcNow":"2026-11-24T03:14:15Z"}}}"#;
        let head = format!(
            "POST /{function} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Azure-Functions-Host/4.1048.200\r\nX-Azure-Functions-HostVersion: 4.1048.200\r\nX-Azure-Functions-InvocationId: 11111111-2222-3333-4444-555555555555\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut client = Client::connect(self.handler).unwrap();
        client.exchange(format!("{head}{body}").as_bytes()).unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Its thread waits for a connection; this is the last one.
        let _ = TcpStream::connect(self.address);
    }
}

struct Proxy {
    handler: SocketAddr,
    with_key: bool,
}

impl Proxy {
    fn serve(&self, stream: TcpStream) {
        let peer = stream.peer_addr().unwrap();
        let mut reader = BufReader::new(stream);
        while let Some(request) = read_head(&mut reader) {
            if self.one(&mut reader, &request, peer).is_none() {
                return;
            }
        }
    }

    /// `None` when the connection is of no more use.
    fn one(
        &self,
        reader: &mut BufReader<TcpStream>,
        request: &Request,
        peer: SocketAddr,
    ) -> Option<()> {
        let path = without_dots(request.path());
        if path != "/api" && !path.starts_with("/api/") {
            return refuse(reader, "404 Not Found");
        }
        if self.with_key && !has_key(request) {
            return refuse(reader, "401 Unauthorized");
        }
        let length = request
            .header("content-length")
            .and_then(|text| text.parse::<usize>().ok());
        if length.is_some_and(|length| length > MAX_BODY_BYTES) {
            return refuse(reader, "413 Payload Too Large");
        }
        let chunked = request.header("transfer-encoding").is_some();
        let mut handler = BufReader::new(TcpStream::connect(self.handler).ok()?);
        let query = request
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let mut head = format!("{} {path}{query} HTTP/1.1\r\n", request.method());
        for (name, value) in request.headers() {
            let own = [
                "content-length",
                "transfer-encoding",
                "connection",
                "expect",
                "x-forwarded-for",
                "x-ms-invocation-id",
            ];
            if !own.contains(&name.to_ascii_lowercase().as_str()) {
                head.extend([name, ": ", value, "\r\n"]);
            }
        }
        let before = request
            .header("x-forwarded-for")
            .map(|value| format!("{value}, "));
        let added = format!(
            "X-Forwarded-For: {}{peer}\r\nX-Forwarded-Proto: https\r\nx-ms-invocation-id: 99999999-8888-7777-6666-555555555555\r\nConnection: close\r\n",
            before.unwrap_or_default()
        );
        head.push_str(&added);
        let has_body = chunked || length.is_some_and(|length| length > 0);
        head.push_str(if has_body {
            "Transfer-Encoding: chunked\r\n\r\n"
        } else {
            "\r\n"
        });
        handler.get_mut().write_all(head.as_bytes()).ok()?;
        // The handler may answer before it has all of the body: what it wants no more is read away.
        if has_body {
            forward(reader, handler.get_mut(), length)?;
        }
        let mut answer = Vec::new();
        handler.read_to_end(&mut answer).ok()?;
        reader.get_mut().write_all(&answer).ok()?;
        // Handlers' answers say that the connection closes; so it does.
        None
    }
}

/// The body, in chunks of other sizes than it came in. A handler that closes early is no end of it.
fn forward(
    reader: &mut BufReader<TcpStream>,
    handler: &mut TcpStream,
    length: Option<usize>,
) -> Option<()> {
    let sizes = [1, 7, 4096, 3, 65536];
    let mut seen = 0;
    let mut open = true;
    let mut pass = |bytes: &[u8]| {
        let mut rest = bytes;
        let mut turn = 0;
        while !rest.is_empty() && open {
            let (chunk, later) = rest.split_at(sizes[turn % sizes.len()].min(rest.len()));
            let framed = [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
            open = handler.write_all(&framed).is_ok();
            rest = later;
            turn += 1;
        }
    };
    if let Some(length) = length {
        let mut left = length;
        while left > 0 {
            let mut piece = vec![0; left.min(1 << 20)];
            reader.read_exact(&mut piece).ok()?;
            left -= piece.len();
            pass(&piece);
        }
    } else {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let size = usize::from_str_radix(line.trim(), 16).ok()?;
            let mut piece = vec![0; size + 2];
            reader.read_exact(&mut piece).ok()?;
            if size == 0 {
                break;
            }
            seen += size;
            if seen > MAX_BODY_BYTES {
                return None;
            }
            pass(&piece[..size]);
        }
    }
    let _ = handler.write_all(b"0\r\n\r\n");
    Some(())
}

fn refuse(reader: &mut BufReader<TcpStream>, status: &str) -> Option<()> {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = reader.get_mut().write_all(answer.as_bytes());
    None
}

fn has_key(request: &Request) -> bool {
    let by_query = request
        .query()
        .unwrap_or_default()
        .split('&')
        .any(|pair| pair.strip_prefix("code=") == Some(FUNCTION_KEY));
    by_query || request.header("x-functions-key") == Some(FUNCTION_KEY)
}

/// The host's server takes `.` and `..` out of a path before it routes, written plainly or encoded.
fn without_dots(path: &str) -> String {
    let plain = path.replace("%2e", ".").replace("%2E", ".");
    if !plain.split('/').any(|part| part == "." || part == "..") {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in plain.split('/').skip(1) {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
