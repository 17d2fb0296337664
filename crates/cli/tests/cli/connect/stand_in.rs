//! A server that answers as Label Studio 1.23.2 does, as far as webhooks are concerned, and errs on demand. The
//! real one is in `tests/e2e`.

use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";

/// Number of the first project that is made.
pub(super) const FIRST_MADE: u64 = 100;

/// Answer to a request instead of the usual one.
pub(super) enum Fault {
    Answer(u16, String),
    /// The request is carried out, and the answer is lost.
    LostAnswer,
    /// The request itself is lost.
    LostRequest,
    /// It is taken, and nobody ever answers.
    Hang,
}

pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: Value,
    pub(super) authorization: String,
}

impl Asked {
    /// Tells whether the request makes a webhook, and is not one that cannot make any.
    pub(super) fn makes_webhook(&self) -> bool {
        self.is("POST", "/api/webhooks/") && self.body["project"] != 0
    }

    pub(super) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }
}

type Faults = Box<dyn Fn(&Asked) -> Option<Fault> + Send>;

pub(super) struct State {
    pub(super) projects: Vec<(u64, String)>,
    pub(super) webhooks: Vec<Value>,
    /// Tasks as the API shows them, with the project that each is in; newest change first.
    pub(super) tasks: Vec<(u64, Value)>,
    /// The time that answers bear; none at first.
    pub(super) date: Option<String>,
    /// Requests of whatever kind.
    pub(super) requests: usize,
    /// Requests that change something, or would.
    pub(super) changes: Vec<String>,
    pub(super) version: &'static str,
    pub(super) fault: Faults,
    next_webhook: u64,
}

pub(crate) struct StandIn {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    /// A stand-in with two projects, and a webhook that is somebody else's.
    pub(crate) fn start() -> Self {
        let state = State {
            projects: vec![(1, "Cars".to_owned()), (2, "Boats".to_owned())],
            webhooks: vec![webhook(
                1,
                1,
                "http://somebody:hidden@else.test/hook?key=hidden",
                "x",
            )],
            tasks: Vec::new(),
            date: None,
            requests: 0,
            changes: Vec::new(),
            version: "1.23.2",
            fault: Box::new(|_| None),
            next_webhook: 7,
        };
        let state = Arc::new(Mutex::new(state));
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

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Lets requests fail from now on.
    pub(super) fn fails(&self, fault: impl Fn(&Asked) -> Option<Fault> + Send + 'static) {
        self.state().fault = Box::new(fault);
    }

    /// Refuses the address of every webhook from now on, as versions from 1.23.1 on refuse private ones.
    #[cfg(all(feature = "aws", feature = "azure", feature = "google"))]
    pub(crate) fn refuses_addresses(&self) {
        self.fails(super::repair::refuses);
    }

    /// The changes that were asked for since the last look.
    pub(super) fn changes(&self) -> Vec<String> {
        std::mem::take(&mut self.state().changes)
    }

    pub(crate) fn webhooks(&self) -> Vec<Value> {
        self.state().webhooks.clone()
    }
}

/// A webhook as the API shows it.
pub(super) fn webhook(id: u64, project: u64, url: &str, secret: &str) -> Value {
    json!({
        "id": id, "organization": 1, "project": project, "url": url, "send_payload": true,
        "send_for_all_actions": true, "headers": {"Authorization": format!("Bearer {secret}")},
        "is_active": true, "actions": [], "created_at": "2026-11-01T00:00:00Z",
    })
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some(asked) = read(&mut stream) else {
        return;
    };
    let mut state = state.lock().unwrap();
    state.requests += 1;
    let date = state.date.clone();
    let date = date.map_or_else(String::new, |date| format!("Date: {date}\r\n"));
    let fault = (state.fault)(&asked);
    let (status, body) = match fault {
        Some(Fault::LostRequest) => return,
        Some(Fault::Hang) => {
            drop(state);
            hang(&mut stream);
            return;
        }
        Some(Fault::Answer(status, body)) => (status, body),
        Some(Fault::LostAnswer) => {
            state.answer(&asked);
            return;
        }
        None if asked.authorization == format!("Token {TOKEN}") => {
            let (status, value) = state.answer(&asked);
            (status, value.to_string())
        }
        None => (401, json!({"detail": "Invalid token."}).to_string()),
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\n{date}Content-Length: {}\r\nLocation: /user/login\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _gone = stream.write_all(format!("{head}{body}").as_bytes());
}

impl State {
    fn answer(&mut self, asked: &Asked) -> (u16, Value) {
        if asked.method != "GET" && asked.body["project"] != 0 {
            self.changes
                .push(format!("{} {}", asked.method, asked.path));
        }
        let path = asked.path.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let id = parts.get(2).and_then(|id| id.parse().ok());
        match (asked.method.as_str(), &parts[..], id) {
            ("GET", ["api", "current-user", "whoami"], _) => (
                200,
                json!({"id": 1, "email": "you@example.org", "username": "you"}),
            ),
            ("GET", ["api", "version"], _) => (200, json!({"release": self.version})),
            ("GET", ["api", "projects"], _) => {
                let tasks = |id: u64| self.tasks.iter().filter(|(of, _)| *of == id).count();
                let shown = |(id, title): &(u64, String)| {
                    let (tasks, annotations) = (tasks(*id), 0);
                    json!({
                        "id": id, "title": title, "task_number": tasks,
                        "total_annotations_number": annotations, "skipped_annotations_number": 0,
                    })
                };
                let results: Vec<_> = self.projects.iter().map(shown).collect();
                (200, json!({"count": results.len(), "results": results}))
            }
            ("POST", ["api", "projects"], _) => {
                let id = FIRST_MADE;
                let title = asked.body["title"].as_str().unwrap().to_owned();
                self.projects.push((id, title));
                (201, json!({"id": id}))
            }
            ("GET", ["api", "tasks"], _) => {
                let is_of =
                    |(of, _): &&(u64, Value)| asked.path.contains(&format!("?project={of}&"));
                let found: Vec<_> = self.tasks.iter().filter(is_of).collect();
                let shown = found.iter().take(50).map(|(_, task)| task.clone());
                let shown: Vec<_> = shown.collect();
                (200, json!({"tasks": shown, "total": found.len()}))
            }
            ("GET", ["api", "webhooks"], _) => (200, self.webhooks.clone().into()),
            ("POST", ["api", "webhooks"], _) => self.make(&asked.body),
            (method, ["api", kind, _], Some(id)) => self.one(method, kind, id, &asked.body),
            _ => (404, json!({"detail": "Not found."})),
        }
    }

    fn make(&mut self, body: &Value) -> (u16, Value) {
        let is_there = |(id, _): &(u64, String)| body["project"] == *id;
        if !self.projects.iter().any(is_there) {
            let errors = json!({"project": ["Invalid pk \"0\" - object does not exist."]});
            let detail = "Validation error";
            return (400, json!({"detail": detail, "validation_errors": errors}));
        }
        let mut made = body.clone();
        made["id"] = self.next_webhook.into();
        self.next_webhook += 1;
        self.webhooks.push(made.clone());
        (201, made)
    }

    fn one(&mut self, method: &str, kind: &str, id: u64, body: &Value) -> (u16, Value) {
        let has_id = |webhook: &Value| webhook["id"] == id;
        let project = self.projects.iter().position(|(known, _)| *known == id);
        let webhook = self.webhooks.iter().position(has_id);
        match (method, kind, project, webhook) {
            ("GET", "projects", Some(_), _) => (200, json!({"id": id, "title": "One"})),
            ("PATCH", "projects", Some(_), _) => {
                self.tell(id);
                (200, json!({"id": id}))
            }
            ("DELETE", "projects", Some(at), _) => {
                self.projects.remove(at);
                self.webhooks.retain(|webhook| webhook["project"] != id);
                (204, Value::Null)
            }
            ("PATCH", "webhooks", _, Some(at)) => {
                let changed = &mut self.webhooks[at];
                // As Label Studio does where the actions are left out.
                changed["actions"] = json!([]);
                let members = body.as_object().unwrap().clone();
                changed.as_object_mut().unwrap().extend(members);
                (200, changed.clone())
            }
            ("DELETE", "webhooks", _, Some(at)) => {
                self.webhooks.remove(at);
                (204, Value::Null)
            }
            _ => (404, json!({"detail": "Not found."})),
        }
    }

    /// Delivers that a project changed.
    fn tell(&self, project: u64) {
        let of_project = self
            .webhooks
            .iter()
            .filter(|hook| hook["project"] == project);
        for webhook in of_project {
            let url = webhook["url"].as_str().unwrap();
            let (host, path) = url
                .strip_prefix("http://")
                .unwrap()
                .split_once('/')
                .unwrap();
            let project = json!({"id": project, "updated_at": "2026-11-01T00:00:00.000001Z"});
            let body = json!({"action": "PROJECT_UPDATED", "project": project}).to_string();
            let mut stream = TcpStream::connect(host).unwrap();
            write!(
                stream,
                "POST /{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                webhook["headers"]["Authorization"].as_str().unwrap(),
                body.len()
            )
            .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    }
}

/// Waits until the other side gives up.
pub(super) fn hang(stream: &mut TcpStream) {
    let _gone = stream.read(&mut [0]);
}

/// A whole request.
pub(super) fn read(stream: &mut TcpStream) -> Option<Asked> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| {
                let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                lines.find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
            };
            let length: usize = header("content-length").map_or(0, |text| text.parse().unwrap());
            if body.len() >= length {
                let mut words = head.split(' ');
                return Some(Asked {
                    method: words.next().unwrap().to_owned(),
                    path: words.next().unwrap().to_owned(),
                    body: serde_json::from_str(body).unwrap_or_default(),
                    authorization: header("authorization").unwrap_or_default().to_owned(),
                });
            }
        }
        match stream.read(&mut buffer) {
            Ok(length @ 1..) => bytes.extend_from_slice(&buffer[..length]),
            _ => return None,
        }
    }
}
