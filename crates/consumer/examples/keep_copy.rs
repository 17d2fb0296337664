//! A worker that keeps a copy of a Label Studio, for the end-to-end tests: `keep_copy FOLDER`.
//!
//! In the folder are the queue, `queue.db`, what the workers remember, `seen.db`, and their copy: the table `things` of
//! `things.db`. `embedded_suite.py` of the Python package has the same worker in Python.

use labelrelay_consumer::{Consumer, Failure, Incoming, Settings, SqliteState};
use labelrelay_event::changes::{Change, Kind, Record};
use labelrelay_local::FileSource;
use labelrelay_startup::SystemClock;
use rusqlite::Connection;
use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .ok_or("usage: keep_copy FOLDER")?;
    let folder = PathBuf::from(folder);
    let things = Connection::open(folder.join("things.db"))?;
    things.busy_timeout(Duration::from_secs(60))?;
    let things = Arc::new(Mutex::new(things));
    let queue = FileSource::open(folder.join("queue.db"), Arc::new(SystemClock::new()))?;
    let mut settings = Settings::default();
    settings.concurrency = 4;
    settings.visibility = Duration::from_secs(2);
    settings.first_pause = Duration::from_millis(100);
    settings.longest_pause = Duration::from_secs(1);
    settings.wait = Duration::from_secs(1);
    let consumer = Consumer::new(SqliteState::open(folder.join("seen.db"))?)
        .settings(settings)
        .on([Kind::Task, Kind::Annotation], move |incoming: Incoming| {
            let things = Arc::clone(&things);
            async move {
                let kept = keep(&things, &incoming);
                // As long as a handler takes that asks somebody.
                tokio::time::sleep(Duration::from_millis(2)).await;
                kept
            }
        });
    consumer.run(Arc::new(queue), stopped()).await?;
    Ok(())
}

fn keep(things: &Mutex<Connection>, incoming: &Incoming) -> Result<(), Failure> {
    let things = things.lock().unwrap_or_else(PoisonError::into_inner);
    let (kind, id) = (incoming.key().kind.as_str(), &*incoming.key().id);
    match incoming.change() {
        Change::Removed(_) => {
            things.execute("delete from things where kind = ?1 and id = ?2", (kind, id))?;
        }
        Change::Changed(changed) => {
            let raw = match changed.record.as_deref() {
                Some(Record::Annotation(annotation)) => annotation.raw.get(),
                Some(Record::Task(task)) => task.raw.get(),
                _ => return Ok(()),
            };
            things.execute("replace into things values (?1, ?2, ?3)", (kind, id, raw))?;
        }
        _ => {}
    }
    Ok(())
}

#[cfg(unix)]
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => {
            terminated.recv().await;
        }
        // It is ended without a word then.
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn stopped() {
    let _ = tokio::signal::ctrl_c().await;
}
