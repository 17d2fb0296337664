//! `connect labelbox --prove`, with a stand-in for the workspace, whose deliveries the test sends itself.

use super::stand_in::{operation, refusal};
use super::{Fault, RELAY, Scene};
use labelrelay_core::signature::{sign_sha1, sign_sha256};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

/// Text of bodies and headers that must not be told.
const PRIVATE: [&str; 8] = [
    "somebody@example.org",
    "Car of somebody",
    "https://media.example.org/a.jpg",
    "row-1234",
    "id-of-delivery",
    "Garage",
    "garage",
    "p1",
];

const V1: &str = r#"{"id":"row-1234","label":"{}","createdBy":"somebody@example.org","labeledData":"https://media.example.org/a.jpg","Car of somebody":1}"#;
const V2: &str = r#"{"data_row":{"id":"row-1234"},"projects":{"p1":{"labels":[]}}}"#;
const WORKFLOW: &str = r#"{"projectId":"p1","action":"MOVE","dataRowIds":["row-1234"]}"#;

const SOON: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(30);
/// Times that a delivery is sent again, each after [`SOON`] at most.
const TRIES: usize = 30;

struct Proving {
    scene: Scene,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    said: String,
    address: String,
}

impl Proving {
    fn start() -> Self {
        let scene = Scene::new();
        let words = [
            "connect",
            "labelbox",
            "--prove",
            "--project",
            "p1",
            "--relay",
            RELAY,
            "--listen",
            "127.0.0.1:0",
            "--endpoint",
            &scene.labelbox.endpoint,
        ];
        let mut command = scene.place.command(&words);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut proving = Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            said: String::new(),
            address: String::new(),
            scene,
            child,
        };
        let line = proving.until("listening at http://");
        let address = line.split("http://").nth(1).unwrap();
        address
            .split(',')
            .next()
            .unwrap()
            .clone_into(&mut proving.address);
        proving.until("Part 1 of 2");
        proving
    }

    /// The next line of the output that holds `word`.
    fn until(&mut self, word: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(
                self.output.read_line(&mut line).unwrap() > 0,
                "{word}: {}",
                self.said
            );
            self.said.push_str(&line);
            if line.contains(word) {
                return line;
            }
        }
    }

    fn enter(&mut self) {
        self.input.write_all(b"\n").unwrap();
    }

    /// The proof's webhook.
    fn webhook(&self) -> Value {
        self.scene.labelbox.webhooks().pop().unwrap()
    }

    fn secret(&self) -> String {
        self.webhook()["secret"].as_str().unwrap().to_owned()
    }

    fn request(&self, secret: &str, event: &str, id: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let sha1 = sign_sha1(secret.as_bytes(), body.as_bytes());
        let sha256 = sign_sha256(secret.as_bytes(), body.as_bytes());
        let head = format!(
            "POST /labelbox/proof HTTP/1.1\r\nHost: h\r\nX-Garage-Proxy: 1\r\nContent-Type: application/json\r\nX-Hub-Signature: {sha1}\r\nX-Hub-Signature-256: {sha256}\r\nX-Labelbox-Id: {id}\r\nX-Labelbox-Event: {event}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .unwrap();
        stream
    }

    /// Delivers, and gives the status.
    fn deliver(&self, secret: &str, event: &str, id: &str, body: &str) -> u16 {
        let stream = self.request(secret, event, id, body);
        Self::status(stream, LONG).unwrap()
    }

    /// The status, unless none comes within the time.
    fn status(mut stream: TcpStream, within: Duration) -> Option<u16> {
        stream.set_read_timeout(Some(within)).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer.split(' ').nth(1).unwrap().parse().unwrap())
    }

    fn end(mut self) -> (Scene, String, i32) {
        self.output.read_to_string(&mut self.said).unwrap();
        let code = self.child.wait().unwrap().code().unwrap();
        (self.scene, self.said, code)
    }
}

/// Nothing of the scene is told, to nobody.
fn assert_private(report: &str, secret: &str) {
    for private in PRIVATE
        .into_iter()
        .chain([secret, RELAY, "you@example.org", "w7"])
    {
        assert!(!report.contains(private), "it holds {private}: {report}");
    }
    assert!(!report.contains('@') && !report.contains("://"), "{report}");
}

fn answers(report: &str) -> Vec<Value> {
    let json = report.split("```json\n").nth(1).unwrap();
    let whole: Value = serde_json::from_str(json.trim_end_matches("```\n")).unwrap();
    whole["questions"].as_array().unwrap().clone()
}

#[test]
fn a_proof_asks_everything_and_tells_of_nobody() {
    let mut proving = Proving::start();
    let secret = proving.secret();
    assert_eq!(proving.webhook()["project"]["id"], "p1");
    let of_others = proving.deliver("another", "LABEL_CREATED", "x", V1);
    assert_eq!(of_others, 503, "it is to come again");
    let deliver = |event: &str, id: &str, body: &str| proving.deliver(&secret, event, id, body);
    assert_eq!(deliver("LABEL_CREATED", "id-of-delivery", V1), 503);
    assert_eq!(deliver("LABEL_CREATED", "id-of-delivery", V1), 200, "again");
    // The next other one is kept waiting, until its sender has enough of it, and is taken when it comes again.
    let other = V1.replace("row", "ROW");
    let taken = (0..TRIES).any(|_| {
        let stream = proving.request(&secret, "LABEL_UPDATED", "b", &other);
        Proving::status(stream, SOON) == Some(200)
    });
    assert!(taken, "it was never taken");
    let workflow = proving.deliver(&secret, "somebody@example.org", "c", WORKFLOW);
    assert_eq!(workflow, 200);
    proving.enter();
    proving.until("Part 2 of 2");
    let shown = proving.scene.place.read("labelbox-proof.secret");
    assert_eq!(shown, secret);
    // Made by hand, and not quite as it was asked for.
    let mut by_hand = proving.webhook();
    by_hand["id"] = "w8".into();
    by_hand["project"] = Value::Null;
    by_hand["url"] = format!("{}/", by_hand["url"].as_str().unwrap()).into();
    proving.scene.has(by_hand);
    assert_eq!(proving.deliver(&secret, "LABEL_CREATED", "d", V2), 200);
    proving.enter();
    let (scene, said, code) = proving.end();
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains(&secret), "{said}");
    assert!(said.contains("2 webhooks ended"), "{said}");

    for id in ["w7", "w8"] {
        let webhook = scene.one(id);
        assert_eq!(webhook["status"], "INACTIVE", "{webhook}");
        assert!(
            webhook["url"].as_str().unwrap().ends_with("/ended"),
            "{webhook}"
        );
    }
    assert!(!scene.place.path("labelbox-proof.secret").exists());
    let report = scene.place.read("labelbox-proof.md");
    assert_private(&report, &secret);
    let answers = answers(&report);
    assert_eq!(answers.len(), 15);
    let of = |id: &str| answers.iter().find(|answer| answer["id"] == id).unwrap();
    for (id, said) in [
        ("signature", "with a fitting sha1"),
        ("event-header", "(something else) × 1"),
        ("delivery-id", "have one"),
        ("retry", "came again, after "),
        ("retry-same", "the same id in "),
        ("still-active", "yes"),
        ("sizes", " bytes"),
        ("transport", "HTTP/1.1, application/json, length told"),
        ("v1", "createdBy, id, label, labeledData and 1 more"),
        ("v2", "data_row, projects"),
        ("workflow", "action, dataRowIds, projectId"),
        ("organization-list", "no"),
        ("export", "0 labels in "),
    ] {
        let answer = of(id)["answer"].as_str();
        assert!(
            answer.is_some_and(|answer| answer.contains(said)),
            "{id}: {}",
            of(id)
        );
    }
    for answer in &answers {
        let is_one = answer["answer"].is_string() != answer["not_seen"].is_string();
        assert!(is_one, "{answer}");
    }
    assert_eq!(
        of("v1")["question"],
        "What has a body of version 1 at its top?"
    );
}

#[cfg(unix)]
#[test]
fn an_interruption_leaves_no_webhook_and_no_secret() {
    let mut proving = Proving::start();
    proving.enter();
    proving.until("Part 2 of 2");
    assert!(proving.scene.place.path("labelbox-proof.secret").exists());
    let secret = proving.secret();
    let pid = proving.child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status();
    assert!(sent.unwrap().success());
    let (scene, said, code) = proving.end();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("it was interrupted"), "{said}");
    assert_eq!(scene.one("w7")["status"], "INACTIVE");
    assert!(!scene.place.path("labelbox-proof.secret").exists());
    let report = scene.place.read("labelbox-proof.md");
    assert_private(&report, &secret);
    for answer in answers(&report) {
        let is_known = ["still-active", "organization-list", "export"]
            .contains(&answer["id"].as_str().unwrap());
        assert_eq!(answer["not_seen"].is_null(), is_known, "{answer}");
    }
}

#[test]
fn a_plan_makes_nothing_and_a_relay_in_use_is_left_alone() {
    let scene = Scene::new();
    let plan = ["--prove", "--project", "p1", "--plan"];
    let planned = scene.connect(&plan);
    assert!(
        planned.good().contains("nothing was changed"),
        "{planned:?}"
    );
    assert_eq!(scene.labelbox.changes(), [""; 0]);
    assert!(!scene.place.path("labelbox-proof.md").exists());
    // Of another project: its deliveries would come to the proof just so.
    scene.connect(&["--project", "p2"]).good();
    scene.labelbox.changes();
    let used = scene.connect(&plan[..3]);
    assert_eq!(used.code, 1, "{used:?}");
    assert!(
        used.stdout.contains("give --relay another address"),
        "{used:?}"
    );
    assert_eq!(scene.labelbox.changes(), [""; 0]);
    scene.connect(&["--prove"]).failed(2, &["--project ID"]);
}

#[cfg(unix)]
#[test]
fn one_webhook_that_cannot_be_ended_is_told_and_keeps_no_other() {
    let proving = Proving::start();
    let mut by_hand = proving.webhook();
    by_hand["id"] = "w8".into();
    proving.scene.has(by_hand);
    proving.scene.labelbox.fails(|asked| {
        let is_it = operation(asked) == "UpdateWebhook" && asked.body["variables"]["id"] == "w7";
        is_it.then(|| Fault::Answer(200, refusal("FORBIDDEN", "no").to_string()))
    });
    let pid = proving.child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status();
    assert!(sent.unwrap().success());
    let (scene, said, code) = proving.end();
    assert_eq!(code, 1, "{said}");
    for word in [
        "it was interrupted",
        "may be left: webhook w7",
        "webhook w8 ended",
        "1 webhook ended",
        "report written to",
    ] {
        assert!(said.contains(word), "no {word:?} in {said}");
    }
    assert_eq!(scene.one("w8")["status"], "INACTIVE");
    assert_eq!(scene.one("w7")["status"], "ACTIVE");
}

#[test]
fn a_report_that_is_there_stays_and_a_making_that_fails_is_looked_for() {
    let scene = Scene::new();
    scene.place.write("labelbox-proof.md", "mine");
    let words = ["--prove", "--project", "p1", "--listen", "127.0.0.1:0"];
    let ran = scene.connect(&words);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("give --report FILE"), "{ran:?}");
    assert_eq!(scene.labelbox.changes(), [""; 0]);
    assert_eq!(scene.place.read("labelbox-proof.md"), "mine");

    scene.labelbox.fails(|asked| {
        let lost = || Fault::Answer(200, refusal("FORBIDDEN", "no").to_string());
        (operation(asked) == "CreateWebhook").then(lost)
    });
    let ran = scene.connect(&[&words[..], &["--report", "another.md"]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("no list shows it yet"), "{ran:?}");
    assert!(scene.place.path("another.md").exists());
}
