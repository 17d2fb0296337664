//! Sources of tokens: for an app on Azure's machines (`IDENTITY_ENDPOINT`), and for an application (Entra ID).

use crate::client::read_request;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

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

/// Entra ID, as far as it gives tokens to applications. It takes whatever proves one, and keeps it for the test. It
/// ends with the process.
pub struct Entra {
    address: SocketAddr,
    forms: Arc<Mutex<Vec<String>>>,
}

impl Entra {
    /// Starts one that shows this certificate.
    pub fn start(made: &rcgen::CertifiedKey<rcgen::KeyPair>) -> Self {
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let forms = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&forms);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, kept) = (Arc::clone(&config), Arc::clone(&kept));
                std::thread::spawn(move || {
                    let session = ServerConnection::new(config).unwrap();
                    // Whoever asks may have given up.
                    let _ = give(StreamOwned::new(session, stream), &kept);
                });
            }
        });
        Self { address, forms }
    }

    /// Its address, for `AZURE_AUTHORITY_HOST`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The forms that it was sent.
    pub fn forms(&self) -> Vec<String> {
        self.forms.lock().unwrap().clone()
    }
}

/// Answers one request with a token.
fn give(stream: impl Read + Write, kept: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut length: u64 = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut form = String::new();
    reader.by_ref().take(length).read_to_string(&mut form)?;
    kept.lock().unwrap().push(form);
    let body = serde_json::json!({
        "access_token": token(),
        "expires_in": 3600,
        "ext_expires_in": 3600,
        "token_type": "Bearer",
    })
    .to_string();
    let stream = reader.get_mut();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.flush()
}

/// When tokens begin and end to be good.
const GOOD: (u64, u64) = (1_600_000_000, 4_000_000_000);

/// A token of a form that the emulator takes: it reads tokens and checks no signature.
fn token() -> String {
    let part = |json: String| URL_SAFE_NO_PAD.encode(json);
    let (begin, end) = GOOD;
    let claims = serde_json::json!({
        "aud": "https://storage.azure.com",
        "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
        "iat": begin, "nbf": begin, "exp": end,
        "oid": "00000000-0000-0000-0000-000000000001",
        "sub": "00000000-0000-0000-0000-000000000001",
        "tid": "00000000-0000-0000-0000-000000000000",
    });
    let head = part(r#"{"alg":"RS256","typ":"JWT"}"#.to_owned());
    format!(
        "{head}.{}.{}",
        part(claims.to_string()),
        part("unsigned".to_owned())
    )
}

/// The machine's answer.
fn answer() -> String {
    serde_json::json!({
        "access_token": token(),
        "expires_on": GOOD.1.to_string(),
        "resource": "https://storage.azure.com",
        "token_type": "Bearer",
    })
    .to_string()
}
