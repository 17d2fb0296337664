//! Source of tokens for an app on Azure's machines: `IDENTITY_ENDPOINT`.

use crate::client::read_request;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Header that every request to it must carry.
pub const HEADER: &str = "the-identity-header-of-tests";

/// The start of every token, which must never show up in a log.
pub const TOKEN_MARK: &str = "eyJhbGciOi";

/// An endpoint that gives a token to whoever knows the header. It ends with the process.
pub struct Identity {
    address: SocketAddr,
    given: Arc<AtomicUsize>,
}

impl Identity {
    /// Starts one.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let given = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&given);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                let Some(request) = read_request(&mut stream) else {
                    continue;
                };
                let known = request.header("x-identity-header") == Some(HEADER);
                let body = if known {
                    counter.fetch_add(1, Ordering::SeqCst);
                    answer()
                } else {
                    "{}".to_owned()
                };
                let status = if known { "200 OK" } else { "401 Unauthorized" };
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self { address, given }
    }

    /// Number of tokens that it has given out.
    pub fn given(&self) -> usize {
        self.given.load(Ordering::SeqCst)
    }

    /// The environment of a program that shall use it.
    pub fn environment(&self) -> [(&'static str, String); 2] {
        [
            (
                "IDENTITY_ENDPOINT",
                format!("http://{}/msi/token", self.address),
            ),
            ("IDENTITY_HEADER", HEADER.to_owned()),
        ]
    }
}

/// A token of a form that the emulator takes: it reads tokens and checks no signature.
fn answer() -> String {
    let part = |json: String| URL_SAFE_NO_PAD.encode(json);
    let (begin, end) = (1_600_000_000_u64, 4_000_000_000_u64);
    let claims = serde_json::json!({
        "aud": "https://storage.azure.com",
        "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
        "iat": begin, "nbf": begin, "exp": end,
        "oid": "00000000-0000-0000-0000-000000000001",
        "sub": "00000000-0000-0000-0000-000000000001",
        "tid": "00000000-0000-0000-0000-000000000000",
    });
    let head = part(r#"{"alg":"RS256","typ":"JWT"}"#.to_owned());
    let token = format!(
        "{head}.{}.{}",
        part(claims.to_string()),
        part("unsigned".to_owned())
    );
    serde_json::json!({
        "access_token": token,
        "expires_on": end.to_string(),
        "resource": "https://storage.azure.com",
        "token_type": "Bearer",
    })
    .to_string()
}
