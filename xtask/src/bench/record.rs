//! `cargo xtask bench record`: `labelrelay serve` with its record of deliveries on, and somebody who looks at its page, beside
//! off.

use super::bench_folder::BenchFolder;
use super::deliveries::Deliveries;
use super::figures::Figures;
use super::onlooker::Onlooker;
use super::pair::{self, Terms};
use super::servers::{Server, WITHOUT_RECORD};
use crate::Outcome;
use crate::step::{cargo, status};
use labelrelay_record::RecordFile;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What the record may cost: a tenth of the requests, and a quarter more for the slowest of a hundred.
const TERMS: Terms = Terms {
    window: Duration::from_secs(8),
    rounds: 6,
    least: 0.9,
    most_p99: 1.25,
};

/// KiB of a body.
const BODY: usize = 1;

const ON: (&str, &str) = (
    "LABELRELAY_CONFIG_TOML",
    "[serve.record]\nenabled = true\nmax_disk_percent = 100\n",
);

pub(super) fn run(args: &[String]) -> Outcome {
    if !args.is_empty() {
        return Err("`bench record` takes no options".into());
    }
    status(&mut cargo("build --release --package labelrelay"))?;
    let folder = BenchFolder::new()?;
    let start = |name: &str, settings: &[(&str, &str)]| {
        let folder = folder.0.join(name);
        std::fs::create_dir(&folder)?;
        Server::labelrelay_with(&folder, settings)
    };
    let on = start("on", &[ON])?;
    let off = start("off", &[WITHOUT_RECORD])?;
    let deliveries = Arc::new(Deliveries::new(BODY * 1024));
    let mut figures = Figures::default();
    println!("this: the record is on, and its page is open; the other: it is off");
    let onlooker = Onlooker::at(&folder.0.join("on"), ON)?;
    pair::compare(&TERMS, [&on, &off], BODY, &deliveries, &mut figures)?;
    let answers = onlooker.leave()?;
    figures.note("answers to the open page", answers.into(), "");
    for server in [on, off] {
        server.stop()?;
    }
    let (rows, lost) = recorded(&folder.0.join("on").join("queue.db.record"))?;
    figures.note("deliveries in the record", rows, "");
    figures.goal("deliveries that the record misses", lost, "", 0.0);
    figures.print();
    Ok(())
}

/// Deliveries in the record, and those that it misses. The oldest are gone where more came than it may have.
fn recorded(file: &Path) -> Outcome<(f64, f64)> {
    let record = RecordFile::open(file)?.ok_or("nothing was recorded")?;
    let rows = u32::try_from(record.count()?)?;
    let lost = u32::try_from(record.lost()?)?;
    Ok((rows.into(), lost.into()))
}
