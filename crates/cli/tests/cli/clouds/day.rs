//! A day of a real Label Studio, and the samples of Labelbox's documents, live through a cloud's function. A fifth of it
//! is withheld, and a pull sends exactly that.

use super::pull::sent;
use super::traces::below;
use super::{Cloud, LONG};
use crate::support::Place;
use labelrelay_event::Envelope;
use labelrelay_testkit::request::TestRequest;
use labelrelay_tests::client::read_head;
use labelrelay_tests::label_studio::{LabelStudio, action, choice};
use labelrelay_tests::relay::eventually;
use labelrelay_tests::servers::Function;
use labelrelay_tests::{fixture, sender};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Of both platforms.
pub(super) const SECRET: &str = "clouds0day0secret0of0forty0characters000";

/// Tasks, each with an annotation; every fourth of these is changed.
const TASKS: usize = 20;

const CONFIG: &str = "[[source]]
name = 'label-studio'
provider = 'label-studio'
secret = 'env:NEVER_READ'
";

const PULL: [&str; 3] = ["pull", "label-studio", "--json"];

/// What a Label Studio delivered while somebody worked in it.
struct Day {
    deliveries: Vec<Vec<u8>>,
    tasks: Vec<u64>,
    annotations: Vec<u64>,
}

impl Day {
    fn of(label_studio: &mut LabelStudio) -> Self {
        let inbox = Inbox::start();
        let project = label_studio.project("day");
        let url = format!("http://{}/label-studio", inbox.address);
        label_studio.webhook(project, &url, SECRET);
        label_studio.import(project, TASKS, false);
        let rows = label_studio.rows("select id from task order by id");
        let tasks: Vec<_> = rows.iter().map(|row| row[0].as_u64().unwrap()).collect();
        assert_eq!(tasks.len(), TASKS);
        let mut annotations = Vec::new();
        for (number, task) in tasks.iter().enumerate() {
            let path = format!("/api/tasks/{task}/annotations/");
            let made = label_studio.call("POST", &path, &json!({"result": choice("a")}));
            let id = made["id"].as_u64().unwrap();
            annotations.push(id);
            if number.is_multiple_of(4) {
                let path = format!("/api/annotations/{id}/");
                label_studio.call("PATCH", &path, &json!({"result": choice("b")}));
            }
        }
        let deliveries = eventually("Label Studio has delivered the day", || {
            let deliveries = inbox.deliveries.lock().unwrap().clone();
            let of = |wanted: &str| {
                let those = deliveries.iter().filter(|body| action(body) == wanted);
                those.count()
            };
            let counts = ["TASKS_CREATED", "ANNOTATION_CREATED", "ANNOTATION_UPDATED"].map(of);
            (counts == [1, TASKS, TASKS / 4]).then_some(deliveries)
        });
        Self {
            deliveries,
            tasks,
            annotations,
        }
    }

    /// Tells whether a delivery is one of those that no function gets: all of every fifth annotation, and of one more the
    /// change.
    fn is_withheld(&self, body: &[u8]) -> bool {
        let body: Value = serde_json::from_slice(body).unwrap();
        let Some(id) = body["annotation"]["id"].as_u64() else {
            return false;
        };
        let number = self.annotations.iter().position(|known| *known == id);
        let number = number.unwrap();
        number.is_multiple_of(5) || (number == 4 && body["action"] == "ANNOTATION_UPDATED")
    }

    /// Subjects of annotations of which the newest version did not arrive.
    fn missed(&self) -> BTreeSet<String> {
        let numbers = [0, 4, 5, 10, 15].into_iter();
        numbers
            .map(|number: usize| format!("annotation/{}", self.annotations[number]))
            .collect()
    }

    /// Subjects of annotations that arrived, and that nobody changed.
    fn untouched(&self) -> BTreeSet<String> {
        let numbers = (0..TASKS).filter(|number| !number.is_multiple_of(4));
        let arrived = numbers.filter(|number| !number.is_multiple_of(5));
        arrived
            .map(|number| format!("annotation/{}", self.annotations[number]))
            .collect()
    }

    /// Subjects of all that there is.
    fn things(&self) -> BTreeSet<String> {
        let tasks = self.tasks.iter().map(|id| format!("task/{id}"));
        let annotations = self.annotations.iter().map(|id| format!("annotation/{id}"));
        tasks.chain(annotations).collect()
    }
}

impl Cloud<'_> {
    /// Variables of a function that sends to this cloud and leaves traces.
    pub(super) fn function_variables(&self) -> Vec<(String, String)> {
        let traces = self.traces();
        let own = [
            ("LABELRELAY_QUEUE", self.queue.as_str()),
            ("LABELRELAY_BLOB_STORE", self.blob_store.as_str()),
            ("LABELRELAY_TRACES", traces.as_str()),
            ("LABELRELAY_DEADLINE_MS", LONG),
            ("LABELBOX_WEBHOOK_SECRET", SECRET),
            ("LABEL_STUDIO_WEBHOOK_SECRET", SECRET),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.variables.iter().cloned().chain(own).collect()
    }

    /// What the function did not get is sent, nothing else is, and not twice. Where the traces are lost, all is sent once
    /// more with the same ids, and nothing is lost. `deliver` gives a request to the function, and returns the status.
    pub(super) fn sends_what_was_withheld_of_a_day(&self, deliver: &dyn Fn(&[u8]) -> u16) {
        let mut label_studio = LabelStudio::start();
        let day = Day::of(&mut label_studio);
        let (withheld, live): (Vec<_>, Vec<_>) = day
            .deliveries
            .iter()
            .partition(|body| day.is_withheld(body.as_slice()));
        assert_eq!(withheld.len(), 6);
        assert!(5 * withheld.len() >= day.deliveries.len(), "a fifth");
        let mut requests: Vec<_> = live
            .iter()
            .map(|body| sender::label_studio(&format!("Bearer {SECRET}"), body.as_slice()))
            .collect();
        let samples = fixture::labelbox().into_iter();
        let samples = samples.filter(|sample| !sample.body.is_empty());
        requests
            .extend(samples.map(|sample| sample.request(&sender::signature(SECRET, &sample.body))));
        for request in &requests {
            let head = String::from_utf8_lossy(&request[..60]).into_owned();
            assert_eq!(deliver(request), 200, "{head}");
        }
        let live = self.taken();
        assert_eq!(live.len(), requests.len());

        let traced = self
            .pulling(&label_studio)
            .with("LABELRELAY_TRACES", &self.traces());
        let missed = day.missed();
        assert_eq!(sent(&traced.run(&PULL)), missed.len());
        let pulled = self.taken();
        assert_eq!(pulled.len(), missed.len(), "no repeat");
        assert_eq!(subjects(&pulled), missed);
        assert_eq!(sent(&traced.run(&PULL)), 0);
        assert!(self.taken().is_empty());

        let ledger = below(&self.fallback, "another-ledger");
        let words = [&PULL[..], &["--ledger", ledger.as_str()]].concat();
        let ran = self.pulling(&label_studio).run(&words);
        let things = day.things();
        assert_eq!(sent(&ran), things.len());
        let pulled = self.taken();
        assert_eq!(subjects(&pulled), things);
        let untouched = day.untouched();
        let repeats: BTreeSet<_> = live
            .iter()
            .filter(|(_, subject)| untouched.contains(subject))
            .collect();
        assert_eq!(repeats.len(), untouched.len());
        assert!(
            repeats.iter().all(|repeat| pulled.contains(repeat)),
            "a repeat has its id: {repeats:?} in {pulled:?}"
        );
    }

    fn traces(&self) -> String {
        below(&self.fallback, "traces")
    }

    fn pulling(&self, label_studio: &LabelStudio) -> Place {
        let place = self
            .place(LONG)
            .with("LABEL_STUDIO_URL", &label_studio.base)
            .with("LABEL_STUDIO_API_KEY", &label_studio.token);
        place.write("labelrelay.toml", CONFIG);
        place
    }

    /// Takes all events from the queue: their ids and subjects.
    fn taken(&self) -> Vec<(String, String)> {
        let event = |envelope: Vec<u8>| {
            let attributes = Envelope::decode(&envelope).unwrap().attributes;
            (attributes.id, attributes.subject.unwrap_or_default())
        };
        (self.drain)().into_iter().map(event).collect()
    }
}

fn subjects(events: &[(String, String)]) -> BTreeSet<String> {
    events.iter().map(|(_, subject)| subject.clone()).collect()
}

/// Hands a request to a function for Lambda, as a function URL does; the status of its answer.
pub(super) fn invoke(function: &Function, request: &[u8]) -> u16 {
    let request = TestRequest::parse(request);
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (
            name.as_str().to_owned(),
            Value::from(value.to_str().unwrap()),
        )
    };
    let headers: Map<String, Value> = request.headers.iter().map(header).collect();
    let event = json!({
        "version": "2.0",
        "rawPath": request.path,
        "headers": headers,
        "requestContext": {
            "http": {"method": request.method.as_str(), "sourceIp": "127.0.0.1"},
            "stage": "$default",
            "timeEpoch": jiff::Timestamp::now().as_millisecond(),
        },
        "body": std::str::from_utf8(&request.body).unwrap(),
        "isBase64Encoded": false,
    });
    let answer = function.invoke(event.to_string().as_bytes());
    let status = answer["statusCode"].as_u64();
    let status = status.unwrap_or_else(|| panic!("{answer}\n{}", function.log()));
    u16::try_from(status).unwrap()
}

/// Takes everything and keeps it: the end of a webhook.
struct Inbox {
    address: SocketAddr,
    deliveries: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Inbox {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let inbox = Self {
            address: listener.local_addr().unwrap(),
            deliveries: Arc::default(),
        };
        let deliveries = Arc::clone(&inbox.deliveries);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let deliveries = Arc::clone(&deliveries);
                std::thread::spawn(move || keep(stream, &deliveries));
            }
        });
        inbox
    }
}

fn keep(stream: TcpStream, deliveries: &Mutex<Vec<Vec<u8>>>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_head(&mut reader) {
        let length: usize = request.header("content-length").unwrap().parse().unwrap();
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        deliveries.lock().unwrap().push(body);
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        if reader.get_mut().write_all(answer).is_err() {
            return;
        }
    }
}
