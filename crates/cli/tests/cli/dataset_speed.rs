//! `dataset sync --follow` keeps up with what is delivered. `cargo xtask campaign dataset-speed` has a minute of it, and
//! measures; here are a few events, of which each has to arrive.

use crate::dataset::{Following, figures, latest};
use crate::support::{Place, Serving, bytes_of, deriving_nothing, until};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const MIB: u64 = 1024 * 1024;

/// Events of a second, from so many senders.
const RATE: u32 = 200;
const SENDERS: u32 = 4;

/// Whoever is so far behind is not measured any longer.
const LOST: Duration = Duration::from_secs(60);

/// Bounds of the campaign.
const MINUTE: u32 = 60 * RATE;
const MOST_BEHIND: Duration = Duration::from_secs(1);
const MOST_MEMORY: u64 = 128 * MIB;

/// A keep-alive connection to `serve`.
struct Sender(BufReader<TcpStream>);

impl Sender {
    fn to(serving: &Serving) -> Self {
        Self(BufReader::new(
            TcpStream::connect(&serving.address).unwrap(),
        ))
    }

    /// Delivers an annotation with one box, and reads the answer.
    fn annotate(&mut self, id: u32) {
        let body = json!({
            "action": "ANNOTATION_CREATED",
            "annotation": {
                "id": id, "task": id, "created_at": "2026-11-21T09:47:10.371842Z",
                "updated_at": "2026-11-21T09:47:10.371842Z", "was_cancelled": false,
                "result": [{
                    "id": "a", "type": "rectanglelabels", "from_name": "box", "to_name": "image",
                    "original_width": 200, "original_height": 100, "image_rotation": 0,
                    "value": {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["car"]},
                }],
            },
            "project": {"id": 1, "title": "Cars"},
            "task": {"id": id, "data": {"image": format!("s3://cars/{id}.jpg")}},
        })
        .to_string();
        let request = format!(
            "POST /label-studio HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a-secret-of-label-studio\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        assert!(lines[0].starts_with("http/1.1 200"), "{lines:?}");
        let length = lines
            .iter()
            .find_map(|line| line.strip_prefix("content-length:"));
        let length = length.map_or(0, |length| length.trim().parse().unwrap());
        self.0.read_exact(&mut vec![0; length]).unwrap();
    }
}

/// What was measured while `sync` followed.
#[derive(Debug)]
struct Measured {
    /// The longest time that an accepted event was not in the latest snapshot.
    behind: Duration,
    /// The most memory that `sync` had.
    memory: u64,
    snapshots: u64,
}

fn annotations(latest: &Value) -> usize {
    let count = latest["counts"]["annotations"].as_u64();
    usize::try_from(count.unwrap_or_default()).unwrap()
}

/// Delivers so many events at [`RATE`], and looks at the latest snapshot all the time.
fn follow(place: &Place, events: u32) -> Measured {
    let serving = place.serve(&[]);
    // What one sender does, before the clock runs: the first event makes the state.
    Sender::to(&serving).annotate(1);
    let words = ["--every", "200ms", "--format", "parquet"];
    let following = Following::start(place, &words);
    until("the first snapshot is there", || {
        annotations(&latest(place)) == 1
    });
    let accepted = Mutex::new(vec![Instant::now()]);
    let begun = Instant::now();
    let behind = std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (accepted, serving) = (&accepted, &serving);
            scope.spawn(move || {
                let mut connection = Sender::to(serving);
                let mine = (2..=events).filter(|id| id % SENDERS == sender);
                for id in mine {
                    // A pace, and no wait for something.
                    let due = begun + Duration::from_secs(1) * id / RATE;
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    connection.annotate(id);
                    accepted.lock().unwrap().push(Instant::now());
                }
            });
        }
        let mut behind = Duration::ZERO;
        // Up to the last one. If that never comes, the next wait says so.
        let longest = Duration::from_secs(u64::from(events / RATE)) + LOST;
        loop {
            let now = Instant::now();
            let there = annotations(&latest(place));
            if there == events as usize || begun.elapsed() > longest {
                break behind;
            }
            // The oldest one that is not in it.
            if let Some(missing) = accepted.lock().unwrap().get(there) {
                behind = behind.max(now.saturating_duration_since(*missing));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    until("the latest snapshot has all events", || {
        annotations(&latest(place)) == events as usize
    });
    let memory = bytes_of(following.pid(), "VmHWM:");
    let log = following.stop(place);
    assert!(log.contains(&format!("done={events}")), "{log}");
    let snapshots = latest(place)["number"].as_u64().unwrap();
    assert_eq!(figures(place), [0, 0, u64::from(events), 0]);
    Measured {
        behind,
        memory,
        snapshots,
    }
}

#[test]
fn it_follows_what_several_senders_deliver() {
    let place = deriving_nothing();
    let measured = follow(&place, 60);
    assert!(
        measured.memory > MIB && measured.snapshots > 1,
        "{measured:?}"
    );
}

#[test]
#[ignore = "takes minutes: run it with `cargo xtask campaign dataset-speed`"]
fn a_minute_of_200_events_a_second_is_at_most_a_second_behind() {
    let place = deriving_nothing();
    let measured = follow(&place, MINUTE);
    println!(
        "{MINUTE} events, {RATE} a second: {:.2?} behind at most, {} MiB, {} snapshots",
        measured.behind,
        measured.memory / MIB,
        measured.snapshots
    );
    assert!(measured.behind <= MOST_BEHIND, "{measured:?}");
    assert!(measured.memory <= MOST_MEMORY, "{measured:?}");
}
