//! A real Label Studio that fires every event it can at a URL.

use crate::recording_proxy::Exchange;
use crate::servers::installed;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Actions that version 1.23.2 is known to send.
const ACTIONS: [&str; 13] = [
    "ANNOTATIONS_CREATED",
    "ANNOTATIONS_DELETED",
    "ANNOTATION_CREATED",
    "ANNOTATION_UPDATED",
    "LABEL_LINK_CREATED",
    "LABEL_LINK_DELETED",
    "LABEL_LINK_UPDATED",
    "PROJECT_CREATED",
    "PROJECT_DELETED",
    "PROJECT_UPDATED",
    "START_TRAINING",
    "TASKS_CREATED",
    "TASKS_DELETED",
];

/// The version that the tests run against, and the variable with its program.
const NEWEST: &str = "1.23.2";
const NEWEST_PROGRAM: &str = "LABELRELAY_TEST_LABEL_STUDIO";

/// One step of the driver's walk and the seconds that Label Studio's API took for it.
pub type Step = (String, f64);

/// A labelling configuration with one text and one choice.
const CHOICE: &str = r#"<View><Text name="text" value="$text"/><Choices name="choice" toName="text"><Choice value="a"/><Choice value="b"/></Choices></View>"#;

/// A running Label Studio that does what it is told; ends when dropped.
pub struct LabelStudio {
    /// URL.
    pub base: String,
    /// A legacy token of its user.
    pub token: String,
    holder: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl LabelStudio {
    /// Starts one that delivers to this machine, with an empty database.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with no switch set, as a user has it: it refuses to deliver to this machine.
    pub fn start_stock() -> Self {
        Self::start_with(&["--stock"])
    }

    /// Starts one as [`start`](Self::start) does, which may run for this long.
    pub fn start_for(longest: Duration) -> Self {
        Self::start_with(&["--deadline", &longest.as_secs().to_string()])
    }

    /// Starts an older one, such as `1.22.0`, with no switch set.
    pub fn start_older(version: &str) -> Self {
        let program = format!("LABELRELAY_TEST_LABEL_STUDIO_{}", version.replace('.', "_"));
        Self::start_version(&installed(&program), version, &["--stock"])
    }

    fn start_with(words: &[&str]) -> Self {
        Self::start_version(&installed(NEWEST_PROGRAM), NEWEST, words)
    }

    fn start_version(label_studio: &Path, version: &str, words: &[&str]) -> Self {
        let template = format!("label-studio-{version}-template");
        let template = installed("LABELRELAY_TEST_CACHE").join(template);
        let hold = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/label_studio/hold.py");
        let mut holder = Command::new(label_studio.with_file_name("python"))
            // Leaves nothing beside the scripts. Label Studio itself is to keep what it compiles.
            .arg("-B")
            .arg(hold)
            .arg("--label-studio")
            .arg(label_studio)
            .arg("--template")
            .arg(template)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = holder.stdin.take();
        let answers = BufReader::new(holder.stdout.take().unwrap());
        let mut started = Self {
            base: String::new(),
            token: String::new(),
            holder,
            commands,
            answers,
        };
        let told = started.answer();
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        (started.base, started.token) = (text("base"), text("token"));
        started
    }

    /// Has the newest version serve the same data at the same address; waits until it does.
    pub fn upgrade(&mut self) {
        let told = self.command(&json!({"program": installed(NEWEST_PROGRAM)}));
        assert_eq!(told["version"], NEWEST);
    }

    /// One call of its API; the answer's body.
    pub fn call(&mut self, method: &str, path: &str, value: &Value) -> Value {
        let mut answer = self.command(&json!({"method": method, "path": path, "value": value}));
        let status = answer["status"].as_u64().unwrap();
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {}",
            answer["value"]
        );
        answer["value"].take()
    }

    /// Rows of its database.
    pub fn rows(&mut self, sql: &str) -> Vec<Value> {
        let mut answer = self.command(&json!({"sql": sql}));
        match answer["rows"].take() {
            Value::Array(rows) => rows,
            other => panic!("{sql}: {other}"),
        }
    }

    /// A new project; its id.
    pub fn project(&mut self, title: &str) -> u64 {
        let value = json!({"title": title, "label_config": CHOICE});
        self.call("POST", "/api/projects/", &value)["id"]
            .as_u64()
            .unwrap()
    }

    /// Sends a project's events to `url`, with `secret`.
    pub fn webhook(&mut self, project: u64, url: &str, secret: &str) {
        let headers = json!({"Authorization": format!("Bearer {secret}")});
        let value =
            json!({"url": url, "project": project, "headers": headers, "send_payload": true});
        self.call("POST", "/api/webhooks/", &value);
    }

    /// Imports tasks, each with an annotation if `annotated`.
    pub fn import(&mut self, project: u64, count: usize, annotated: bool) {
        let task = |number: usize| {
            let data = json!({"text": format!("text {number}")});
            if annotated {
                json!({"data": data, "annotations": [{"result": choice("a")}]})
            } else {
                json!({"data": data})
            }
        };
        let tasks: Vec<_> = (0..count).map(task).collect();
        self.call(
            "POST",
            &format!("/api/projects/{project}/import"),
            &tasks.into(),
        );
    }

    fn command(&mut self, command: &Value) -> Value {
        writeln!(self.commands.as_mut().unwrap(), "{command}").unwrap();
        self.answer()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert!(
            !line.is_empty(),
            "Label Studio ended; what it said stands above"
        );
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for LabelStudio {
    fn drop(&mut self) {
        // At the end of its stdin it ends Label Studio, then itself.
        drop(self.commands.take());
        let _ = self.holder.wait();
    }
}

/// The result of an annotation: one choice.
pub fn choice(value: &str) -> Value {
    json!([{"from_name": "choice", "to_name": "text", "type": "choices", "id": "r1", "value": {"choices": [value]}}])
}

/// Starts Label Studio and makes it send everything to the source below `place` (`host:port/path`),
/// as webhooks and as calls to an ML back end, with `secret`.
pub fn drive(place: &str, secret: &str) -> Vec<Step> {
    let label_studio = installed("LABELRELAY_TEST_LABEL_STUDIO");
    let template = installed("LABELRELAY_TEST_CACHE").join("label-studio-1.23.2-template");
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/label_studio/drive.py");
    let output = Command::new(label_studio.with_file_name("python"))
        .arg("-B")
        .arg(driver)
        .arg("--label-studio")
        .arg(&label_studio)
        .arg("--template")
        .arg(template)
        .arg("--report")
        .arg(&report)
        .args([
            "--level",
            "both",
            "--target-url",
            &format!("http://{place}"),
        ])
        .args(["--header", &format!("Authorization: Bearer {secret}")])
        .args(["--ml-url", &format!("http://label-studio:{secret}@{place}")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "the driver: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let steps = report["steps"].as_array().unwrap();
    steps
        .iter()
        .map(|step| {
            (
                step["step"].as_str().unwrap().to_owned(),
                step["seconds"].as_f64().unwrap(),
            )
        })
        .collect()
}

/// Selects the exchanges that reported an event; they must be of every kind that this version sends.
pub fn events(exchanges: &[Exchange]) -> Vec<&Exchange> {
    let events: Vec<&Exchange> = exchanges
        .iter()
        .filter(|exchange| exchange.body.starts_with(br#"{"action""#))
        .collect();
    let seen: BTreeSet<_> = events.iter().map(|event| action(&event.body)).collect();
    assert_eq!(
        seen,
        ACTIONS.map(str::to_owned).into(),
        "the actions that this Label Studio sent"
    );
    events
}

/// The action of a body; read by hand, because bodies hold things that a strict parser refuses.
pub fn action(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
    text.split('"').nth(3).unwrap_or_default().to_owned()
}
