//! A server that answers as Label Studio does, as far as pulling is concerned, and fails on demand. The real one is
//! in `tests/e2e`.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

pub(super) const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";

/// The server's time: all that it holds changed after it.
const DATE: &str = "Wed, 25 Nov 2026 22:44:22 GMT";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Works,
    /// Answers 500.
    Broken,
    /// Takes requests and answers none.
    Hangs,
}

pub(super) struct State {
    /// Annotations of each task, by their ids.
    tasks: BTreeMap<u64, Vec<u64>>,
    mode: Mode,
    /// Requests that wait for an answer.
    waiting: usize,
}

pub(super) struct Platform {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

impl Platform {
    pub(super) fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            tasks: BTreeMap::new(),
            mode: Mode::Works,
            waiting: 0,
        }));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream.unwrap(), &state));
            }
        });
        Self { url, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn set(&self, mode: Mode) {
        self.state().mode = mode;
    }

    /// Tells whether somebody waits for an answer.
    pub(super) fn is_waited_for(&self) -> bool {
        self.state().waiting > 0
    }

    pub(super) fn add_task(&self, task: u64, annotations: &[u64]) {
        self.state().tasks.insert(task, annotations.to_vec());
    }

    pub(super) fn add_annotation(&self, task: u64, annotation: u64) {
        self.state().tasks.get_mut(&task).unwrap().push(annotation);
    }

    pub(super) fn remove_annotation(&self, annotation: u64) {
        for annotations in self.state().tasks.values_mut() {
            annotations.retain(|id| *id != annotation);
        }
    }
}

/// Time of a thing, with a fraction of a second by which two of them differ.
fn time(id: u64) -> String {
    format!("2026-11-25T22:50:00.{id:06}Z")
}

pub(super) fn annotation(id: u64, task: u64) -> Value {
    json!({"id": id, "task": task, "project": 1, "created_at": time(id), "updated_at": time(id), "result": []})
}

pub(super) fn task(id: u64) -> Value {
    json!({"id": id, "project": 1, "created_at": time(id), "updated_at": time(id), "data": {}})
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some(head) = read(&mut stream) else {
        return;
    };
    state.lock().unwrap().waiting += 1;
    let (status, body) = loop {
        // In one step: whoever lets it hang, and sees that one waits, gets no answer any more.
        let mut state = state.lock().unwrap();
        if state.mode == Mode::Hangs {
            drop(state);
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        state.waiting -= 1;
        break match state.mode {
            Mode::Broken => (500, Value::Null),
            _ if !head.contains(&format!("Token {TOKEN}")) => {
                (401, json!({"detail": "Invalid token."}))
            }
            _ => state.answer(head.split(' ').nth(1).unwrap()),
        };
    };
    let body = body.to_string();
    let _gone = write!(
        stream,
        "HTTP/1.1 {status} X\r\nDate: {DATE}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

impl State {
    fn answer(&self, target: &str) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let project = json!({
            "id": 1, "title": "Cars", "task_number": self.tasks.len(),
            "total_annotations_number": self.tasks.values().map(Vec::len).sum::<usize>(),
            "skipped_annotations_number": 0,
        });
        match path {
            "/api/projects/" => (200, json!({"count": 1, "results": [project]})),
            "/api/projects/1/" => (200, project),
            "/api/tasks/" => (200, self.tasks(query)),
            _ => {
                let id = path.strip_prefix("/api/annotations/");
                let id: Option<u64> = id.and_then(|id| id.trim_end_matches('/').parse().ok());
                let held = |id: u64| self.tasks.iter().find(|(_, held)| held.contains(&id));
                match id.and_then(|id| Some((id, held(id)?))) {
                    Some((id, (task, _))) => (200, annotation(id, *task)),
                    None => (404, json!({"detail": "Not found."})),
                }
            }
        }
    }

    fn tasks(&self, query: &str) -> Value {
        let parts: BTreeMap<_, _> = query
            .split('&')
            .filter_map(|part| part.split_once('='))
            .collect();
        let wanted = percent_decode_str(parts["query"]).decode_utf8().unwrap();
        let wanted: Value = serde_json::from_str(&wanted).unwrap();
        let after = wanted["filters"]["items"][0]["value"]
            .as_u64()
            .unwrap_or_default();
        let only = wanted["selectedItems"]["included"].as_array();
        let is_wanted = |id: &u64| only.is_none_or(|only| only.contains(&json!(id))) && *id > after;
        let found: Vec<_> = self.tasks.iter().filter(|(id, _)| is_wanted(id)).collect();
        let size: usize = parts["page_size"].parse().unwrap();
        let shown = |(id, held): &(&u64, &Vec<u64>)| {
            let mut task = task(**id);
            if parts["fields"] == "all" {
                task["annotations"] = held.iter().map(|one| annotation(*one, **id)).collect();
            } else {
                let ids: Vec<_> = held.iter().map(ToString::to_string).collect();
                task["annotations_ids"] = ids.join(",").into();
            }
            task
        };
        let tasks: Vec<_> = found.iter().take(size).map(shown).collect();
        json!({"tasks": tasks, "total": found.len()})
    }
}

/// The head of a request without a body.
fn read(stream: &mut TcpStream) -> Option<String> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(length @ 1..) => bytes.extend_from_slice(&buffer[..length]),
            _ => return None,
        }
    }
    String::from_utf8(bytes).ok()
}
