//! Valid deliveries, each on a connection of its own, as Label Studio makes them.

use labelrelay_tests::relay::SECRET;
use labelrelay_tests::sender;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Between two of them. The machine is busy enough.
const PAUSE: Duration = Duration::from_millis(40);

/// Longer than any sender waits, so that one that comes late is told from one that never comes.
pub(crate) const LATEST: Duration = Duration::from_secs(30);

/// So many are sent at least, however long they take.
const LEAST: u32 = 10;

#[derive(Default)]
pub(crate) struct Deliveries {
    /// From the connection's begin to the answer, of those that were accepted.
    pub(crate) times: Vec<Duration>,
    pub(crate) failed: Vec<String>,
}

impl Deliveries {
    pub(crate) fn send(address: SocketAddr, time: Duration) -> Self {
        let mut sent = Self::default();
        let begun = Instant::now();
        let mut number = 0;
        while begun.elapsed() < time || (number < LEAST && begun.elapsed() < LEAST * LATEST) {
            number += 1;
            let body = format!(
                r#"{{"action":"ANNOTATION_CREATED","annotation":{{"id":{number},"updated_at":"2026-11-27T10:00:00.{number:06}Z"}},"task":{{"id":{number}}},"project":{{"id":1}}}}"#
            );
            let raw = sender::label_studio(&format!("Bearer {SECRET}"), body.as_bytes());
            let begun = Instant::now();
            match deliver(address, &raw) {
                Ok(answer) if answer.starts_with("HTTP/1.1 200 ") => {
                    sent.times.push(begun.elapsed());
                }
                other => sent
                    .failed
                    .push(format!("{number} after {:?}: {other:?}", begun.elapsed())),
            }
            std::thread::sleep(PAUSE);
        }
        sent.times.sort_unstable();
        sent
    }

    pub(crate) fn slowest(&self) -> Duration {
        self.times.last().copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> Duration {
        let middle = self.times.get(self.times.len() / 2);
        middle.copied().unwrap_or_default()
    }
}

fn deliver(address: SocketAddr, raw: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, LATEST)?;
    stream.set_read_timeout(Some(LATEST))?;
    stream.write_all(raw)?;
    let mut answer = vec![0; 1024];
    let length = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}
