//! The record of deliveries that replicas share.

use super::SCHEMA;
use crate::clouds::{LONG, address, delivered};
use crate::page::Page;
use crate::support::{Place, Serving, until};
use labelrelay_testkit::adapter_suite::{CONFIG, SECRET};
use labelrelay_tests::client::once;
use labelrelay_tests::sender;
use labelrelay_tests::servers::Postgres;
use serde_json::{Value, json};

/// A place for a replica that records, over this server.
fn replica(server: &Postgres) -> Place {
    let place = Place::new();
    let record = "[serve.record]\nfile = \"record\"\n";
    place.write("labelrelay.toml", format!("{CONFIG}{record}"));
    let place = place.with("SECRET", SECRET);
    over(place, server).with("LABELRELAY_DEADLINE_MS", LONG)
}

fn over(place: Place, server: &Postgres) -> Place {
    let place = place.with("LABELRELAY_QUEUE", &server.url(SCHEMA));
    let variables = server.environment().into_iter();
    variables.fold(place, |place, (name, value)| place.with(&name, &value))
}

fn refused(serving: &Serving, tag: &str) -> u16 {
    let body = sender::label(tag);
    let request = sender::labelbox("another secret", "LABEL_CREATED", tag, &body);
    once(address(serving), &request).status
}

/// Red if a delivery is found by the replica alone that took it.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn whoever_asks_sees_the_deliveries_of_all_replicas() {
    let server = Postgres::start();
    let places = [replica(&server), replica(&server)];
    // Somebody with the URL alone, on a machine of its own.
    let laptop = over(Place::new(), &server);
    let none = laptop.run(&["events", "list", "--recorded"]);
    none.failed(1, &["no record in the database", "serve.record"]);
    let told = |place: &Place| place.run(&["status", "--json"]).json().remove(0);
    assert_eq!(told(&places[0])["record"], json!({"is_missing": true}));
    let serving = places.each_ref().map(|place| place.serve(&[]));
    for (serving, tag) in serving.iter().zip(["one", "two"]) {
        assert_eq!(delivered(serving, &sender::label(tag)).status, 200);
        assert_eq!(refused(serving, &format!("refused-{tag}")), 401);
    }
    let listed = |words: &[&str]| -> Vec<Value> {
        let all = [&["events", "list"], words, &["--json"]].concat();
        laptop.run(&all).json()
    };
    until("all deliveries are recorded", || {
        let listed = laptop.run(&["events", "list", "--recorded", "--json"]);
        listed.code == 0 && listed.json().len() == 4
    });
    let all = listed(&["--recorded"]);
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|it| it["replica"].is_string()), "{all:?}");
    assert_eq!(told(&places[1])["record"], json!({"deliveries": 4}));
    let refused = listed(&["--refused", "--newest"]);
    let deliveries = refused.iter().map(|it| it["delivery_id"].as_str().unwrap());
    let mut deliveries: Vec<_> = deliveries.collect();
    deliveries.sort_unstable();
    assert_eq!(deliveries, ["refused-one", "refused-two"]);

    // Each page has all of them, by the same names.
    for (place, serving) in places.iter().zip(&serving) {
        let page = Page::of_replica(place, "record");
        let list = page.json("/api/deliveries");
        let shown = list["deliveries"].as_array().unwrap();
        assert_eq!(shown.len(), 4, "{}: {list}", serving.address);
        let delivery = page.json("/api/deliveries/refused-one");
        assert_eq!(delivery["summary"]["outcome"], "unauthorized");
        page.json("/api/strip");
        page.json("/api/sources");
    }

    // What was acknowledged is found in the record, and a refusal explained, wherever somebody asks.
    server.sql("DELETE FROM events.events");
    let id = all.iter().find_map(|it| it["id"].as_str()).unwrap();
    let shown = laptop.run(&["events", "show", id, "--json"]).json();
    assert_eq!(shown[0]["id"], id);
    laptop.write("secret", SECRET);
    let words = [
        "verify",
        "--delivery",
        "refused-two",
        "--secret",
        "file:secret",
    ];
    let told = laptop.run(&words);
    assert_eq!(told.code, 1, "{told:?}");
    let said = format!("{}{}", told.stdout, told.stderr);
    assert!(said.contains("answered 401"), "{said}");
    let forgotten = laptop.run(&["events", "forget", "--author", "ann@example.org"]);
    assert!(forgotten.good().contains("taken out of 0"));
    for serving in serving {
        assert_eq!(serving.stop(), 0);
    }
    // Nothing waits, and there is no file of a record.
    for place in &places {
        assert!(!place.path("record").exists());
        assert!(!place.path("record.waiting.journal").exists());
    }
}

/// Red if a user who may only read the queue gets no answer about it, for want of a right to the record.
#[test]
#[ignore = "needs PostgreSQL: cargo xtask test"]
fn whoever_may_not_read_the_record_is_answered_from_the_queue() {
    let server = Postgres::start();
    let serving = replica(&server).serve(&[]);
    assert_eq!(delivered(&serving, &sender::label("one")).status, 200);
    assert_eq!(serving.stop(), 0);
    let password = server.environment().remove(0).1;
    server.sql(&format!(
        "CREATE ROLE weak LOGIN PASSWORD '{password}'; \
         GRANT USAGE ON SCHEMA {SCHEMA} TO weak; \
         GRANT SELECT ON {SCHEMA}.events, {SCHEMA}.dead_letters, {SCHEMA}.schema_version TO weak"
    ));
    let url = server.url(SCHEMA).replace("postgres@", "weak@");
    let weak = over(Place::new(), &server).with("LABELRELAY_QUEUE", &url);
    assert_eq!(weak.run(&["events", "list", "--json"]).json().len(), 1);
    let nothing = weak.run(&["events", "list", "--subject", "label/none"]);
    assert_eq!(nothing.code, 0, "{nothing:?}");
    assert!(nothing.stderr.contains("record_last"), "{nothing:?}");
    let shown = weak.run(&["events", "show", "nothing"]);
    shown.failed(1, &["no event", "nothing"]);
    // Who may send, and no more, is told of the record all the same.
    server.sql(&format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON {SCHEMA}.ids TO weak; \
         GRANT INSERT ON {SCHEMA}.events TO weak; \
         GRANT USAGE ON SEQUENCE {SCHEMA}.events_number TO weak"
    ));
    let record = "[serve.record]\nfile = \"record\"\n";
    weak.write("labelrelay.toml", format!("{CONFIG}{record}"));
    let told = weak.with("SECRET", SECRET).run(&["status"]);
    let said = format!("{}{}", told.stdout, told.stderr);
    assert!(said.contains("was not looked into"), "{said}");
}
