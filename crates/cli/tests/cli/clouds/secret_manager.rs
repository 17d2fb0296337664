//! A server that keeps secrets as Secret Manager does, as far as making, adding to and reading them goes: no emulator
//! does.

use labelrelay_tests::client::{Request, read_head};
use serde_json::{Value, json};
use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Name of a secret, and its versions as Base64, the oldest first.
type Secrets = Vec<(String, Vec<String>)>;

pub(super) struct SecretManager {
    pub(super) address: String,
    secrets: Arc<Mutex<Secrets>>,
}

impl SecretManager {
    /// One without secrets. It ends with the process.
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let secrets = Arc::<Mutex<Secrets>>::default();
        let shared = Arc::clone(&secrets);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let secrets = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream.unwrap(), &secrets));
            }
        });
        Self { address, secrets }
    }

    /// Puts a secret there, whose one version is this in Base64.
    pub(super) fn holds(&self, name: &str, version: &str) {
        let mut secrets = self.secrets.lock().unwrap();
        secrets.push((name.to_owned(), vec![version.to_owned()]));
    }

    /// Versions of the secret `projects/…/secrets/…`, as Base64, the oldest first.
    pub(super) fn versions(&self, name: &str) -> Vec<String> {
        let secrets = self.secrets.lock().unwrap();
        let found = secrets.iter().find(|(known, _)| known == name);
        found
            .map(|(_, versions)| versions.clone())
            .unwrap_or_default()
    }
}

/// Answers one request after the other, as clients keep their connections.
fn serve(mut stream: &TcpStream, secrets: &Mutex<Secrets>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_head(&mut reader) {
        let length = request.header("content-length");
        let length: u64 = length.map_or(0, |length| length.parse().unwrap());
        let mut body = Vec::new();
        let mut rest = reader.by_ref().take(length);
        rest.read_to_end(&mut body).unwrap();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let (status, answer) = answer(&request, &body, &mut secrets.lock().unwrap());
        let answer = answer.to_string();
        let sent = write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
        if sent.is_err() {
            return;
        }
    }
}

fn answer(request: &Request, body: &Value, secrets: &mut Secrets) -> (u16, Value) {
    let refused = |status: u16, what: &str| {
        let error = json!({"code": status, "message": what, "status": what});
        (status, json!({ "error": error }))
    };
    let path = request.path().trim_start_matches("/v1/").to_owned();
    let query = request.query().unwrap_or_default();
    if let Some(project) = path.strip_suffix("/secrets") {
        let name = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("secretId="));
        let name = format!("{project}/secrets/{}", name.unwrap());
        if secrets.iter().any(|(known, _)| *known == name) {
            return refused(409, "ALREADY_EXISTS");
        }
        secrets.push((name.clone(), Vec::new()));
        return (200, json!({ "name": name }));
    }
    let name: Vec<&str> = path.split(['/', ':']).take(4).collect();
    let name = name.join("/");
    let Some((_, versions)) = secrets.iter_mut().find(|(known, _)| *known == name) else {
        return refused(404, "NOT_FOUND");
    };
    let version = |number: usize| format!("{name}/versions/{number}");
    if path.ends_with(":addVersion") {
        let data = body["payload"]["data"].as_str().unwrap();
        versions.push(data.to_owned());
        return (200, json!({ "name": version(versions.len()) }));
    }
    if let Some(read) = path.strip_suffix(":access") {
        let number = read.rsplit('/').next().unwrap();
        let number = number.parse().unwrap_or(versions.len());
        return match number.checked_sub(1).and_then(|at| versions.get(at)) {
            Some(data) => (
                200,
                json!({"name": version(number), "payload": {"data": data}}),
            ),
            None => refused(404, "NOT_FOUND"),
        };
    }
    // The list, the newest first. None is ever disabled.
    let shown = (1..=versions.len())
        .rev()
        .map(|number| json!({ "name": version(number) }));
    let shown: Vec<_> = if query.contains("DISABLED") {
        Vec::new()
    } else {
        shown.take(2).collect()
    };
    (200, json!({ "versions": shown }))
}
