//! `cargo xtask bench telemetry`: `labelrelay serve` that sends spans and metrics to a real collector, beside one that sends
//! nothing. The collector runs on the same machine, and prints nothing.

use super::bench_folder::BenchFolder;
use super::deliveries::Deliveries;
use super::figures::Figures;
use super::pair::{self, Terms};
use super::servers::{Server, WITHOUT_RECORD};
use crate::Outcome;
use crate::step::{cargo, status};
use labelrelay_tests::client::once;
use labelrelay_tests::servers::{Rotel, free_ports};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What telemetry may cost: a tenth of the requests, and a quarter more for the slowest of a hundred.
const TERMS: Terms = Terms {
    window: Duration::from_secs(8),
    rounds: 6,
    least: 0.9,
    most_p99: 1.25,
};

/// KiB of a body.
const BODY: usize = 1;

pub(super) fn run(args: &[String]) -> Outcome {
    if !args.is_empty() {
        return Err("`bench telemetry` takes no options".into());
    }
    status(&mut cargo(
        "build --release --package labelrelay --features otlp",
    ))?;
    let collector = Rotel::start_quiet();
    let endpoint = collector.endpoint();
    let [port] = free_ports();
    let admin = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let admin_listen = admin.to_string();
    let folder = BenchFolder::new()?;
    let start = |name: &str, settings: &[(&str, &str)]| {
        let folder = folder.0.join(name);
        std::fs::create_dir(&folder)?;
        Server::labelrelay_with(&folder, settings)
    };
    let on = start(
        "on",
        &[
            WITHOUT_RECORD,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("LABELRELAY_ADMIN_LISTEN", admin_listen.as_str()),
        ],
    )?;
    let off = start("off", &[WITHOUT_RECORD])?;
    let deliveries = Arc::new(Deliveries::new(BODY * 1024));
    let mut figures = Figures::default();
    println!("this: each delivery has its spans; the other: it sends nothing");
    pair::compare(&TERMS, [&on, &off], BODY, &deliveries, &mut figures)?;
    let dropped = dropped(admin)?;
    for server in [on, off] {
        server.stop()?;
    }
    figures.note("spans that found no room", dropped, "");
    figures.print();
    Ok(())
}

/// What the metrics say of spans that were dropped.
fn dropped(admin: SocketAddr) -> Outcome<f64> {
    const NAME: &str = "labelrelay_telemetry_spans_dropped_total ";
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {admin}\r\n\r\n");
    let metrics = once(admin, request.as_bytes()).text();
    let value = metrics.lines().find_map(|line| line.strip_prefix(NAME));
    Ok(value
        .ok_or("there is no metric of dropped spans")?
        .parse()?)
}
