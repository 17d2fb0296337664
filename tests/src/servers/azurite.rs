//! Azurite: Azure's blobs and queues on this machine, by their own makers.
//!
//! Requests to it are plain ones and not the SDK's, so that the tests see what any consumer would see.

use super::{Server, free_ports, installed};
use crate::azure::sas::{ACCOUNT, account_key, signature};
use crate::relay::eventually;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A running Azurite, on a folder and ports that outlive it.
pub struct Azurite {
    server: Server,
    /// Address of its blobs.
    pub blobs: SocketAddr,
    /// Address of its queues.
    pub queues: SocketAddr,
    data: TempDir,
}

/// A certificate and its key, both PEM files; asks for tokens as well.
pub struct Tls<'a> {
    /// The certificate.
    pub certificate: &'a Path,
    /// Key.
    pub key: &'a Path,
}

/// A message as a consumer gets it.
#[derive(Debug, Clone)]
pub struct Message {
    /// Id.
    pub id: String,
    /// Token that deletes it.
    pub receipt: String,
    /// Number of times that it was received.
    pub receive_count: u32,
    /// When it expires, as the service writes times.
    pub expires: String,
    /// Body, decoded from base64.
    pub body: Vec<u8>,
}

/// An answer to a plain request.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Azurite {
    /// Starts one without TLS.
    pub fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let [blobs, queues] = free_ports().map(loopback);
        let server = serve(data.path(), blobs, queues, None);
        Self {
            server,
            blobs,
            queues,
            data,
        }
    }

    /// Ends it as a service manager does: it writes down what it has first.
    pub fn stop(&mut self) {
        self.server.terminate();
    }

    /// Ends it without warning. What it took in its last seconds is lost with it.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Makes it take connections and never answer.
    pub fn hang(&self) {
        self.server.freeze();
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.server.thaw();
    }

    /// Starts it again, where it was and with what it had, without TLS.
    pub fn start_again(&mut self) {
        self.start_again_with(None);
    }

    /// Starts it again, with TLS or without.
    pub fn start_again_with(&mut self, tls: Option<&Tls<'_>>) {
        self.server = serve(self.data.path(), self.blobs, self.queues, tls);
    }

    /// URL of a queue, signed.
    pub fn queue_url(&self, queue: &str) -> String {
        format!("http://{}/{ACCOUNT}/{queue}?{}", self.queues, signature())
    }

    /// Signed URL of a container, or of a blob in it.
    pub fn blob_url(&self, path: &str) -> String {
        format!("http://{}/{ACCOUNT}/{path}?{}", self.blobs, signature())
    }

    /// Value of `AZURE_STORAGE_CONNECTION_STRING`.
    pub fn connection_string(&self) -> String {
        format!(
            "BlobEndpoint=http://{}/{ACCOUNT};QueueEndpoint=http://{}/{ACCOUNT};SharedAccessSignature={}",
            self.blobs,
            self.queues,
            signature()
        )
    }

    /// Makes a queue.
    pub fn make_queue(&self, queue: &str) {
        let answer = signed(self.queues, "PUT", queue, "");
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    /// Removes a queue and all that waits in it.
    pub fn delete_queue(&self, queue: &str) {
        let answer = signed(self.queues, "DELETE", queue, "");
        assert_eq!(answer.status, 204, "{}", answer.text());
    }

    /// Makes a container.
    pub fn make_container(&self, container: &str) {
        let answer = signed(self.blobs, "PUT", container, "restype=container");
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    /// Takes up to 32 messages for `seconds`.
    pub fn receive(&self, queue: &str, max: usize, seconds: u64) -> Vec<Message> {
        let query = format!(
            "numofmessages={}&visibilitytimeout={seconds}",
            max.clamp(1, 32)
        );
        let answer = signed(self.queues, "GET", &format!("{queue}/messages"), &query);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let text = answer.text();
        text.split("<QueueMessage>").skip(1).map(message).collect()
    }

    /// Deletes a received message; whether its receipt was good.
    pub fn delete(&self, queue: &str, id: &str, receipt: &str) -> bool {
        let receipt = encode(receipt);
        let path = format!("{queue}/messages/{id}");
        let answer = signed(
            self.queues,
            "DELETE",
            &path,
            &format!("popreceipt={receipt}"),
        );
        answer.status == 204
    }

    /// Takes and deletes everything.
    pub fn drain(&self, queue: &str) -> Vec<Message> {
        let mut all = Vec::new();
        loop {
            let some = self.receive(queue, 32, 600);
            if some.is_empty() {
                return all;
            }
            for message in &some {
                assert!(self.delete(queue, &message.id, &message.receipt));
            }
            all.extend(some);
        }
    }

    /// Number of messages in a queue, those that are hidden included.
    pub fn count(&self, queue: &str) -> usize {
        let answer = signed(self.queues, "GET", queue, "comp=metadata");
        assert_eq!(answer.status, 200, "{}", answer.text());
        let head = answer.head.to_ascii_lowercase();
        let (_, count) = head
            .split_once("x-ms-approximate-messages-count:")
            .expect("a count");
        count
            .lines()
            .next()
            .unwrap_or_default()
            .trim()
            .parse()
            .expect("a number")
    }

    /// Forgets everything that waits in a queue.
    pub fn clear(&self, queue: &str) {
        let answer = signed(self.queues, "DELETE", &format!("{queue}/messages"), "");
        assert_eq!(answer.status, 204, "{}", answer.text());
    }

    /// The blob at `path`, container first.
    pub fn blob(&self, path: &str) -> Option<Vec<u8>> {
        let answer = signed(self.blobs, "GET", path, "");
        match answer.status {
            200 => Some(answer.body),
            404 => None,
            _ => panic!("{}", answer.text()),
        }
    }
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn serve(data: &Path, blobs: SocketAddr, queues: SocketAddr, tls: Option<&Tls<'_>>) -> Server {
    let node = installed("LABELRELAY_TEST_NODE");
    let program: PathBuf = installed("LABELRELAY_TEST_AZURITE").join("node_modules/.bin/azurite");
    // Ready when all take connections: with TLS no more can be asked for here. Tables come last, and what it
    // does when it is asked to end is set up after them.
    let ready = |tables| {
        let all = [blobs, queues, tables];
        all.iter()
            .all(|address| TcpStream::connect(address).is_ok())
    };
    Server::start_until("Azurite", ready, |table, _| {
        let mut command = Command::new(&node);
        command
            .arg(&program)
            .args(["--silent", "--disableTelemetry", "--skipApiVersionCheck"])
            .arg("--location")
            .arg(data)
            .args(["--blobHost", "127.0.0.1", "--queueHost", "127.0.0.1"])
            .args([
                "--tableHost",
                "127.0.0.1",
                "--tablePort",
                &table.to_string(),
            ])
            .args(["--blobPort", &blobs.port().to_string()])
            .args(["--queuePort", &queues.port().to_string()])
            .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{}", account_key()));
        if let Some(tls) = tls {
            command
                .arg("--cert")
                .arg(tls.certificate)
                .arg("--key")
                .arg(tls.key)
                .args(["--oauth", "basic"]);
        }
        command
    })
}

fn signed(address: SocketAddr, method: &str, path: &str, query: &str) -> Answer {
    let and = if query.is_empty() { "" } else { "&" };
    let target = format!("/{ACCOUNT}/{path}?{query}{and}{}", signature());
    ask(address, method, &target)
}

/// One request in the older version of HTTP, whose answers end with their connection.
fn ask(address: SocketAddr, method: &str, target: &str) -> Answer {
    let mut stream = eventually("Azurite takes a connection", || {
        TcpStream::connect(address).ok()
    });
    let head = format!(
        "{method} {target} HTTP/1.0\r\nHost: {address}\r\nx-ms-version: 2021-12-02\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("an answer's head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = bytes[end + 4..].to_vec();
    Answer { status, head, body }
}

fn message(xml: &str) -> Message {
    let member = |name: &str| {
        let (_, rest) = xml.split_once(&format!("<{name}>")).expect("a member");
        rest.split_once("</").expect("its end").0.to_owned()
    };
    Message {
        id: member("MessageId"),
        receipt: member("PopReceipt"),
        receive_count: member("DequeueCount").parse().unwrap(),
        expires: member("ExpirationTime"),
        body: STANDARD.decode(member("MessageText")).expect("base64"),
    }
}

fn encode(text: &str) -> String {
    text.replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
}
