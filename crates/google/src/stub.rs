//! A server for tests of what no emulator does: permissions and credentials. It answers as the services'
//! documents say, and remembers what it was asked.

use crate::rest::Rest;
use google_cloud_auth::credentials::mds;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Answer to a path: status and body.
type Answer = fn(&str) -> (u16, &'static str);

pub(crate) struct Stub {
    endpoint: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// Listens until the process ends. The metadata server's token is answered by itself.
    pub(crate) fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = serve(&stream, answer, &seen);
            }
        });
        Self { endpoint, heads }
    }

    /// A service at this address, as the service account of a machine whose metadata server this is too.
    pub(crate) fn rest(&self) -> Rest {
        crate::credentials_and_endpoints::provide_tls();
        let credentials = mds::Builder::default()
            .with_endpoint(&self.endpoint)
            .build();
        Rest {
            http: reqwest::Client::builder().build().unwrap(),
            base: self.endpoint.clone(),
            credentials: Some(credentials.unwrap()),
        }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Heads of the requests so far, in small letters.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn serve(mut stream: &TcpStream, answer: Answer, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let head = head.to_lowercase();
    let length = head
        .lines()
        .find_map(|connection| connection.strip_prefix("content-length: ")?.parse().ok());
    std::io::copy(&mut reader.take(length.unwrap_or(0)), &mut std::io::sink())?;
    let path = head.split(' ').nth(1).unwrap_or_default();
    let (status, body) =
        if path.starts_with("/computemetadata/v1/instance/service-accounts/default/token") {
            assert!(head.contains("metadata-flavor: google"));
            (
                200,
                r#"{"access_token":"of-the-machine","expires_in":3600,"token_type":"Bearer"}"#,
            )
        } else {
            let answered = answer(path);
            seen.lock().unwrap().push(head);
            answered
        };
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nMetadata-Flavor: Google\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
