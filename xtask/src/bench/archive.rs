//! `cargo xtask bench archive`: `labelrelay serve` with its archive on, beside off.

use super::bench_folder::BenchFolder;
use super::deliveries::Deliveries;
use super::figures::Figures;
use super::pair::{self, Terms};
use super::servers::Server;
use crate::Outcome;
use crate::step::{cargo, status};
use flate2::read::MultiGzDecoder;
use rusqlite::Connection;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the archive may cost: a tenth of the requests, and a quarter more for the slowest of a hundred.
const TERMS: Terms = Terms {
    window: Duration::from_secs(8),
    rounds: 6,
    least: 0.9,
    most_p99: 1.25,
};

/// KiB of a body.
const BODY: usize = 1;

/// Time that the archive has for what waits when the load has ended.
const CATCHES_UP: Duration = Duration::from_secs(600);

pub(super) fn run(args: &[String]) -> Outcome {
    if !args.is_empty() {
        return Err("`bench archive` takes no options".into());
    }
    status(&mut cargo("build --release --package labelrelay"))?;
    let folder = BenchFolder::new()?;
    let [with, without] = ["on", "off"].map(|name| folder.0.join(name));
    for folder in [&with, &without] {
        std::fs::create_dir(folder)?;
    }
    let archive = with.join("archive");
    let configuration = format!(
        "[archive]\nurl = \"file:{}\"\nevery = \"1s\"\n",
        archive.display()
    );
    let settings = [("LABELRELAY_CONFIG_TOML", configuration.as_str())];
    let on = Server::labelrelay_with(&with, &settings)?;
    let off = Server::labelrelay(&without)?;
    let deliveries = Arc::new(Deliveries::new(BODY * 1024));
    let mut figures = Figures::default();
    println!("this: the archive is on; the other: it is off");
    pair::compare(&TERMS, [&on, &off], BODY, &deliveries, &mut figures)?;
    off.stop()?;
    on.stop()?;
    let queued = events(&with.join("queue.db"))?;
    let waiting = queued.saturating_sub(lines(&archive)?);
    // A stop archives what it can in 5 s, and the next start the rest.
    let on = Server::labelrelay_with(&with, &settings)?;
    let begun = Instant::now();
    let mut archived = lines(&archive)?;
    while archived < queued && begun.elapsed() < CATCHES_UP {
        std::thread::sleep(Duration::from_secs(1));
        archived = lines(&archive)?;
    }
    let caught_up = begun.elapsed().as_secs_f64();
    on.stop()?;
    figures.note("events on the queue", u32::try_from(queued)?.into(), "");
    figures.note(
        "events that waited for the archive after the stop",
        u32::try_from(waiting)?.into(),
        "",
    );
    figures.note("until the next start had archived them", caught_up, "s");
    figures.goal(
        "events that the archive lacks, or has twice",
        u32::try_from(queued.abs_diff(archived))?.into(),
        "",
        0.0,
    );
    figures.print();
    Ok(())
}

fn events(queue: &Path) -> Outcome<u64> {
    let db = Connection::open(queue)?;
    let count: i64 = db.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?;
    Ok(u64::try_from(count)?)
}

/// Lines in the files of the archive.
fn lines(archive: &Path) -> Outcome<u64> {
    let (mut count, mut folders) = (0, vec![archive.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == "gz") {
                let text = BufReader::new(MultiGzDecoder::new(File::open(&path)?));
                for line in text.split(b'\n') {
                    line?;
                    count += 1;
                }
            }
        }
    }
    Ok(count)
}
