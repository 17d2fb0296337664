//! Folding events into the state, beside a bare upsert of the same rows in the same run: `cargo bench -p
//! labelrelay-dataset --bench fold` prints the ratio at its end.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench fails by panicking"
)]

use labelrelay_dataset::Store;
use labelrelay_event::Event;
use rusqlite::Connection;
use serde_json::json;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const EVENTS: usize = 20_000;
const BATCH: usize = 500;
const ROUNDS: usize = 5;

/// An annotation with two boxes, as Label Studio delivers it: about 1.6 KB.
fn message(number: usize) -> Vec<u8> {
    let region = |id: &str| {
        json!({
            "id": id, "type": "rectanglelabels", "from_name": "box", "to_name": "image",
            "original_width": 640, "original_height": 480, "image_rotation": 0,
            "value": {"x": 10.5, "y": 20.25, "width": 30.0, "height": 12.5, "rotation": 0, "rectanglelabels": ["car"]},
        })
    };
    let data = json!({
        "action": "ANNOTATION_CREATED",
        "annotation": {
            "id": number, "task": number, "updated_at": "2026-11-21T09:47:10.371842Z", "was_cancelled": false,
            "completed_by": 1, "ground_truth": false, "result": [region("a"), region("b")],
        },
        "project": {"id": 1, "title": "Cars", "label_config": "<View><Image name=\"image\" value=\"$image\"/></View>"},
        "task": {"id": number, "data": {"image": format!("s3://cars/{number}.jpg")}},
    })
    .to_string();
    let digest = labelrelay_event::Digest::of(data.as_bytes()).to_hex();
    format!(
        r#"{{"specversion":"1.0","id":"{number}","source":"/label-studio","type":"io.labelstud.annotation.created","datasha256":"{digest}","receivedtime":"2026-11-21T09:47:12Z","data":{data}}}"#
    )
    .into_bytes()
}

fn folded(messages: &[Vec<u8>]) -> Duration {
    let dir = TempDir::new().unwrap();
    let mut store = Store::open(dir.path()).unwrap();
    let begun = Instant::now();
    for some in messages.chunks(BATCH) {
        let events: Vec<_> = some.iter().map(|it| Event::parse(it).unwrap()).collect();
        for verdict in store.fold(&events).unwrap() {
            verdict.unwrap();
        }
    }
    begun.elapsed()
}

/// One annotation, two regions, one task: the rows that are written, and nothing that is read.
fn upserted(messages: &[Vec<u8>]) -> Duration {
    let dir = TempDir::new().unwrap();
    let mut db = Connection::open(dir.path().join("bare.db")).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE annotations(row INTEGER PRIMARY KEY, source TEXT, kind TEXT, id TEXT, project TEXT, task TEXT,
             version TEXT, raw TEXT, UNIQUE(source, kind, id));
         CREATE TABLE regions(annotation INTEGER, position INTEGER, labels TEXT, x REAL, y REAL, width REAL, height REAL,
             raw TEXT, PRIMARY KEY(annotation, position)) WITHOUT ROWID;
         CREATE TABLE tasks(source TEXT, id TEXT, data TEXT, PRIMARY KEY(source, id)) WITHOUT ROWID;",
    )
    .unwrap();
    let begun = Instant::now();
    for (batch, some) in messages.chunks(BATCH).enumerate() {
        let transaction = db.transaction().unwrap();
        for (place, message) in some.iter().enumerate() {
            let id = (batch * BATCH + place).to_string();
            let raw = std::str::from_utf8(message.get(300..900).unwrap()).unwrap();
            let row: i64 = transaction
                .prepare_cached(
                    "INSERT INTO annotations(source, kind, id, project, task, version, raw) VALUES(?1, ?2, ?3, ?4, ?3, ?5, ?6)
                     ON CONFLICT DO UPDATE SET version = excluded.version, raw = excluded.raw RETURNING row",
                )
                .unwrap()
                .query_row(
                    ("/label-studio", "annotation", &id, "1", "20261121T094710.371842000Z", raw),
                    |row| row.get(0),
                )
                .unwrap();
            for region in 0..2 {
                transaction
                    .prepare_cached(
                        "INSERT INTO regions VALUES(?1, ?2, '[\"car\"]', ?3, ?4, ?5, ?6, ?7)
                         ON CONFLICT DO UPDATE SET raw = excluded.raw",
                    )
                    .unwrap()
                    .execute((row, region, 67.2, 97.2, 192.0, 60.0, raw.get(..250)))
                    .unwrap();
            }
            transaction
                .prepare_cached("INSERT INTO tasks VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET data = excluded.data")
                .unwrap()
                .execute(("/label-studio", &id, "{\"image\":\"s3://cars/1.jpg\"}"))
                .unwrap();
        }
        transaction.commit().unwrap();
    }
    begun.elapsed()
}

fn main() {
    let messages: Vec<_> = (0..EVENTS).map(message).collect();
    let mut ratios = Vec::new();
    for round in 0..ROUNDS {
        // Who goes first alternates: this machine slows down and speeds up.
        let (ours, bare) = if round % 2 == 0 {
            let ours = folded(&messages);
            (ours, upserted(&messages))
        } else {
            let bare = upserted(&messages);
            (folded(&messages), bare)
        };
        let ratio = bare.as_secs_f64() / ours.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let rate = |took: Duration| EVENTS as f64 / took.as_secs_f64();
        println!(
            "fold {:.0}/s, bare upsert {:.0}/s, ratio {ratio:.2}",
            rate(ours),
            rate(bare)
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ROUNDS / 2]);
}
