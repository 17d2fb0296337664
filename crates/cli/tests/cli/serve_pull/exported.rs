//! What `labelrelay pull` counts goes to a collector, where one is named.

use super::place;
use super::platform::Platform;
use crate::support::until;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

/// Takes whatever it is sent; everything that came, as it came.
fn collector() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let came = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&came);
    // It ends with the process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut piece = [0; 8 * 1024];
            // A message of a few counts is one piece, or is sent again.
            while let Ok(length @ 1..) = stream.read(&mut piece) {
                taken.lock().unwrap().extend_from_slice(&piece[..length]);
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                if stream.write_all(answer).is_err() {
                    break;
                }
            }
        }
    });
    (endpoint, came)
}

/// A pull that goes on until it is dropped.
struct Pulling(Child);

impl Drop for Pulling {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_a_pull_counts_is_sent_and_nothing_else() {
    let platform = Platform::start();
    platform.add_task(1, &[]);
    let (endpoint, came) = collector();
    let place = place(&platform, "sqlite:queue.db")
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
        .with("OTEL_METRIC_EXPORT_INTERVAL", "50");
    let config = place.read("labelrelay.toml");
    let (without_pull, _) = config.split_once("[source.pull]").unwrap();
    place.write("labelrelay.toml", without_pull);
    let words = [
        "pull",
        "label-studio",
        "--url",
        &platform.url,
        "--every",
        "1s",
    ];
    let mut command = place.command(&words);
    let _pulling = Pulling(command.stdout(Stdio::null()).spawn().unwrap());
    let has = |name: &str| {
        let came = came.lock().unwrap();
        came.windows(name.len()).any(|part| part == name.as_bytes())
    };
    until("its counts are sent", || {
        has("/v1/metrics") && has("labelrelay_pull_runs_total")
    });
    assert!(!has("labelrelay_requests") && !has("/v1/traces"));
}
