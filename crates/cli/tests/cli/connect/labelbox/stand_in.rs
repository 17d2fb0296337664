//! A server that answers the requests of `connect labelbox` as Labelbox would, and errs on demand. Labelbox's own
//! client is tried against another one, in `tests/e2e`.

use crate::connect::stand_in::{Asked, Fault, hang, read};
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

pub(in crate::connect) const KEY: &str = "a-key-of-labelbox";

type Faults = Box<dyn Fn(&Asked) -> Option<Fault> + Send>;

pub(in crate::connect) struct State {
    pub(in crate::connect) projects: Vec<(String, String)>,
    pub(in crate::connect) webhooks: Vec<Value>,
    /// Rows of an export, by their projects.
    pub(in crate::connect) rows: Vec<(String, Value)>,
    /// Where parts of exports are.
    address: String,
    /// Operations that change something.
    pub(in crate::connect) changes: Vec<String>,
    fault: Faults,
    next: u32,
}

pub(in crate::connect) struct StandIn {
    pub(in crate::connect) endpoint: String,
    state: Arc<Mutex<State>>,
}

/// Name of the operation.
pub(in crate::connect) fn operation(asked: &Asked) -> String {
    let query = asked.body["query"].as_str().unwrap_or_default();
    let name = query.split([' ', '(', '{']).nth(1);
    name.unwrap_or_default().to_owned()
}

impl StandIn {
    /// A stand-in with two projects, and a webhook that is somebody else's.
    pub(in crate::connect) fn start() -> Self {
        let state = State {
            projects: vec![
                ("p1".to_owned(), "Cars".to_owned()),
                ("p2".to_owned(), "Boats".to_owned()),
            ],
            webhooks: vec![webhook(
                "w1",
                None,
                "https://somebody:hidden@else.test/hook?key=hidden",
            )],
            rows: Vec::new(),
            address: String::new(),
            changes: Vec::new(),
            fault: Box::new(|_| None),
            next: 7,
        };
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let endpoint = format!("{address}/graphql");
        state.lock().unwrap().address = address;
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream.unwrap(), &state));
            }
        });
        Self { endpoint, state }
    }

    pub(in crate::connect) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Lets requests fail from now on.
    pub(in crate::connect) fn fails(
        &self,
        fault: impl Fn(&Asked) -> Option<Fault> + Send + 'static,
    ) {
        self.state().fault = Box::new(fault);
    }

    /// The changes that were asked for since the last look.
    pub(in crate::connect) fn changes(&self) -> Vec<String> {
        std::mem::take(&mut self.state().changes)
    }

    pub(in crate::connect) fn webhooks(&self) -> Vec<Value> {
        self.state().webhooks.clone()
    }
}

/// A webhook in the stand-in's state, with its secret.
pub(in crate::connect) fn webhook(id: &str, project: Option<&str>, url: &str) -> Value {
    let topics = [
        "LABEL_CREATED",
        "LABEL_UPDATED",
        "LABEL_DELETED",
        "WORKFLOW_ACTION",
    ];
    json!({
        "id": id, "project": project.map(|id| json!({"id": id})), "url": url, "topics": topics,
        "status": "ACTIVE", "secret": "hidden",
    })
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) {
    let Some(asked) = read(&mut stream) else {
        return;
    };
    let mut state = state.lock().unwrap();
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
            let _lost = state.answer(&asked);
            return;
        }
        // The address is its own proof.
        None if asked.path.starts_with("/export/") => (200, state.export(&asked.path)),
        None if asked.authorization == format!("Bearer {KEY}") => {
            let said = match state.answer(&asked) {
                Ok(data) => json!({"data": data}),
                Err((code, message)) => refusal(code, &message),
            };
            (200, said.to_string())
        }
        None => (
            401,
            refusal("AUTHENTICATION_ERROR", "Invalid API key").to_string(),
        ),
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _gone = stream.write_all(format!("{head}{body}").as_bytes());
}

pub(in crate::connect) fn refusal(code: &str, message: &str) -> Value {
    json!({"data": null, "errors": [{"message": message, "extensions": {"code": code}}]})
}

/// The text of `query` between two others.
fn between<'a>(query: &'a str, before: &str, after: &[char]) -> Option<&'a str> {
    query.split_once(before)?.1.split(after).next()
}

type Answer = Result<Value, (&'static str, String)>;

impl State {
    fn answer(&mut self, asked: &Asked) -> Answer {
        let query = asked.body["query"].as_str().unwrap();
        let variables = &asked.body["variables"];
        let skip = between(query, "skip: ", &[' ', ')']);
        let skip: usize = skip.map_or(0, |skip| skip.parse().unwrap());
        let name = operation(asked);
        if query.starts_with("mutation") && name != "Export" {
            self.changes.push(name.clone());
        }
        match name.as_str() {
            "Member" => Ok(json!({
                "user": {"email": "you@example.org"}, "organization": {"name": "Garage"},
            })),
            "Projects" => {
                let shown: Vec<_> = self.projects.iter().map(|p| self.shown(p, 0)).collect();
                Ok(json!({"projects": page(&shown, skip)}))
            }
            "ProjectWebhooks" => {
                let project = self.project(variables["id"].as_str().unwrap())?;
                Ok(json!({"project": self.shown(&project, skip)}))
            }
            "OrganizationWebhooks" => {
                // A list of the organization's alone: whether that is so, nobody has documented.
                let whole: Vec<_> = self.webhooks.iter().map(public).collect();
                let whole: Vec<_> = whole
                    .into_iter()
                    .filter(|hook| hook["project"].is_null())
                    .collect();
                Ok(json!({"organization": {"webhooks": page(&whole, skip)}}))
            }
            "Project" => {
                let project = self.project(variables["id"].as_str().unwrap())?;
                Ok(json!({"project": {"id": project.0}}))
            }
            // The task has the name of its project.
            "Export" => {
                let project = &variables["input"]["filters"]["projectId"];
                Ok(json!({"exportDataRowsInProject": {"taskId": project}}))
            }
            "Me" => Ok(json!({"user": {"id": "u1"}})),
            "Task" => Ok(json!({"user": {"createdTasks": [{"status": "COMPLETE"}]}})),
            "Header" if variables["streamType"] == "RESULT" => {
                let rows = self.export(variables["where"]["id"].as_str().unwrap());
                let header = json!({"totalSize": rows.len().to_string()});
                Ok(json!({"task": {"exportMetadataHeader": header}}))
            }
            "Header" => Ok(json!({"task": {"exportMetadataHeader": null}})),
            "Part" => {
                let task = variables["where"]["id"].as_str().unwrap();
                let end = self.export(task).len() - 1;
                let file = format!("{}/export/{task}", self.address);
                let offsets = json!({"start": "0", "end": end.to_string()});
                let part = json!({"offsets": offsets, "file": file});
                Ok(json!({"task": {"exportFileFromOffset": part}}))
            }
            "CreateWebhook" => self.create(query, variables),
            "UpdateWebhook" => self.update(query, variables),
            other => Err(("GRAPHQL_VALIDATION_FAILED", format!("no {other}"))),
        }
    }

    /// The rows of a project, a line each. Its id is the end of this path.
    fn export(&self, path: &str) -> String {
        let project = path.rsplit('/').next().unwrap();
        let rows = self.rows.iter().filter(|(of, _)| of == project);
        rows.flat_map(|(_, row)| [row.to_string(), "\n".to_owned()])
            .collect()
    }

    fn project(&self, id: &str) -> Result<(String, String), (&'static str, String)> {
        let found = self.projects.iter().find(|(known, _)| known == id).cloned();
        found.ok_or_else(|| ("RESOURCE_NOT_FOUND", "no such project".to_owned()))
    }

    fn shown(&self, (id, name): &(String, String), skip: usize) -> Value {
        let of_project = self.webhooks.iter().map(public);
        let of_project: Vec<_> = of_project
            .filter(|hook| hook["project"]["id"] == id.as_str())
            .collect();
        json!({"id": id, "name": name, "webhooks": page(&of_project, skip)})
    }

    fn create(&mut self, query: &str, variables: &Value) -> Answer {
        let topics = topics(query)?.unwrap();
        if let Some(project) = variables["project"].as_str() {
            self.project(project)?;
        }
        let project = variables["project"].as_str();
        let id = format!("w{}", self.next);
        self.next += 1;
        let mut made = webhook(&id, project, variables["url"].as_str().unwrap());
        made["topics"] = topics;
        made["secret"] = variables["secret"].clone();
        assert!(made["secret"].is_string());
        self.webhooks.push(made.clone());
        Ok(json!({"createWebhook": public(&made)}))
    }

    fn update(&mut self, query: &str, variables: &Value) -> Answer {
        let topics = topics(query)?;
        let status = between(query, "status: ", &[',', '}']).map(str::to_owned);
        let webhook = self
            .webhooks
            .iter_mut()
            .find(|hook| hook["id"] == variables["id"])
            .ok_or_else(|| ("RESOURCE_NOT_FOUND", "no such webhook".to_owned()))?;
        if let Some(topics) = topics {
            webhook["topics"] = topics;
        }
        if let Some(status) = status {
            webhook["status"] = status.into();
        }
        if let Some(url) = variables["url"].as_str() {
            webhook["url"] = url.into();
        }
        Ok(json!({"updateWebhook": public(webhook)}))
    }
}

/// The topics that a mutation names.
fn topics(query: &str) -> Result<Option<Value>, (&'static str, String)> {
    let Some(words) = between(query, "set: [", &[']']) else {
        return Ok(None);
    };
    let words: Vec<_> = words.split_whitespace().collect();
    let is_none = |word: &&&str| !word.starts_with("LABEL_") && **word != "WORKFLOW_ACTION";
    match words.iter().find(is_none) {
        Some(word) => Err((
            "GRAPHQL_VALIDATION_FAILED",
            format!("Value \"{word}\" does not exist in \"WebhookTopic\" enum."),
        )),
        None => Ok(Some(json!(words))),
    }
}

fn page(things: &[Value], skip: usize) -> Vec<Value> {
    things.iter().skip(skip).take(100).cloned().collect()
}

/// A webhook as the API shows it.
fn public(webhook: &Value) -> Value {
    let mut shown = webhook.clone();
    shown.as_object_mut().unwrap().remove("secret");
    shown
}
