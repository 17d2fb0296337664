//! The memory of `labelrelay pull` does not grow with what the platform holds: neither beside the embedded queue, nor
//! with a ledger in a store. `cargo xtask campaign million-things` has a million.

use crate::support::{Place, bytes_of, configured};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Instant;

const MIB: u64 = 1024 * 1024;

/// Tasks and annotations of the campaign, and what a process may take for them.
const CAMPAIGN: u64 = 1_000_000;
const CAMPAIGN_BOUND: u64 = 256 * MIB;

/// A thing is 140 bytes in a ledger: a step that held them all would take 11 MiB more for the many.
const FEW: u64 = 20_000;
const MANY: u64 = 100_000;
const MOST_GROWTH: u64 = 9 * MIB;

/// Annotations of a task; with it, ten things.
pub(crate) const ANNOTATIONS: u64 = 9;

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";
const DATE: &str = "Wed, 25 Nov 2026 22:44:22 GMT";

/// A server that answers as a Label Studio with one project of so many tasks does, none of which changes. It holds none
/// of them.
pub(crate) struct Platform {
    pub(crate) url: String,
}

impl Platform {
    pub(crate) fn of(things: u64) -> Self {
        let tasks = things / (1 + ANNOTATIONS);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || serve(&stream.unwrap(), tasks));
            }
        });
        Self { url }
    }
}

fn serve(stream: &TcpStream, tasks: u64) {
    let mut lines = BufReader::new(stream).lines();
    let mut stream = stream;
    while let Some(Ok(request)) = lines.next() {
        // Requests have no bodies.
        while matches!(lines.next(), Some(Ok(line)) if !line.is_empty()) {}
        let target = request.split(' ').nth(1).unwrap();
        let body = answer(target, tasks);
        let head = format!(
            "HTTP/1.1 200 OK\r\nDate: {DATE}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

fn answer(target: &str, tasks: u64) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let project = json!({
        "id": 1, "title": "Large", "task_number": tasks,
        "total_annotations_number": tasks * ANNOTATIONS, "skipped_annotations_number": 0,
    });
    match path {
        "/api/projects/" => json!({"count": 1, "results": [project]}).to_string(),
        "/api/projects/1/" => project.to_string(),
        "/api/tasks/" => page(query, tasks),
        other => panic!("nobody asks for {other}"),
    }
}

fn page(query: &str, tasks: u64) -> String {
    let value = |name: &str| {
        let mut parts = query.split('&').filter_map(|part| part.split_once('='));
        parts
            .find_map(|(found, value)| (found == name).then_some(value))
            .unwrap()
    };
    let wanted = percent_decode_str(value("query")).decode_utf8().unwrap();
    let wanted: Value = serde_json::from_str(&wanted).unwrap();
    let items = wanted["filters"]["items"].as_array().unwrap();
    let after = items[0]["value"].as_u64().unwrap();
    // Nothing changed.
    let left = if items.len() > 1 { 0 } else { tasks - after };
    let size: u64 = value("page_size").parse().unwrap();
    let mut body = String::from("{\"tasks\":[");
    for id in after + 1..=after + left.min(size) {
        if id > after + 1 {
            body.push(',');
        }
        add_task(&mut body, id, value("fields") == "all");
    }
    write!(body, "],\"total\":{left}}}").unwrap();
    body
}

fn add_task(body: &mut String, id: u64, whole: bool) {
    const TIMES: &str = "\"created_at\":\"2026-11-01T00:00:00.000001Z\",\"updated_at\":\"2026-11-01T00:00:00.000001Z\"";
    write!(body, "{{\"id\":{id},\"project\":1,{TIMES},\"data\":{{}}").unwrap();
    let annotations = (1..=ANNOTATIONS).map(|number| id * 10 + number);
    if whole {
        body.push_str(",\"annotations\":[");
        for (at, annotation) in annotations.enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(
                body,
                "{comma}{{\"id\":{annotation},\"task\":{id},\"project\":1,{TIMES},\"result\":[]}}"
            )
            .unwrap();
        }
        body.push_str("]}");
    } else {
        let ids: Vec<_> = annotations.map(|id| id.to_string()).collect();
        write!(body, ",\"annotations_ids\":\"{}\"}}", ids.join(",")).unwrap();
    }
}

/// A run of which the summary is printed and which has not ended yet; killed when dropped.
struct Run(Child);

impl Drop for Run {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// Runs a pull to its end; the peak of its memory. It would begin again an hour later, so that it is still there to be
/// looked at.
fn peak(place: &Place, words: &[&str], summary: &str) -> u64 {
    let begun = Instant::now();
    let all = [&["pull", "label-studio", "--json", "--every", "1h"], words].concat();
    let child = place
        .command(&all)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut run = Run(child);
    // The summary is not among the events that are printed.
    let prints_events = place.read("labelrelay.toml").contains("stdout:");
    let said: Box<dyn Read> = if prints_events && !words.contains(&"--dry-run") {
        Box::new(run.0.stderr.take().unwrap())
    } else {
        Box::new(run.0.stdout.take().unwrap())
    };
    let told = BufReader::new(said).lines().map(Result::unwrap);
    let mut told = told.filter(|line| !line.starts_with("warning:"));
    let line = told.next().unwrap_or_default();
    assert!(line.contains(summary), "{words:?}: {line}");
    let peak = bytes_of(run.0.id(), "VmHWM:");
    println!("{words:?}: {} MiB, {:.1?}", peak / MIB, begun.elapsed());
    peak
}

/// Peaks of all that a ledger of so many things goes through: filled, looked through whole, quiet, only tried.
fn peaks(things: u64, queue: &str, more: &[&str]) -> [u64; 4] {
    let platform = Platform::of(things);
    let place = configured()
        .with("LABEL_STUDIO_API_KEY", TOKEN)
        .with("LABEL_STUDIO_URL", &platform.url);
    let text = place
        .read("labelrelay.toml")
        .replace("sqlite:queue.db", queue);
    place.write("labelrelay.toml", text);
    let remembered = format!("\"passed_over\":{things}");
    let looked_at = format!("\"things\":{things}");
    let quiet = "\"things\":0".to_owned();
    let since = ["--since", "2026-11-25T00:00:00Z"];
    let steps: [(&[&str], &String); 4] = [
        // Remembered and not sent: a queue's growth is no matter of this.
        (&since, &remembered),
        (&["--full"], &looked_at),
        (&[], &quiet),
        (&["--dry-run"], &quiet),
    ];
    steps.map(|(words, summary)| peak(&place, &[words, more].concat(), summary))
}

#[test]
fn the_memory_of_a_pull_does_not_grow_with_what_there_is() {
    for (queue, more) in [
        ("sqlite:queue.db", &[][..]),
        ("stdout:", &["--ledger", "file:kept"]),
    ] {
        let steps = peaks(FEW, queue, more).into_iter();
        for (few, many) in steps.zip(peaks(MANY, queue, more)) {
            assert!(
                many <= few + MOST_GROWTH,
                "{queue}: {} MiB for {FEW} things, {} MiB for {MANY}",
                few / MIB,
                many / MIB
            );
        }
    }
}

#[test]
#[ignore = "takes minutes: run it with `cargo xtask campaign million-things`"]
fn a_million_things_fit_into_256_mib() {
    for (queue, more) in [
        ("sqlite:queue.db", &[][..]),
        ("stdout:", &["--ledger", "file:kept"]),
    ] {
        for peak in peaks(CAMPAIGN, queue, more) {
            assert!(peak <= CAMPAIGN_BOUND, "{queue}: {} MiB", peak / MIB);
        }
    }
}
