//! A relay that is down half of the time, and one run afterwards.

use super::{applied, assert_each_once, of_origin, summary};
use labelrelay_tests::export::Exported;
use labelrelay_tests::label_studio::{LabelStudio, choice};
use labelrelay_tests::random::Random;
use labelrelay_tests::relay::{Relay, SECRET, Site};
use labelrelay_tests::servers::free_ports;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const TASKS: u64 = 200;

/// `serve`, killed and started again at random.
struct Flaky<'a> {
    site: &'a Site,
    listen: String,
    relay: Option<Relay>,
    random: Random,
    kills: u32,
}

impl Flaky<'_> {
    /// Does `work`; now and then the relay dies in the middle of it, or is started before it.
    fn during<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let turn = self.random.below(12) == 0;
        match (turn, self.relay.take()) {
            (true, Some(relay)) => {
                self.kills += 1;
                std::thread::scope(|scope| {
                    let kill = scope.spawn(move || relay.kill());
                    let done = work();
                    kill.join().unwrap();
                    done
                })
            }
            (true, None) => {
                self.relay = Some(self.site.serve_at(&self.listen));
                work()
            }
            (false, relay) => {
                self.relay = relay;
                work()
            }
        }
    }
}

#[test]
#[ignore = "needs an installed Label Studio: run it with `cargo xtask e2e reconcile`"]
fn after_outages_one_run_makes_the_queue_say_what_label_studio_says() {
    let _machine = crate::beside_others();
    let mut label_studio = LabelStudio::start();
    let site = Site::new();
    let [port] = free_ports();
    let listen = format!("127.0.0.1:{port}");
    let project = label_studio.project("outage");
    label_studio.webhook(project, &format!("http://{listen}/label-studio"), SECRET);
    let mut flaky = Flaky {
        relay: Some(site.serve_at(&listen)),
        site: &site,
        listen,
        random: Random::seeded(),
        kills: 0,
    };
    annotate(&mut label_studio, project, &mut flaky);
    println!("serve was killed {} times", flaky.kills);
    assert!(flaky.kills > 3, "hardly any outage");
    // It runs beside a serve that is up.
    let relay = flaky
        .relay
        .take()
        .unwrap_or_else(|| site.serve_at(&flaky.listen));
    let live = site.export();

    let first = summary(&site, &label_studio, &[]);
    println!("live {} events; reconciled: {first}", live.len());
    let events = site.export();
    assert_eq!(of_origin(&events, false), live.len());
    assert_eq!(
        of_origin(&events, true) as u64,
        first["sent"].as_u64().unwrap()
    );
    assert!(
        of_origin(&events, false) > 20 && of_origin(&events, true) > 20,
        "both ways had a share"
    );
    assert_each_once(&events);
    assert_says_what_it_says(&mut label_studio, project, &events);

    let second = summary(&site, &label_studio, &[]);
    assert_eq!(second["sent"], 0, "{second}");
    assert_eq!(site.export().len(), events.len());

    // The relay is up: what comes live now is not sent again.
    let task = label_studio.rows("select max(id) from task")[0][0].clone();
    let annotation = json!({"result": choice("b")});
    label_studio.call(
        "POST",
        &format!("/api/tasks/{task}/annotations/"),
        &annotation,
    );
    let third = summary(&site, &label_studio, &[]);
    assert_eq!(third["sent"], 0, "{third}");
    let events = site.export();
    assert_each_once(&events);
    assert_says_what_it_says(&mut label_studio, project, &events);
    drop(relay);
}

/// Makes tasks one by one and in imports, annotates them, changes and deletes some.
fn annotate(label_studio: &mut LabelStudio, project: u64, flaky: &mut Flaky<'_>) {
    flaky.during(|| label_studio.import(project, 40, false));
    for _ in 0..TASKS - 40 {
        let value = json!({"project": project, "data": {"text": "one"}});
        flaky.during(|| label_studio.call("POST", "/api/tasks/", &value));
    }
    let tasks = label_studio.rows("select id from task order by id");
    assert_eq!(tasks.len() as u64, TASKS);
    for task in tasks {
        let task = &task[0];
        let path = format!("/api/tasks/{task}/annotations/");
        let skipped = flaky.random.below(20) == 0;
        let value = json!({"result": choice("a"), "was_cancelled": skipped});
        let made = flaky.during(|| label_studio.call("POST", &path, &value));
        let path = format!("/api/annotations/{}/", made["id"]);
        match flaky.random.below(10) {
            0..=2 => {
                let value = json!({"result": choice("b")});
                flaky.during(|| label_studio.call("PATCH", &path, &value));
            }
            3 => {
                flaky.during(|| label_studio.call("DELETE", &path, &Value::Null));
            }
            4 => {
                let path = format!("/api/tasks/{task}/");
                flaky.during(|| label_studio.call("DELETE", &path, &Value::Null));
            }
            _ => {}
        }
    }
    // A bulk action reports several things in one event.
    let tasks = label_studio.rows("select id from task order by id limit 3");
    let tasks: Vec<_> = tasks.iter().map(|row| row[0].clone()).collect();
    let path = format!("/api/dm/actions?id=delete_tasks&project={project}");
    let value = json!({"selectedItems": {"all": false, "included": tasks}});
    flaky.during(|| label_studio.call("POST", &path, &value));
}

/// Every thing is there with its newest contents, and nothing else is.
pub(super) fn assert_says_what_it_says(
    label_studio: &mut LabelStudio,
    project: u64,
    events: &[Exported],
) {
    let said = applied(events);
    let of_kind = |kind: &str| -> BTreeMap<String, &Exported> {
        said.iter()
            .filter_map(|(subject, event)| Some((subject.strip_prefix(kind)?.to_owned(), event)))
            .collect()
    };
    let tasks = of_kind("task/");
    let rows = label_studio.rows(&format!("select id from task where project_id = {project}"));
    let there: BTreeSet<String> = rows.iter().map(|row| row[0].to_string()).collect();
    assert_eq!(
        tasks.keys().cloned().collect::<BTreeSet<_>>(),
        there,
        "tasks"
    );

    let annotations = of_kind("annotation/");
    let rows = label_studio.rows(&format!(
        "select id, result, updated_at, was_cancelled from task_completion where project_id = {project}"
    ));
    let there: BTreeSet<String> = rows.iter().map(|row| row[0].to_string()).collect();
    assert_eq!(
        annotations.keys().cloned().collect::<BTreeSet<_>>(),
        there,
        "annotations"
    );
    for row in rows {
        let event = annotations[&row[0].to_string()];
        let body: Value = serde_json::from_slice(&event.body).unwrap();
        // One by itself, one of several, or the annotation alone.
        let annotation = match &body["annotation"] {
            _ if event.attributes.origin.is_some() => &body,
            Value::Array(several) => several.iter().find(|one| one["id"] == row[0]).unwrap(),
            one => one,
        };
        let result: Value = serde_json::from_str(row[1].as_str().unwrap()).unwrap();
        assert_eq!(annotation["result"], result, "annotation {}", row[0]);
        assert_eq!(
            annotation["was_cancelled"],
            row[3] == 1,
            "annotation {}",
            row[0]
        );
        // `2026-11-21 09:47:10.371842` against `2026-11-21T09:47:10.371842Z`.
        let digits = |text: &str| {
            text.chars()
                .filter(char::is_ascii_digit)
                .collect::<String>()
        };
        assert_eq!(
            digits(annotation["updated_at"].as_str().unwrap()),
            digits(row[2].as_str().unwrap()),
            "annotation {}",
            row[0]
        );
    }
}
