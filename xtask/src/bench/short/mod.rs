//! `cargo xtask bench --short`: the processor time that a delivery takes in `labelrelay serve`, of that in a bare
//! server that verifies it and answers. It fails where a ratio is worse than the kept one.
//!
//! Processor time is steadier than requests a second: a disk that others use, and a load generator that takes a
//! share of the machine, change the latter far more.

mod table;

use super::bench_folder::BenchFolder;
use super::deliveries::{Deliveries, Kind, SECRET};
use super::load::Until;
use super::processor_time::Loaded;
use super::report::median;
use super::servers::Server;
use crate::Outcome;
use crate::paths::root;
use crate::step::{cargo, status};
use std::sync::Arc;
use std::time::Duration;
use table::{Row, Table};

/// Length of one measurement. With five scenarios, two servers and three rounds, all takes about two minutes.
const WINDOW: Duration = Duration::from_secs(3);

/// An odd number: the median is one that was measured.
const ROUNDS: usize = 3;

/// A ratio may be this many times the kept one: less than that may be the machine's doing.
const MARGIN: f64 = 1.15;

/// The kept table, below the root of the repository.
const KEPT: &str = "docs/processor-time.csv";

struct Scenario {
    name: &'static str,
    kind: Kind,
    bytes: usize,
}

const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "1 KB",
        kind: Kind::New,
        bytes: 1024,
    },
    Scenario {
        name: "100 KB",
        kind: Kind::New,
        bytes: 100 * 1024,
    },
    Scenario {
        name: "1 KB refused with 401",
        kind: Kind::Forged,
        bytes: 1024,
    },
    Scenario {
        name: "1 KB repeated",
        kind: Kind::Repeated,
        bytes: 1024,
    },
    Scenario {
        name: "1 KB with Label Studio's header",
        kind: Kind::LabelStudio,
        bytes: 1024,
    },
];

pub(super) fn run(args: &[String]) -> Outcome {
    let keeps = match args {
        [] => false,
        [flag] if flag == "--keep" => true,
        _ => return Err("`bench --short` takes no option but --keep".into()),
    };
    status(&mut cargo("build --release --package labelrelay"))?;
    let measured = measure()?;
    let file = root().join(KEPT);
    let kept = match std::fs::read_to_string(&file) {
        Ok(text) => Some(Table::parse(&text)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("cannot read {KEPT}: {error}").into()),
    };
    measured.print(kept.as_ref());
    if keeps {
        std::fs::write(&file, measured.text())?;
        println!("kept in {KEPT}");
        return Ok(());
    }
    let kept =
        kept.ok_or_else(|| format!("there is no {KEPT} to compare with; --keep writes it"))?;
    let worse = measured.worse_than(&kept, MARGIN);
    if worse.is_empty() {
        println!("no ratio is more than {MARGIN} times the kept one");
        return Ok(());
    }
    Err(format!(
        "{}. Measure again on a quiet machine. If it is meant, `cargo xtask bench --short --keep` keeps it",
        worse.join("; ")
    )
    .into())
}

/// Microseconds a delivery in the bare server and in ours, of each scenario.
fn measure() -> Outcome<Table> {
    let folder = BenchFolder::new()?;
    let bare = Server::ceiling(&folder.0)?;
    let settings = [("LABEL_STUDIO_WEBHOOK_SECRET", SECRET)];
    let ours = Server::labelrelay_with(&folder.0, &settings)?;
    let deliveries = SCENARIOS.map(|of| Arc::new(Deliveries::of(of.kind, of.bytes)));
    let mut rows = Vec::new();
    for (scenario, deliveries) in SCENARIOS.iter().zip(&deliveries) {
        let (mut in_bare, mut in_ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let theirs = each(&bare, deliveries)?;
            let mine = each(&ours, deliveries)?;
            in_bare.push(theirs);
            in_ours.push(mine);
            // Of one round: whatever slows the machine down for a while hits both.
            ratios.push(mine / theirs);
        }
        let row = Row {
            scenario: scenario.name.to_owned(),
            bare: median(in_bare),
            ours: median(in_ours),
            ratio: median(ratios),
        };
        println!("{}: {:.2} times the bare server", row.scenario, row.ratio);
        rows.push(row);
    }
    bare.stop()?;
    ours.stop()?;
    Ok(Table(rows))
}

/// Microseconds of processor time that the server takes for each of these.
fn each(server: &Server, deliveries: &Arc<Deliveries>) -> Outcome<f64> {
    let until = Until::Time {
        warm_up: Duration::ZERO,
        window: WINDOW,
    };
    Ok(Loaded::wholly(server, deliveries, until)?.each_us)
}
